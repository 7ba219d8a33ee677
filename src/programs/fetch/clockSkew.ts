import { Option } from "effect"

/**
 * An answer's own time, and when it was asked for and came by the clock here, in milliseconds since
 * 1970.
 */
export interface TimedAnswer {
  readonly date: Option.Option<number>
  readonly sent: number
  readonly answered: number
}

const WORTH_A_WARNING = 5 * 60_000
/** What the `Date` of an answer leaves out. */
const SECOND = 1000

/**
 * Milliseconds by which the clock here is ahead of the answer's, negative where it is behind;
 * `None` without a `Date`.
 */
export function clockSkew({ date, sent, answered }: TimedAnswer): Option.Option<number> {
  return Option.map(date, (date) => {
    if (date > answered) return answered - date
    return date + SECOND < sent ? sent - date - SECOND : 0
  })
}

/** What to say of a skew that is worth it. */
export function skewText(skew: number): Option.Option<string> {
  if (Math.abs(skew) <= WORTH_A_WARNING) return Option.none()
  const minutes = Math.round(Math.abs(skew) / 60_000)
  return Option.some(
    `This machine's clock is ${minutes} minutes ${skew > 0 ? "ahead of" : "behind"} Amplitude's: set it right`
  )
}
