import { describe, it } from "vitest"
import assert from "node:assert/strict"
import {
  isByDate,
  isUndated,
  planWindow,
  type WindowOptions
} from "../../../src/programs/plan/planWindow.ts"
import { addHours, type Hour } from "../../../src/services/Hour.ts"
import { hour } from "../../fixtures/world.ts"

const defaults: WindowOptions = { lookbackDays: 1, healDays: 30 }
const noon = { now: Date.parse("2025-11-12T12:30:00Z"), newestClosed: hour("2025-11-11T23") }
const none = new Set<Hour>()
const plan = (options: Partial<WindowOptions>, have: ReadonlySet<Hour> = none) =>
  String(planWindow({ ...defaults, ...options }, noon, have))
const range = (first: string, count: number) =>
  Array.from({ length: count }, (_, index) => addHours(hour(first), index))

describe("planWindow()", () => {
  it("takes the 24 hours up to the newest closed one by default", () => {
    assert.equal(plan({}), "2025-11-11T00..2025-11-11T23")
  })
  it("moves with the newest closed hour and the lookback", () => {
    const later = { ...noon, newestClosed: hour("2025-11-12T08") }
    assert.equal(String(planWindow(defaults, later, none)), "2025-11-11T09..2025-11-12T08")
    assert.equal(plan({ lookbackDays: 2 }), "2025-11-10T00..2025-11-11T23")
  })
  it("takes the dates that were given, both included", () => {
    assert.equal(
      plan({ start: hour("2025-11-01T03"), end: hour("2025-11-01T05") }),
      "2025-11-01T03..2025-11-01T05"
    )
  })
  it("ends at the newest closed hour when only a start was given", () => {
    assert.equal(plan({ start: hour("2025-11-11T20") }), "2025-11-11T20..2025-11-11T23")
  })
  it("is the start alone when that is not closed yet", () => {
    assert.equal(plan({ start: hour("2025-11-12T11") }), "2025-11-12T11")
  })
  it("looks back from the end when only an end was given", () => {
    assert.equal(plan({ end: hour("2025-11-05T23") }), "2025-11-05T00..2025-11-05T23")
  })
  it("takes the previous UTC day for yesterday, closed or not", () => {
    assert.equal(plan({ yesterday: true }), "2025-11-11T00..2025-11-11T23")
  })
  it("reaches back to the oldest gap after the first landed hour", () => {
    const have = new Set([...range("2025-11-03T00", 24), ...range("2025-11-04T02", 24)])
    assert.equal(plan({}, have), "2025-11-04T00..2025-11-11T23")
  })
  it("does not reach back before the first landed hour", () => {
    const have = new Set(range("2025-11-08T07", 7 * 24))
    assert.equal(plan({}, have), "2025-11-11T00..2025-11-11T23")
  })
  it("reaches back no further than healDays", () => {
    const have = new Set(range("2025-09-01T00", 1))
    assert.equal(plan({ healDays: 2 }, have), "2025-11-10T00..2025-11-11T23")
    assert.equal(plan({ healDays: 0 }, have), "2025-11-11T00..2025-11-11T23")
  })
  it("does not heal when dates were given", () => {
    const have = new Set(range("2025-11-03T00", 1))
    const end = hour("2025-11-11T23")
    assert.equal(plan({ end }, have), "2025-11-11T00..2025-11-11T23")
  })
})

describe("isByDate()", () => {
  it("is so for dates, and not for a relative day", () => {
    assert.equal(isByDate(defaults), false)
    assert.equal(isByDate({ ...defaults, yesterday: true }), false)
    assert.equal(isByDate({ ...defaults, end: hour("2025-11-11T23") }), true)
  })
})

describe("Dates that were counted from today on", () => {
  it("name hours, but no person named these hours by date", () => {
    const start = hour("2025-11-11T00")
    assert.equal(isByDate({ start }), true)
    assert.equal(isByDate({ start, isRelative: true }), false)
    assert.equal(isUndated({ start, isRelative: true }), false)
    assert.equal(isUndated({ isRelative: true }), true)
  })
})
