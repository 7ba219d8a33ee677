import assert from "node:assert/strict"
import { describe, it } from "vitest"
import { modelText } from "../../../src/cli/text/modelText.ts"
import { ModelSummary } from "../../../src/programs/answer/buildModels.ts"

const schema = "analytics"

describe("modelText()", () => {
  it("names each table with its rows and its time, and what was left", () => {
    const summary = new ModelSummary({
      models: [
        { schema, name: "sites", kind: "rows", rows: 2, durationMs: 20 },
        { schema, name: "stg_events", kind: "view", rows: null, durationMs: 10 },
        { schema, name: "fct_events", kind: "table", rows: 1234, durationMs: 12_340 }
      ],
      ipRanges: 3,
      left: ["journeys", "transitions"],
      retries: 0,
      durationMs: 12_400,
      exitCode: 3
    })
    assert.equal(
      modelText(summary, "lake.duckdb"),
      [
        "warehouse   lake.duckdb",
        "ip_ranges   3 ranges, in the place of those before",
        "analytics.sites           2 rows   0.0 s",
        "analytics.fct_events  1,234 rows  12.3 s",
        "left        journeys, transitions: as they were",
        "took        12.4 s, 2 tables and 1 view"
      ].join("\n")
    )
  })
})
