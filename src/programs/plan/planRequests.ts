import { addHours, type Hour } from "../../services/Hour.ts"
import { Window } from "../../services/Window.ts"

/**
 * Groups consecutive hours (oldest first) into windows of at most `requestHours`, covering no other
 * hours.
 */
export function planRequests(
  hours: ReadonlyArray<Hour>,
  requestHours: number
): ReadonlyArray<Window> {
  const windows: Array<Window> = []
  for (const hour of hours) {
    const open = windows.at(-1)
    if (open !== undefined && addHours(open.last, 1) === hour && open.length < requestHours) {
      windows[windows.length - 1] = new Window({ first: open.first, last: hour })
    } else {
      windows.push(new Window({ first: hour, last: hour }))
    }
  }
  return windows
}
