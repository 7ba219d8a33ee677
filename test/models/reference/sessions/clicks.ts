import { elementOf, isTextField } from "./elements.ts"
import { type Event, property } from "../lines/events.ts"
import { canOpen, menuOf } from "./hierarchy.ts"
import { isClick, type Moment, type Session } from "./sessions.ts"
import { follows, SECOND } from "../lines/times.ts"
import type { View } from "./views.ts"
import { grouped, keyOf } from "../lines/words.ts"

export type Source = "element" | "sdk rage" | "sdk dead"

/** A row of `fct_clicks`. */
export interface Click {
  readonly session: Session
  readonly moment: Moment
  /** Its number among the moments of its session. */
  readonly index: number
  readonly source: Source
  readonly element: string | null
  readonly menu: string | null
  readonly isMenuOpener: boolean
  readonly isTextField: boolean
  /** The number of its burst. */
  readonly burst: number | null
  /** Of a click that the SDK reports: the click that it belongs to. */
  readonly owner: Click | undefined
}

/** Clicks on one element in one page view, each soon after the one before; at least two. */
export type Burst = ReadonlyArray<Click>

const SDK: Readonly<Record<string, Source>> = {
  "[Amplitude] Rage Click": "sdk rage",
  "[Amplitude] Dead Click": "sdk dead"
}

function sourceOf(event: Event): Source | undefined {
  return isClick(event) ? "element" : SDK[event.type ?? ""]
}

/** The view that a click is in: by its id, else by its page. */
function viewKey({ event, place }: Moment): string {
  const id = property(event, "Page View ID")
  return id === null ? keyOf(place.site, place.page) : keyOf(id)
}

function isOpener(moment: Moment, index: number, views: ReadonlyArray<View>): boolean {
  const isFollowed = views.some(
    (view) => view.index > index && follows(moment.clock, view.moment.clock, SECOND)
  )
  return canOpen(moment.event) && !isFollowed
}

function clickOf(
  session: Session,
  moment: Moment,
  index: number,
  source: Source,
  views: ReadonlyArray<View>
): Click {
  const menu = menuOf(moment.event)
  return {
    session,
    moment,
    index,
    source,
    element: elementOf(moment.event),
    menu,
    isMenuOpener: menu !== null && isOpener(moment, index, views),
    isTextField: isTextField(moment.event),
    burst: null,
    owner: undefined
  }
}

function seriesOf(clicks: ReadonlyArray<Click>): ReadonlyArray<ReadonlyArray<Click>> {
  const series: Array<Array<Click>> = []
  for (const click of clicks) {
    const last = series.at(-1)
    const before = last?.at(-1)
    if (last !== undefined && follows(before?.moment.clock ?? null, click.moment.clock, SECOND)) {
      last.push(click)
    } else series.push([click])
  }
  return series
}

function withBursts(clicks: ReadonlyArray<Click>): ReadonlyArray<Click> {
  const groups = grouped(clicks, ({ element, moment }) => keyOf(viewKey(moment), element))
  const numbers = new Map<Click, number>()
  for (const group of groups.values()) {
    const bursts = seriesOf(group).filter(({ length }) => length > 1)
    for (const [index, burst] of bursts.entries()) {
      for (const click of burst) numbers.set(click, index + 1)
    }
  }
  return clicks.map((click) => ({ ...click, burst: numbers.get(click) ?? null }))
}

function distance(one: Click, other: Click): number {
  const [a, b] = [one.moment.clock, other.moment.clock]
  return a === null || b === null ? Infinity : Math.abs(a - b)
}

/** The nearest click in the same view, the earlier one of two that are as near. */
function ownerOf(sdk: Click, clicks: ReadonlyArray<Click>): Click | undefined {
  const [nearest] = clicks
    .filter((click) => viewKey(click.moment) === viewKey(sdk.moment))
    .filter((click) => distance(click, sdk) <= SECOND)
    .sort((one, other) => distance(one, sdk) - distance(other, sdk) || one.index - other.index)
  return nearest
}

export function clicksOf(session: Session, views: ReadonlyArray<View>): ReadonlyArray<Click> {
  const all = session.moments.flatMap((moment, index) => {
    const source = sourceOf(moment.event)
    return source === undefined ? [] : [clickOf(session, moment, index, source, views)]
  })
  const clicks = withBursts(all.filter(({ source }) => source === "element"))
  const reported = all.filter(({ source }) => source !== "element")
  const owned = reported.map((sdk) => {
    const owner = ownerOf(sdk, clicks)
    return { ...sdk, owner, isTextField: (owner ?? sdk).isTextField }
  })
  return [...clicks, ...owned]
}

/** The bursts among clicks. */
export function burstsOf(clicks: ReadonlyArray<Click>): ReadonlyArray<Burst> {
  const inBurst = clicks.filter(({ burst }) => burst !== null)
  const groups = grouped(inBurst, ({ burst, element, moment, session }) =>
    keyOf(session.key, viewKey(moment), element, burst)
  )
  return [...groups.values()]
}

/** Whether `count` clicks in a row come within a second; with `isLess`, in less than one. */
function isHasty(burst: Burst, count: number, isLess: boolean): boolean {
  return burst.some((last, index) => {
    const first = burst[index - count + 1]
    if (first === undefined) return false
    const time = distance(first, last)
    return isLess ? time < SECOND : time <= SECOND
  })
}

export const isRage3 = (burst: Burst) => isHasty(burst, 3, false)
export const isRage4 = (burst: Burst) => isHasty(burst, 4, true)
