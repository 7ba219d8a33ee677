import { Effect, Schema } from "effect"
import type { Flow } from "./Report.ts"
import type { Read } from "./read.ts"

const SITES = 3
const JOURNEYS = 15
const STEPS = 4
const PAGES = 5

const Text = Schema.NullOr(Schema.String)

/** A journey is cut into pages where that is certain: a page may have the sign between pages in it. */
const SPLIT = `select sessions, string_split(journey, ' > ') as pages
from analytics.journeys where SITE and len(string_split(journey, ' > ')) = steps`

/** What sessions do on the sites that most of them enter. */
export const readJourneys = Effect.fnUntraced(function* (read: Read) {
  const found = yield* read(
    { site: Text, sessions: Schema.Number, different: Schema.Number },
    `select site, round(max(sessions / share))::double as sessions, count(*)::double as different
from analytics.journeys group by site order by sessions desc, site nulls last`
  )
  const sites = yield* Effect.forEach(found.slice(0, SITES), (it) =>
    Effect.gen(function* () {
      const isSite = it.site === null ? "site is null" : `site = '${it.site.replaceAll("'", "''")}'`
      const journeys = yield* read(
        { journey: Schema.String, isCut: Schema.Boolean, sessions: Schema.Number },
        `select journey, is_cut as "isCut", sessions::double as sessions from analytics.journeys
where ${isSite} order by sessions desc, journey limit ${JOURNEYS}`
      )
      return { ...it, journeys, flow: yield* readFlow(read, SPLIT.replace("SITE", isSite)) }
    })
  )
  return { sites, otherSites: found.length - sites.length }
})

const readFlow = Effect.fnUntraced(function* (read: Read, split: string) {
  const steps = Array.from({ length: STEPS }, (_, index) => index + 1)
  const ranked = `with split as materialized (${split}),
visits as (${steps
    .map(
      (step) =>
        `select ${step} as step, pages[${step}] as page, sessions from split where len(pages) >= ${step}`
    )
    .join(" union all ")}),
pages as (select step, page, sum(sessions) as sessions from visits group by step, page),
ranked as (select *, least(row_number() over (partition by step order by sessions desc, page), ${PAGES + 1}) as nth from pages)`
  const nodes = yield* read(
    { step: Schema.Number, nth: Schema.Number, page: Text, sessions: Schema.Number },
    `${ranked} select step::double as step, nth::double as nth,
  case when nth <= ${PAGES} then any_value(page) end as page, sum(sessions)::double as sessions
from ranked group by step, nth order by step, nth`
  )
  const links = yield* read(
    { step: Schema.Number, from: Schema.Number, to: Schema.Number, sessions: Schema.Number },
    `${ranked}, moves as (${steps
      .slice(1)
      .map(
        (step) =>
          `select ${step - 1} as step, pages[${step - 1}] as here, pages[${step}] as there, sessions from split where len(pages) >= ${step}`
      )
      .join(" union all ")})
select (moves.step - 1)::double as step, (one.nth - 1)::double as from, (other.nth - 1)::double as to, sum(moves.sessions)::double as sessions
from moves
join ranked as one on one.step = moves.step and one.page = moves.here
join ranked as other on other.step = moves.step + 1 and other.page = moves.there
group by all order by all`
      .replace(" as from,", ' as "from",')
      .replace(" as to,", ' as "to",')
  )
  const flow: Flow = {
    steps: steps
      .map((step) =>
        nodes.filter((it) => it.step === step).map(({ page, sessions }) => ({ page, sessions }))
      )
      .filter((pages) => pages.length > 0),
    links
  }
  return flow
})
