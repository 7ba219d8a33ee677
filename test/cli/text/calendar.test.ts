import assert from "node:assert/strict"
import { stripVTControlCharacters } from "node:util"
import { describe, it } from "@effect/vitest"
import { calendarText } from "../../../src/cli/text/calendar.ts"
import {
  type HourState,
  Status,
  type StatusHour
} from "../../../src/programs/inspect/statusOfHours.ts"
import { countGaps } from "../../../src/programs/plan/gaps.ts"
import { addHours, Hour } from "../../../src/services/Hour.ts"
import { Window } from "../../../src/services/Window.ts"

const first = Hour.make("2025-11-10T22")

function hourOf(index: number, state: HourState, more: Partial<StatusHour> = {}): StatusHour {
  const stands = state === "landed" || state === "empty" || state === "unverified"
  const keys = stands ? [`key-${index}`] : []
  return { hour: addHours(first, index), state, staged: false, size: 0, keys, ...more }
}

function statusOf(hours: ReadonlyArray<StatusHour>, more: Partial<Status> = {}): Status {
  const count = (state: HourState) => hours.filter((it) => it.state === state).length
  return new Status({
    window: { first, last: addHours(first, hours.length - 1) },
    hours,
    totals: {
      landed: count("landed"),
      empty: count("empty"),
      unverified: count("unverified"),
      doubled: count("doubled"),
      pending: count("pending"),
      open: count("open"),
      gap: count("gap"),
      accepted: count("accepted"),
      unlanded: count("unlanded")
    },
    gaps: countGaps(
      hours
        .filter(({ state }) => state === "gap")
        .map((it) => new Window({ first: it.hour, last: it.hour }))
    ),
    olderGaps: null,
    conflicts: [],
    superseded: [],
    oldestGap: hours.find(({ state }) => state === "gap")?.hour ?? null,
    newestLanded: null,
    exitCode: 0,
    ...more
  })
}

const every = statusOf(
  [
    hourOf(0, "landed", { size: 1500, events: 9 }),
    hourOf(1, "landed", { size: 3_000_000, events: 900 }),
    hourOf(2, "empty"),
    hourOf(3, "unverified", { size: 20 }),
    hourOf(4, "gap", { staged: true }),
    hourOf(5, "gap"),
    hourOf(6, "pending"),
    hourOf(7, "open")
  ],
  { newestLanded: addHours(first, 3) }
)
const plain = {
  place: "memory",
  store: { _tag: "Memory", prefix: "" } as const,
  canvas: { colors: 0 },
  isShaded: false
}

describe("calendarText()", () => {
  it("draws one row per day and one sign per hour, then the legend", () => {
    assert.equal(
      calendarText(every, plain),
      [
        "where           memory",
        "                00    03     06    09     12    15     18    21          bytes",
        "2025-11-10 Mon                                                 # #      3.0 MB",
        "2025-11-11 Tue  0 ? s X ~ .                                               20 B",
        "",
        "# 2 landed",
        "0 1 empty, without events",
        "? 1 unverified, from another pipeline: check them with verify",
        "~ 1 pending, without events so far",
        ". 1 open, not closed yet",
        'X 2 gap, the oldest 2025-11-11T02: amplitude-lake all --start-date 2025-11-11T02 --end-date 2025-11-11T03, then, for what cannot land, amplitude-lake gaps accept --start-date 2025-11-11T02 --end-date 2025-11-11T03 --reason "…"',
        "The newest landed hour is 2025-11-11T01.",
        "s 1 hour in staging: run sync to upload."
      ].join("\n")
    )
  })

  it("shades landed hours by their events", () => {
    const lines = calendarText(every, { ...plain, isShaded: true }).split("\n")
    assert.match(lines[1] ?? "", / events$/)
    assert.match(lines[2] ?? "", / 1 9 +909$/)
    const legend = "9 2 landed, shaded from 1, up to 100 events an hour, to 9, up to 900 events"
    assert.ok(lines.includes(legend), lines.join("\n"))
  })

  it("shades by bytes if the listing has no event counts, and says so", () => {
    const unknown = statusOf(every.hours.map((hour) => ({ ...hour, events: undefined })))
    const text = calendarText(unknown, { ...plain, isShaded: true })
    assert.match(text, / 1 9 +3\.0 MB$/m)
    assert.match(text, /to 9, up to 3\.0 MB; this store's listing has no event counts$/m)
  })

  it("is never wider than the terminal, and still shows every hour", () => {
    for (const columns of [80, 78, 77, 67, 66, 48]) {
      const lines = calendarText(every, { ...plain, canvas: { colors: 0, columns } }).split("\n")
      const grid = lines.slice(0, lines.indexOf(""))
      assert.ok(
        grid.every((line) => line.length <= columns),
        String(columns)
      )
      const cells = grid.slice(2).map((line) => line.slice(16, columns < 67 ? 43 : 67))
      assert.equal(cells.join("").replaceAll(" ", ""), "##0?sX~.")
    }
  })

  it("folds three years into a screen, and shows what is missing day by day", () => {
    const start = Hour.make("2023-01-01T00")
    const years = Array.from({ length: 3 * 365 * 24 }, (_, index) => {
      const at = addHours(start, index)
      const isOut = at >= "2024-02-03T05" && at <= "2024-02-20T08"
      return { ...hourOf(0, isOut ? "gap" : "landed"), hour: at, size: 1000 }
    })
    const lines = calendarText(statusOf(years), plain).split("\n")
    assert.ok(lines.length < 40, String(lines.length))
    const row = (text: string) => lines.find((line) => line.startsWith(text)) ?? ""
    assert.match(row("2023-01 to 12"), /^2023-01 to 12 {5}# 8,760 hours +8\.8 MB$/)
    assert.match(row("2024-03 to 12"), /^2024-03 to 12 {5}# 7,344 hours +7\.3 MB$/)
    assert.match(row("2025-01-01 to 31"), /^2025-01-01 to 31  # 744 hours +744\.0 kB$/)
    assert.match(row("2024-02-01"), /^2024-02-01 Thu  # # /)
    assert.match(row("2024-02-03"), /^2024-02-03 Sat  # # # # # X /)
    assert.equal(row("2024-02-04 to 19"), "2024-02-04 to 19  X 384 hours")
    assert.match(row("2024-02-20"), /^2024-02-20 Tue  X X X X X X {2}X X X # /)
    assert.equal(lines.filter((line) => line.startsWith("2025-12-")).length, 8)
  })

  it("names no gap of a store without a landed hour", () => {
    const text = calendarText(statusOf([hourOf(0, "unlanded"), hourOf(1, "open")]), plain)
    assert.match(text, /^- 1 unlanded, before the lake's first hour$/m)
    assert.match(text, /^No hour has landed here yet: check the prefix, or run all\.$/m)
  })

  it("names older gaps and open conflicts", () => {
    const olderGaps = { hours: 2, first, last: addHours(first, 1) }
    const conflicts = [{ hour: first, name: `${first}--000050c2fa4b--9f86d081884c` }]
    const text = calendarText(statusOf([hourOf(0, "landed")], { olderGaps, conflicts }), plain)
    assert.match(
      text,
      /^Before these hours: 2 hours missing, the oldest 2025-11-10T22: amplitude-lake all /m
    )
    assert.match(
      text,
      /^2025-11-10T22 has two versions: amplitude-lake resolve 2025-11-10T22 --keep store/m
    )
  })

  it("has escapes only where there are colours, and the same signs", () => {
    for (const [colors, isShaded] of [
      [16, false],
      [16, true],
      [256, true]
    ] as const) {
      const text = calendarText(every, { ...plain, canvas: { colors }, isShaded })
      const bare = stripVTControlCharacters(text)
      assert.notEqual(text, bare)
      assert.equal(bare, calendarText(every, { ...plain, isShaded }))
    }
    assert.ok(!calendarText(every, { ...plain, isShaded: true }).includes("\u001b"))
  })

  it("draws what the warehouse has of each hour, and names the command that comes next", () => {
    const count = (index: number) => ({
      hours: 1,
      first: addHours(first, index),
      last: addHours(first, index)
    })
    const key = "events/it.jsonl"
    const status = statusOf(
      [
        hourOf(0, "landed", { warehouse: "loaded" }),
        hourOf(1, "landed", { warehouse: "notLoaded" }),
        hourOf(2, "empty", { warehouse: "outdated" }),
        hourOf(3, "unverified", { warehouse: "unverified" }),
        hourOf(4, "landed", { warehouse: "conflict" }),
        hourOf(5, "gap", { warehouse: "gone" })
      ],
      {
        warehouse: {
          place: "lake.duckdb",
          loaded: 1,
          notLoaded: count(1),
          outdated: count(2),
          unverified: count(3),
          gone: count(5),
          differing: [
            {
              hour: addHours(first, 4),
              keys: [key],
              isUndecided: false,
              warehouse: { events: 2, lineset: "a" }
            }
          ]
        }
      }
    )
    const text = calendarText(status, {
      place: "memory",
      store: { _tag: "Memory", prefix: "" },
      canvas: { colors: 0 },
      isShaded: true
    })
    const rows = text.split("\n")
    assert.match(rows[2] ?? "", /^2025-11-10 Mon .* 1 \+/)
    assert.match(rows[3] ?? "", /^2025-11-11 Tue {2}\* \? ! g/)
    assert.deepEqual(rows.slice(-6), [
      "The warehouse lake.duckdb has 1 hour of these.",
      "+ 1 hour not loaded, 2025-11-10T23: amplitude-lake load",
      "* 1 hour loaded from objects that were replaced since, 2025-11-11T00: amplitude-lake load",
      "1 hour landed by another pipeline, not loaded, 2025-11-11T01: amplitude-lake load --unverified",
      "g 1 hour loaded, and no longer in the store, 2025-11-11T03",
      "! 2025-11-11T02: events/it.jsonl has other bytes, and the warehouse has 2 events, lineset a; to load what the store has: amplitude-lake load --replace 2025-11-11T02"
    ])
  })
})
