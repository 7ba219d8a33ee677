import { Schema } from "effect"
import { Hour, hourAt, hourStart, MILLIS } from "../../services/Hour.ts"
import { Window } from "../../services/Window.ts"

/** How many hours are missing, and the oldest and newest of them. */
export const GapCount = Schema.Struct({
  hours: Schema.Int,
  first: Hour,
  last: Hour
}).annotations({ identifier: "GapCount" })
export type GapCount = typeof GapCount.Type

/** The runs of neighbouring hours from `first` to `last` that are gaps, oldest first. */
export function gapsBetween(
  first: Hour,
  last: Hour,
  isGap: (hour: Hour) => boolean
): ReadonlyArray<Window> {
  const gaps: Array<Window> = []
  let from: Hour | undefined
  let before = first
  const end = hourStart(last)
  for (let millis = hourStart(first); millis <= end; millis += MILLIS) {
    const hour = hourAt(millis)
    if (isGap(hour)) from ??= hour
    else if (from !== undefined) {
      gaps.push(new Window({ first: from, last: before }))
      from = undefined
    }
    before = hour
  }
  if (from !== undefined) gaps.push(new Window({ first: from, last: before }))
  return gaps
}

/** `null` where there is no gap. */
export function countGaps(gaps: ReadonlyArray<Window>): GapCount | null {
  const [first, last] = [gaps.at(0)?.first, gaps.at(-1)?.last]
  if (first === undefined || last === undefined) return null
  return { hours: gaps.reduce((sum, gap) => sum + gap.length, 0), first, last }
}

/** The oldest or, with `-1`, the newest of some hours. */
export function outermost(hours: Iterable<Hour>, direction: 1 | -1 = 1): Hour | undefined {
  let found: Hour | undefined
  for (const hour of hours) {
    if (found === undefined || (direction === 1 ? hour < found : hour > found)) found = hour
  }
  return found
}
