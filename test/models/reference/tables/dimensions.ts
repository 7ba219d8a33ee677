import type { Event } from "../lines/events.ts"
import type { Act, Session } from "../sessions/sessions.ts"
import { titleOf, type View } from "../sessions/views.ts"
import type { Visit } from "../sessions/visits.ts"
import { byNumber, grouped, keyOf } from "../lines/words.ts"

export function locationOf({ city, country, dma, latitude, longitude, region }: Event) {
  return { country, region, city, dma, latitude, longitude }
}

export function deviceOf(event: Event) {
  return {
    platform: event.platform,
    os_name: event.osName,
    os_version: event.osVersion,
    device_family: event.deviceFamily,
    device_type: event.deviceType,
    device_carrier: event.deviceCarrier,
    language: event.language,
    app_version: event.appVersion
  }
}

type Attributes = Readonly<Record<string, string | number | null>>

/** What identifies a row of a dimension; null if nothing is known. */
export function attributesKey(attributes: Attributes): string | null {
  const values = Object.values(attributes)
  return values.every((value) => value === null) ? null : keyOf(...values)
}

/** The type of the device of a session. */
export function deviceTypeOf({ moments }: Session): string | null {
  const known = moments.find(({ event }) => attributesKey(deviceOf(event)) !== null)
  return known?.event.deviceType ?? null
}

/** Each combination of attributes that events have, but the empty one. */
export function dimensionOf<A extends Attributes>(
  acts: ReadonlyArray<Act>,
  attributesOf: (event: Event) => A
): ReadonlyArray<A> {
  const all = acts.map(({ event }) => attributesOf(event))
  const known = all.filter((attributes) => attributesKey(attributes) !== null)
  return [...grouped(known, (attributes) => attributesKey(attributes) ?? "").values()].map(
    ([attributes]) => attributes as A
  )
}

function byNewest({ moment: { event: one } }: View, { moment: { event: other } }: View): number {
  return (
    Number(one.time === null) - Number(other.time === null) ||
    -byNumber(one.time, other.time) ||
    other.landedHour - one.landedHour ||
    other.landedLine - one.landedLine
  )
}

export function pagesOf(visits: ReadonlyArray<Visit>) {
  const views = visits.flatMap((visit) =>
    visit.views.map((view) => ({
      view,
      isEntry: view === visit.views[0],
      isExit: view === visit.views.at(-1),
      isBounce: visit.views.length === 1
    }))
  )
  const placed = views.filter(({ view }) => view.moment.place.page !== null)
  const groups = grouped(placed, ({ view: { moment } }) =>
    keyOf(moment.place.site, moment.place.page)
  )
  return [...groups.values()].map((own) => {
    const [newest] = own.map(({ view }) => view).sort(byNewest)
    const count = (is: (view: (typeof own)[number]) => boolean) => own.filter(is).length
    return {
      site: newest?.moment.place.site ?? null,
      page: newest?.moment.place.page ?? null,
      title: newest === undefined ? null : titleOf(newest),
      views: own.length,
      entries: count(({ isEntry }) => isEntry),
      exits: count(({ isExit }) => isExit),
      bounces: count(({ isBounce }) => isBounce)
    }
  })
}
