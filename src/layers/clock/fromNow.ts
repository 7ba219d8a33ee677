import { Effect } from "effect"
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
