import { Clock as EffectClock, Duration, Effect } from "effect"
import type { Hour } from "../services/Hour.ts"
import { ObjectStorage } from "../services/ObjectStorage.ts"
import { Staging } from "../services/Staging.ts"
import type { Unpacker } from "../services/Unpacker.ts"
import { Window } from "../services/Window.ts"
import { failedHour, type RunError } from "./run/failureKind.ts"
import { type HourOutcome, Open, Skipped } from "./run/HourOutcome.ts"
import { landArchives } from "./land/landArchives.ts"
import { landMissing, type LandMissingOptions } from "./land/landMissing.ts"
import { LandingError } from "./run/LandingError.ts"
import { type Plan, planRun, type PlanOptions } from "./plan/planRun.ts"
import { isByDate } from "./plan/planWindow.ts"
import { recheckHours } from "./land/recheckHours.ts"
import { makeRetryPolicy, type RetryOptions, type RetryPolicy } from "./run/retryPolicy.ts"
import { summarize, type Summary } from "./run/Summary.ts"
import { syncStaged } from "./land/syncStaged.ts"
import { countFailure, countOutcomes } from "./run/telemetry.ts"

/** How a run finds, asks for, names and lands its hours. */
export interface RunOptions
  extends PlanOptions, RetryOptions, Omit<LandMissingOptions, "deadline"> {
  /** After this, nothing new is begun or waited for: hours that it cut off have failed for now. */
  readonly maxDuration?: Duration.Duration | undefined
}

/** Lands what store and staging lack in staging. */
export const fetchHours = Effect.fn("fetchHours")(function* (options: RunOptions) {
  const staging = yield* Staging
  return yield* summarized(options, (policy, deadline) =>
    landPlanned(staging, { ...options, deadline }, policy)
  )
})

/** Moves what is staged to the store. */
export const syncHours = Effect.fn("syncHours")(function* (options: RunOptions) {
  return yield* summarized(options, (policy, deadline) =>
    Effect.map(syncStaged({ ...options, deadline }, policy), resultOf)
  )
})

/** Moves what is staged to the store, then lands what still misses straight there. */
export const allHours = Effect.fn("allHours")(function* (options: RunOptions) {
  const store = yield* ObjectStorage
  return yield* summarized(options, (policy, deadline) => {
    const timed = { ...options, deadline }
    return afterSync(timed, policy, landPlanned(store, timed, policy))
  })
})

/** Moves what is staged to the store, then lands there what archives in files have, without asking Amplitude. */
export const archivedHours = Effect.fn("archivedHours")(function* (
  files: ReadonlyArray<string>,
  options: RunOptions
) {
  const store = yield* ObjectStorage
  return yield* summarized(options, (policy, deadline) => {
    const timed = { ...options, deadline }
    const landed = Effect.gen(function* () {
      const plan = yield* planRun(options, policy)
      return yield* landArchives(files, store, [plan.staging, plan.store], timed, policy)
    })
    return Effect.map(afterSync(timed, policy, landed), (result) => ({
      ...result,
      window: result.window ?? resultOf(result.outcomes).window
    }))
  })
})

/** Asks Amplitude again for the landed hours of the window and compares them with the store. */
export const recheckWindow = Effect.fn("recheckWindow")(function* (options: RunOptions) {
  return yield* summarized(options, (policy, deadline) =>
    Effect.gen(function* () {
      const { window, store } = yield* planRun(options, policy)
      const landed = window.hours.filter((hour) => store.inventory.has(hour))
      const outcomes = yield* recheckHours(
        landed,
        store.store,
        store.inventory,
        { ...options, deadline },
        policy
      )
      return { window, outcomes }
    })
  )
})

/** What `fetch` or `all` would do: nothing is asked of Amplitude and nothing written. */
export const planHours = Effect.fn("planHours")(function* (options: RunOptions) {
  return yield* planRun(options, yield* makeRetryPolicy(options))
})

/** Moves what is staged first; what was moved is not told of twice, nor lost where the rest fails. */
const afterSync = Effect.fnUntraced(function* <E extends RunError, R>(
  options: LandMissingOptions,
  policy: RetryPolicy,
  land: Effect.Effect<RunResult, E, R>
): Effect.fn.Return<
  RunResult,
  E | Effect.Effect.Error<ReturnType<typeof syncStaged>>,
  R | ObjectStorage | Staging | Unpacker
> {
  const synced = yield* syncStaged(options, policy)
  const moved = new Set(synced.map(({ hour }) => hour))
  return yield* land.pipe(
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

const landPlanned = Effect.fn("landPlanned")(function* (
  destination: ObjectStorage["Type"],
  options: LandMissingOptions & PlanOptions,
  policy: RetryPolicy
) {
  const plan = yield* planRun(options, policy)
  const { window, present, open, store, staging } = plan
  const isInTheWay = (hour: Hour) => destination === staging.store && plan.foreign.has(hour)
  const missing = plan.missing.filter((hour) => !isInTheWay(hour))
  yield* Effect.logInfo(
    `${window}: ${present.length} hours are there, ${missing.length} are missing, ${open.length} are not closed`
  )
  const outcomes: ReadonlyArray<HourOutcome> = yield* landMissing(
    missing,
    destination,
    [staging, store],
    options,
    policy
  )
  return {
    window,
    outcomes: [
      ...outcomes,
      ...present.map((hour) => new Skipped({ hour })),
      ...open.map((hour) => new Open({ hour })),
      ...plan.missing.filter(isInTheWay).map((hour) => inTheWay(hour, plan))
    ]
  }
})

function inTheWay(hour: Hour, { foreign, staging }: Plan): HourOutcome {
  return failedHour(
    hour,
    new LandingError({
      reason: "ForeignFile",
      detail: `"${foreign.get(hour)}" in ${staging.store.place} was not put there by this program: move it away`
    })
  )
}

interface RunResult {
  readonly window: Window | null
  readonly outcomes: ReadonlyArray<HourOutcome>
  readonly error?: RunError | undefined
}

const summarized = Effect.fnUntraced(function* <E extends RunError, R>(
  options: RunOptions,
  run: (policy: RetryPolicy, deadline: number | undefined) => Effect.Effect<RunResult, E, R>
): Effect.fn.Return<Summary, E, R> {
  const policy = yield* makeRetryPolicy(options)
  const begun = yield* EffectClock.currentTimeMillis
  const { maxDuration } = options
  const deadline = maxDuration === undefined ? undefined : begun + Duration.toMillis(maxDuration)
  const result = yield* Effect.tapError(run(policy, deadline), countFailure)
  yield* countOutcomes(result.outcomes)
  if (result.error !== undefined) yield* countFailure(result.error)
  return summarize({
    ...result,
    isByDate: isByDate(options),
    retries: yield* policy.made,
    // The clock may be set back meanwhile.
    durationMs: Math.max(0, (yield* EffectClock.currentTimeMillis) - begun)
  })
})

function resultOf(outcomes: ReadonlyArray<HourOutcome>): RunResult {
  const sorted = outcomes.map(({ hour }) => hour).sort()
  const [first, last] = [sorted.at(0), sorted.at(-1)]
  const window = first === undefined || last === undefined ? null : new Window({ first, last })
  return { window, outcomes }
}
