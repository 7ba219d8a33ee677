import { Clock as EffectClock, Duration, Effect } from "effect"
import type { Hour } from "../services/Hour.ts"
import { ObjectStorage } from "../services/ObjectStorage.ts"
import { Staging } from "../services/Staging.ts"
import { Window } from "../services/Window.ts"
import { type HourOutcome, Open, Skipped } from "./HourOutcome.ts"
import { landMissing, type LandMissingOptions } from "./landMissing.ts"
import { type Plan, planRun, type PlanOptions } from "./planRun.ts"
import { isByDate } from "./planWindow.ts"
import { recheckHours } from "./recheckHours.ts"
import { makeRetryPolicy, type RetryOptions, type RetryPolicy } from "./retryPolicy.ts"
import { summarize, type Summary } from "./Summary.ts"
import { syncStaged } from "./syncStaged.ts"

/** How a run finds, asks for, names and lands its hours. */
export interface RunOptions
  extends PlanOptions, RetryOptions, Omit<LandMissingOptions, "deadline"> {
  /** After this, nothing new is begun or waited for: hours that it cut off have failed for now. */
  readonly maxDuration?: Duration.Duration | undefined
}

/** Lands what store and staging lack in staging. */
export const fetchHours = Effect.fn("fetchHours")(function* (options: RunOptions) {
  const staging = yield* Staging
  return yield* summarized(options, (policy) => landPlanned(staging, options, policy))
})

/** Moves what is staged to the store. */
export const syncHours = Effect.fn("syncHours")(function* (options: RunOptions) {
  return yield* summarized(options, (policy) =>
    Effect.map(syncStaged(options, policy), (outcomes) => ({
      window: windowOf(outcomes.map(({ hour }) => hour)),
      outcomes
    }))
  )
})

/** Moves what is staged to the store, then lands what still misses straight there. */
export const allHours = Effect.fn("allHours")(function* (options: RunOptions) {
  const store = yield* ObjectStorage
  return yield* summarized(options, (policy) =>
    Effect.gen(function* () {
      const synced = yield* syncStaged(options, policy)
      const { window, outcomes } = yield* landPlanned(store, options, policy)
      const moved = new Set(synced.map(({ hour }) => hour))
      return { window, outcomes: [...synced, ...outcomes.filter(({ hour }) => !moved.has(hour))] }
    })
  )
})

/** Asks again for the landed hours of the window and compares them with the store. */
export const recheckWindow = Effect.fn("recheckWindow")(function* (options: RunOptions) {
  return yield* summarized(options, (policy) =>
    Effect.gen(function* () {
      const { window, store } = yield* planRun(options, policy)
      const landed = window.hours.filter((hour) => store.inventory.has(hour))
      const outcomes = yield* recheckHours(
        landed,
        store.store,
        store.inventory,
        yield* withDeadline(options),
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

const landPlanned = Effect.fn("landPlanned")(function* (
  destination: ObjectStorage["Type"],
  options: RunOptions,
  policy: RetryPolicy
) {
  const plan: Plan = yield* planRun(options, policy)
  const { window, missing, present, open, store, staging } = plan
  yield* Effect.logInfo(
    `${window}: ${present.length} hours are there, ${missing.length} are missing, ${open.length} are not closed`
  )
  const outcomes: ReadonlyArray<HourOutcome> = yield* landMissing(
    missing,
    destination,
    [staging, store],
    yield* withDeadline(options),
    policy
  )
  return {
    window,
    outcomes: [
      ...outcomes,
      ...present.map((hour) => new Skipped({ hour })),
      ...open.map((hour) => new Open({ hour }))
    ]
  }
})

const withDeadline = Effect.fnUntraced(function* (options: RunOptions) {
  const now = yield* EffectClock.currentTimeMillis
  const { maxDuration } = options
  return {
    ...options,
    deadline: maxDuration === undefined ? undefined : now + Duration.toMillis(maxDuration)
  }
})

interface RunResult {
  readonly window: Window | null
  readonly outcomes: ReadonlyArray<HourOutcome>
}

const summarized = Effect.fnUntraced(function* <E, R>(
  options: RunOptions,
  run: (policy: RetryPolicy) => Effect.Effect<RunResult, E, R>
): Effect.fn.Return<Summary, E, R> {
  const policy = yield* makeRetryPolicy(options)
  const [duration, { window, outcomes }] = yield* Effect.timed(run(policy))
  return summarize({
    window,
    outcomes,
    isByDate: isByDate(options),
    retries: yield* policy.made,
    durationMs: Math.round(Duration.toMillis(duration))
  })
})

function windowOf(hours: ReadonlyArray<Hour>): Window | null {
  const sorted = hours.toSorted()
  const [first, last] = [sorted.at(0), sorted.at(-1)]
  return first === undefined || last === undefined ? null : new Window({ first, last })
}
