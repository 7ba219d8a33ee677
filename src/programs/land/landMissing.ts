import { Effect, Option, type Stream } from "effect"
import type { Hour } from "../../services/Hour.ts"
import { hourKey } from "../../services/HourKey.ts"
import { HourMetadata } from "../../services/HourMetadata.ts"
import { noLines } from "../../services/LinesDigest.ts"
import type { ObjectStorage } from "../../services/ObjectStorage.ts"
import type { UnpackedHour } from "../../services/Unpacker.ts"
import { emptyObject } from "../plan/emptyObject.ts"
import { exportHours, type Landing } from "../fetch/exportHours.ts"
import { failedHour, logFailure } from "../run/failureKind.ts"
import type { ExportedHour } from "../fetch/handOver.ts"
import { Empty, Landed, Pending, Skipped } from "../run/HourOutcome.ts"
import type { Standing } from "../plan/inventory.ts"
import { type HourToLand, landObject } from "./landObject.ts"
import { admitOneProject } from "./oneProject.ts"
import { Run } from "../run/Run.ts"

/**
 * Lands hours (oldest first, closed by the clock here, standing nowhere yet) in a store, straight
 * from Amplitude.
 * `standing` is what stands already: its project is the only one whose archives are let in. With no hours it only tidies:
 * what an earlier run left in the spool goes, if all its hours stand by now.
 */
export const landMissing = Effect.fn("landMissing")(function* (
  hours: ReadonlyArray<Hour>,
  store: ObjectStorage["Type"],
  standing: ReadonlyArray<Standing>,
  options: Pick<Landing<never>, "newestFirst"> = {}
) {
  const { retry } = yield* Run
  if (hours.length > 0) yield* retry(store.check)
  const onHour = yield* makeLandHour(store, hours.length > 0 ? standing : [])
  return yield* exportHours(hours, {
    ...options,
    onHour,
    isLanded: (hour) => standing.some(({ inventory }) => inventory.has(hour))
  })
})

/**
 * Lands one exported hour at a time, of one project only: that of `standing`, else the first that
 * comes. Whatever fails is the hour's outcome.
 */
export const makeLandHour = Effect.fn("makeLandHour")(function* (
  store: ObjectStorage["Type"],
  standing: ReadonlyArray<Standing>
) {
  const { format, layout, version } = yield* Run
  const admit = yield* admitOneProject(standing, store.place)

  const landHour = Effect.fn("makeLandHour.landHour")(function* (exported: ExportedHour) {
    const { hour, settled } = exported
    yield* admit(exported.project)
    const unpacked = Option.filter(exported.unpacked, ({ events }) => events > 0)
    if (Option.isNone(unpacked) && !settled) {
      yield* Effect.logInfo(`No events so far, and too early to say that there will be none`)
      return new Pending({ hour })
    }
    const lines = Option.getOrElse(unpacked, () => ({
      ...noLines,
      ...emptyObject(format),
      parts: 0
    }))
    const { events, bytes, malformed } = lines
    if (malformed > 0) {
      yield* Effect.logWarning(
        `${malformed} lines are no JSON object; they are landed as they came`
      )
    }
    const key = hourKey(hour, layout, format)
    const target = toLand(exported, lines, key, version)
    const isNew = yield* landObject(store, target)
    yield* Effect.logInfo(
      isNew ? `Landed ${events} events as "${key}"` : `Found the same hour as "${key}"`
    )
    if (!isNew) return new Skipped({ hour })
    return events === 0 ? new Empty({ hour }) : new Landed({ hour, events, bytes })
  })

  return (exported: ExportedHour) =>
    Effect.catchAll(landHour(exported), (error) =>
      Effect.as(logFailure(error), failedHour(exported.hour, error))
    )
})

/** The object of an exported hour. */
export function toLand<E>(
  { hour, project }: ExportedHour,
  lines: Omit<UnpackedHour, "hour" | "body"> & { readonly body: Stream.Stream<Uint8Array, E> },
  key: string,
  version: string
): HourToLand<E> {
  const { events, bytes, lineset, malformed, sha256, parts, size, body } = lines
  return {
    key,
    size,
    body,
    metadata: new HourMetadata({
      hour,
      events,
      bytes,
      lineset,
      malformed,
      sha256,
      parts,
      project: Option.getOrElse(project, () => ""),
      version
    })
  }
}
