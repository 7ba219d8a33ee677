import { Clock, Duration, Effect } from "effect"
import { LandingError } from "./LandingError.ts"

/** Cuts work off, safely at any moment, at an instant in milliseconds since 1970; without one it goes on. */
export function beforeDeadline(deadline: number | undefined) {
  return <A, E, R>(self: Effect.Effect<A, E, R>): Effect.Effect<A, E | LandingError, R> =>
    Effect.flatMap(Clock.currentTimeMillis, (now) =>
      deadline === undefined
        ? self
        : Effect.timeoutFail(self, {
            duration: Duration.millis(Math.max(0, deadline - now)),
            onTimeout: () =>
              new LandingError({
                reason: "OutOfTime",
                detail: "the longest duration of a run (--max-duration) was over before it"
              })
          })
    )
}
