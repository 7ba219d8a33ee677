import { Effect, Option, Ref, type Stream } from "effect"
import type { Hour } from "../services/Hour.ts"
import { type Format, hourKey, type Layout } from "../services/HourKey.ts"
import { HourMetadata, metadataFromText, noLines } from "../services/HourMetadata.ts"
import type { ObjectStorage, ObjectStorageError } from "../services/ObjectStorage.ts"
import type { UnpackedHour } from "../services/Unpacker.ts"
import { emptyObject, isEmptySize } from "./emptyObject.ts"
import { type ExportedHour, exportHours, type ExportHoursOptions } from "./exportHours.ts"
import { failedHour } from "./failureKind.ts"
import { Empty, Landed, Pending, Skipped } from "./HourOutcome.ts"
import type { Standing } from "./inventory.ts"
import { type HourToLand, landObject } from "./landObject.ts"
import { LandingError } from "./LandingError.ts"
import type { RetryPolicy } from "./retryPolicy.ts"

export interface LandMissingOptions extends Omit<ExportHoursOptions, "isLanded"> {
  readonly layout: Layout
  readonly format: Format
  /** Version of this program, written into the metadata. */
  readonly version: string
}

/**
 * Lands hours (oldest first, closed by the clock here, standing nowhere yet) in a store, straight from Amplitude.
 * `standing` is what stands already: its project is the only one whose archives are let in. With no hours it only tidies:
 * what an earlier run left in the spool goes, if all its hours stand by now.
 */
export const landMissing = Effect.fn("landMissing")(function* (
  hours: ReadonlyArray<Hour>,
  store: ObjectStorage["Type"],
  standing: ReadonlyArray<Standing>,
  options: LandMissingOptions,
  policy: RetryPolicy
) {
  if (hours.length > 0) yield* policy.retry(store.check)
  const known = hours.length > 0 ? yield* findProject(standing, policy) : Option.none()
  const project = yield* Ref.make(known)

  const onHour = Effect.fn("landMissing.onHour")(function* (exported: ExportedHour) {
    const { hour, settled } = exported
    yield* admit(project, exported, store)
    const unpacked = Option.filter(exported.unpacked, ({ events }) => events > 0)
    if (Option.isNone(unpacked) && !settled) {
      yield* Effect.logInfo(`No events so far, and too early to say that there will be none`)
      return new Pending({ hour })
    }
    const lines = Option.getOrElse(unpacked, () => ({
      ...noLines,
      ...emptyObject(options.format),
      parts: 0
    }))
    const { events, bytes, malformed } = lines
    if (malformed > 0) {
      yield* Effect.logWarning(
        `${malformed} lines are no JSON object; they are landed as they came`
      )
    }
    const key = hourKey(hour, options.layout, options.format)
    const target = toLand(exported, lines, key, options)
    const isNew = yield* landObject(store, target, policy)
    yield* Effect.logInfo(
      isNew ? `Landed ${events} events as "${key}"` : `Found the same hour as "${key}"`
    )
    if (!isNew) return new Skipped({ hour })
    return events === 0 ? new Empty({ hour }) : new Landed({ hour, events, bytes })
  })

  return yield* exportHours(
    hours,
    { ...options, isLanded: (hour) => standing.some(({ inventory }) => inventory.has(hour)) },
    policy,
    (exported) =>
      Effect.catchAll(onHour(exported), (error) =>
        Effect.as(Effect.logError(error.message), failedHour(exported.hour, error))
      )
  )
})

/** The object of an exported hour. */
export function toLand<E>(
  { hour, project }: ExportedHour,
  lines: Omit<UnpackedHour, "hour" | "body"> & { readonly body: Stream.Stream<Uint8Array, E> },
  key: string,
  { version }: { readonly version: string }
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

/** Lets in the archives of one project only: the first that comes where none stands yet. */
const admit = Effect.fn("landMissing.admit")(function* (
  known: Ref.Ref<Option.Option<string>>,
  exported: ExportedHour,
  store: ObjectStorage["Type"]
) {
  if (Option.isNone(exported.project)) return
  const comer = exported.project
  const first = yield* Ref.updateAndGet(
    known,
    Option.orElse(() => comer)
  )
  if (Option.contains(first, comer.value)) return
  return yield* new LandingError({
    reason: "OtherProject",
    detail:
      `Amplitude sent project ${comer.value}, while the hours in ${store.place} are of project ` +
      `${Option.getOrElse(first, () => "")}: use its keys, or another --prefix`
  })
})

/** Enough to pass over hours without a project in their metadata; a look-up each. */
const PROJECT_LOOKUPS = 10

/** The project of the hours that stand already, as the newest of them say by key or metadata. */
const findProject = Effect.fn("landMissing.findProject")(function* (
  standing: ReadonlyArray<Standing>,
  policy: RetryPolicy
): Effect.fn.Return<Option.Option<string>, ObjectStorageError> {
  const newest = standing
    .flatMap(({ store, inventory }) =>
      [...inventory.values()].flat().map((object) => ({ ...object, store }))
    )
    .filter(({ format, size }) => !isEmptySize(format, size))
    .sort((one, other) => (one.hour < other.hour ? 1 : -1))
    .slice(0, PROJECT_LOOKUPS)
  for (const { key, project, store } of newest) {
    if (Option.isSome(project)) return project
    const head = yield* policy.retry(store.head(key))
    const named = Option.flatMap(head, ({ metadata }) => metadataFromText(metadata))
    if (Option.exists(named, (it) => it.project !== "")) {
      return Option.map(named, (it) => it.project)
    }
  }
  return Option.none()
})
