import fc from "fast-check"
import { assert, describe, it as test } from "vitest"
import { addHours, Hour, hourEnd, hourStart } from "../../../src/services/Hour.ts"
import {
  type Event,
  eventsOf,
  hoursFrom,
  millisOf,
  sessionsOf,
  textsOf
} from "../../fixtures/archive/syntheticEvents.ts"

const noon = Hour.make("2025-11-10T12")

/** Events by the device that sent them, each once, in the order in which the device sent them. */
function byDevice(events: ReadonlyArray<Event>): ReadonlyArray<ReadonlyArray<Event>> {
  const devices = new Map<string | null, Array<Event>>()
  for (const session of sessionsOf(events)) {
    const device = session[0]?.device_id ?? null
    devices.set(device, [...(devices.get(device) ?? []), ...session])
  }
  return [...devices.values()].map((all) => all.sort((one, other) => one.event_id - other.event_id))
}

// Sent later than it happened: the first click's time, or the last event's of the session before.
const isSentLater = ({ event_type }: Event) =>
  /^(session_end|\[Amplitude\] (Rage|Dead) Click)$/.test(event_type)

const uploadOf = (event: Event) => millisOf(event.server_upload_time)

describe("a visit", () => {
  test("is whole, though it spans hours", () => {
    const hours = hoursFrom(addHours(noon, -8), 24)
    const events = eventsOf({ eventsPerHour: 200 }, hours)
    // Whatever begins before or ends after the hours is cut off by them.
    const [from, to] = [hourEnd(addHours(noon, -5)), hourStart(addHours(noon, 11))]
    let spanning = 0
    for (const session of sessionsOf(events)) {
      const start = session.find(({ event_type }) => event_type === "session_start")
      const times = session.map(uploadOf)
      if (Math.min(...times) < from || Math.max(...times) > to) continue
      assert.isDefined(start)
      assert.strictEqual(start.at, start.session_id)
      const ids = session
        .filter(({ event_type }) => event_type !== "session_end")
        .map(({ event_id }) => event_id)
        .sort((one, other) => one - other)
      assert.deepStrictEqual(
        ids,
        ids.map((_, index) => start.event_id + index)
      )
      if (new Set(session.map(({ hour }) => hour)).size > 1) spanning++
    }
    assert.isAbove(spanning, 40)
  })

  test("ends its session when the next one begins, often in a later hour", () => {
    const events = eventsOf({ eventsPerHour: 300 }, hoursFrom(noon, 12))
    const sessions = sessionsOf(events)
    const ended = sessions.filter((session) =>
      session.some(({ event_type }) => event_type === "session_end")
    )
    assert.isAbove(ended.length, 20)
    let later = 0
    for (const session of ended) {
      const end = session.findLast(({ event_type }) => event_type === "session_end") as Event
      const next = events.find(
        ({ device_id, event_id, event_type }) =>
          device_id === end.device_id &&
          event_id === end.event_id + 1 &&
          event_type === "session_start"
      )
      // The next session may have begun after the last of the hours.
      if (next !== undefined) {
        assert.notStrictEqual(next.session_id, end.session_id)
        assert.isAbove(next.session_id - end.at, 30 * 60_000)
      }
      const before = session.filter(({ event_type }) => event_type !== "session_end")
      const sent = before.toSorted((one, other) => one.event_id - other.event_id).at(-1)
      if (sent !== undefined && !isSentLater(sent)) assert.strictEqual(end.at, sent.at + 1)
      if (before.some(({ hour }) => hour < end.hour)) later++
    }
    assert.isAbove(later, 10)
  })

  test("keeps the order of its events, wherever and whenever it happens", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 12 * 365 * 24 }),
        fc.nat(),
        fc.integer({ min: 1, max: 60 }),
        (hours, seed, eventsPerHour) => {
          const hour = addHours(Hour.make("2020-01-01T00"), hours)
          const events = eventsOf({ seed, eventsPerHour }, hoursFrom(hour, 3))
          for (const event of events) {
            assert.strictEqual(event.server_upload_time.slice(0, 13), event.hour.replace("T", " "))
          }
          for (const session of sessionsOf(events)) {
            const sent = session.toSorted((one, other) => one.event_id - other.event_id)
            const uploads = sent.map(uploadOf)
            assert.deepStrictEqual(
              uploads,
              uploads.toSorted((one, other) => one - other)
            )
            const times = sent.filter((event) => !isSentLater(event)).map(({ at }) => at)
            assert.deepStrictEqual(
              times,
              times.toSorted((one, other) => one - other)
            )
          }
        }
      ),
      { numRuns: 20, seed: 1 }
    )
  })
})

describe("an hour", () => {
  test("has the same bytes, whatever was generated before, and no id twice", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 12 * 365 * 24 }),
        fc.nat(),
        fc.integer({ min: 1, max: 60 }),
        fc.array(fc.integer({ min: -4, max: 4 }), { maxLength: 4 }),
        (hours, seed, eventsPerHour, others) => {
          const hour = addHours(Hour.make("2020-01-01T00"), hours)
          const options = { seed, eventsPerHour }
          const alone = textsOf(options, hour)
          for (const other of others) textsOf({ ...options, seed: seed + 1 }, addHours(hour, other))
          for (const other of others) textsOf(options, addHours(hour, other))
          assert.deepStrictEqual(textsOf(options, hour), alone)

          const ids = eventsOf(options, hoursFrom(addHours(hour, -1), 3)).map(({ uuid }) => uuid)
          assert.strictEqual(new Set(ids).size, ids.length)
        }
      ),
      { numRuns: 20, seed: 2 }
    )
  })

  test("repeats nothing but whole events that a device sent twice", () => {
    const events = eventsOf({ eventsPerHour: 1000 }, hoursFrom(noon, 2))
    const first = new Map<string, Event>()
    let repeated = 0
    for (const event of events) {
      const same = first.get(event.$insert_id)
      first.set(event.$insert_id, event)
      if (same === undefined) continue
      repeated++
      assert.notStrictEqual(event.uuid, same.uuid)
      assert.strictEqual(event.line.replace(event.uuid, same.uuid), same.line)
    }
    assert.isAbove(repeated, 5)
    assert.isBelow(repeated, events.length / 30)
  })

  test("is part of a history that no device contradicts", () => {
    const events = eventsOf({ eventsPerHour: 500 }, hoursFrom(noon, 3))
    for (const all of byDevice(events)) {
      assert.strictEqual(new Set(all.map(({ platform }) => platform)).size, 1)
      assert.strictEqual(new Set(all.map(({ library }) => library)).size, 1)
      assert.strictEqual(new Set(all.map(({ ip_address }) => ip_address)).size, 1)
    }
  })
})
