import { Duration, Effect, Ref, Schedule, ScheduleDecision } from "effect"
import { Progress } from "../../services/Progress.ts"
import * as defaults from "./defaults.ts"
import { countRetry } from "./telemetry.ts"

/** An error that knows whether a retry may succeed. */
export interface Retryable {
  readonly isTransient: boolean
  readonly message: string
  /** Milliseconds that the server asked the client to wait. */
  readonly retryAfter?: number | undefined
}

export interface RetryOptions {
  /** Retries after the first attempt. Defaults to 5. */
  readonly retries?: number | undefined
  /**
   * Delay before the first retry, doubled each time, with jitter, at most a minute. Defaults to 1
   * second.
   */
  readonly retryBase?: Duration.DurationInput | undefined
}

/** The retry policy of a run. It counts the retries. */
export interface RetryPolicy {
  /**
   * Retries while the error is transient, or while `options.while` holds. A Retry-After is honored
   * up to 10 minutes.
   */
  readonly retry: <A, E extends Retryable, R>(
    self: Effect.Effect<A, E, R>,
    options?: { readonly while?: ((error: E) => boolean) | undefined }
  ) => Effect.Effect<A, E, R>
  /** Retries in this run so far. */
  readonly made: Effect.Effect<number>
  /** The delay before a first retry. */
  readonly base: Duration.Duration
}

function isTransient(error: Retryable): boolean {
  return error.isTransient
}

/** The backoff in whole milliseconds, or as long as the server requires, if that is longer. */
function waitFor({ retryAfter = 0 }: Retryable, backoff: Duration.Duration): Duration.Duration {
  const asked = Math.min(retryAfter, LONGEST_RETRY_AFTER)
  return Duration.millis(Math.ceil(Math.max(Duration.toMillis(backoff), asked)))
}

const LONGEST_RETRY_AFTER = Duration.toMillis(Duration.minutes(10))

/** Creates the retry policy of one run. */
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
              Effect.zipRight(Effect.logWarning(`Retrying: ${error.message}`))
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
