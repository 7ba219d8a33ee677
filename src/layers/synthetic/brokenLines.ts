/** Lines that readers stumble over. */
import type { Hour } from "../../services/Hour.ts"
import { isIdle, type World } from "./traffic.ts"

/**
 * Of each hour with events: a line that is no JSON, as a record cut short leaves it, and an event
 * whose text has half of an emoji, which is valid JSON but no valid Unicode.
 */
export function* brokenLines(world: World, hour: Hour): IterableIterator<string> {
  if (isIdle(world, hour)) return
  const time = `${hour.replace("T", " ")}:59:59.500000`
  const times = `"client_event_time":"${time}","event_time":"${time}","server_upload_time":"${time}"`
  yield `{"app":${world.project},${times},"event_type":"Search","event_properties":{"query":"la\n`
  yield `{"app":${world.project},${times},"event_type":"Search","event_properties":{"query":"lamp \\ud83d"},"session_id":-1,"uuid":"${uuidOfHour(hour)}"}\n`
}

/** Unlike those of other lines, which are of version 4. */
function uuidOfHour(hour: Hour): string {
  return `00000000-0000-0000-0000-00${hour.replaceAll(/\D/g, "")}`
}
