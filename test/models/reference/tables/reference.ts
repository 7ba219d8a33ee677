import { duplicatesOf } from "../lines/duplicates.ts"
import { readLines } from "../lines/events.ts"
import { placeOf } from "../lines/pages.ts"
import type { World } from "../lines/world.ts"
import { type Act, sessionKeyOf, sessionsOf } from "../sessions/sessions.ts"
import { visitOf } from "../sessions/visits.ts"
import { companyVisitsOf, rangeRow } from "./companies.ts"
import { deviceOf, dimensionOf, locationOf, pagesOf } from "./dimensions.ts"
import { clickRow, eventRow, malformedRow, sessionRow, stagedRow, viewRow } from "./facts.ts"
import { journeysOf, transitionsOf } from "./journeys.ts"
import { menuEvidenceOf } from "./menuEvidence.ts"
import { capturedOf, coverageOf, eventsByDayOf, propertiesSeenIn } from "./quality.ts"
import { repeatedClicksOf } from "./repeated.ts"

/** Times are microseconds since 1970. */
export type Cell = null | boolean | string | number | bigint
export type Row = Readonly<Record<string, Cell>>
export type Tables = Readonly<Record<string, ReadonlyArray<Row>>>

/**
 * Every promised table, by its definition and straight from the lines. A key is a text that tells
 * what it stands for, where the models have a hash of it.
 */
export function tablesOf(world: World): Tables {
  const { events, malformed } = readLines(world.hours)
  const duplicates = duplicatesOf(events)
  const all = events.map((event): Act => ({
    event,
    place: placeOf(event, world.sites),
    isDuplicate: duplicates.has(event),
    sessionKey: sessionKeyOf(event)
  }))
  const acts = all.filter(({ isDuplicate }) => !isDuplicate)
  const visits = sessionsOf(acts, world.sites).map(visitOf)
  return {
    stg_amplitude__events: events.map(stagedRow),
    stg_amplitude__malformed: malformed.map(malformedRow),
    fct_events: all.map(eventRow),
    fct_page_views: visits.flatMap(({ views }) => views.map(viewRow)),
    fct_clicks: visits.flatMap(({ clicks }) => clicks.map(clickRow)),
    fct_sessions: visits.map(sessionRow),
    journeys: journeysOf(visits),
    transitions: transitionsOf(visits),
    company_visits: companyVisitsOf(visits, world.ipRanges),
    repeated_clicks: repeatedClicksOf(visits),
    menu_evidence: menuEvidenceOf(visits, world.menuItems),
    coverage: coverageOf(world, all, malformed),
    events_by_day: eventsByDayOf(acts),
    captured: capturedOf(acts),
    event_properties_seen: propertiesSeenIn(acts),
    dim_locations: dimensionOf(all, locationOf),
    dim_devices: dimensionOf(all, deviceOf),
    dim_pages: pagesOf(visits),
    dim_ip_ranges: world.ipRanges.map(rangeRow)
  }
}
