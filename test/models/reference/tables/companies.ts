import { addressOf } from "../lines/addresses.ts"
import type { Event } from "../lines/events.ts"
import { isFields, isList, textOf } from "../lines/json.ts"
import { firstAndLast, firstKnown, lastKnown, type Visit } from "../sessions/visits.ts"
import { byNumber, byText, distinct, grouped, keyOf } from "../lines/words.ts"
import type { AddressRange } from "../lines/world.ts"

const GROUP = "company"

interface Evidence {
  readonly company: string | null
  readonly kind: string | null
  readonly evidence: "group" | "network" | null
}

const NONE: Evidence = { company: null, kind: null, evidence: null }

function companyGroupOf({ groups }: Event): string | null {
  const names = isFields(groups) ? groups.get(GROUP) : undefined
  return textOf(isList(names) ? names[0] : names)
}

/** The ranges as they were given. */
export function rangeRow({ asn, company, first, kind, last }: AddressRange) {
  return { first_ip: first, last_ip: last, asn, company, kind: kind ?? "unknown" }
}

type Finder = (ip: string | null) => AddressRange | undefined

/** Finds the range that tells most of an address: it begins last, then ends first. */
function finderOf(ranges: ReadonlyArray<AddressRange>): Finder {
  const known = ranges
    .map((range) => ({ range, first: addressOf(range.first), last: addressOf(range.last) }))
    .sort(
      (one, other) =>
        -byNumber(one.first, other.first) ||
        byNumber(one.last, other.last) ||
        byText(one.range.company, other.range.company)
    )
  return (ip) => {
    const address = addressOf(ip)
    if (address === null) return undefined
    return known.find(
      ({ first, last }) => first !== null && last !== null && first <= address && address <= last
    )?.range
  }
}

function evidenceOf({ session }: Visit, find: Finder): Evidence {
  const group = firstKnown(session, companyGroupOf)
  if (group !== null) return { company: group, kind: null, evidence: "group" }
  const range = find(firstKnown(session, ({ ipAddress }) => ipAddress))
  if (range === undefined) return NONE
  return { company: range.company, kind: range.kind ?? "unknown", evidence: "network" }
}

function visitorOf({ session }: Visit): string {
  const device = firstKnown(session, ({ deviceId }) => deviceId)
  if (device !== null) return keyOf("device", device)
  return keyOf(
    "amplitude",
    lastKnown(session, ({ amplitudeId }) => amplitudeId)
  )
}

/** The page that most of the sessions saw; of several the first by name. */
function topPageOf(visits: ReadonlyArray<Visit>): string | null {
  const seen = visits.flatMap(({ views }) => {
    const pages = views.flatMap(({ moment }) => moment.place.page ?? [])
    return [...new Set(pages)]
  })
  const pages = [...grouped(seen, (page) => page)].map(([page, { length }]) => ({ page, length }))
  pages.sort((one, other) => other.length - one.length || byText(one.page, other.page))
  return pages[0]?.page ?? null
}

function extreme(
  times: ReadonlyArray<number | null>,
  choose: (...times: ReadonlyArray<number>) => number
) {
  const known = times.filter((time) => time !== null)
  return known.length === 0 ? null : choose(...known)
}

export function companyVisitsOf(visits: ReadonlyArray<Visit>, ranges: ReadonlyArray<AddressRange>) {
  const find = finderOf(ranges)
  const all = visits.map((visit) => ({ visit, ...evidenceOf(visit, find) }))
  const groups = grouped(all, ({ company, evidence, kind }) => keyOf(company, kind, evidence))
  return [...groups.values()].map((group) => {
    const own = group.map(({ visit }) => visit)
    const { company, evidence, kind } = group[0] ?? NONE
    const spans = own.map(({ session }) => firstAndLast(session))
    return {
      company,
      kind,
      evidence,
      sessions: own.length,
      visitors: distinct(own.map(visitorOf)),
      page_views: own.reduce((sum, { views }) => sum + views.length, 0),
      first_seen: extreme(
        spans.map(([first]) => first.event.time),
        Math.min
      ),
      last_seen: extreme(
        spans.map(([, last]) => last.event.time),
        Math.max
      ),
      top_page: topPageOf(own)
    }
  })
}
