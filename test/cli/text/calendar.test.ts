import assert from "node:assert/strict"
import { stripVTControlCharacters } from "node:util"
import { describe, it } from "@effect/vitest"
import { calendarText } from "../../../src/cli/text/calendar.ts"
import {
  type HourState,
  Status,
  type StatusHour
} from "../../../src/programs/inspect/statusOfHours.ts"
import { addHours, Hour } from "../../../src/services/Hour.ts"

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
      pending: count("pending"),
      open: count("open"),
      gap: count("gap")
    },
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
const plain = { canvas: { colors: 0 }, isShaded: false }

describe("calendarText()", () => {
  it("is a row a day and a sign an hour, then what they stand for", () => {
    assert.equal(
      calendarText(every, plain),
      [
        "                00    03     06    09     12    15     18    21          bytes",
        "2025-11-10 Mon                                                 # #      3.0 MB",
        "2025-11-11 Tue  0 ? X X ~ .                                               20 B",
        "",
        "# 2 landed",
        "0 1 empty, without events",
        "? 1 unverified, of other pipelines: verify reads them",
        "~ 1 pending, without events so far",
        ". 1 open, not closed yet",
        "X 2 gap, the oldest 2025-11-11T02",
        "The newest landed hour is 2025-11-11T01.",
        "1 hour in staging: sync moves what is there."
      ].join("\n")
    )
  })

  it("shades landed hours by their events", () => {
    const lines = calendarText(every, { ...plain, isShaded: true }).split("\n")
    assert.match(lines[0] ?? "", / events$/)
    assert.match(lines[1] ?? "", / 1 9 +909$/)
    const legend = "9 2 landed, shaded from 1, up to 100 events an hour, to 9, up to 900 events"
    assert.ok(lines.includes(legend), lines.join("\n"))
  })

  it("shades by bytes where the listing does not tell events, and says so", () => {
    const unknown = statusOf(every.hours.map((hour) => ({ ...hour, events: undefined })))
    const text = calendarText(unknown, { ...plain, isShaded: true })
    assert.match(text, / 1 9 +3\.0 MB$/m)
    assert.match(text, /to 9, up to 3\.0 MB; this store's listing does not tell events$/m)
  })

  it("is never wider than the terminal, and loses no hour for it", () => {
    for (const columns of [80, 78, 77, 67, 66, 48]) {
      const lines = calendarText(every, { ...plain, canvas: { colors: 0, columns } }).split("\n")
      const grid = lines.slice(0, lines.indexOf(""))
      assert.ok(
        grid.every((line) => line.length <= columns),
        String(columns)
      )
      const cells = grid.slice(1).map((line) => line.slice(16, columns < 67 ? 43 : 67))
      assert.equal(cells.join("").replaceAll(" ", ""), "##0?XX~.")
    }
  })

  it("has escapes only where there are colours, and the same signs", () => {
    for (const [colors, isShaded] of [
      [16, false],
      [16, true],
      [256, true]
    ] as const) {
      const text = calendarText(every, { canvas: { colors }, isShaded })
      const bare = stripVTControlCharacters(text)
      assert.notEqual(text, bare)
      assert.equal(bare, calendarText(every, { ...plain, isShaded }))
    }
    assert.ok(!calendarText(every, { ...plain, isShaded: true }).includes("\u001b"))
  })
})
