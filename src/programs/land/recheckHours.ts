import { Effect, Either, Option } from "effect"
import type { Hour } from "../../services/Hour.ts"
import { noLines, sameLines } from "../../services/LinesDigest.ts"
import { addressOf, type ObjectStorage } from "../../services/ObjectStorage.ts"
import { exportHours } from "../fetch/exportHours.ts"
import { failedHour, logFailure } from "../run/failureKind.ts"
import type { ExportedHour } from "../fetch/handOver.ts"
import { Landed, Skipped } from "../run/HourOutcome.ts"
import type { Inventory } from "../plan/inventory.ts"
import { digestLanded } from "./landObject.ts"
import { conflictError, hasReplaced, isRedacted } from "./refuseAsConflict.ts"
import { refuseDoubled } from "./refuseDoubled.ts"
import { isResolved, markConflict } from "../resolve/conflictMarks.ts"
import { objectChanged, replaceObject } from "../resolve/replaceObject.ts"
import { countLanded } from "../run/telemetry.ts"
import { toLand } from "./landMissing.ts"
import { admitOneProject } from "./oneProject.ts"
import { Run } from "../run/Run.ts"

/**
 * Exports landed hours (oldest first) again and compares them with the store. Changes nothing,
 * except that a difference is marked as a conflict, and that an hour marked as empty which has
 * events now is replaced, if its object is still the one that was compared. The new object names it
 * in `replaces`, and it is kept. What an hour held before a person's events were removed from it is
 * no difference.
 */
export const recheckHours = Effect.fn("recheckHours")(function* (
  hours: ReadonlyArray<Hour>,
  store: ObjectStorage["Type"],
  inventory: Inventory
) {
  const { format, retry, version } = yield* Run
  const admit = yield* admitOneProject([{ store, inventory }], store.place)

  const onHour = Effect.fn("recheckHours.onHour")(function* (exported: ExportedHour) {
    const { hour } = exported
    yield* admit(exported.project)
    const objects = inventory.get(hour) ?? []
    yield* refuseDoubled(store, objects)
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
    const head =
      object === undefined || objects.length > 1
        ? Option.none()
        : yield* retry(store.head(object.key))
    const redacted = Option.filter(head, isRedacted)
    if (Option.exists(redacted, (it) => hasReplaced(it, ours))) {
      yield* Effect.logInfo("Amplitude still has the events that were removed from the hour")
      return new Skipped({ hour })
    }
    const isReplaceable = landed.events === 0 && objects.length === 1 && Option.isNone(redacted)
    if (isReplaceable && object?.format === format && Option.isSome(exported.unpacked)) {
      const target = toLand(exported, exported.unpacked.value, object.key, version)
      const empty = Option.filter(head, ({ etag }) => etag === object.etag)
      if (Option.isNone(empty)) return yield* objectChanged(store, object.key)
      yield* replaceObject(store, empty.value, target)
      yield* Effect.uninterruptible(countLanded(target.metadata))
      yield* Effect.logInfo(`Replaced the empty "${object.key}" with ${ours.events} events`)
      return new Landed({ hour, events: ours.events, bytes: ours.bytes })
    }
    if (yield* isResolved(store, { hour, ours, objects })) {
      yield* Effect.logInfo(`The store's version of ${hour} was chosen by a person`)
      return new Skipped({ hour })
    }
    const isRecorded = yield* markConflict(store, {
      hour,
      ours,
      landed: Either.right(landed),
      objects
    })
    return yield* conflictError({
      hour,
      addresses: objects.map(({ key }) => addressOf(store, key)),
      lines: Either.right(landed),
      ours,
      isRecorded,
      more: " Ours is what Amplitude returns now. Nothing was overwritten"
    })
  })

  return yield* exportHours(hours, {
    onHour: (exported) =>
      Effect.catchAll(onHour(exported), (error) =>
        Effect.as(logFailure(error), failedHour(exported.hour, error))
      )
  })
})
