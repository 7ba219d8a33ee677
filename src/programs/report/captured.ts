import { Effect, Schema } from "effect"
import { Hour } from "../../services/Hour.ts"
import type { Read } from "./read.ts"

const TYPES = 30
/** More lines than these cannot be told apart in a picture. */
const DRAWN_TYPES = 6

const Text = Schema.NullOr(Schema.String)

/** What is captured, from when to when. */
export const readCaptured = Effect.fnUntraced(function* (read: Read) {
  const types = yield* read(
    {
      eventType: Text,
      firstHour: Hour,
      lastHour: Hour,
      events: Schema.Number,
      sessions: Schema.Number
    },
    `select event_type as "eventType", strftime(first_hour, '%Y-%m-%dT%H') as "firstHour",
  strftime(last_hour, '%Y-%m-%dT%H') as "lastHour", events::double as events, sessions::double as sessions
from analytics.captured order by events desc, event_type nulls last limit ${TYPES}`
  )
  const [all] = yield* read(
    { types: Schema.Number, events: Schema.Number },
    `select count(*)::double as types, coalesce(sum(events), 0)::double as events from analytics.captured`
  )
  const listed = types.reduce((sum, { events }) => sum + events, 0)
  return {
    types,
    otherTypes: (all?.types ?? types.length) - types.length,
    otherEvents: (all?.events ?? listed) - listed
  }
})

/** The events of each day from the first to the last, by their most frequent types. */
export const readEventsByDay = Effect.fnUntraced(function* (read: Read) {
  const types = (yield* read(
    { type: Text },
    `select event_type as type from analytics.events_by_day
group by event_type order by sum(events) desc, event_type nulls last limit ${DRAWN_TYPES}`
  )).map(({ type }) => type)
  const rows = yield* read(
    { day: Schema.String, nth: Schema.Number, events: Schema.Number },
    `with types as (
  select event_type, row_number() over (order by sum(events) desc, event_type nulls last) - 1 as nth
  from analytics.events_by_day group by event_type
)
select strftime(day, '%Y-%m-%d') as day, least(nth, ${DRAWN_TYPES})::double as nth, sum(events)::double as events
from analytics.events_by_day as counted
join types on types.event_type is not distinct from counted.event_type
where day is not null group by all order by day, nth`
  )
  const days = new Map<string, { readonly events: Array<number>; other: number }>()
  for (const { day, events, nth } of rows) {
    const own = days.get(day) ?? { events: types.map(() => 0), other: 0 }
    if (nth < types.length) own.events[nth] = events
    else own.other = events
    days.set(day, own)
  }
  return { types, days: [...days].map(([day, own]) => ({ day, ...own })) }
})
