import { Clock as EffectClock, Effect } from "effect"
import { Clock } from "../services/Clock.ts"
import { addHours, type Hour } from "../services/Hour.ts"
import { ObjectStorage } from "../services/ObjectStorage.ts"
import { Staging } from "../services/Staging.ts"
import type { Unpacker } from "../services/Unpacker.ts"
import { Window } from "../services/Window.ts"
import { type Adopting, adoptForeign, foreignFiles } from "./land/adoptForeign.ts"
import { landArchives } from "./land/landArchives.ts"
import { landMissing } from "./land/landMissing.ts"
import { recheckHours } from "./land/recheckHours.ts"
import { syncLate } from "./land/syncLate.ts"
import { syncStaged } from "./land/syncStaged.ts"
import { outermost } from "./plan/gaps.ts"
import { conflictingHours, gaugePlan } from "./plan/gaugePlan.ts"
import { findingsAfter, findingsOf } from "./plan/lakeFindings.ts"
import { warnOfMixedForms } from "./plan/mixedForms.ts"
import { type Plan, planRun } from "./plan/planRun.ts"
import { isByDate, type WindowOptions } from "./plan/planWindow.ts"
import { logElsewhere, stagingForLake, takeStagedForLake } from "./plan/stagedHours.ts"
import { failedHour, logHoursLeft, type RunError } from "./run/failureKind.ts"
import { Accepted, type HourOutcome, Open, Skipped } from "./run/HourOutcome.ts"
import type { LandingError } from "./run/LandingError.ts"
import { findObstacles } from "./plan/obstacles.ts"
import { asRun, type LandingOptions, Run } from "./run/Run.ts"
import { type LakeFindings, summarize, type Summary } from "./run/Summary.ts"
import { countFailure, countOutcomes, gaugeConflicts } from "./run/telemetry.ts"

/** How a run selects, exports, names and lands its hours. */
export interface RunOptions extends WindowOptions, LandingOptions {
  /** Receives the summary of what was done if the run is interrupted. */
  readonly onInterrupt?: ((soFar: Summary) => Effect.Effect<void>) | undefined
}

export interface SyncOptions extends RunOptions {
  /**
   * An Amplitude project whose staged hours are uploaded here, also those that were staged for
   * another lake.
   */
  readonly adoptProject?: string | undefined
  /**
   * Who lets files of other programs in staging be uploaded, too, as unverified hours. By default
   * they stay.
   */
  readonly adoptForeign?: Adopting | undefined
}

/** Downloads hours that neither store nor staging has into staging. */
export const fetchHours = Effect.fn("fetchHours")(function* (options: RunOptions = {}) {
  return yield* landPlanned(yield* Staging, options)
}, summarized)

/** Uploads staged hours to the store. */
export const syncHours = Effect.fn("syncHours")(function* (options: SyncOptions = {}) {
  const lookAtLake = Effect.gen(function* () {
    const plan = yield* planRun(options)
    yield* gaugePlan(plan)
    const lake = yield* findingsOf(plan, {
      olderGaps: plan.lake.gaps({ last: plan.window.last }),
      answersForGaps: false
    })
    return { window: null, outcomes: [], lake }
  })
  return withWindow(yield* afterSync(() => lookAtLake, options))
}, summarized)

/**
 * Uploads staged hours, then downloads the missing ones straight into the store.
 *
 * @example
 * ```ts
 * import { Effect, Layer } from "effect"
 * import { allHours, Hour, Staging } from "amplitude-lake"
 * import * as AmplitudeSynthetic from "amplitude-lake/layers/AmplitudeSynthetic"
 * import * as ClockSystem from "amplitude-lake/layers/ClockSystem"
 * import * as ObjectStorageFileSystem from "amplitude-lake/layers/ObjectStorageFileSystem"
 * import * as SpoolFileSystem from "amplitude-lake/layers/SpoolFileSystem"
 * import * as UnpackerWorkers from "amplitude-lake/layers/UnpackerWorkers"
 *
 * const layers = Layer.mergeAll(
 *   AmplitudeSynthetic.layer({ seed: 1, eventsPerHour: 20 }),
 *   ClockSystem.layer(),
 *   ObjectStorageFileSystem.layer({ root: "lake", prefix: "events/" }),
 *   Layer.scoped(Staging, ObjectStorageFileSystem.make({ root: "staged" })),
 *   SpoolFileSystem.layer({ root: "work" }),
 *   UnpackerWorkers.layer()
 * )
 * const program = allHours({
 *   start: Hour.make("2025-11-10T21"),
 *   end: Hour.make("2025-11-10T22")
 * })
 *
 * const summary = await Effect.runPromise(Effect.provide(program, layers))
 * console.log(summary.landed)
 * ```
 */
export const allHours = Effect.fn("allHours")(function* (options: RunOptions = {}) {
  const store = yield* ObjectStorage
  return yield* afterSync((moved) => landPlanned(store, options, moved))
}, summarized)

/**
 * Uploads staged hours, then lands the missing hours from archive files in the store, without
 * calling Amplitude.
 */
export const archivedHours = Effect.fn("archivedHours")(
  function* (files: ReadonlyArray<string>, options: RunOptions = {}) {
    const result = yield* afterSync(() =>
      Effect.gen(function* () {
        const plan = yield* planRun(options)
        const { staging, store } = plan
        yield* gaugePlan(plan)
        const { format, layout, log } = yield* Run
        yield* warnOfMixedForms(store, [{ layout, format }])
        yield* log.planned({ window: null, outcomes: [], lake: yield* findingsOf(plan) })
        const landed = yield* landArchives(files, store.store, [staging, store], options)
        yield* gaugePlan(plan, landed)
        return yield* judgeArchived(landed, options)
      })
    )
    return withWindow(result)
  },
  (self, _files, options) => summarized(self, options)
)

/** Judges the lake as the files have left it, up to the last hour that they are about. */
const judgeArchived = Effect.fnUntraced(function* (landed: RunResult, options: RunOptions) {
  const planned = yield* Effect.either(planRun(options))
  if (planned._tag === "Left") return { ...landed, error: landed.error ?? planned.left }
  const plan = planned.right
  const last =
    options.end ??
    outermost(
      landed.outcomes.map(({ hour }) => hour),
      -1
    )
  const named = new Set(landed.outcomes.map(({ hour }) => hour))
  const olderGaps = (last === undefined ? [] : plan.lake.gaps({ last }))
    .flatMap(({ hours }) => hours)
    .filter((hour) => !named.has(hour))
    .map((hour) => new Window({ first: hour, last: hour }))
  return { ...landed, lake: yield* findingsOf(plan, { olderGaps }) }
})

/** Exports the landed hours of the window again and compares them with the store. */
export const recheckWindow = Effect.fn("recheckWindow")(function* (options: RunOptions = {}) {
  const plan = yield* planRun(options)
  yield* gaugePlan(plan)
  const { hours, window, store } = plan
  const landed = hours.filter((hour) => store.inventory.has(hour))
  const { log } = yield* Run
  // It lands nothing, so that what the window lacks stays missing, too.
  const findings = { olderGaps: plan.lake.gaps({ last: window.last }) }
  yield* log.planned({ window, outcomes: [], lake: yield* findingsOf(plan, findings) })
  const outcomes = yield* recheckHours(landed, store.store, store.inventory)
  return { window, outcomes, lake: yield* findingsOf(plan, findings) }
}, summarized)

/** What `fetchHours` or `allHours` would do. Makes no request to Amplitude and writes nothing. */
export const planHours = Effect.fn("planHours")(function* (options: RunOptions = {}) {
  return yield* planRun(options)
}, asRun)

/** The staged hours that `syncHours` would upload, and the files of others that it would look at. */
export const planSync = Effect.fn("planSync")(function* (options: SyncOptions = {}) {
  const found = yield* takeStagedForLake(options.adoptProject)
  const files = options.adoptForeign === undefined ? [] : yield* foreignFiles()
  return { ...found, files: files.map(({ key }) => key).sort() }
}, asRun)

/** Uploads staged hours first. Their outcomes are reported once, and survive if the rest fails. */
const afterSync = Effect.fnUntraced(function* <E extends RunError, R>(
  land: (moved: ReadonlySet<Hour>) => Effect.Effect<RunResult, E, R>,
  options: Pick<SyncOptions, "adoptForeign" | "adoptProject"> = {}
): Effect.fn.Return<
  RunResult,
  E | Effect.Effect.Error<ReturnType<typeof syncStaged>>,
  Clock | R | ObjectStorage | Run | Staging | Unpacker
> {
  const own = yield* syncStaged({
    adoptProject: options.adoptProject,
    adoptsForeign: options.adoptForeign !== undefined
  })
  const { adoptForeign: adopting } = options
  const synced = adopting === undefined ? own : yield* adoptForeign(adopting, own)
  const moved = new Set(synced.map(({ hour }) => hour))
  return yield* land(moved).pipe(
    Effect.map((result) => ({
      ...result,
      outcomes: [...synced, ...result.outcomes.filter(({ hour }) => !moved.has(hour))]
    })),
    Effect.catchIf(
      () => synced.length > 0,
      (error) => Effect.succeed({ ...resultOf(synced), error })
    )
  )
})

/** Lands what a window lacks in a store, or in staging, and judges the lake. */
const landPlanned = Effect.fn("landPlanned")(function* (
  destination: ObjectStorage["Type"],
  options: WindowOptions,
  moved: ReadonlySet<Hour> = new Set()
) {
  const plan = yield* planRun(options)
  yield* gaugePlan(plan)
  const { window, store, staging, lake } = plan
  const isFetch = destination === staging.store
  const olderGaps = lake.gaps({ last: addHours(window.first, -1) }, isFetch)
  const { missing, newestFirst, others, synced } = yield* readied(plan, isFetch, moved)
  const { log } = yield* Run
  const findings = { olderGaps }
  yield* log.planned({ window, outcomes: others, lake: yield* findingsOf(plan, findings) })
  return yield* landMissing(missing, destination, [staging, store], { newestFirst }).pipe(
    Effect.tap((outcomes) => (isFetch ? Effect.void : gaugePlan(plan, { outcomes }))),
    Effect.flatMap((outcomes) =>
      Effect.map(
        findingsAfter(plan, { ...findings, outcomes: [...outcomes, ...synced], isFetch }),
        (found): RunResult => ({ window, outcomes: [...outcomes, ...others], ...found })
      )
    ),
    // What is known of the lake is not lost where nothing could be landed.
    Effect.catchIf(
      () => olderGaps.length > 0 || lake.conflicts.length > 0,
      (error) =>
        Effect.map(findingsOf(plan, findings), (found) => ({
          window,
          outcomes: others,
          lake: found,
          error
        }))
    )
  )
})

/**
 * Lands what a window of a larger backlog lacks in the store. The lake is judged by whoever has cut the
 * backlog: that takes a second listing, which each window would make again.
 */
export const landPart = Effect.fn("landPart")(function* (options: WindowOptions) {
  const plan = yield* planRun(options)
  const { staging, store } = plan
  const { missing, newestFirst, others } = yield* readied(plan, false)
  return yield* landMissing(missing, store.store, [staging, store], { newestFirst }).pipe(
    Effect.map((outcomes) => ({ outcomes: [...outcomes, ...others], error: undefined })),
    Effect.catchAll((error) => Effect.succeed({ outcomes: others, error }))
  )
})

/** What is left to land of a plan once late staged hours are uploaded, and what became of its other hours. */
const readied = Effect.fnUntraced(function* (
  plan: Plan,
  isFetch: boolean,
  moved: ReadonlySet<Hour> = new Set()
) {
  const { window, present, open, accepted, store, lake } = plan
  const obstacles = isFetch ? yield* findObstacles(plan) : new Map<Hour, LandingError>()
  const synced = yield* syncLate(plan, isFetch ? new Set(present) : moved)
  const missing = [...plan.missing.filter((hour) => !obstacles.has(hour)), ...synced.missing].sort()
  if (isFetch) yield* logElsewhere(plan.notOurs.elsewhere)
  yield* Effect.logInfo(
    `${window}: ${present.length} hours present, ${missing.length} missing, ${open.length} not closed yet`
  )
  const others: ReadonlyArray<HourOutcome> = [
    ...present.filter((hour) => !synced.late.has(hour)).map((hour) => new Skipped({ hour })),
    ...synced.outcomes,
    ...open.map((hour) => new Open({ hour })),
    ...accepted.map((hour) => new Accepted({ hour })),
    ...[...obstacles].map(([hour, error]) => failedHour(hour, error))
  ]
  const { format, layout } = yield* Run
  if (missing.length > 0) yield* warnOfMixedForms(store, [{ layout, format }])
  // A lake that is extended backwards grows without a gap when its newest hours land first.
  const newestFirst = lake.firstLanded !== undefined && window.first < lake.firstLanded
  return { missing, newestFirst, others, synced: synced.outcomes }
})

interface RunResult {
  readonly window: Window | null
  readonly outcomes: ReadonlyArray<HourOutcome>
  readonly lake?: LakeFindings | undefined
  readonly error?: RunError | undefined
}

/** A result that names the hours which it is about, also where nobody named dates. */
function withWindow(result: RunResult): RunResult {
  return { ...result, window: result.window ?? resultOf(result.outcomes).window }
}

/** Lets a program be one run, and says what it did. */
export function summarized<E extends RunError, R>(
  program: Effect.Effect<RunResult, E, R>,
  options: RunOptions = {}
): Effect.Effect<Summary, E, ObjectStorage | Staging | Exclude<Exclude<R, Staging>, Run>> {
  const run = Effect.gen(function* () {
    const { log, made } = yield* Run
    const begun = yield* EffectClock.currentTimeMillis
    const told = Effect.fnUntraced(function* (result: RunResult) {
      yield* countOutcomes(result.outcomes)
      if (result.error !== undefined) yield* countFailure(result.error)
      if (result.lake !== undefined) {
        yield* gaugeConflicts(conflictingHours(result.lake.conflicts, result.outcomes))
      }
      yield* logPostponed(result.outcomes)
      const { adoption, project } = yield* log.soFar
      return summarize({
        ...result,
        project,
        adoption,
        shard: options.shard,
        isByDate: isByDate(options),
        retries: yield* made,
        // The clock may have been set back since.
        durationMs: Math.max(0, (yield* EffectClock.currentTimeMillis) - begun)
      })
    })
    const toldSoFar = Effect.gen(function* () {
      const { lake, outcomes, window } = yield* log.soFar
      const summary = yield* told(withWindow({ window, lake, outcomes: [...outcomes.values()] }))
      yield* options.onInterrupt?.(summary) ?? Effect.void
    })
    const result = yield* program.pipe(
      Effect.provideServiceEffect(Staging, stagingForLake),
      Effect.tapError(countFailure),
      Effect.onInterrupt(() => toldSoFar)
    )
    return yield* Effect.uninterruptible(told(result))
  })
  return asRun(run, options)
}

function logPostponed(outcomes: ReadonlyArray<HourOutcome>): Effect.Effect<void> {
  return logHoursLeft(outcomes.filter(({ _tag }) => _tag === "Postponed").length)
}

function resultOf(outcomes: ReadonlyArray<HourOutcome>): RunResult {
  const sorted = outcomes.map(({ hour }) => hour).sort()
  const first = sorted.at(0)
  const last = sorted.at(-1)
  const window = first === undefined || last === undefined ? null : new Window({ first, last })
  return { window, outcomes }
}
