/** How much happens in an hour. */
import type { Hour } from "../../services/Hour.ts"
import { randomOf } from "./random.ts"

export interface World {
  /** Seed of everything generated. */
  readonly name: string
  readonly project: string
  readonly eventsPerHour: number
  /** Number of visitors to choose from. */
  readonly visitors: number
  /** Longest visit, in events. */
  readonly mostEvents: number
  /** Whether each hour has lines that readers stumble over. */
  readonly hasBrokenLines: boolean
}

/** Events of a visit on average, measured. */
const visitEvents = 11.5

// By UTC hour: most in the afternoon, fewest at night.
const daylight = [
  0.48, 0.42, 0.4, 0.42, 0.48, 0.58, 0.7, 0.84, 1, 1.16, 1.3, 1.42, 1.52, 1.58, 1.6, 1.58, 1.52,
  1.42, 1.3, 1.16, 1, 0.84, 0.7, 0.58
]

/** Whether an hour has no events: one in twelve. */
export function isIdle({ name, eventsPerHour }: World, hour: Hour): boolean {
  return eventsPerHour <= 0 || randomOf(`${name}/${hour}`)() < 1 / 12
}

/** About how many events an hour has. */
export function eventsIn(world: World, hour: Hour): number {
  if (isIdle(world, hour)) return 0
  const factor = daylight[Number(hour.slice(11))] ?? 1
  const noise = 0.9 + 0.2 * randomOf(`${world.name}/${hour}/events`)()
  return Math.max(1, Math.round(world.eventsPerHour * factor * noise))
}

/** Number of visits that begin in an hour. */
export function visitsIn(world: World, hour: Hour): number {
  const events = eventsIn(world, hour)
  return events === 0
    ? 0
    : Math.max(1, Math.round(events / Math.min(visitEvents, world.mostEvents)))
}
