import { Clock as EffectClock, Effect, Option, Random, Schema } from "effect"
import { Clock } from "../../services/Clock.ts"
import { Hour } from "../../services/Hour.ts"
import { type HourMetadata, metadataFromText } from "../../services/HourMetadata.ts"
import { ObjectStorage, ObjectStorageError } from "../../services/ObjectStorage.ts"
import { Progress } from "../../services/Progress.ts"
import { Unpacker } from "../../services/Unpacker.ts"
import { countBytes } from "../run/countBytes.ts"
import { ExitCode, exitCodeOf } from "../run/exitCode.ts"
import { errorName, failureKind } from "../run/failureKind.ts"
import { FailureKind } from "../run/HourOutcome.ts"
import { type HourObject, type Inventory, takeInventory } from "../plan/inventory.ts"
import { isUndated, planWindow, type WindowOptions } from "../plan/planWindow.ts"
import type { RetryOptions } from "../run/retryPolicy.ts"
import { asRun, type LagOptions, Run } from "../run/Run.ts"

const Hours = Schema.Array(Hour)

/** The result of reading landed hours back. Hours are listed oldest first. */
export class Verification extends Schema.Class<Verification>("Verification")({
  /** `null` if the sample was drawn from the whole store. */
  window: Schema.NullOr(Schema.Struct({ first: Hour, last: Hour })),
  /** The sample and its seed: the same seed draws the same hours from the same store. */
  sample: Schema.NullOr(Schema.Struct({ hours: Schema.Int, seed: Schema.Int })),
  /** Every byte and line matches the metadata. */
  verified: Hours,
  /**
   * Objects of other pipelines: only well-formed JSON lines can be checked, and they are well
   * formed.
   */
  unverified: Hours,
  /** Hours of the window without an object; `status` tells why. */
  absent: Hours,
  /** Objects that do not match, and how. */
  differing: Schema.Array(
    Schema.Struct({ hour: Hour, key: Schema.String, problems: Schema.Array(Schema.String) })
  ),
  /** Objects that could not be read. */
  failed: Schema.Array(
    Schema.Struct({
      hour: Hour,
      key: Schema.String,
      kind: FailureKind,
      error: Schema.String,
      message: Schema.String
    })
  ),
  /** Objects that were read to the end. */
  objects: Schema.NonNegativeInt,
  /** Non-empty lines in them. */
  events: Schema.NonNegativeInt,
  /** Bytes in them, as stored. */
  bytes: Schema.NonNegativeInt,
  retries: Schema.NonNegativeInt,
  durationMs: Schema.NonNegativeInt,
  /** 8 if an object differs; otherwise 0, or 7, 3 or 5 if some could not be read. */
  exitCode: ExitCode
}) {}

export interface VerifyOptions extends WindowOptions, LagOptions, RetryOptions {
  /** Objects read in parallel. Defaults to 4. */
  readonly concurrency?: number | undefined
  /**
   * Read only this many hours, drawn from the window if dates are given, otherwise from the whole
   * store.
   */
  readonly sample?: number | undefined
  /**
   * Seed of an earlier sample, to draw the same hours again. Defaults to a random seed, which the
   * report names.
   */
  readonly sampleSeed?: number | undefined
}

type Read = Effect.Effect.Success<ReturnType<Unpacker["Type"]["digest"]>>

/** The result for one object. */
type Found =
  | { readonly _tag: "Same" | "Foreign"; readonly read: Read }
  | {
      readonly _tag: "Differs"
      readonly problems: ReadonlyArray<string>
      readonly read?: Read | undefined
    }
  | { readonly _tag: "Gone" }
  | { readonly _tag: "Unread"; readonly error: ObjectStorageError }

/**
 * Reads landed hours back, in constant memory, and compares bytes, lines and digests with their
 * metadata. Changes nothing, and a failure on one object does not stop the others.
 */
export const verifyHours = Effect.fn("verifyHours")(function* (options: VerifyOptions = {}) {
  const { concurrency, made, retry } = yield* Run
  const store = yield* ObjectStorage
  const begun = yield* EffectClock.currentTimeMillis
  const inventory = yield* retry(takeInventory(store))
  const { absent, hours, sample, window } = yield* chooseHours(inventory, options)
  const objects = hours.flatMap((hour) => inventory.get(hour) ?? [])
  const progress = yield* Progress
  progress.planned(objects.length, "objects")
  const results = yield* Effect.forEach(
    objects,
    (object) =>
      Effect.map(
        verifyObject(store, object).pipe(Effect.annotateLogs({ hour: object.hour })),
        (found) => {
          progress.done(1)
          return { object, found }
        }
      ),
    { concurrency }
  )

  const of = <Tag extends Found["_tag"]>(tag: Tag) =>
    results.flatMap(({ object, found }) =>
      found._tag === tag ? [{ object, found: found as Extract<Found, { _tag: Tag }> }] : []
    )
  const hoursOf = (tag: Found["_tag"]) => new Set(of(tag).map(({ object }) => object.hour))
  const foreign = hoursOf("Foreign")
  const gone = hoursOf("Gone")
  const wrong = new Set([...hoursOf("Differs"), ...hoursOf("Unread")])
  const sound = hours.filter((hour) => !wrong.has(hour) && !gone.has(hour))
  const failed = of("Unread").map(({ object: { hour, key }, found: { error } }) => ({
    hour,
    key,
    kind: failureKind(error),
    error: errorName(error),
    message: error.message
  }))
  const differing = of("Differs").map(({ object: { hour, key }, found: { problems } }) => ({
    hour,
    key,
    problems
  }))
  const read = results.flatMap(({ found }) =>
    "read" in found && found.read !== undefined ? [found.read] : []
  )
  const kinds = new Set(failed.map(({ kind }) => kind))
  if (differing.length > 0) kinds.add("integrity")
  return new Verification({
    window: window === null ? null : { first: window.first, last: window.last },
    sample,
    verified: sound.filter((hour) => !foreign.has(hour)),
    unverified: sound.filter((hour) => foreign.has(hour)),
    absent: [...absent, ...[...gone].filter((hour) => !wrong.has(hour))].sort(),
    differing,
    failed,
    objects: read.length,
    events: read.reduce((sum, { events }) => sum + events, 0),
    bytes: read.reduce((sum, { size }) => sum + size, 0),
    retries: yield* made,
    durationMs: Math.max(0, (yield* EffectClock.currentTimeMillis) - begun),
    exitCode: exitCodeOf({ kinds, isDone: read.length > 0, isTouched: true })
  })
}, asRun)

const chooseHours = Effect.fnUntraced(function* (inventory: Inventory, options: VerifyOptions) {
  const { sample: size } = options
  const { lagHours } = yield* Run
  const clock = yield* Clock
  const time = {
    now: yield* clock.now,
    newestClosed: yield* clock.newestClosedHour(lagHours)
  }
  const window =
    size !== undefined && isUndated(options) ? null : planWindow(options, time, new Set())
  const standing = [...inventory.keys()]
    .filter((hour) => window === null || window.includes(hour))
    .sort()
  if (size === undefined) {
    const absent = (window?.hours ?? []).filter((hour) => !inventory.has(hour))
    return { window, hours: standing, sample: null, absent }
  }
  const seed = options.sampleSeed ?? (yield* Random.nextIntBetween(0, 2 ** 31))
  const drawn = [...(yield* Random.make(seed).shuffle(standing))].slice(0, size)
  return { window, hours: drawn.sort(), sample: { hours: drawn.length, seed }, absent: [] }
})

const verifyObject = (
  store: ObjectStorage["Type"],
  object: HourObject
): Effect.Effect<Found, never, Run | Unpacker> =>
  Effect.gen(function* () {
    const { key, format } = object
    const { retry } = yield* Run
    const unpacker = yield* Unpacker
    const progress = yield* Progress
    const head = yield* retry(store.head(key))
    if (Option.isNone(head)) return { _tag: "Gone" } as const
    const { etag, metadata, size } = head.value
    const body = countBytes(store.get(key), progress.received)
    const found = yield* retry(unpacker.digest(key, body, format)).pipe(
      Effect.map((read) => judge(object, size, metadata, read)),
      Effect.catchTag("UnpackerError", ({ detail }) =>
        Effect.succeed<Found>({ _tag: "Differs", problems: [detail] })
      )
    )
    if (found._tag !== "Differs") return found
    // Another run may have replaced an empty hour between the two lookups.
    const now = yield* retry(store.head(key))
    const isSame = Option.exists(now, (it) => it.etag === etag)
    return isSame ? found : yield* verifyObject(store, object)
  }).pipe(
    Effect.catchTag("ObjectStorageError", (error) =>
      Effect.succeed<Found>(
        error.reason === "Corrupt"
          ? { _tag: "Differs", problems: [error.detail] }
          : error.reason === "NotFound"
            ? { _tag: "Gone" }
            : { _tag: "Unread", error }
      )
    ),
    Effect.tap((found) => Effect.logDebug(`Read "${object.key}" back: ${found._tag}`))
  )

/** Compares what was read with the object's metadata. */
function judge(
  { hour }: HourObject,
  size: number,
  text: Readonly<Record<string, string>>,
  read: Read
): Found {
  const metadata = metadataFromText(text)
  const problems = read.size === size ? [] : [`read ${read.size} of ${size} bytes`]
  if (Option.isSome(metadata)) problems.push(...differences(hour, metadata.value, read))
  else if (text["lineset"] !== undefined) {
    problems.push("its metadata is from this program but cannot be parsed")
  } else if (read.malformed > 0) {
    problems.push(`${read.malformed} of its ${read.events} lines are not JSON objects`)
  }
  if (problems.length > 0) return { _tag: "Differs", problems, read }
  return { _tag: Option.isSome(metadata) ? "Same" : "Foreign", read }
}

function differences(hour: Hour, says: HourMetadata, read: Read): ReadonlyArray<string> {
  const names = ["bytes", "events", "malformed", "lineset", "sha256"] as const
  return [
    ...(says.hour === hour ? [] : [`its metadata is for ${says.hour}`]),
    ...names
      .filter((name) => says[name] !== read[name])
      .map((name) => `${name} ${shown(read[name])}, metadata says ${shown(says[name])}`)
  ]
}

/** A number, or the beginning of a digest. */
function shown(value: number | string): string {
  const text = String(value)
  return text.length > 16 ? `${text.slice(0, 16)}…` : text
}
