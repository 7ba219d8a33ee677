import { Clock as EffectClock, Effect, Layer } from "effect"
import { Clock } from "../../services/Clock.ts"
import { fromNow } from "./fromNow.ts"

/** The system time by Effect's own clock, so it is virtual under `TestClock`. */
export function make(): Effect.Effect<Clock["Type"]> {
  return Effect.sync(() => fromNow(EffectClock.currentTimeMillis))
}

/**
 * @example
 * ```ts
 * import * as ClockSystem from "amplitude-lake/layers/ClockSystem"
 *
 * export const clock = ClockSystem.layer()
 * ```
 */
export function layer(): Layer.Layer<Clock> {
  return Layer.effect(Clock, make())
}
