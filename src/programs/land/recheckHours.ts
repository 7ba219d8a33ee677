import { Effect, Option } from "effect"
import type { Hour } from "../../services/Hour.ts"
import { noLines, sameLines } from "../../services/LinesDigest.ts"
import type { ObjectStorage } from "../../services/ObjectStorage.ts"
import { exportHours } from "../fetch/exportHours.ts"
import { failedHour, logFailure } from "../run/failureKind.ts"
import type { ExportedHour } from "../fetch/handOver.ts"
import { Landed, Skipped } from "../run/HourOutcome.ts"
import type { Inventory } from "../plan/inventory.ts"
import { digestLanded, landObject } from "./landObject.ts"
import { LandingError } from "../run/LandingError.ts"
import { toLand } from "./landMissing.ts"
import { admitOneProject } from "./oneProject.ts"
import { Run } from "../run/Run.ts"

/**
 * Asks again for landed hours (oldest first) and compares. Changes nothing, but for an hour that
 * was marked as without events and has some now: its object is replaced, if it is still the one
 * that was looked at.
 */
export const recheckHours = Effect.fn("recheckHours")(function* (
  hours: ReadonlyArray<Hour>,
  store: ObjectStorage["Type"],
  inventory: Inventory
) {
  const { format, version } = yield* Run
  const admit = yield* admitOneProject([{ store, inventory }], store.place)

  const onHour = Effect.fn("recheckHours.onHour")(function* (exported: ExportedHour) {
    const { hour } = exported
    yield* admit(exported.project)
    const objects = inventory.get(hour) ?? []
    const landed = yield* digestLanded(
      store,
      objects.map(({ key }) => key)
    )
    const ours = Option.getOrElse(exported.unpacked, () => noLines)
    if (sameLines(landed, ours)) {
      yield* Effect.logInfo(`Amplitude still has the same ${ours.events} events`)
      return new Skipped({ hour })
    }
    const [object] = objects
    const isReplaceable = landed.events === 0 && objects.length === 1
    if (isReplaceable && object?.format === format && Option.isSome(exported.unpacked)) {
      const target = toLand(exported, exported.unpacked.value, object.key, version)
      const isReplaced = yield* landObject(store, target, object.etag)
      if (!isReplaced) return new Skipped({ hour })
      yield* Effect.logInfo(`Replaced the empty "${object.key}" by ${ours.events} events`)
      return new Landed({ hour, events: ours.events, bytes: ours.bytes })
    }
    return yield* new LandingError({
      reason: "Conflict",
      detail:
        `${store.place} holds ${landed.events} events (lineset ${landed.lineset}) of ${hour}, Amplitude now sends ` +
        `${ours.events} (lineset ${ours.lineset}): to land it anew, remove "${object?.key ?? hour}" and run again`
    })
  })

  return yield* exportHours(hours, {
    onHour: (exported) =>
      Effect.catchAll(onHour(exported), (error) =>
        Effect.as(logFailure(error), failedHour(exported.hour, error))
      )
  })
})
