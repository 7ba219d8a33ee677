import { Effect, Schema } from "effect"
import type { Flow } from "./Report.ts"
import type { Read } from "./read.ts"

const SITES = 3
const JOURNEYS = 15
const STEPS = 4
const PAGES = 5

const Text = Schema.NullOr(Schema.String)

const NTHS = Array.from({ length: STEPS }, (_, index) => index + 1)
const each = (text: (step: number) => string, between: string) => NTHS.map(text).join(between)

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
      return { ...it, journeys, flow: yield* readFlow(read, isSite) }
    })
  )
  return { sites, otherSites: found.length - sites.length }
})

/**
 * One row for each way through the first steps, of which there are few: pages that are not among a
 * step's most frequent are one. A journey is cut into pages where that is certain, because a page may
 * have the sign between pages in it.
 */
const waysOf = (isSite: string) => `with cut as materialized (
  select sessions, ${each((step) => `pages[${step}] as page${step}`, ", ")}
  from (select sessions, steps, string_split(journey, ' > ') as pages from analytics.journeys where ${isSite})
  where len(pages) = steps
),
pages as (${each((step) => `select ${step} as step, page${step} as page, sum(sessions) as sessions from cut where page${step} is not null group by page`, " union all ")}),
ranked as (select step, page, row_number() over (partition by step order by sessions desc, page) as nth from pages),
frequent as materialized (select * from ranked where nth <= ${PAGES})
select ${each((step) => `case when page${step} is not null then coalesce(frequent${step}.nth, ${PAGES + 1}) end::double as nth${step}, any_value(frequent${step}.page) as page${step}`, ", ")},
  sum(sessions)::double as sessions
from cut
${each((step) => `left join frequent as frequent${step} on frequent${step}.step = ${step} and frequent${step}.page = page${step}`, "\n")}
group by ${each((step) => `nth${step}`, ", ")}`

const Nth = Schema.NullOr(Schema.Number)

const readFlow = Effect.fnUntraced(function* (read: Read, isSite: string) {
  const ways = yield* read(
    {
      sessions: Schema.Number,
      nth1: Nth,
      nth2: Nth,
      nth3: Nth,
      nth4: Nth,
      page1: Text,
      page2: Text,
      page3: Text,
      page4: Text
    },
    waysOf(isSite)
  )
  const steps: Array<Array<{ readonly page: string | null; sessions: number }>> = NTHS.map(() => [])
  const links = new Map<string, { -readonly [Name in keyof Link]: Link[Name] }>()
  for (const way of ways) {
    const nths = [way.nth1, way.nth2, way.nth3, way.nth4]
    const pages = [way.page1, way.page2, way.page3, way.page4]
    for (const [step, nth] of nths.entries()) {
      if (nth === null) break
      const own = steps[step] ?? []
      const node = (own[nth - 1] ??= { page: pages[step] ?? null, sessions: 0 })
      node.sessions += way.sessions
      const next = nths[step + 1] ?? null
      if (next === null) continue
      const [from, to] = [nth - 1, next - 1]
      const link = links.get(`${step} ${from} ${to}`) ?? { step, from, to, sessions: 0 }
      link.sessions += way.sessions
      links.set(`${step} ${from} ${to}`, link)
    }
  }
  const flow: Flow = {
    steps: steps.filter((pages) => pages.length > 0),
    links: [...links.values()].toSorted(
      (one, other) => one.step - other.step || one.from - other.from || one.to - other.to
    )
  }
  return flow
})

type Link = Flow["links"][number]
