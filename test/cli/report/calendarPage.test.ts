import assert from "node:assert/strict"
import { describe, it } from "vitest"
import { calendarOf, EVERY_STATE, LEDGER } from "../../fixtures/calendarOf.ts"

/** What the legend says, with its numbers. */
const legendOf = (page: string) =>
  [...page.matchAll(/class="s-(\w+)" *\/>\s*<\/svg\s*>([^<]+) <b>(\d+)<\/b>/g)].map(
    ([, state, says, count]) => `${state}: ${says} ${count}`
  )

describe("calendarPage()", () => {
  it("draws what the store has, without a warehouse", () => {
    const page = calendarOf({
      hours: [
        { state: "landed" },
        { state: "empty" },
        { state: "unverified" },
        { state: "gap" },
        { state: "unlanded" }
      ]
    })
    assert.deepEqual(legendOf(page), [
      "loaded: landed 1",
      "empty: without events 1",
      "unverified: from another pipeline 1",
      "gap: missing 2"
    ])
    assert.match(page, /2 of 5 hours are missing/)
    assert.match(page, /s3:\/\/shop-events\/<wbr \/>prod\//)
  })

  it("draws hours that the warehouse has otherwise as what they are", () => {
    const page = calendarOf({ hours: EVERY_STATE, warehouse: LEDGER })
    assert.deepEqual(legendOf(page), [
      "loaded: landed and loaded 2",
      "empty: without events 1",
      "landed: landed, not loaded yet 2",
      "unverified: from another pipeline, not loaded 1",
      "outdated: replaced since it was loaded 1",
      "conflict: other lines than in the warehouse 1",
      "doubled: in several versions 1",
      "pending: without events so far 1",
      "open: not closed yet 1",
      "accepted: missing, accepted 1",
      "gone: loaded, no longer in the store 1"
    ])
    for (const state of ["outdated", "conflict", "gone"]) {
      assert.match(page, new RegExp(`\\.s-${state}\\{fill:`))
      assert.match(page, new RegExp(`<path class="s-${state}"`))
    }
  })
})
