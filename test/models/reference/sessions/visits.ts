import { type Click, clicksOf } from "./clicks.ts"
import type { Event } from "../lines/events.ts"
import type { Moment, Session } from "./sessions.ts"
import { type View, viewsOf } from "./views.ts"
import { firstOf } from "../lines/words.ts"

/** A session with what was seen and clicked in it. */
export interface Visit {
  readonly session: Session
  readonly views: ReadonlyArray<View>
  /** Those that the SDK reports last. */
  readonly clicks: ReadonlyArray<Click>
}

export function visitOf(session: Session): Visit {
  const views = viewsOf(session)
  return { session, views, clicks: clicksOf(session, views) }
}

/** Clicks by a visitor, not those that the SDK reports besides. */
export function ownClicks({ clicks }: Visit): ReadonlyArray<Click> {
  return clicks.filter(({ source }) => source === "element")
}

export function firstKnown<A>(session: Session, read: (event: Event) => A | null): A | null {
  return firstOf(session.moments.map(({ event }) => read(event)))
}

export function lastKnown<A>(session: Session, read: (event: Event) => A | null): A | null {
  return firstOf(session.moments.toReversed().map(({ event }) => read(event)))
}

/** When a session began and ended; events without any time say nothing of it. */
export function firstAndLast({ moments }: Session): readonly [Moment, Moment] {
  const timed = moments.filter(({ clock }) => clock !== null)
  return [timed[0] ?? (moments[0] as Moment), timed.at(-1) ?? (moments.at(-1) as Moment)]
}

/** Where a session began: on its first view, else with its first click. */
export function siteOfVisit(visit: Visit): string | null {
  const [view] = visit.views
  const [click] = ownClicks(visit)
  return view?.moment.place.site ?? click?.moment.place.site ?? null
}
