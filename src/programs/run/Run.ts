/**
 * What the steps of one run share. Every public program makes its own from its options, so that
 * none of its steps has to hand it on.
 *
 * @module
 */
import { Clock, Context, Duration, Effect } from "effect"
import { type Hour, isOverSince } from "../../services/Hour.ts"
import type { Format, Layout } from "../../services/HourKey.ts"
import * as defaults from "./defaults.ts"
import { LandingError } from "./LandingError.ts"
import { makeRequestGate, type RequestGate } from "./requestGate.ts"
import { makeRetryPolicy, type RetryOptions, type RetryPolicy } from "./retryPolicy.ts"
import { version } from "./version.ts"

export interface LagOptions {
  /** Hours that an hour must have been over for before it is closed. Defaults to 12. */
  readonly lagHours?: number | undefined
}

export interface SettleOptions extends LagOptions {
  /**
   * Hours that an hour must have been over for before it is known to stay without events. Defaults
   * to 24.
   */
  readonly settleHours?: number | undefined
}

/** How a run asks for, names and lands its hours. */
export interface LandingOptions extends SettleOptions, RetryOptions {
  /** Hours of one request at most. Defaults to 24. */
  readonly requestHours?: number | undefined
  /** Hours landed at once. Defaults to 4. */
  readonly concurrency?: number | undefined
  /** Defaults to `hourly`. */
  readonly layout?: Layout | undefined
  /** Defaults to `jsonl`. */
  readonly format?: Format | undefined
  /**
   * After this, nothing new is begun or waited for: hours that it cut off have failed for now.
   * Without it, a run takes as long as it takes.
   */
  readonly maxDuration?: Duration.DurationInput | undefined
  /** Version of the program, written into the metadata. Defaults to that of this package. */
  readonly version?: string | undefined
}

export class Run extends Context.Tag("amplitude-lake/Run")<
  Run,
  RetryPolicy & {
    readonly lagHours: number
    readonly requestHours: number
    readonly concurrency: number
    readonly layout: Layout
    readonly format: Format
    readonly version: string
    readonly gate: RequestGate
    /** As many permits as hours may be landed at once. */
    readonly landings: Effect.Semaphore

    /** Whether an hour was closed at an instant, in milliseconds since 1970. */
    readonly isClosed: (hour: Hour, at: number) => boolean

    /**
     * Whether an hour that had no events at an instant, in milliseconds since 1970, never will have
     * any.
     */
    readonly isSettled: (hour: Hour, at: number) => boolean

    /** Cuts work off, safely at any moment, when the run's longest duration is over. */
    readonly beforeDeadline: <A, E, R>(
      self: Effect.Effect<A, E, R>
    ) => Effect.Effect<A, E | LandingError, R>
  }
>() {}

const makeRun = Effect.fnUntraced(function* (options: LandingOptions) {
  const {
    concurrency = defaults.concurrency,
    lagHours = defaults.lagHours,
    maxDuration,
    settleHours = defaults.settleHours
  } = options
  const begun = yield* Clock.currentTimeMillis
  const deadline = maxDuration === undefined ? undefined : begun + Duration.toMillis(maxDuration)

  return Run.of({
    ...(yield* makeRetryPolicy(options)),
    lagHours,
    concurrency,
    requestHours: options.requestHours ?? defaults.requestHours,
    layout: options.layout ?? defaults.layout,
    format: options.format ?? defaults.format,
    version: options.version ?? version,
    gate: yield* makeRequestGate,
    landings: yield* Effect.makeSemaphore(concurrency),
    isClosed: (hour, at) => isOverSince(hour, lagHours, at),
    isSettled: (hour, at) => isOverSince(hour, settleHours, at),
    beforeDeadline: (self) =>
      Effect.flatMap(Clock.currentTimeMillis, (now) =>
        deadline === undefined
          ? self
          : Effect.timeoutFail(self, {
              duration: Duration.millis(Math.max(0, deadline - now)),
              onTimeout: () =>
                new LandingError({
                  reason: "OutOfTime",
                  detail: "the longest duration of a run was over before it"
                })
            })
      )
  })
})

/** Lets a program be one run. */
export function asRun<A, E, R>(
  self: Effect.Effect<A, E, R>,
  options: LandingOptions = {}
): Effect.Effect<A, E, Exclude<R, Run>> {
  return Effect.provideServiceEffect(self, Run, makeRun(options))
}
