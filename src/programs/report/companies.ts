import { Effect, Schema } from "effect"
import type { Read } from "./read.ts"

const LISTED = 20

const Text = Schema.NullOr(Schema.String)
const IS_PROVIDER = `coalesce(kind in ('access provider', 'hosting'), false)`

/** Who the sessions belong to, as far as groups and addresses tell. */
export const readCompanies = Effect.fnUntraced(function* (read: Read) {
  const listOf = (condition: string) =>
    read(
      {
        company: Schema.String,
        kind: Text,
        evidence: Schema.String,
        sessions: Schema.Number,
        visitors: Schema.Number,
        pageViews: Schema.Number,
        firstSeen: Text,
        lastSeen: Text,
        topPage: Text
      },
      `select company, kind, evidence, sessions::double as sessions, visitors::double as visitors,
  page_views::double as "pageViews", strftime(first_seen, '%Y-%m-%d') as "firstSeen",
  strftime(last_seen, '%Y-%m-%d') as "lastSeen", top_page as "topPage"
from analytics.company_visits where company is not null and ${condition}
order by company_visits.sessions desc, company, kind, evidence limit ${LISTED}`
    )
  const companies = yield* listOf(`not ${IS_PROVIDER}`)
  const providers = yield* listOf(IS_PROVIDER)
  const [all] = yield* read(
    {
      sessions: Schema.Number,
      unknown: Schema.Number,
      companies: Schema.Number,
      providers: Schema.Number
    },
    `select coalesce(sum(sessions), 0)::double as sessions,
  coalesce(sum(sessions) filter (company is null), 0)::double as "unknown",
  count(*) filter (company is not null and not ${IS_PROVIDER})::double as companies,
  count(*) filter (company is not null and ${IS_PROVIDER})::double as providers
from analytics.company_visits`
  )
  return {
    sessions: all?.sessions ?? 0,
    unknownSessions: all?.unknown ?? 0,
    companies,
    otherCompanies: (all?.companies ?? companies.length) - companies.length,
    providers,
    otherProviders: (all?.providers ?? providers.length) - providers.length
  }
})
