import { property, valueAt } from "../lines/events.ts"
import { textOf } from "../lines/json.ts"
import { isSamePlace, isView, type Place } from "../lines/pages.ts"
import { isClick, type Moment, type Session } from "./sessions.ts"
import { follows, SECOND } from "../lines/times.ts"
import { meaningful } from "../lines/words.ts"

/** A row of `fct_page_views`. */
export interface View {
  readonly session: Session
  readonly moment: Moment
  /** Its number among the moments of its session. */
  readonly index: number
  readonly nth: number
  readonly step: number | null
  readonly secondsToNext: number | null
  readonly isRedirect: boolean
}

/** The number of each view's step: neighbours on one page share it, views without a page have none. */
function stepsOf(places: ReadonlyArray<Place>): ReadonlyArray<number | null> {
  let step = 0
  let last: Place | undefined
  return places.map((place) => {
    if (place.page === null) return null
    if (last === undefined || !isSamePlace(last, place)) step++
    last = place
    return step
  })
}

export function viewsOf(session: Session): ReadonlyArray<View> {
  const { moments } = session
  const indexes = [...moments.keys()].filter((index) => isView((moments[index] as Moment).event))
  const steps = stepsOf(indexes.map((index) => (moments[index] as Moment).place))
  return indexes.map((index, position) => {
    const moment = moments[index] as Moment
    const next = indexes[position + 1]
    const nextClock = next === undefined ? null : (moments[next] as Moment).clock
    const wait = nextClock === null || moment.clock === null ? null : nextClock - moment.clock
    const isClicked = moments.slice(index, next).some(({ event }) => isClick(event))
    return {
      session,
      moment,
      index,
      nth: position + 1,
      step: steps[position] ?? null,
      secondsToNext: wait === null ? null : wait / SECOND,
      isRedirect: follows(moment.clock, nextClock, SECOND) && !isClicked
    }
  })
}

export function titleOf({ moment }: View): string | null {
  return meaningful(property(moment.event, "Page Title"))
}

/** A campaign's value: the view's own property, or what the address says. */
export function campaignOf({ moment }: View, name: string): string | null {
  const own = meaningful(textOf(valueAt(moment.event, name)))
  if (own !== null) return own
  return meaningful(queryOf(property(moment.event, "Page Location")).get(name) ?? null)
}

/** The query of an address, without what decodes it. */
export function queryOf(address: string | null): ReadonlyMap<string, string> {
  const [, query = ""] = /^[^?#]*\?([^#]*)/.exec(address ?? "") ?? []
  const entries = query.split("&").map((part) => {
    const at = part.indexOf("=")
    return at < 0 ? ([part, ""] as const) : ([part.slice(0, at), part.slice(at + 1)] as const)
  })
  return new Map(entries.toReversed())
}

/** The pages of a session, neighbours folded. */
export function pathOf(views: ReadonlyArray<View>): ReadonlyArray<Place> {
  const steps = new Map(
    views.flatMap(({ moment, step }) => (step === null ? [] : [[step, moment.place] as const]))
  )
  return [...steps.values()]
}
