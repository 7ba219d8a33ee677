import type { Place } from "../lines/pages.ts"
import { pathOf } from "../sessions/views.ts"
import type { Visit } from "../sessions/visits.ts"
import { distinct, grouped, keyOf } from "../lines/words.ts"

const STEPS = 5

/** A page as it is written beside a page of a site. */
function named({ page, site }: Place, besides: string | null): string {
  const name = page ?? ""
  if (site === besides || site === null) return name
  return name.startsWith("/") ? site + name : `${site}/${name}`
}

const entryOf = (path: ReadonlyArray<Place>) => path[0] as Place

function journeyOf(path: ReadonlyArray<Place>): string {
  const { site } = entryOf(path)
  return path
    .slice(0, STEPS)
    .map((place) => named(place, site))
    .join(" > ")
}

export function journeysOf(visits: ReadonlyArray<Visit>) {
  const paths = visits.map(({ views }) => pathOf(views)).filter(({ length }) => length > 0)
  const bySite = grouped(paths, (path) => keyOf(entryOf(path).site))
  return [...bySite.values()].flatMap((onSite) => {
    return [...grouped(onSite, journeyOf)].map(([journey, same]) => ({
      site: entryOf(same[0] as ReadonlyArray<Place>).site,
      journey,
      steps: Math.min(STEPS, same[0]?.length ?? 0),
      is_cut: same.some(({ length }) => length > STEPS),
      sessions: same.length,
      share: same.length / onSite.length
    }))
  })
}

export function transitionsOf(visits: ReadonlyArray<Visit>) {
  const all = visits.flatMap(({ session, views }) => {
    const path = pathOf(views)
    return path.map((from, index) => {
      const next = path[index + 1]
      return { session, from, to: next === undefined ? "(end)" : named(next, from.site) }
    })
  })
  const byPage = grouped(all, ({ from }) => keyOf(from.site, from.page))
  return [...byPage.values()].flatMap((fromPage) =>
    [...grouped(fromPage, ({ to }) => to)].map(([to, same]) => ({
      site: same[0]?.from.site ?? null,
      from_page: same[0]?.from.page ?? null,
      to_page: to,
      transitions: same.length,
      sessions: distinct(same.map(({ session }) => session.key)),
      share: same.length / fromPage.length
    }))
  )
}
