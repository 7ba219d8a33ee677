import { addHours, type Hour } from "../../services/Hour.ts"
import type { CalendarHour, LoadedHour } from "../../services/Warehouse.ts"
import { stateOfObjects } from "../inspect/statusOfHours.ts"
import { outermost } from "../plan/gaps.ts"
import type { Lake } from "../plan/inventory.ts"

interface CalendarOptions {
  readonly lake: Lake
  readonly rows: ReadonlyMap<Hour, LoadedHour>
  readonly newestClosed: Hour
  readonly isSettled: (hour: Hour) => boolean
}

/** Every hour of the lake from its first landed hour to the newest that is closed or landed. */
export function calendarOf({
  isSettled,
  lake: { acceptances, inventory },
  newestClosed,
  rows
}: CalendarOptions): ReadonlyArray<CalendarHour> {
  const [first, newest] = [outermost(inventory.keys()), outermost(inventory.keys(), -1)]
  if (first === undefined || newest === undefined) return []
  const accepted = new Set(acceptances.flatMap(({ window }) => window.hours))
  const last = newest > newestClosed ? newest : newestClosed
  const calendar: Array<CalendarHour> = []
  for (let hour = first; hour <= last; hour = addHours(hour, 1)) {
    const objects = inventory.get(hour)
    const absent = hour > newestClosed ? "open" : isSettled(hour) ? "gap" : "pending"
    const state =
      objects !== undefined
        ? stateOfObjects(objects)
        : absent === "gap" && accepted.has(hour)
          ? "accepted"
          : absent
    calendar.push({ hour, state, events: rows.get(hour)?.events })
  }
  return calendar
}
