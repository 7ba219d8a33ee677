import assert from "node:assert/strict"
import { describe, it } from "vitest"
import { calendarPage } from "../../../src/cli/report/calendarPage.ts"
import type { LedgerStatus } from "../../../src/programs/inspect/compareLedger.ts"
import { Status, type StatusHour } from "../../../src/programs/inspect/statusOfHours.ts"
import { hour } from "../../fixtures/world.ts"

const PLACE = "s3://shop-events/prod/"
const first = hour("2025-11-11T00")

function pageOf(
  hours: ReadonlyArray<Pick<StatusHour, "state" | "warehouse">>,
  warehouse?: LedgerStatus
): string {
  const all = hours.map((it, index) => ({
    ...it,
    hour: hour(`2025-11-11T${String(index).padStart(2, "0")}`),
    staged: false,
    size: 0,
    keys: []
  }))
  const status = { hours: all, newestLanded: first, warehouse }
  return calendarPage(new Status(status as never, { disableValidation: true }), PLACE)
}

/** What the legend says, with its numbers. */
const legendOf = (page: string) =>
  [...page.matchAll(/class="s-(\w+)" *\/>\s*<\/svg\s*>([^<]+) <b>(\d+)<\/b>/g)].map(
    ([, state, says, count]) => `${state}: ${says} ${count}`
  )

const LEDGER: LedgerStatus = {
  place: "lake.duckdb",
  loaded: 2,
  notLoaded: null,
  unverified: null,
  outdated: null,
  gone: null,
  differing: []
}

describe("calendarPage()", () => {
  it("draws what the store has, without a warehouse", () => {
    const page = pageOf([
      { state: "landed" },
      { state: "empty" },
      { state: "unverified" },
      { state: "gap" },
      { state: "unlanded" }
    ])
    assert.deepEqual(legendOf(page), [
      "loaded: landed 1",
      "empty: without events 1",
      "unverified: from another pipeline 1",
      "gap: missing 2"
    ])
    assert.match(page, /2 hours of 5 are missing/)
    assert.match(page, /s3:\/\/shop-events\/<wbr \/>prod\//)
  })

  it("draws hours that the warehouse has otherwise as what they are", () => {
    const page = pageOf(
      [
        { state: "landed", warehouse: "loaded" },
        { state: "unverified", warehouse: "loaded" },
        { state: "empty", warehouse: "loaded" },
        { state: "empty", warehouse: "notLoaded" },
        { state: "landed", warehouse: "notLoaded" },
        { state: "unverified", warehouse: "unverified" },
        { state: "landed", warehouse: "outdated" },
        { state: "empty", warehouse: "conflict" },
        { state: "doubled", warehouse: "conflict" },
        { state: "accepted", warehouse: "gone" },
        { state: "accepted" },
        { state: "pending" },
        { state: "open" }
      ],
      LEDGER
    )
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
