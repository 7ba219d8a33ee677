/** Visits, each the same for the same world, hour and number, whatever else is generated. */
import { addHours, type Hour, hourStart } from "../../services/Hour.ts"
import { delayOf, HOUR, MINUTE, SECOND, skewOf } from "./clocks.ts"
import { drift, visitors as planted } from "./planted.ts"
import { below, type Random, randomOf, wordOf } from "./random.ts"
import { isIdle, visitsIn, type World } from "./traffic.ts"
import { type Visitor, visitorOf } from "./visitors.ts"

/** A visit's events are uploaded within its first hour and this number of hours after. */
export const LATER_HOURS = 3

const LONGEST = 55 * MINUTE

export interface Visit {
  readonly hour: Hour
  readonly number: number
  readonly visitor: Visitor
  /** Whether a server reports it: outside a session, and without a device. */
  readonly isServer: boolean
  readonly hasClicks: boolean
  /** Whether the visitor comes back after a pause, which ends one session and begins another. */
  readonly isReturning: boolean
  /** When the first event is received, and when no event is uploaded any more. */
  readonly begin: number
  readonly until: number
  readonly mostEvents: number
  /** Milliseconds from an event to its upload by the device, and from there to Amplitude's. */
  readonly delay: number
  readonly lag: number
  readonly skew: number
  /** Make the visit's ids. */
  readonly words: readonly [number, number, number, number]
  /** Decides what the visitor does. */
  readonly random: Random
}

/** When the visits of an hour must be over: before the next hour without events. */
function endOf(world: World, hour: Hour): number {
  for (let later = 1; later <= LATER_HOURS; later++) {
    const next = addHours(hour, later)
    if (isIdle(world, next)) return hourStart(next)
  }
  return hourStart(addHours(hour, LATER_HOURS + 1))
}

function visitOf(world: World, hour: Hour, number: number, end: number): Visit {
  const random = randomOf(`${world.name}/${hour}/visit/${number}`)
  const visitor = visitorOf(world.name, below(random, world.visitors))
  const begin = hourStart(hour) + below(random, HOUR - 3 * SECOND)
  const isReturning = random() < planted.returning
  const { clicks } = drift
  return {
    hour,
    number,
    visitor,
    isServer: random() < planted.server,
    hasClicks: visitor.hasClicks && (visitor.site !== clicks.site || hour >= clicks.since),
    isReturning,
    begin,
    until: isReturning ? end : Math.min(end, begin + LONGEST),
    mostEvents: world.mostEvents,
    delay: delayOf(random),
    lag: 200 + below(random, 1500),
    skew: skewOf(random),
    words: [wordOf(random), wordOf(random), wordOf(random), wordOf(random)],
    random
  }
}

/** The visits that may upload events in an hour, the oldest first. */
export function* visitsReaching(world: World, hour: Hour): IterableIterator<Visit> {
  const start = hourStart(hour)
  if (isIdle(world, hour)) return
  for (let earlier = LATER_HOURS; earlier >= 0; earlier--) {
    const begun = addHours(hour, -earlier)
    const end = endOf(world, begun)
    if (end <= start) continue
    for (let number = 0; number < visitsIn(world, begun); number++) {
      const visit = visitOf(world, begun, number, end)
      if (visit.until > start) yield visit
    }
  }
}
