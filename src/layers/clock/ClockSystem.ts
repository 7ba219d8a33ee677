import { Clock as EffectClock, Effect, Layer } from "effect"
import { Clock } from "../../services/Clock.ts"
import { addHours, hourAt } from "../../services/Hour.ts"

/**
 * A clock that gets the time from `now`. The newest closed hour is the last that ended at least
 * `lagHours` ago.
 */
export function fromNow(now: Effect.Effect<number>): Clock["Type"] {
  return Clock.of({
    now,
    newestClosedHour: (lagHours) =>
      Effect.map(now, (millis) => addHours(hourAt(millis), -1 - lagHours))
  })
}

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
