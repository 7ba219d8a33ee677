import assert from "node:assert/strict"
import { describe, it } from "@effect/vitest"
import { FastCheck, Option, Schema } from "effect"
import { afterEach } from "vitest"
import {
  addHours,
  Hour,
  hourAt,
  hourEnd,
  hoursBetween,
  hourStart,
  isOverSince,
  parseHour,
  toExportText
} from "../../src/services/Hour.ts"
import { hourKey, hourOfKey } from "../../src/services/HourKey.ts"
import { Window } from "../../src/services/Window.ts"

const MILLIS = 3_600_000
const FIRST = Date.UTC(2014, 0, 1)
const LAST = Date.UTC(2035, 11, 31, 23)
const hours = FastCheck.integer({ min: FIRST / MILLIS, max: LAST / MILLIS }).map((n) =>
  hourAt(n * MILLIS)
)
const parameters = { seed: 1, numRuns: 2000 }

const h = (text: string) => Hour.make(text)

describe("Hour", () => {
  it("exists in the calendar, leap days included", () => {
    for (const text of ["2024-02-29T00", "2000-02-29T23", "2025-12-31T23", "2035-01-01T00"]) {
      assert.equal(Schema.decodeSync(Hour)(text), text)
    }
    for (const text of [
      "2025-02-29T00",
      "2025-02-30T00",
      "2100-02-29T00",
      "2025-04-31T12",
      "2025-13-01T00",
      "2025-00-10T00",
      "2025-01-00T00",
      "2025-11-10T24",
      "2025-11-10",
      "2025-11-10T1",
      "2025-11-10T21:00",
      "25-11-10T21",
      " 2025-11-10T21",
      "2025-11-10T21\n"
    ]) {
      assert.ok(Option.isNone(Schema.decodeOption(Hour)(text)), text)
    }
  })

  it("holds every instant from its start to just before its end", () => {
    FastCheck.assert(
      FastCheck.property(hours, FastCheck.nat(MILLIS - 1), (hour, into) => {
        assert.equal(hourAt(hourStart(hour) + into), hour)
        assert.equal(hourEnd(hour) - hourStart(hour), MILLIS)
        assert.equal(hourAt(hourEnd(hour)), addHours(hour, 1))
        assert.equal(Schema.decodeSync(Hour)(hour), hour)
      }),
      parameters
    )
  })

  it("sorts as time does", () => {
    FastCheck.assert(
      FastCheck.property(hours, hours, (one, other) => {
        assert.equal(one < other, hourStart(one) < hourStart(other))
        assert.equal(one === other, hourStart(one) === hourStart(other))
      }),
      parameters
    )
  })

  it("reads back what it writes for the Export API, and its own text", () => {
    FastCheck.assert(
      FastCheck.property(hours, (hour) => {
        assert.match(toExportText(hour), /^\d{8}T\d{2}$/)
        assert.equal(Option.getOrThrow(parseHour(toExportText(hour))), hour)
        assert.equal(Option.getOrThrow(parseHour(hour)), hour)
      }),
      parameters
    )
    assert.equal(toExportText(h("2025-11-10T21")), "20251110T21")
  })

  it("reads no hour from anything else", () => {
    for (const text of ["20250230T00", "2025-02-30T00", "20251110", "20251110T24", "2025111T021"]) {
      assert.ok(Option.isNone(parseHour(text)), text)
    }
    for (const text of ["", "20251110T21Z", "20251110t21", "2025/11/10T21", "x20251110T21"]) {
      assert.ok(Option.isNone(parseHour(text)), text)
    }
  })
})

describe("addHours()", () => {
  it("is undone by hoursBetween(), across days, months and years", () => {
    FastCheck.assert(
      FastCheck.property(hours, FastCheck.integer({ min: -50_000, max: 50_000 }), (hour, count) => {
        assert.equal(hoursBetween(hour, addHours(hour, count)), count)
        assert.equal(addHours(addHours(hour, count), -count), hour)
      }),
      parameters
    )
    assert.equal(addHours(h("2024-02-28T23"), 1), "2024-02-29T00")
    assert.equal(addHours(h("2025-02-28T23"), 1), "2025-03-01T00")
    assert.equal(addHours(h("2026-01-01T00"), -1), "2025-12-31T23")
  })
})

describe("isOverSince()", () => {
  it("holds from the very millisecond on", () => {
    const hour = h("2025-11-10T21")
    const over = Date.parse("2025-11-11T10:00:00Z")
    assert.equal(isOverSince(hour, 12, over - 1), false)
    assert.equal(isOverSince(hour, 12, over), true)
    assert.equal(isOverSince(hour, 0, hourEnd(hour) - 1), false)
    assert.equal(isOverSince(hour, 0, hourEnd(hour)), true)
  })
})

describe("The time zone of the machine", () => {
  const zone = process.env["TZ"]
  afterEach(() => {
    if (zone === undefined) delete process.env["TZ"]
    else process.env["TZ"] = zone
  })

  const zones = [
    ["America/New_York", 300],
    ["Asia/Kolkata", -330],
    ["Pacific/Kiritimati", -840]
  ] as const
  it.each(zones)("makes no difference: %s", (name, offset) => {
    process.env["TZ"] = name
    assert.equal(new Date(2025, 0, 15).getTimezoneOffset(), offset)

    const shortDay = new Window({ first: h("2025-03-09T00"), last: h("2025-03-09T23") })
    assert.equal(shortDay.length, 24)
    assert.equal(new Set(shortDay.hours.map(hourStart)).size, 24)
    FastCheck.assert(
      FastCheck.property(hours, (hour) => {
        const [year, month, day, clock] = hour.split(/[-T]/).map(Number)
        assert.equal(hourStart(hour), Date.UTC(year ?? 0, (month ?? 0) - 1, day, clock))
        assert.equal(hourAt(hourStart(hour)), hour)
        assert.equal(Option.getOrThrow(parseHour(toExportText(hour))), hour)
        const keyed = Option.getOrThrow(hourOfKey(hourKey(hour, "hourly", "jsonl")))
        assert.equal(keyed.hour, hour)
      }),
      parameters
    )
  })
})
