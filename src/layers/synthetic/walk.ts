/** One visit, event by event: where it is, and what it has left behind. */
import { MINUTE, SECOND } from "./clocks.ts"
import type { Element } from "./elements.ts"
import { below, type Random, type Range, within } from "./random.ts"
import { type Page, sites } from "./sites.ts"
import type { Visit } from "./visits.ts"

export type EventType =
  | "session_start"
  | "session_end"
  | "[Amplitude] Page Viewed"
  | "[Amplitude] Screen Viewed"
  | "[Amplitude] Element Clicked"
  | "[Amplitude] Element Interacted"
  | "[Amplitude] Rage Click"
  | "[Amplitude] Dead Click"
  | "[Amplitude] Form Started"
  | "[Amplitude] Form Submitted"
  | "[Amplitude] File Downloaded"
  | "Search"
  | "Order Completed"
  | "Order Shipped"

/** An event, before it is a line. */
export interface Act {
  readonly type: EventType
  /** When Amplitude received it. */
  readonly at: number
  /** How long before it was sent it happened, in milliseconds. */
  readonly ago: number
  /** The page where it happened, the one in the address bar when it was sent, and the one before. */
  readonly page: Page
  readonly shown: Page
  readonly previous: Page | undefined
  /** Number of the page view, in the visit and in the session. */
  readonly view: number
  readonly counter: number
  /** When the session began, as received. */
  readonly session: number
  readonly isLoggedIn: boolean
  readonly element: Element | undefined
  /** When each click of a rage click was made. */
  readonly clicks: ReadonlyArray<number>
}

export interface Walk {
  readonly visit: Visit
  readonly random: Random
  readonly acts: Array<Act>
  now: number
  isOver: boolean
  page: Page
  previous: Page | undefined
  view: number
  counter: number
  session: number
  isLoggedIn: boolean
}

export function begin(visit: Visit, page: Page): Walk {
  return {
    visit,
    random: visit.random,
    acts: [],
    now: visit.begin,
    isOver: false,
    page,
    previous: undefined,
    view: 0,
    counter: 0,
    session: visit.begin,
    isLoggedIn: false
  }
}

const noClicks: ReadonlyArray<number> = []

/** An event after a wait, unless the visit is over by then. */
export function act(walk: Walk, type: EventType, wait: number, more: Partial<Act> = {}): void {
  const { visit, acts, page, previous, view, counter, session, isLoggedIn } = walk
  walk.now += wait
  walk.isOver ||= walk.now + visit.lag >= visit.until || acts.length >= visit.mostEvents
  if (walk.isOver) return
  acts.push({
    type,
    at: walk.now,
    ago: 0,
    page,
    shown: page,
    previous,
    view,
    counter,
    session,
    isLoggedIn,
    element: undefined,
    clicks: noClicks,
    ...more
  })
}

export function isApp({ visit }: Walk): boolean {
  return visit.visitor.site === "app"
}

/** The view of another page. Now and then one is lost on the way, which the counter shows. */
export function arrive(walk: Walk, page: Page, wait: number): void {
  const isLost = walk.counter > 0 && walk.random() < 0.005
  walk.previous = walk.counter === 0 ? undefined : walk.page
  walk.page = page
  walk.view++
  walk.counter++
  if (isLost) walk.now += wait
  else act(walk, isApp(walk) ? "[Amplitude] Screen Viewed" : "[Amplitude] Page Viewed", wait)
}

/** A click, which only some visitors' events show. `shown` is the page where it led to at once. */
export function click(walk: Walk, element: Element, wait: number, shown?: Page): void {
  const type = isApp(walk) ? "[Amplitude] Element Interacted" : "[Amplitude] Element Clicked"
  if (!walk.visit.hasClicks) walk.now += wait
  else if (shown === undefined) act(walk, type, wait, { element })
  // The address bar is ahead of the click within a page, as the SDK reads it a moment later.
  else act(walk, type, wait, { element, shown, previous: walk.page })
}

/** A click on what leads to another page, and its view. */
export function follow(walk: Walk, element: Element, page: Page, wait: number): void {
  const isWithin = sites[walk.visit.visitor.site].routing !== "load"
  click(walk, element, wait, isWithin ? page : undefined)
  arrive(walk, page, isWithin ? 3 + below(walk.random, 27) : 1100 + below(walk.random, 900))
}

/** Whether the device's SDK tells rage and dead clicks. */
function isWatched({ visit }: Walk): boolean {
  return visit.hasClicks && visit.visitor.site !== "app" && visit.visitor.device.sdk.isRecent
}

// As Amplitude's SDK decides: the fourth click comes less than a second after the first.
function isRage(times: ReadonlyArray<number>): boolean {
  return times.some((time, index) => (times[index + 3] ?? Infinity) - time < SECOND)
}

/** Several clicks on one element. Amplitude's SDK tells them as rage by the `innermost` element. */
export function burst(
  walk: Walk,
  element: Element,
  { clicks, gap }: { readonly clicks: Range; readonly gap: Range },
  innermost: Element = element
): void {
  const { random } = walk
  const times: Array<number> = []
  for (let count = within(random, clicks); count > 0; count--) {
    click(walk, element, times.length === 0 ? 2 * SECOND : within(random, gap))
    times.push(walk.now)
  }
  if (!isWatched(walk) || !isRage(times)) return
  const ago = walk.now + SECOND - (times[0] ?? walk.now)
  act(walk, "[Amplitude] Rage Click", SECOND, { element: innermost, ago, clicks: times })
}

/** A click that nothing follows for seconds. */
export function deadClick(walk: Walk, element: Element, isSeen: boolean): void {
  click(walk, element, 2 * SECOND)
  if (!isSeen || !isWatched(walk)) walk.now += 4 * SECOND
  else act(walk, "[Amplitude] Dead Click", 3 * SECOND, { element, ago: 3 * SECOND })
}

/** The end of a session, sent when the next one begins: the moment after its last event. */
export function comeBack(walk: Walk, page: Page): void {
  const last = walk.acts.at(-1)
  const pause = 31 * MINUTE + below(walk.random, 60 * MINUTE)
  walk.page = page
  walk.previous = undefined
  if (last !== undefined) {
    act(walk, "session_end", pause, { ago: walk.now + pause - last.at - 1 })
  }
  walk.session = walk.now
  walk.counter = 0
}
