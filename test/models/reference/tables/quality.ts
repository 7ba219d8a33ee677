import type { Malformed } from "../lines/events.ts"
import { Digits, isFields, isList, type Value } from "../lines/json.ts"
import type { Act } from "../sessions/sessions.ts"
import { dayOf, HOUR, startOf } from "../lines/times.ts"
import { distinct, grouped, keyOf } from "../lines/words.ts"
import type { World } from "../lines/world.ts"

export function isFuture({ event: { time, uploaded } }: Act): boolean {
  return time !== null && uploaded !== null && time > uploaded + HOUR
}

function isLate({ event: { received, time } }: Act): boolean {
  return received !== null && time !== null && received > time + 24 * HOUR
}

export function coverageOf(
  { calendar, hours }: World,
  acts: ReadonlyArray<Act>,
  malformed: ReadonlyArray<Malformed>
) {
  const names = new Set([...calendar, ...hours].map(({ hour }) => hour))
  return [...names].map((name) => {
    const drawn = calendar.find(({ hour }) => hour === name)
    const loaded = hours.find(({ hour }) => hour === name)
    const hour = startOf(name)
    const own = acts.filter(({ event }) => event.landedHour === hour)
    return {
      hour,
      state: drawn?.state ?? null,
      seen_at: drawn?.seenAt ?? null,
      events: loaded?.lines.length ?? null,
      modelled: own.length,
      duplicates: own.filter(({ isDuplicate }) => isDuplicate).length,
      malformed: malformed.filter(({ landedHour }) => landedHour === hour).length,
      future: own.filter(isFuture).length,
      late: own.filter(isLate).length,
      redacted: loaded?.redacted ?? null
    }
  })
}

const sessionsOf = (acts: ReadonlyArray<Act>) =>
  distinct(acts.flatMap(({ sessionKey }) => sessionKey ?? []))

export function eventsByDayOf(acts: ReadonlyArray<Act>) {
  const groups = grouped(acts, ({ event }) => keyOf(dayOf(event.time), event.type))
  return [...groups.values()].map((own) => ({
    day: dayOf(own[0]?.event.time ?? null),
    event_type: own[0]?.event.type ?? null,
    events: own.length,
    sessions: sessionsOf(own)
  }))
}

function hoursOf(acts: ReadonlyArray<Act>) {
  const hours = acts.map(({ event }) => event.landedHour)
  return { first_hour: Math.min(...hours), last_hour: Math.max(...hours) }
}

export function capturedOf(acts: ReadonlyArray<Act>) {
  return [...grouped(acts, ({ event }) => keyOf(event.type)).values()].map((own) => ({
    event_type: own[0]?.event.type ?? null,
    ...hoursOf(own),
    events: own.length,
    sessions: sessionsOf(own)
  }))
}

function typeOf(value: Value): string {
  if (value === null) return "null"
  if (value instanceof Digits) return "number"
  if (isFields(value)) return "object"
  if (isList(value)) return "array"
  return typeof value === "boolean" ? "boolean" : "text"
}

export function propertiesSeenIn(acts: ReadonlyArray<Act>) {
  const seen = acts.flatMap((act) => {
    const { eventProperties, type, userProperties } = act.event
    const of = (owner: string, fields: Value) =>
      isFields(fields)
        ? [...fields].map(([path, value]) => ({ act, owner, path, type: typeOf(value), of: type }))
        : []
    return [...of("event", eventProperties), ...of("user", userProperties)]
  })
  const groups = grouped(seen, ({ of, owner, path, type }) => keyOf(owner, of, path, type))
  return [...groups.values()].map((same) => {
    const { of, owner, path, type } = same[0] as (typeof same)[number]
    const own = same.map(({ act }) => act)
    return { owner, event_type: of, path, type, ...hoursOf(own), events: own.length }
  })
}
