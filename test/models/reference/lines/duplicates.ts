import type { Event } from "./events.ts"
import { HOUR } from "./times.ts"
import { byNumber, grouped, keyOf } from "./words.ts"

const WINDOW = 168 * HOUR

function byReceipt(one: Event, other: Event): number {
  return (
    byNumber(one.received, other.received) ||
    one.landedHour - other.landedHour ||
    one.landedLine - other.landedLine
  )
}

/** Whose insert id it is: a device's, or without one an Amplitude id's. */
function sender({ amplitudeId, deviceId }: Event): string {
  return deviceId === null ? keyOf("amplitude", amplitudeId) : keyOf("device", deviceId)
}

/** The events that repeat an earlier one, by their uuid or their insert id. */
export function duplicatesOf(events: ReadonlyArray<Event>): ReadonlySet<Event> {
  const duplicates = new Set<Event>()
  const received = events.toSorted(byReceipt)
  const byUuid = grouped(
    received.filter(({ uuid }) => uuid !== null),
    ({ uuid }) => uuid ?? ""
  )
  for (const [, ...later] of byUuid.values()) for (const event of later) duplicates.add(event)
  const byInsertId = grouped(
    received.filter(({ insertId, received }) => insertId !== null && received !== null),
    (event) => keyOf(sender(event), event.insertId)
  )
  for (const group of byInsertId.values()) {
    for (const [index, event] of group.entries()) {
      const before = group[index - 1]?.received ?? -Infinity
      if ((event.received ?? 0) - before <= WINDOW) duplicates.add(event)
    }
  }
  return duplicates
}
