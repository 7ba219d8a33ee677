import { Duration, Effect, Ref, Schedule, ScheduleDecision } from "effect"
import { Progress } from "../../services/Progress.ts"
import * as defaults from "./defaults.ts"
import { countRetry } from "./telemetry.ts"

/** An error that knows whether the same call may succeed later. */
export interface Retryable {
  readonly isTransient: boolean
  readonly message: string
  /** Milliseconds that the other side asked to be left alone for. */
  readonly retryAfter?: number | undefined
}

export interface RetryOptions {
  /** Further tries after the first. Defaults to 5. */
  readonly retries?: number | undefined
  /**
   * Wait before the first further try, doubled each time, jittered, a minute at most. Defaults to 1
   * second.
   */
  readonly retryBase?: Duration.DurationInput | undefined
}

/** The one retry policy of a run, which counts what it repeated. */
export interface RetryPolicy {
  /**
   * Repeats while the error is transient, or as `options.while` says of it; a Retry-After is kept
   * up to 10 minutes.
   */
  readonly retry: <A, E extends Retryable, R>(
    self: Effect.Effect<A, E, R>,
    options?: { readonly while?: ((error: E) => boolean) | undefined }
  ) => Effect.Effect<A, E, R>
  /** How often something was tried again in this run. */
  readonly made: Effect.Effect<number>
  /** The wait before a first further try. */
  readonly base: Duration.Duration
}

function isTransient(error: Retryable): boolean {
  return error.isTransient
}

/** Whole milliseconds: the backoff, or longer where the other side asked for it. */
function waitFor({ retryAfter = 0 }: Retryable, backoff: Duration.Duration): Duration.Duration {
  const asked = Math.min(retryAfter, LONGEST_RETRY_AFTER)
  return Duration.millis(Math.ceil(Math.max(Duration.toMillis(backoff), asked)))
}

const LONGEST_RETRY_AFTER = Duration.toMillis(Duration.minutes(10))

/** Makes the retry policy of one run. */
export const makeRetryPolicy = Effect.fn("makeRetryPolicy")(function* (options: RetryOptions = {}) {
  const { retries = defaults.retries } = options
  const base = Duration.decode(options.retryBase ?? defaults.retryBase)
  const made = yield* Ref.make(0)
  const progress = yield* Progress

  const policy: RetryPolicy = {
    made: Ref.get(made),
    base,
    retry: <A, E extends Retryable, R>(
      self: Effect.Effect<A, E, R>,
      how?: { readonly while?: ((error: E) => boolean) | undefined }
    ) =>
      Effect.suspend(() => {
        let isOver: (() => void) | undefined
        const again = (error: E) =>
          Effect.suspend(() => {
            isOver?.()
            isOver = progress.retrying(error.message)
            return Ref.update(made, (count) => count + 1).pipe(
              Effect.zipRight(countRetry),
              Effect.zipRight(Effect.logWarning(`Trying again: ${error.message}`))
            )
          })
        return Effect.retry(
          self,
          Schedule.exponential(base).pipe(
            Schedule.jittered,
            Schedule.union(Schedule.spaced("1 minute")),
            Schedule.intersect(Schedule.recurs(retries)),
            Schedule.zipRight(Schedule.identity<E>()),
            Schedule.whileInput((error: E) => (how?.while ?? isTransient)(error)),
            Schedule.modifyDelay((error, delay) => waitFor(error, delay)),
            Schedule.onDecision((error, decision) =>
              ScheduleDecision.isContinue(decision) ? again(error) : Effect.void
            )
          )
        ).pipe(Effect.ensuring(Effect.sync(() => isOver?.())))
      })
  }
  return policy
})
