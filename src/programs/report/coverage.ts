import { Effect, Schema } from "effect"
import { Hour, addHours } from "../../services/Hour.ts"
import { type Coverage, CoverageState, type Stretch } from "./Report.ts"
import type { Read } from "./read.ts"

const HOURS = `select
  strftime(hour, '%Y-%m-%dT%H') as hour,
  strftime(seen_at, '%Y-%m-%dT%H:%M:%SZ') as "seenAt",
  case
    when state = 'doubled' then 'doubled'
    when events is null and state = 'unlanded' then 'gap'
    when events is null then coalesce(state, 'gap')
    when state in ('gap', 'accepted') then 'gone'
    when events = 0 then 'empty'
    else 'loaded'
  end as state
from analytics.coverage
order by hour`

/** What the store and the warehouse have of each hour since the first one. */
export const readCoverage = Effect.fnUntraced(function* (read: Read) {
  const hours = yield* read(
    { hour: Hour, seenAt: Schema.NullOr(Schema.String), state: CoverageState },
    HOURS
  )
  const seen = hours.map(({ seenAt }) => seenAt).filter((it) => it !== null)
  return coverageOf(
    hours,
    seen.reduce<string | null>((newest, it) => (newest === null || it > newest ? it : newest), null)
  )
})

/** Folds hours, oldest first, into stretches. */
export function coverageOf(
  hours: ReadonlyArray<{ readonly hour: Hour; readonly state: CoverageState }>,
  seenAt: string | null
): Coverage {
  const stretches: Array<{ -readonly [Name in keyof Stretch]: Stretch[Name] }> = []
  const counts = new Map<CoverageState, number>()
  for (const { hour, state } of hours) {
    counts.set(state, (counts.get(state) ?? 0) + 1)
    const newest = stretches.at(-1)
    if (newest?.state === state && addHours(newest.last, 1) === hour) newest.last = hour
    else stretches.push({ first: hour, last: hour, state })
  }
  const totals = CoverageState.literals.flatMap((state) => {
    const count = counts.get(state)
    return count === undefined ? [] : [{ state, hours: count }]
  })
  return { seenAt, stretches, totals }
}
