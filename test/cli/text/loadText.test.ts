import assert from "node:assert/strict"
import { describe, it } from "@effect/vitest"
import { loadPlanText, loadText } from "../../../src/cli/text/loadText.ts"
import { LoadSummary } from "../../../src/programs/load/LoadSummary.ts"
import type { Hour } from "../../../src/services/Hour.ts"
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

const hole = (at: Hour, lines: number, fix: "refresh" | "load" | "replace") => ({
  hour: at,
  key: `events/${at}`,
  events: 3,
  lines,
  fix
})

/** What is told of lists. */
const listsIn = (lists: LoadSummary["lists"]) =>
  loadText(summary({ lists }), "a.duckdb")
    .split("\n")
    .filter((it) => /^(lists|2025-11-10 )/.test(it))

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

  it("says how many lists were loaded, and why others were not", () => {
    const failed = [
      {
        date: "2025-11-10",
        stream: "events",
        error: "LoadError.Differs",
        message: "Cannot load: Differs: it has 2 entries instead of 3"
      }
    ] as const
    assert.deepEqual(listsIn({ loaded: 3, skipped: 0, postponed: 0, failed: [] }), [
      "lists       3 loaded"
    ])
    assert.deepEqual(listsIn({ loaded: 1, skipped: 6, postponed: 2, failed }), [
      "lists       1 loaded, 6 loaded already, 2 left for the next run, 1 failed",
      "2025-11-10 events  Cannot load: Differs: it has 2 entries instead of 3"
    ])
  })

  it("says of what a pipe has loaded which hours agree, which lack lines, and which have them twice", () => {
    const hours = Array.from({ length: 6 }, (_, index) => hour(`2025-11-10T1${index}`))
    const [a = H20, b = H20, c = H20, d = H20, e = H20, f = H20] = hours
    const refresh = "ALTER PIPE L.A.LAKE REFRESH PREFIX = '2025-11-10_1'"
    const text = loadText(
      summary({
        piped: {
          reconciled: [H20, H21],
          holes: [
            hole(a, 0, "load"),
            hole(b, 0, "load"),
            hole(c, 2, "load"),
            hole(d, 0, "refresh"),
            hole(e, 0, "replace"),
            hole(f, 1, "replace")
          ],
          doubles: [
            { hour: H20, key: "events/x", events: 3, lines: 6 },
            { hour: H20, key: "events/y", events: 3, lines: 3 },
            { hour: H21, key: "", events: 0, lines: 1 }
          ],
          refresh
        }
      }),
      "Snowflake"
    )
    assert.deepEqual(text.split("\n").slice(2, -1), [
      "reconciled  2 hours, which the ledger has now",
      `hole        2 hours from ${a} to ${b}: no line of them is in the warehouse; to load: amplitude-lake load --start-date ${a} --end-date ${b}`,
      `hole        ${c}: 2 of the 3 lines of events/${c} are in the warehouse; to load: amplitude-lake load --start-date ${c} --end-date ${c}`,
      `hole        ${d}: 0 of the 3 lines of events/${d} are in the warehouse; to let the pipe try again: ${refresh}`,
      `hole        ${e}: 0 of the 3 lines of events/${e} are in the warehouse; to load again: amplitude-lake load --replace ${e}`,
      `hole        ${f}: 1 of the 3 lines of events/${f} are in the warehouse; to load again: amplitude-lake load --replace ${f}`,
      `double      ${H20}: the warehouse has 6 lines for the 3 of events/x; to load it once: amplitude-lake load --replace ${H20}`,
      `double      ${H20}: not all lines in the warehouse are those of events/y; to load it once: amplitude-lake load --replace ${H20}`,
      `double      ${H21}: the warehouse has 1 line, and neither store nor ledger has the hour; to remove them: DELETE FROM EVENTS_RAW WHERE HOUR = '2025-11-10 21:00:00'`
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

  it("says how an object differs from its metadata, and that replacing by it would not help", () => {
    const warehouse = { events: 2, lineset: "000000000001" }
    const problems = ["events 1, metadata says 2"]
    const conflict = { hour: H20, keys: ["a"], isUndecided: false, problems, warehouse }
    const text = loadText(summary({ differing: [conflict] }), "a.duckdb")
    assert.match(
      text,
      /a is not what its metadata say \(events 1, metadata says 2\), .* 2 events, .* amplitude-lake all --start-date 2025-11-10T20 --end-date 2025-11-10T20$/m
    )
    assert.doesNotMatch(text, /--replace/)
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
    const lists = [{ date: "2025-11-10", stream: "events" }] as const
    assert.match(loadPlanText({ ...none, lists }, "a.duckdb"), /\nlists +1 would be loaded$/)
    const text = loadPlanText({ ...none, load: [H20], unverified: [H21] }, "a.duckdb")
    assert.match(
      text,
      /^load +1 hour, 2025-11-10T20, would be loaded\nunverified +1 hour, 2025-11-10T21, landed by another/m
    )
  })
})
