import { Effect, Option } from "effect"
import type { Hour } from "../../services/Hour.ts"
import { hourKey } from "../../services/HourKey.ts"
import { HourMetadata, metadataToText } from "../../services/HourMetadata.ts"
import { noLines } from "../../services/LinesDigest.ts"
import { ObjectStorage } from "../../services/ObjectStorage.ts"
import { Staging } from "../../services/Staging.ts"
import type { OpenOptions, UnpackedHour } from "../../services/Unpacker.ts"
import { emptyObject } from "../plan/emptyObject.ts"
import { exportHours, type Landing } from "../fetch/exportHours.ts"
import { failedHour, logFailure } from "../run/failureKind.ts"
import type { ExportedHour } from "../fetch/handOver.ts"
import { Empty, Landed, Pending, Skipped } from "../run/HourOutcome.ts"
import { LandingError } from "../run/LandingError.ts"
import type { Retryable } from "../run/retryPolicy.ts"
import type { Standing } from "../plan/inventory.ts"
import { type HourToLand, landObject } from "./landObject.ts"
import { stagedForAnotherLake } from "../plan/obstacles.ts"
import { isNobodys, originOf } from "../plan/stagedHours.ts"
import { admitOneProject } from "./oneProject.ts"
import { Run } from "../run/Run.ts"

/**
 * Lands hours (oldest first, closed, not present yet) from Amplitude in a store. Archives of
 * another project than that of `standing`, the hours already there, are refused. Without hours it
 * only drops spooled archives whose hours have all landed.
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
  const missing = new Set(hours)
  return yield* exportHours(hours, {
    ...options,
    onHour,
    draftFor: draftsIn(store, (hour) => missing.has(hour)),
    isLanded: (hour) => standing.some(({ inventory }) => inventory.has(hour))
  })
})

/**
 * Returns a function that lands one exported hour. All hours must be of one project: that of
 * `standing`, otherwise that of the first hour. A failure is returned as the hour's outcome.
 */
export const makeLandHour = Effect.fn("makeLandHour")(function* (
  store: ObjectStorage["Type"],
  standing: ReadonlyArray<Standing>
) {
  const { format, layout, version } = yield* Run
  const admit = yield* admitOneProject(standing, store.place)
  const isStaging = store === (yield* Staging)

  const landHour = Effect.fn("makeLandHour.landHour")(function* (exported: ExportedHour) {
    const { hour, settled } = exported
    const project = yield* admit(exported.project)
    const unpacked = Option.filter(exported.unpacked, ({ events }) => events > 0)
    if (Option.isNone(unpacked) && !settled) {
      yield* Effect.logInfo("No events yet; too early to record the hour as empty")
      return new Pending({ hour })
    }
    const lines = Option.getOrElse(unpacked, () => ({
      ...noLines,
      ...emptyObject(format),
      parts: 0
    }))
    const { events, bytes, malformed } = lines
    if (malformed > 0) {
      const lines =
        malformed === 1 ? "1 line is not a JSON object" : `${malformed} lines are not JSON objects`
      yield* Effect.logWarning(`${lines}; stored unchanged`)
    }
    const key = hourKey(hour, layout, format)
    // Only in staging does an hour without an archive need its project: it tells whose it is.
    const named = isStaging ? { ...exported, project } : exported
    const target = toLand(named, lines, key, version)
    const replacing = isStaging ? yield* etagOfNobodys(key, project) : undefined
    const isNew = yield* landObject(store, target, replacing).pipe(
      Effect.tapError((error) =>
        !isStaging && isUnrecorded(error) ? stageConflict(target) : Effect.void
      )
    )
    if (isStaging && !isNew) yield* etagOfNobodys(key, project)
    yield* Effect.logInfo(
      isNew ? `Landed ${events} events in "${key}"` : `Found the same hour in "${key}"`
    )
    if (!isNew) return new Skipped({ hour })
    return events === 0 ? new Empty({ hour }) : new Landed({ hour, events, bytes })
  })

  return (exported: ExportedHour) =>
    Effect.catchAll(landHour(exported), (error) =>
      Effect.as(logFailure(error), failedHour(exported.hour, error))
    )
})

function isUnrecorded(error: { readonly _tag: string }): boolean {
  return error instanceof LandingError && error.reason === "Conflict" && !error.isKeptConflict
}

/**
 * Stages an hour whose conflict the store has no mark of. Otherwise the next run would find the
 * hour landed; now its sync meets the conflict again.
 */
const stageConflict = Effect.fnUntraced(
  function* <E extends Retryable>({ body, key, metadata, size }: HourToLand<E>) {
    const { retry } = yield* Run
    const staging = yield* Staging
    const text = metadataToText(metadata)
    yield* retry(staging.put({ key, size, sha256: metadata.sha256, metadata: text, body }))
    yield* Effect.logWarning(
      `"${key}" stays in ${staging.place} until its conflict can be recorded`
    )
  },
  (self) => Effect.catchAll(self, ({ message }) => Effect.logError(message))
)

/**
 * The etag of a staged file without events that nothing ties to any lake, so that it may be
 * replaced. Fails if the file is another lake's: a run of that lake may have staged it meanwhile.
 */
const etagOfNobodys = Effect.fnUntraced(function* (key: string, project: Option.Option<string>) {
  const { retry } = yield* Run
  const { location } = yield* ObjectStorage
  const staging = yield* Staging
  const head = yield* retry(staging.head(key))
  if (Option.isNone(head)) return undefined
  const origin = originOf(head.value.metadata)
  if (origin.lake === location) return undefined
  if (isNobodys(origin)) return head.value.metadata["events"] === "0" ? head.value.etag : undefined
  if (origin.lake === "" && Option.contains(project, origin.project)) return undefined
  return yield* stagedForAnotherLake(key, staging.place, origin)
})

/** Drafts in a store that has any, for the hours that may land. The others would be written in vain. */
export function draftsIn(
  { draft }: ObjectStorage["Type"],
  isMissing: (hour: Hour) => boolean
): OpenOptions["draftFor"] {
  if (draft === undefined) return undefined
  // If the store cannot make one, landing the hour fails for the same reason.
  return (hour) => (isMissing(hour) ? Effect.option(draft) : Effect.succeedNone)
}

/** The object for an exported hour. */
export function toLand<E>(
  { hour, project }: ExportedHour,
  lines: Omit<UnpackedHour, "hour" | "body" | "lent"> & Pick<HourToLand<E>, "body" | "lent">,
  key: string,
  version: string
): HourToLand<E> {
  const { events, bytes, lineset, malformed, sha256, parts, size, body, draft, lent } = lines
  return {
    key,
    size,
    body,
    draft,
    lent,
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
