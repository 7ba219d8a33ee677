import { burstsOf, type Click, isRage3, isRage4 } from "../sessions/clicks.ts"
import { isRepeatable, labelOf } from "../sessions/elements.ts"
import { deviceTypeOf } from "./dimensions.ts"
import type { Visit } from "../sessions/visits.ts"
import { byText, distinct, grouped, keyOf } from "../lines/words.ts"

/** The most frequent label; of several the smallest. */
function usualLabel(clicks: ReadonlyArray<Click>): string | null {
  const labels = clicks.map(({ moment }) => labelOf(moment.event))
  const counts = [...grouped(labels, (label) => keyOf(label)).values()]
  counts.sort(
    (one, other) =>
      Number(one[0] === null) - Number(other[0] === null) ||
      other.length - one.length ||
      byText(one[0] ?? null, other[0] ?? null)
  )
  return counts[0]?.[0] ?? null
}

const sessionsOf = (clicks: ReadonlyArray<Click>) =>
  distinct(clicks.map(({ session }) => session.key))

/** The row of one element, from its clicks and those that the SDK reports of it. */
function rowOf(all: ReadonlyArray<Click>) {
  const clicks = all.filter(({ source }) => source === "element")
  const bursts = burstsOf(clicks)
  const rages = bursts.filter(isRage3)
  const sessions = sessionsOf(clicks)
  const rageSessions = sessionsOf(rages.flat())
  const telling = clicks.length > 0 ? clicks : all
  return {
    label: usualLabel(telling),
    is_repeatable: telling.some(({ moment }) => isRepeatable(moment.event)),
    clicks: clicks.length,
    sessions,
    bursts: bursts.length,
    rage_bursts_3: rages.length,
    rage_bursts_4: bursts.filter(isRage4).length,
    rage_sessions: rageSessions,
    rage_share: sessions === 0 ? null : rageSessions / sessions,
    longest_burst: Math.max(0, ...bursts.map(({ length }) => length)),
    sdk_rage_clicks: all.filter(({ source }) => source === "sdk rage").length,
    sdk_dead_clicks: all.filter(({ source }) => source === "sdk dead").length
  }
}

export function repeatedClicksOf(visits: ReadonlyArray<Visit>) {
  const all = visits
    .flatMap(({ clicks }) => clicks)
    .map((click) => ({ click, at: click.owner ?? click }))
    .filter(({ at }) => !at.isTextField)
  const groups = grouped(all, ({ at: { element, moment, session } }) =>
    keyOf(moment.place.site, moment.place.page, element, deviceTypeOf(session))
  )
  return [...groups.values()].map((group) => {
    const { at } = group[0] as (typeof group)[number]
    return {
      site: at.moment.place.site,
      page: at.moment.place.page,
      element: at.element,
      device_type: deviceTypeOf(at.session),
      ...rowOf(group.map(({ click }) => click))
    }
  })
}
