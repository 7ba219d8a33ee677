import { Clock as EffectClock, Effect, Layer } from "effect"
import { Clock } from "../../services/Clock.ts"
import { addHours, hourAt } from "../../services/Hour.ts"

/** A clock that reads the time by `now`; the hour before the one that holds `now - lag` is the newest closed. */
export function fromNow(now: Effect.Effect<number>): Clock["Type"] {
  return Clock.of({
    now,
    newestClosedHour: (lagHours) =>
      Effect.map(now, (millis) => addHours(hourAt(millis), -1 - lagHours))
  })
}

/** The system's time, read through Effect's own clock: virtual under `TestClock`. */
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
