import { Config, type ConfigError, Effect, Layer } from "effect"
import { Clock } from "../../services/Clock.ts"
import { fromNow } from "./fromNow.ts"

/** A clock that always shows the same time, in milliseconds since 1970. For tests and replays. */
export function make(millis: number): Effect.Effect<Clock["Type"]> {
  return Effect.sync(() => fromNow(Effect.succeed(millis)))
}

/**
 * @example
 * ```ts
 * import * as ClockFixed from "amplitude-lake/layers/ClockFixed"
 *
 * export const clock = ClockFixed.layer(Date.parse("2025-11-11T12:00:00Z"))
 * ```
 */
export function layer(millis: number): Layer.Layer<Clock> {
  return Layer.effect(Clock, make(millis))
}

/** `layer` with its options from `Config`. */
export function layerConfig(
  millis: Config.Config.Wrap<number>
): Layer.Layer<Clock, ConfigError.ConfigError> {
  return Layer.unwrapEffect(Effect.map(Config.unwrap(millis), layer))
}
