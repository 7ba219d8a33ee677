import assert from "node:assert/strict"
import { describe, it } from "@effect/vitest"
import { loadPlanText, loadText } from "../../../src/cli/text/loadText.ts"
import { LoadSummary } from "../../../src/programs/load/LoadSummary.ts"
import { hour } from "../../fixtures/world.ts"

const [H20, H21] = [hour("2025-11-10T20"), hour("2025-11-10T21")]

const summary = (more: Partial<LoadSummary> = {}) =>
  new LoadSummary({
    window: { first: H20, last: H21 },
    loaded: [],
    replaced: [],
    relabelled: [],
    skipped: [],
    kept: [],
    unverified: [],
    postponed: [],
    failed: [],
    differing: [],
    events: 0,
    bytes: 0,
    retries: 0,
    durationMs: 1500,
    olderGaps: null,
    conflicts: [],
    exitCode: 0,
    ...more
  })

describe("loadText()", () => {
  it("says what was loaded, and where", () => {
    const text = loadText(
      summary({ loaded: [H20, H21], events: 1234, bytes: 5_000_000 }),
      "a.duckdb"
    )
    assert.deepEqual(text.split("\n"), [
      "window      2025-11-10T20 to 2025-11-10T21",
      "warehouse   a.duckdb",
      "loaded      2 hours",
      "events      1,234 events, 5.0 MB of lines",
      "took        1.5 s"
    ])
  })

  it("names both versions of an hour with the command that leads out, and no command where none does", () => {
    const lines = { events: 2, lineset: "000000000001" }
    const text = loadText(
      summary({
        differing: [
          { hour: H20, keys: ["a"], isUndecided: false, store: lines, warehouse: lines },
          { hour: H21, keys: ["a", "b\n"], isUndecided: true }
        ]
      }),
      "a.duckdb"
    )
    assert.match(
      text,
      /^conflict +2025-11-10T20: a has 2 events, .* amplitude-lake load --replace 2025-11-10T20$/m
    )
    assert.match(text, /^conflict +2025-11-10T21 has several objects, .*: a and b\?$/m)
    assert.doesNotMatch(text, /--replace 2025-11-10T21/)
  })
})

describe("loadPlanText()", () => {
  it("says what would be done, and that nothing would", () => {
    const none = {
      dryRun: true,
      load: [],
      replace: [],
      relabel: [],
      skipped: [],
      kept: [],
      unverified: [],
      differing: []
    } as const
    assert.match(loadPlanText(none, "a.duckdb"), /^load +nothing$/m)
    const text = loadPlanText({ ...none, load: [H20], unverified: [H21] }, "a.duckdb")
    assert.match(text, /^load +1 hour, would be loaded\nunverified +1 hour, landed by another/m)
  })
})
