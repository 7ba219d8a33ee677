import { Effect, Schema } from "effect"
import { rateOf } from "./rate.ts"
import type { Read } from "./read.ts"

const ELEMENTS = 12
const REPEATERS = 8

const Text = Schema.NullOr(Schema.String)
const Device = Schema.Struct({
  deviceType: Text,
  clicks: Schema.Number,
  sessions: Schema.Number,
  rageSessions: Schema.Number
})

const DEVICES = `to_json(list({
    'deviceType': device_type,
    'clicks': clicked.clicks::double,
    'sessions': clicked.sessions::double,
    'rageSessions': rage_sessions::double
  } order by rage_sessions desc, clicked.sessions desc, device_type nulls last)[:6])::varchar`

const ORDER = ["site", "page", "element"].map((name) => `shown.${name} nulls last`).join(", ")

/** Elements that were clicked again and again, and those that are made for it. */
export const readRepeatedClicks = Effect.fnUntraced(function* (read: Read) {
  const elementsOf = (condition: string, limit: number) =>
    Effect.map(
      read(
        {
          site: Text,
          page: Text,
          element: Text,
          label: Text,
          clicks: Schema.Number,
          sessions: Schema.Number,
          bursts: Schema.Number,
          longestBurst: Schema.Number,
          rageSessions: Schema.Number,
          sdkRageClicks: Schema.Number,
          sdkDeadClicks: Schema.Number,
          devices: Schema.parseJson(Schema.Array(Device)),
          allSessions: Schema.Number,
          allRageSessions: Schema.Number
        },
        // Of the many elements only the few that are shown are read whole. Labels that are as frequent are ordered by name.
        `with shown as (
  select site, page, element, sum(sessions)::double as sessions, sum(rage_sessions)::double as "rageSessions"
  from analytics.repeated_clicks as shown where ${condition}
  group by site, page, element having "rageSessions" > 0
  order by "rageSessions" desc, sessions, ${ORDER} limit ${limit}
),
wholes as (
  select clicked.site, clicked.page, clicked.element,
    arg_max(label, (clicked.clicks, label)) as label,
    sum(clicked.clicks)::double as clicks,
    sum(bursts)::double as bursts,
    max(longest_burst)::double as "longestBurst",
    sum(sdk_rage_clicks)::double as "sdkRageClicks",
    sum(sdk_dead_clicks)::double as "sdkDeadClicks",
    ${DEVICES} as devices
  from analytics.repeated_clicks as clicked
  join shown
    on clicked.site is not distinct from shown.site
    and clicked.page is not distinct from shown.page
    and clicked.element is not distinct from shown.element
  where ${condition} group by clicked.site, clicked.page, clicked.element
),
others as (
  select site, sum(sessions)::double as sessions, sum(rage_sessions)::double as rage
  from analytics.repeated_clicks where not is_repeatable group by site
)
select shown.*, wholes.* exclude (site, page, element),
  coalesce(others.sessions, 0) as "allSessions", coalesce(others.rage, 0) as "allRageSessions"
from shown
join wholes
  on wholes.site is not distinct from shown.site
  and wholes.page is not distinct from shown.page
  and wholes.element is not distinct from shown.element
left join others on shown.site is not distinct from others.site
order by "rageSessions" desc, shown.sessions, ${ORDER}`
      ),
      (found) =>
        found.map(({ allRageSessions, allSessions, rageSessions, sessions, ...it }) => ({
          ...it,
          rage: rateOf(rageSessions, sessions),
          // Of a repeater, the others are all.
          others: condition.startsWith("not")
            ? { count: allRageSessions - rageSessions, sessions: allSessions - sessions }
            : { count: allRageSessions, sessions: allSessions }
        }))
    )
  const [all] = yield* read(
    { different: Schema.Number },
    `select count(*)::double as different from (select distinct site, page, element from analytics.repeated_clicks)`
  )
  return {
    different: all?.different ?? 0,
    elements: yield* elementsOf("not is_repeatable", ELEMENTS),
    repeaters: yield* elementsOf("is_repeatable", REPEATERS)
  }
})
