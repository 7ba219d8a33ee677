/**
 * What the steps of one run share. Every public program creates one from its options, so no step
 * has to pass it on.
 *
 * @module
 */
import { Clock, Context, Duration, Effect } from "effect"
import { type Hour, isOverSince } from "../../services/Hour.ts"
import type { Format, Layout } from "../../services/HourKey.ts"
import * as defaults from "./defaults.ts"
import { LandingError } from "./LandingError.ts"
import { makeRequestGate, type RequestGate } from "./requestGate.ts"
import { makeRunLog, type RunLog } from "./runLog.ts"
import { makeRetryPolicy, type RetryOptions, type RetryPolicy } from "./retryPolicy.ts"
import { version } from "./version.ts"

export interface LagOptions {
  /** Hours to wait after an hour ends before it counts as closed. Defaults to 12. */
  readonly lagHours?: number | undefined
}

export interface SettleOptions extends LagOptions {
  /**
   * Hours to wait after an hour ends before no events means that there will be none. Defaults to
   * 24.
   */
  readonly settleHours?: number | undefined
}

/** How a run exports, names and lands its hours. */
export interface LandingOptions extends SettleOptions, RetryOptions {
  /** Maximum hours per export request. Defaults to 24. */
  readonly requestHours?: number | undefined
  /** Hours landed in parallel. Defaults to 4. */
  readonly concurrency?: number | undefined
  /**
   * Requests to Amplitude at once. While they are made, one more window is unpacked and landed.
   * Defaults to 2.
   */
  readonly lanes?: number | undefined
  /**
   * How keys are named: `2025-11-10_21.jsonl` (`hourly`) or `dt=2025-11-10/hour=21/…` (`hive`).
   * Defaults to `hourly`.
   */
  readonly layout?: Layout | undefined
  /** Lines as they are (`jsonl`) or gzipped (`jsonl.gz`). Defaults to `jsonl`. */
  readonly format?: Format | undefined
  /**
   * Time limit: afterwards nothing new is started or awaited, and remaining hours are postponed. No
   * limit by default.
   */
  readonly maxDuration?: Duration.DurationInput | undefined
  /** Program version written into the metadata. Defaults to that of this package. */
  readonly version?: string | undefined
  /** The machine's name, which a conflict records. Defaults to `unknown`. */
  readonly host?: string | undefined
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
    readonly host: string
    /** Windows that are on their way at once. */
    readonly windowsAtOnce: number
    readonly gate: RequestGate
    readonly log: RunLog
    /** One permit per hour that may be landed in parallel. */
    readonly landings: Effect.Semaphore

    /** Whether an hour was closed at a time, in milliseconds since 1970. */
    readonly isClosed: (hour: Hour, at: number) => boolean

    /**
     * Whether an hour without events at a time, in milliseconds since 1970, will never have any.
     */
    readonly isSettled: (hour: Hour, at: number) => boolean

    /** Interrupts work when the run's time limit expires. Safe at any moment. */
    readonly beforeDeadline: <A, E, R>(
      self: Effect.Effect<A, E, R>
    ) => Effect.Effect<A, E | LandingError, R>
  }
>() {}

const makeRun = Effect.fnUntraced(function* (options: LandingOptions) {
  const {
    concurrency = defaults.concurrency,
    lagHours = defaults.lagHours,
    lanes = defaults.lanes,
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
    host: options.host ?? defaults.host,
    windowsAtOnce: lanes + 1,
    gate: yield* makeRequestGate(lanes),
    log: yield* makeRunLog,
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
                  detail: "the run's time limit expired first"
                })
            })
      )
  })
})

/** Provides `Run`, made from the first argument of a program. */
export function asRun<A, E, R>(
  self: Effect.Effect<A, E, R>,
  options: LandingOptions = {}
): Effect.Effect<A, E, Exclude<R, Run>> {
  return Effect.provideServiceEffect(self, Run, makeRun(options))
}
