import { Clock as EffectClock, Effect, Option, Random, Schema } from "effect"
import { Clock } from "../../services/Clock.ts"
import { byHour, Hour } from "../../services/Hour.ts"
import { addDigests, type LinesDigest, noLines } from "../../services/LinesDigest.ts"
import { byKey, ObjectStorage } from "../../services/ObjectStorage.ts"
import { Progress } from "../../services/Progress.ts"
import type { Unpacker } from "../../services/Unpacker.ts"
import { Warehouse } from "../../services/Warehouse.ts"
import { Window } from "../../services/Window.ts"
import { outermost } from "../plan/gaps.ts"
import { type HourObject, type Lake, takeLake } from "../plan/inventory.ts"
import { isUndated, planWindow, type WindowOptions } from "../plan/planWindow.ts"
import { ExitCode, exitCodeOf } from "../run/exitCode.ts"
import { errorName, failureKind } from "../run/failureKind.ts"
import { FailureKind } from "../run/HourOutcome.ts"
import type { RetryOptions } from "../run/retryPolicy.ts"
import { asRun, type LandingOptions, Run, type SettleOptions } from "../run/Run.ts"
import { describeConflicts } from "../resolve/conflictMarks.ts"
import { OpenConflict } from "../resolve/OpenConflict.ts"
import { isBehind } from "./compareLedger.ts"
import { lateUnverified, type UnverifiedHour } from "./lateUnverified.ts"
import { type Found, verifyObject } from "./verifyObject.ts"
import {
  unlikeObjects,
  verifyWarehouse,
  WarehouseVerification,
  withAltered
} from "./verifyWarehouse.ts"

const Hours = Schema.Array(Hour)

/** The result of reading landed hours back. Hours are listed oldest first. */
export class Verification extends Schema.Class<Verification>("Verification")({
  /** `null` if the sample was drawn from the whole store, or nothing has landed there. */
  window: Schema.NullOr(Schema.Struct({ first: Hour, last: Hour })),
  /** The sample and its seed: the same seed draws the same hours from the same store. */
  sample: Schema.NullOr(Schema.Struct({ hours: Schema.Int, seed: Schema.Int })),
  /** Every byte and line matches the metadata. */
  verified: Hours,
  /**
   * Objects of other pipelines: only their lines can be checked, and each is one JSON object.
   */
  unverified: Hours,
  /** Settled hours of the window without an object that nobody has accepted as missing. */
  absent: Hours,
  /** Not read within the run's longest duration. */
  postponed: Hours,
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
  /** Conflicts that nobody has resolved, those that this run found among them. */
  conflicts: Schema.Array(OpenConflict),
  /** Objects that were read to the end. */
  objects: Schema.NonNegativeInt,
  /** Non-empty lines in them. */
  events: Schema.NonNegativeInt,
  /**
   * Lines among them that were parsed and are anything but one JSON object in UTF-8. In a landed hour
   * they are kept as Amplitude sent them, and are no difference.
   */
  invalid: Schema.NonNegativeInt,
  /** Bytes in them, as stored. */
  bytes: Schema.NonNegativeInt,
  /** What the warehouse was found to hold, if there is one to read. */
  warehouse: Schema.optional(WarehouseVerification),
  retries: Schema.NonNegativeInt,
  durationMs: Schema.NonNegativeInt,
  /**
   * 8 if an object or the warehouse differs, or a conflict is open, else 7, 3 or 5 if some could not
   * be read, 3 if hours are absent, postponed or not loaded, or nothing was read.
   */
  exitCode: ExitCode
}) {}

export interface VerifyOptions
  extends WindowOptions, SettleOptions, RetryOptions, Pick<LandingOptions, "maxDuration"> {
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
  /** Whether hours without our metadata need a person, too. Defaults to `false`. */
  readonly strict?: boolean | undefined
  /**
   * Whether the lines of all objects are parsed, which takes ten times as long. Defaults to `false`:
   * those of objects without our metadata alone.
   */
  readonly parse?: boolean | undefined
  /** The store's prefix, with which conflicts name their objects. Defaults to none. */
  readonly prefix?: string | undefined
}

const OUT_OF_TIME = { _tag: "Postponed" } as const

/**
 * Reads landed hours back, in constant memory, and compares bytes, lines and digests with their
 * metadata. Changes no object, and a failure on one does not stop the others. An unverified hour
 * after the lake's first verified one is marked as a conflict. If a `Warehouse` is provided, the
 * lines that it stores are compared with its ledger, and the ledger with the store.
 */
export const verifyHours = Effect.fn("verifyHours")(function* (options: VerifyOptions = {}) {
  const { made, retry } = yield* Run
  const store = yield* ObjectStorage
  const begun = yield* EffectClock.currentTimeMillis
  const lake = yield* retry(takeLake(store))
  const { absent, hours, sample, window } = yield* chooseHours(lake, options)
  const loads = yield* verifyIfThere(lake, options.prefix ?? "", (hour) =>
    sample === null
      ? window === null || isUndated(options) || window.includes(hour)
      : hours.includes(hour)
  )
  const objects = hours.flatMap((hour) => lake.inventory.get(hour) ?? [])
  const results = yield* readBack(objects, options.parse === true)

  const of = <Tag extends Result["found"]["_tag"]>(tag: Tag) =>
    results.flatMap(({ object, found }) =>
      found._tag === tag
        ? [{ object, found: found as Extract<Result["found"], { _tag: Tag }> }]
        : []
    )
  const hoursOf = (tag: Result["found"]["_tag"]) =>
    new Set(of(tag).map(({ object }) => object.hour))
  const [foreign, gone, postponed] = [hoursOf("Foreign"), hoursOf("Gone"), hoursOf("Postponed")]
  const wrong = new Set([...hoursOf("Differs"), ...hoursOf("Unread")])
  const sound = hours.filter((hour) => !wrong.has(hour) && !gone.has(hour) && !postponed.has(hour))
  const verified = sound.filter((hour) => !foreign.has(hour))
  const unverified = sound.filter((hour) => foreign.has(hour))
  const late = yield* lateUnverified({
    store,
    lake,
    verified,
    read: new Set(hours),
    unverified: unverifiedHours(unverified, of("Foreign"))
  })
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
  const found = {
    verified,
    unverified,
    absent: [...absent, ...[...gone].filter((hour) => !wrong.has(hour))].sort(),
    postponed: [...postponed].sort(),
    differing,
    failed,
    conflicts: yield* describeConflicts(store, [...lake.conflicts, ...late.conflicts].sort(byHour)),
    ...totalsOf(results),
    warehouse:
      loads && withAltered(loads.found, unlikeObjects(loads, digestsOf(new Set(sound), results)))
  }
  if (found.postponed.length > 0) {
    yield* Effect.logInfo(
      `Stopped at the longest duration: ${found.postponed.length} hours were not read`
    )
  }
  const isStrict = options.strict === true && unverified.some((hour) => !late.resolved.has(hour))
  return new Verification({
    window: window === null ? null : { first: window.first, last: window.last },
    sample,
    ...found,
    retries: yield* made,
    durationMs: Math.max(0, (yield* EffectClock.currentTimeMillis) - begun),
    exitCode: exitCodeOfVerification(found, isStrict)
  })
}, asRun)

/** What the warehouse stores, if there is one. */
const verifyIfThere = Effect.fnUntraced(function* (
  lake: Lake,
  prefix: string,
  isChosen: (hour: Hour) => boolean
) {
  const warehouse = yield* Effect.serviceOption(Warehouse)
  if (Option.isNone(warehouse)) return undefined
  return yield* verifyWarehouse({ lake, prefix, isChosen }).pipe(
    Effect.provideService(Warehouse, warehouse.value)
  )
})

/** The lines of hours, all objects of an hour together. */
function digestsOf(
  hours: ReadonlySet<Hour>,
  results: ReadonlyArray<Result>
): ReadonlyMap<Hour, LinesDigest> {
  const digests = new Map<Hour, LinesDigest>()
  for (const {
    found,
    object: { hour }
  } of results) {
    if (!hours.has(hour) || !("read" in found) || found.read === undefined) continue
    digests.set(hour, addDigests(digests.get(hour) ?? noLines, found.read))
  }
  return digests
}

interface Result {
  readonly object: HourObject
  readonly found: Found | typeof OUT_OF_TIME
}

/** Reads objects until the run's time limit. */
const readBack = Effect.fnUntraced(function* (
  objects: ReadonlyArray<HourObject>,
  parse: boolean
): Effect.fn.Return<ReadonlyArray<Result>, never, ObjectStorage | Run | Unpacker> {
  const { beforeDeadline, concurrency } = yield* Run
  const store = yield* ObjectStorage
  const progress = yield* Progress
  progress.planned(objects.length, "objects")
  return yield* Effect.forEach(
    objects,
    (object) =>
      beforeDeadline(verifyObject(store, object, parse)).pipe(
        Effect.orElseSucceed(() => OUT_OF_TIME),
        Effect.annotateLogs({ hour: object.hour }),
        Effect.tap(() => Effect.sync(() => progress.done(1))),
        Effect.map((found) => ({ object, found }))
      ),
    { concurrency }
  )
})

function totalsOf(results: ReadonlyArray<Result>) {
  const read = results.flatMap(({ found }) =>
    "read" in found && found.read !== undefined ? [found.read] : []
  )
  return {
    objects: read.length,
    events: read.reduce((sum, { events }) => sum + events, 0),
    invalid: read.reduce((sum, { invalid = 0 }) => sum + invalid, 0),
    bytes: read.reduce((sum, { size }) => sum + size, 0)
  }
}

interface ForeignResult {
  readonly object: HourObject
  readonly found: Extract<Found, { _tag: "Foreign" }>
}

/** The objects of each hour as one. */
function unverifiedHours(
  hours: ReadonlyArray<Hour>,
  foreign: ReadonlyArray<ForeignResult>
): ReadonlyArray<UnverifiedHour> {
  const byItsHour = new Map<Hour, Array<ForeignResult>>()
  for (const it of foreign) {
    byItsHour.set(it.object.hour, [...(byItsHour.get(it.object.hour) ?? []), it])
  }
  return hours.map((hour) => {
    const objects = (byItsHour.get(hour) ?? []).toSorted((one, other) =>
      byKey(one.object, other.object)
    )
    return {
      hour,
      digest: objects.map(({ found }) => found.read).reduce<LinesDigest>(addDigests, noLines),
      objects: objects.map(({ found, object }) => ({ key: object.key, etag: found.etag }))
    }
  })
}

function exitCodeOfVerification(
  found: Pick<
    Verification,
    "absent" | "conflicts" | "differing" | "failed" | "objects" | "postponed" | "warehouse"
  >,
  isStrict: boolean
): ExitCode {
  const { absent, conflicts, differing, failed, objects, postponed, warehouse } = found
  const kinds = new Set(failed.map(({ kind }) => kind))
  const wrong = [differing, conflicts, warehouse?.differing ?? [], warehouse?.altered ?? []]
  if (wrong.some(({ length }) => length > 0) || isStrict) kinds.add("integrity")
  const isUnloaded =
    warehouse !== undefined && (isBehind(warehouse) || warehouse.postponed !== null)
  const isNothing = objects === 0 && failed.length === 0
  return exitCodeOf({
    kinds,
    isDone: objects > 0,
    isTouched: true,
    isIncomplete: isNothing || isUnloaded || absent.length > 0 || postponed.length > 0
  })
}

/** The hours to read: without dates those of the whole lake. */
const chooseHours = Effect.fnUntraced(function* (lake: Lake, options: VerifyOptions) {
  const { acceptances, inventory } = lake
  const { sample: size } = options
  const { isSettled, lagHours } = yield* Run
  const clock = yield* Clock
  const now = yield* clock.now
  const [first, last] = [outermost(inventory.keys()), outermost(inventory.keys(), -1)]
  const whole = first === undefined || last === undefined ? null : new Window({ first, last })
  const window = isUndated(options)
    ? whole
    : planWindow(options, { now, newestClosed: yield* clock.newestClosedHour(lagHours) }, new Set())
  const standing = [...inventory.keys()].filter((hour) => window?.includes(hour)).sort()
  if (size === undefined) {
    const accepted = new Set(acceptances.flatMap((it) => it.window.hours))
    const absent = (window?.hours ?? []).filter(
      (hour) => !inventory.has(hour) && !accepted.has(hour) && isSettled(hour, now)
    )
    return { window, hours: standing, sample: null, absent }
  }
  const seed = options.sampleSeed ?? (yield* Random.nextIntBetween(0, 2 ** 31))
  const drawn = [...(yield* Random.make(seed).shuffle(standing))].slice(0, size)
  return {
    window: isUndated(options) ? null : window,
    hours: drawn.sort(),
    sample: { hours: drawn.length, seed },
    absent: []
  }
})
