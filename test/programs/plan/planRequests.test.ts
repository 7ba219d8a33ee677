import assert from "node:assert/strict"
import fc from "fast-check"
import { describe, it } from "vitest"
import { planRequests } from "../../../src/programs/plan/planRequests.ts"
import { addHours } from "../../../src/services/Hour.ts"
import { hour } from "../../fixtures/world.ts"

describe("planRequests()", () => {
  it("asks for every missing hour once, for no other hour, in windows no longer than allowed", () => {
    const gaps = fc.uniqueArray(fc.integer({ min: 0, max: 200 }), { maxLength: 120 })
    fc.assert(
      fc.property(gaps, fc.integer({ min: 1, max: 30 }), (offsets, requestHours) => {
        const hours = offsets
          .sort((one, other) => one - other)
          .map((offset) => addHours(hour("2025-12-28T00"), offset))
        const windows = planRequests(hours, requestHours)
        assert.deepEqual(
          windows.flatMap((window) => window.hours),
          hours
        )
        assert.ok(windows.every((window) => window.length <= requestHours))
      })
    )
  })
  it("joins neighbours", () => {
    const hours = ["2025-11-10T22", "2025-11-10T23", "2025-11-11T00", "2025-11-11T02"].map(hour)
    assert.deepEqual(planRequests(hours, 24).map(String), [
      "2025-11-10T22..2025-11-11T00",
      "2025-11-11T02"
    ])
  })
})
