import assert from "node:assert/strict"
import { describe, it } from "@effect/vitest"
import { FastCheck } from "effect"
import { addHours, Hour, hourAt } from "../../src/services/Hour.ts"
import { Window } from "../../src/services/Window.ts"

const MILLIS = 3_600_000
const windows = (least: number) =>
  FastCheck.tuple(
    FastCheck.integer({ min: Date.UTC(2014, 0, 1) / MILLIS, max: Date.UTC(2035, 0, 1) / MILLIS }),
    FastCheck.integer({ min: least, max: 400 })
  ).map(([start, length]) => {
    const first = hourAt(start * MILLIS)
    return new Window({ first, last: addHours(first, length - 1) })
  })
const parameters = { seed: 1, numRuns: 100 }

const window = (first: string, last: string) =>
  new Window({ first: Hour.make(first), last: Hour.make(last) })

describe("Window", () => {
  it("includes both ends and is never empty", () => {
    const day = window("2025-11-10T00", "2025-11-10T23")
    assert.equal(day.length, 24)
    assert.deepEqual([day.hours[0], day.hours[23]], ["2025-11-10T00", "2025-11-10T23"])
    assert.deepEqual(window("2025-11-10T21", "2025-11-10T21").hours, ["2025-11-10T21"])
    assert.throws(() => window("2025-11-10T21", "2025-11-10T20"), /is before the first/)
  })

  it("lists as many hours as it has, each once, oldest first, and includes no other", () => {
    FastCheck.assert(
      FastCheck.property(windows(1), (it) => {
        assert.equal(it.hours.length, it.length)
        assert.deepEqual([it.hours[0], it.hours.at(-1)], [it.first, it.last])
        assert.deepEqual([...new Set(it.hours)].sort(), it.hours)
        assert.ok(it.hours.every((hour) => it.includes(hour)))
        assert.equal(it.includes(addHours(it.first, -1)), false)
        assert.equal(it.includes(addHours(it.last, 1)), false)
      }),
      parameters
    )
  })

  it("is covered by its halves, without an overlap, the older one longer by an hour at most", () => {
    FastCheck.assert(
      FastCheck.property(windows(2), (it) => {
        const [older, newer] = it.halves
        assert.deepEqual([...older.hours, ...newer.hours], it.hours)
        assert.ok([0, 1].includes(older.length - newer.length))
      }),
      parameters
    )
  })

  it("keeps its length where the clocks of a country are changed", () => {
    assert.equal(window("2025-03-09T00", "2025-03-09T23").length, 24)
    assert.equal(window("2025-10-26T00", "2025-11-02T23").length, 8 * 24)
  })

  it("is one hour or two as text", () => {
    assert.equal(String(window("2025-11-10T21", "2025-11-10T21")), "2025-11-10T21")
    assert.equal(String(window("2025-11-10T21", "2025-11-11T02")), "2025-11-10T21..2025-11-11T02")
  })
})
