import { clientClock, type Event, property } from "../lines/events.ts"
import { isSamePlace, isView, type Place, placeOfAddress } from "../lines/pages.ts"
import { byNumber, grouped, keyOf } from "../lines/words.ts"
import type { SiteName } from "../lines/world.ts"

/** An event of `fct_events`. */
export interface Act {
  readonly event: Event
  readonly place: Place
  readonly isDuplicate: boolean
  /** Identifies its session; null outside one. */
  readonly sessionKey: string | null
}

/** An event that counts, at its time in the session's order. */
export interface Moment extends Act {
  readonly clock: number | null
}

export interface Session {
  readonly key: string
  /** In order, at least one. */
  readonly moments: ReadonlyArray<Moment>
}

const UNCOUNTED: ReadonlySet<string> = new Set(["session_start", "session_end"])
const CLICKS: ReadonlySet<string> = new Set([
  "[Amplitude] Element Clicked",
  "[Amplitude] Element Interacted"
])
const LATE_TAGS: ReadonlySet<string> = new Set(["div", "span", "h1", "h2", "h3", "h4", "h5", "h6"])
const LATE_BY = 500_000

/** A click by the SDK's own events, other than rage and dead clicks. */
export function isClick({ type }: Event): boolean {
  return type !== null && CLICKS.has(type)
}

export function sessionKeyOf({ amplitudeId, deviceId, sessionId }: Event): string | null {
  if (sessionId === null) return null
  if (deviceId !== null) return keyOf("device", deviceId, sessionId)
  return amplitudeId === null ? null : keyOf("amplitude", amplitudeId, sessionId)
}

function isCounted({ event, isDuplicate, sessionKey }: Act): boolean {
  if (isDuplicate || sessionKey === null) return false
  return event.type !== null && !event.type.startsWith("$") && !UNCOUNTED.has(event.type)
}

/** The view that a click on a div or the like has caused before it was reported. */
function causedBy(click: Act, views: ReadonlyArray<Act>, sites: ReadonlyArray<SiteName>) {
  const at = clientClock(click.event)
  if (at === null || click.place.page === null) return undefined
  const times = views.flatMap(({ event }) => {
    const [seen, previous] = [clientClock(event), property(event, "Previous Page Location")]
    if (seen === null || previous === null || seen > at || at - seen > LATE_BY) return []
    return isSamePlace(placeOfAddress(previous, sites), click.place) ? [seen] : []
  })
  return times.length === 0 ? undefined : Math.max(...times)
}

function inOrder(acts: ReadonlyArray<Act>, sites: ReadonlyArray<SiteName>): ReadonlyArray<Moment> {
  const views = acts.filter(({ event }) => isView(event))
  const moments = acts.map((act): Moment => {
    const isLate = isClick(act.event) && LATE_TAGS.has(property(act.event, "Element Tag") ?? "")
    const caused = isLate ? causedBy(act, views, sites) : undefined
    return { ...act, clock: caused ?? clientClock(act.event) }
  })
  return moments.sort(
    (one, other) =>
      byNumber(one.clock, other.clock) ||
      Number(isClick(other.event)) - Number(isClick(one.event)) ||
      byNumber(one.event.eventId, other.event.eventId) ||
      one.event.landedHour - other.event.landedHour ||
      one.event.landedLine - other.event.landedLine
  )
}

export function sessionsOf(
  acts: ReadonlyArray<Act>,
  sites: ReadonlyArray<SiteName>
): ReadonlyArray<Session> {
  const sessions = grouped(acts.filter(isCounted), ({ sessionKey }) => sessionKey ?? "")
  return [...sessions].map(([key, own]) => ({ key, moments: inOrder(own, sites) }))
}
