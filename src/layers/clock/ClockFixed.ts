import { Effect, Layer } from "effect"
import { Clock } from "../../services/Clock.ts"
import { fromNow } from "./ClockSystem.ts"

/** A clock that stands still at an instant, in milliseconds since 1970: for `--now` and for tests. */
export function layer(millis: number): Layer.Layer<Clock> {
  return Layer.succeed(Clock, fromNow(Effect.succeed(millis)))
}
