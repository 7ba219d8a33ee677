import { Clock as EffectClock, Effect, Option, Schema } from "effect"
import { Clock } from "../../services/Clock.ts"
import { CopyTarget } from "../../services/CopyTarget.ts"
import { Hour } from "../../services/Hour.ts"
import { metadataFromText } from "../../services/HourMetadata.ts"
import { addDigests, type LinesDigest, noLines, sameLines } from "../../services/LinesDigest.ts"
import { addressOf, ObjectStorage, ObjectStorageError } from "../../services/ObjectStorage.ts"
import { Progress } from "../../services/Progress.ts"
import type { Unpacker, UnpackerError } from "../../services/Unpacker.ts"
import { type HourObject, type Lake, takeLake } from "../plan/inventory.ts"
import { isUndated, planWindow, type WindowOptions } from "../plan/planWindow.ts"
import { describeConflicts } from "../resolve/conflictMarks.ts"
import { OpenConflict } from "../resolve/OpenConflict.ts"
import { ExitCode, exitCodeOf } from "../run/exitCode.ts"
import { errorName, failureKind } from "../run/failureKind.ts"
import { FailureKind } from "../run/HourOutcome.ts"
import type { RetryOptions } from "../run/retryPolicy.ts"
import { asRun, type LandingOptions, Run, type SettleOptions } from "../run/Run.ts"
import { verifyObject } from "./verifyObject.ts"

const Hours = Schema.Array(Hour)

/** The result of comparing two lakes. Hours are listed oldest first. */
export class LakeComparison extends Schema.Class<LakeComparison>("LakeComparison")({
  /** Full address of the other lake with its prefix. */
  against: Schema.String,
  /** `null` if every hour was compared that one of them has. */
  window: Schema.NullOr(Schema.Struct({ first: Hour, last: Hour })),
  /** Both have the hour with the same lines, in whatever layout and format. */
  same: Hours,
  /** Only the other lake has these. */
  missingHere: Hours,
  /** Only this lake has these. */
  missingThere: Hours,
  /** Both have the hour with different lines, or one of them is not what its metadata say. */
  differing: Schema.Array(Schema.Struct({ hour: Hour, problems: Schema.Array(Schema.String) })),
  /** Hours of which an object could not be read. */
  failed: Schema.Array(
    Schema.Struct({
      hour: Hour,
      kind: FailureKind,
      error: Schema.String,
      message: Schema.String
    })
  ),
  /** Not compared within the run's longest duration. */
  postponed: Hours,
  /** Conflicts of this lake that nobody has resolved. */
  conflicts: Schema.Array(OpenConflict),
  /** Lines of the hours that are the same. */
  events: Schema.NonNegativeInt,
  retries: Schema.NonNegativeInt,
  durationMs: Schema.NonNegativeInt,
  /**
   * 8 if an hour differs or a conflict is open, else 7, 3 or 5 if some could not be read, 3 if hours
   * are missing on either side or were postponed, or nothing was the same.
   */
  exitCode: ExitCode
}) {}

export interface CompareOptions
  extends
    WindowOptions,
    SettleOptions,
    RetryOptions,
    Pick<LandingOptions, "concurrency" | "maxDuration"> {}

type Compared =
  | { readonly _tag: "Same"; readonly events: number }
  | { readonly _tag: "Differs"; readonly problems: ReadonlyArray<string> }
  | { readonly _tag: "MissingHere" | "MissingThere" | "Postponed" }
  | { readonly _tag: "Failed"; readonly error: ObjectStorageError | UnpackerError }

/**
 * Compares a lake with another one, that of `CopyTarget`: every hour that one of them has is read
 * back from both in constant memory, compared with its metadata, and then by its lines, which layout
 * and format do not change. Changes neither, and a failure on one hour does not stop the others.
 */
export const compareLakes = Effect.fn("compareLakes")(function* (options: CompareOptions = {}) {
  const { beforeDeadline, concurrency, made, retry } = yield* Run
  const [store, other] = [yield* ObjectStorage, yield* CopyTarget]
  const begun = yield* EffectClock.currentTimeMillis
  if (store.location === other.location) {
    return yield* new ObjectStorageError({
      reason: "Misconfigured",
      method: "check",
      path: other.place,
      detail: "it is the lake itself; name another one to compare with"
    })
  }
  const [here, there] = [yield* retry(takeLake(store)), yield* retry(takeLake(other))]
  const window = isUndated(options) ? null : yield* windowOf(options)
  const hours = [...new Set([...here.inventory.keys(), ...there.inventory.keys()])]
    .filter((hour) => window?.includes(hour) ?? true)
    .sort()
  const progress = yield* Progress
  progress.planned(hours.length)
  const compared = yield* Effect.forEach(
    hours,
    (hour) =>
      beforeDeadline(compareHour(hour, here, there)).pipe(
        Effect.orElseSucceed((): Compared => ({ _tag: "Postponed" })),
        Effect.annotateLogs({ hour }),
        Effect.tap(() => Effect.sync(() => progress.done(1))),
        Effect.map((found) => ({ hour, found }))
      ),
    { concurrency }
  )
  const of = <Tag extends Compared["_tag"]>(tag: Tag) =>
    compared.flatMap(({ found, hour }) =>
      found._tag === tag ? [{ hour, found: found as Extract<Compared, { _tag: Tag }> }] : []
    )
  const hoursOf = (tag: Compared["_tag"]) => of(tag).map(({ hour }) => hour)
  const found = {
    same: hoursOf("Same"),
    missingHere: hoursOf("MissingHere"),
    missingThere: hoursOf("MissingThere"),
    differing: of("Differs").map(({ found: { problems }, hour }) => ({ hour, problems })),
    failed: of("Failed").map(({ found: { error }, hour }) => ({
      hour,
      kind: failureKind(error),
      error: errorName(error),
      message: error.message
    })),
    postponed: hoursOf("Postponed"),
    conflicts: yield* describeConflicts(store, here.conflicts)
  }
  return new LakeComparison({
    against: other.place,
    window: window === null ? null : { first: window.first, last: window.last },
    ...found,
    events: of("Same").reduce((sum, it) => sum + it.found.events, 0),
    retries: yield* made,
    durationMs: Math.max(0, (yield* EffectClock.currentTimeMillis) - begun),
    exitCode: exitCodeOfComparison(found)
  })
}, asRun)

const windowOf = Effect.fnUntraced(function* (options: CompareOptions) {
  const { lagHours } = yield* Run
  const clock = yield* Clock
  const times = { now: yield* clock.now, newestClosed: yield* clock.newestClosedHour(lagHours) }
  return planWindow(options, times, new Set())
})

const compareHour = Effect.fnUntraced(function* (
  hour: Hour,
  here: Lake,
  there: Lake
): Effect.fn.Return<Compared, never, CopyTarget | ObjectStorage | Run | Unpacker> {
  const [store, other] = [yield* ObjectStorage, yield* CopyTarget]
  const [ours, theirs] = [here.inventory.get(hour), there.inventory.get(hour)]
  if (ours === undefined) return { _tag: "MissingHere" }
  if (theirs === undefined) return { _tag: "MissingThere" }
  const [one, two] = [yield* readHour(store, ours), yield* readHour(other, theirs)]
  const failed = one.error ?? two.error
  if (failed !== undefined) return { _tag: "Failed", error: failed }
  const problems = [...one.problems, ...two.problems]
  if (problems.length > 0) return { _tag: "Differs", problems }
  if (one.isGone) return { _tag: "MissingHere" }
  if (two.isGone) return { _tag: "MissingThere" }
  if (sameLines(one.digest, two.digest)) return { _tag: "Same", events: one.digest.events }
  const later = (yield* hasReplaced(store, ours, two.digest))
    ? "; the lake here had those lines, and replaced them"
    : (yield* hasReplaced(other, theirs, one.digest))
      ? "; the other lake had the lines of here, and replaced them"
      : ""
  return {
    _tag: "Differs",
    problems: [
      `${one.digest.events} events here (lineset ${one.digest.lineset}), ${two.digest.events} there (lineset ${two.digest.lineset})${later}`
    ]
  }
})

interface ReadHour {
  readonly digest: LinesDigest
  readonly isGone: boolean
  readonly problems: ReadonlyArray<string>
  readonly error: ObjectStorageError | UnpackerError | undefined
}

/** Reads the objects of an hour, and compares each with its metadata. */
const readHour = Effect.fnUntraced(function* (
  store: ObjectStorage["Type"],
  objects: ReadonlyArray<HourObject>
) {
  let read: ReadHour = { digest: noLines, isGone: false, problems: [], error: undefined }
  for (const object of objects) {
    const found = yield* verifyObject(store, object)
    switch (found._tag) {
      case "Same":
      case "Foreign":
        read = { ...read, digest: addDigests(read.digest, found.read) }
        break
      case "Differs": {
        const address = addressOf(store, object.key)
        const problems = found.problems.map((problem) => `"${address}": ${problem}`)
        read = { ...read, problems: [...read.problems, ...problems] }
        break
      }
      case "Gone":
        read = { ...read, isGone: true }
        break
      case "Unread":
        read = { ...read, error: found.error }
    }
  }
  return read
})

/** Whether an hour's object replaced one with these lines. */
const hasReplaced = Effect.fnUntraced(function* (
  store: ObjectStorage["Type"],
  objects: ReadonlyArray<HourObject>,
  { lineset }: LinesDigest
) {
  const { retry } = yield* Run
  const [object, ...more] = objects
  if (object === undefined || more.length > 0) return false
  const head = yield* Effect.option(retry(store.head(object.key)))
  return Option.flatten(head).pipe(
    Option.flatMap(({ metadata }) => metadataFromText(metadata)),
    Option.exists(({ replaces }) => replaces.includes(lineset))
  )
})

function exitCodeOfComparison(
  found: Pick<
    LakeComparison,
    "conflicts" | "differing" | "failed" | "missingHere" | "missingThere" | "postponed" | "same"
  >
): ExitCode {
  const { conflicts, differing, failed, missingHere, missingThere, postponed, same } = found
  const kinds = new Set(failed.map(({ kind }) => kind))
  if (differing.length > 0 || conflicts.length > 0) kinds.add("integrity")
  const missing = [missingHere, missingThere, postponed].some(({ length }) => length > 0)
  return exitCodeOf({
    kinds,
    isDone: same.length > 0,
    isTouched: true,
    isIncomplete: missing || (same.length === 0 && failed.length === 0)
  })
}
