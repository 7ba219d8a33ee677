import { Option } from "effect"

/**
 * The `Date` of an answer, and when the request was sent and answered by this machine's clock, in
 * milliseconds since 1970.
 */
export interface TimedAnswer {
  readonly date: Option.Option<number>
  readonly sent: number
  readonly answered: number
}

const WORTH_A_WARNING = 5 * 60_000
/** A `Date` header has whole seconds. */
const SECOND = 1000

/**
 * Milliseconds by which this machine's clock is ahead of the answer's, negative if it is behind;
 * `None` without a `Date`.
 */
export function clockSkew({ date, sent, answered }: TimedAnswer): Option.Option<number> {
  return Option.map(date, (date) => {
    if (date > answered) return answered - date
    return date + SECOND < sent ? sent - date - SECOND : 0
  })
}

/** A warning about the skew; `None` if it is too small to matter. */
export function skewText(skew: number): Option.Option<string> {
  if (Math.abs(skew) <= WORTH_A_WARNING) return Option.none()
  const minutes = Math.round(Math.abs(skew) / 60_000)
  return Option.some(
    `This machine's clock is ${minutes} minutes ${skew > 0 ? "ahead of" : "behind"} Amplitude's clock; synchronize it (NTP)`
  )
}
