import assert from "node:assert/strict"
import { describe, it } from "@effect/vitest"
import {
  bytesText,
  checkText,
  listText,
  planText,
  conflictText,
  gapText,
  summaryText
} from "../../../src/cli/text/printed.ts"
import { SetupCheck, SetupChecks } from "../../../src/programs/inspect/checkSetup.ts"
import { Summary } from "../../../src/programs/run/Summary.ts"
import { Hour } from "../../../src/services/Hour.ts"
import { Window } from "../../../src/services/Window.ts"

const hours = ["2025-11-10T20", "2025-11-10T21", "2025-11-10T22"].map((text) => Hour.make(text))
const [first, second, third] = hours as [Hour, Hour, Hour]

const nothing = {
  window: { first, last: third },
  landed: [],
  empty: [],
  skipped: [],
  pending: [],
  open: [],
  accepted: [],
  postponed: [],
  olderGaps: null,
  newerGaps: null,
  conflicts: [],
  stagedElsewhere: [],
  failed: [],
  events: 0,
  bytes: 0,
  retries: 0,
  durationMs: 1234,
  exitCode: 0 as const
}

describe("bytesText()", () => {
  it("shows the largest unit that fits, and never a thousand of the smaller one", () => {
    for (const [bytes, text] of [
      [0, "0 B"],
      [999, "999 B"],
      [1000, "1.0 kB"],
      [16_240_000, "16.2 MB"],
      [999_949, "999.9 kB"],
      [999_950, "1.0 MB"],
      [999_999_999, "1.0 GB"],
      [1e12, "1.0 TB"],
      [5e15, "5000.0 TB"]
    ] as const) {
      assert.equal(bytesText(bytes), text)
    }
  })
})

describe("summaryText()", () => {
  it("shows what landed, where, and how long it took", () => {
    const summary = new Summary({
      ...nothing,
      landed: [first, second],
      skipped: [third],
      events: 12_345,
      bytes: 16_240_000,
      retries: 2
    })
    assert.equal(
      summaryText(summary, "s3_dev/python-import/"),
      [
        "window   2025-11-10T20 to 2025-11-10T22",
        "where    s3_dev/python-import/",
        "landed   2 hours, 12,345 events, 16.2 MB of lines",
        "skipped  1 hour, there already",
        "took     1.2 s, 2 retries"
      ].join("\n")
    )
  })

  it("calls hours staged if they landed in staging, and says how to upload them", () => {
    const summary = new Summary({ ...nothing, landed: [first], events: 3, bytes: 6600 })
    const text = summaryText(summary, "folder data/", { isStaged: true })
    assert.match(text, /^staged {3}1 hour, 3 events, 6\.6 kB of lines; run sync to upload them$/m)
    assert.doesNotMatch(text, /^landed/m)
  })

  it("says so if nothing landed, and counts one retry in the singular", () => {
    const text = summaryText(new Summary({ ...nothing, window: null, retries: 1 }), "memory")
    assert.equal(
      text,
      [
        "window   no hours",
        "where    memory",
        "landed   nothing new",
        "took     1.2 s, 1 retry"
      ].join("\n")
    )
  })

  it("ends with each hour that failed and why", () => {
    const failed = [{ hour: second, error: "AmplitudeError.Unavailable", message: "Cannot export" }]
    const lines = summaryText(
      new Summary({ ...nothing, empty: [first], pending: [third], failed }),
      "memory"
    ).split("\n")
    assert.ok(lines.includes("empty    1 hour, marked as without events"))
    assert.ok(lines.includes("pending  1 hour, without events so far"))
    assert.ok(lines.includes("failed   1 hour"))
    assert.equal(lines.at(-1), "2025-11-10T21  Cannot export")
  })

  it("names older gaps and open conflicts, with the commands that end them", () => {
    const lines = summaryText(
      new Summary({
        ...nothing,
        landed: [first],
        accepted: [second],
        postponed: [third],
        olderGaps: { hours: 3, first, last: third },
        conflicts: [{ hour: second, name: `${second}--000050c2fa4b--9f86d081884c` }]
      }),
      "memory"
    ).split("\n")
    assert.ok(lines.includes("accepted  1 hour, as gaps that stay"))
    assert.ok(lines.includes("postponed 1 hour, left for the next run"))
    const dates = "--start-date 2025-11-10T20 --end-date 2025-11-10T22"
    assert.ok(
      lines.includes(
        `older     3 hours missing, the oldest 2025-11-10T20: amplitude-lake all ${dates}, then, for what cannot land, amplitude-lake gaps accept ${dates} --reason "…"`
      )
    )
    assert.ok(
      lines.includes(
        "conflict  2025-11-10T21 has two versions: amplitude-lake resolve 2025-11-10T21 --keep store, or amplitude-lake resolve 2025-11-10T21 --keep ours"
      )
    )
  })

  it("never shows a command that would accept hours between gaps", () => {
    assert.equal(
      gapText({ hours: 2, first, last: third }),
      "2 hours missing, the oldest 2025-11-10T20: amplitude-lake all --start-date 2025-11-10T20 --end-date 2025-11-10T22, then, for what cannot land, the commands that amplitude-lake gaps lists"
    )
  })

  it("says of an hour in several versions what to type for each", () => {
    const versions = [
      { key: "2025-11-10_21.jsonl", object: "s3://b/2025-11-10_21.jsonl", events: 1, lineset: "a" },
      { key: "1_2025-11-10_21#0.json", object: "s3://b/1_2025-11-10_21#0.json" }
    ]
    assert.equal(
      conflictText({ hour: second, name: "a", versions }),
      "2025-11-10T21 has 2 versions in the store (s3://b/2025-11-10_21.jsonl has 1 event, lineset a; " +
        "s3://b/1_2025-11-10_21#0.json): amplitude-lake resolve 2025-11-10T21 --keep 2025-11-10_21.jsonl, " +
        "or amplitude-lake resolve 2025-11-10T21 --keep '1_2025-11-10_21#0.json'"
    )
  })

  it("says of a conflict where both versions lie and what is in them", () => {
    const text = conflictText({
      hour: second,
      name: "a",
      object: "s3://bucket/events/2025-11-10_21.jsonl",
      store: { events: 1, lineset: "000050c2fa4b" },
      ours: { events: 2000, lineset: "000050c2fa4c" },
      copy: "/srv/data/failed_uploads/2025-11-10_21.3fa9c1d2.jsonl",
      host: "etl-1"
    })
    assert.match(
      text,
      /s3:\/\/bucket\/events\/2025-11-10_21\.jsonl has 1 event, lineset 000050c2fa4b;/
    )
    assert.match(
      text,
      /ours has 2,000 events, lineset 000050c2fa4c; ours lies in \/srv\/.* on etl-1\)/
    )
    assert.match(
      conflictText({ hour: second, name: "a", object: "x", store: {} }),
      /x has lines that cannot be read/
    )
  })

  it("says of an object of another program that it is one, and not that there are two versions", () => {
    const lines = { events: 1, lineset: "000050c2fa4b" }
    assert.equal(
      conflictText({ hour: second, name: "a", object: "s3://b/it", store: lines, ours: lines }),
      "2025-11-10T21: another program put s3://b/it (1 event, lineset 000050c2fa4b) among the hours that this one landed: " +
        "amplitude-lake resolve 2025-11-10T21 --keep store, or amplitude-lake resolve 2025-11-10T21 --keep ours"
    )
  })

  it("shows a window of one hour as that hour", () => {
    const summary = new Summary({ ...nothing, window: { first, last: first }, open: [first] })
    assert.match(summaryText(summary, "memory"), /^window   2025-11-10T20$/m)
    assert.match(summaryText(summary, "memory"), /^open     1 hour, not closed yet$/m)
  })
})

describe("planText()", () => {
  it("counts the hours, and names the windows that would be requested", () => {
    const plan = {
      window: new Window({ first, last: third }),
      present: [second],
      missing: [first, third],
      open: [],
      accepted: [],
      requests: [new Window({ first, last: first }), new Window({ first: third, last: third })]
    }
    assert.equal(
      planText(plan),
      [
        "window   2025-11-10T20 to 2025-11-10T22",
        "present  1 hour",
        "missing  2 hours",
        "open     0 hours",
        "requests 2",
        "  2025-11-10T20",
        "  2025-11-10T22"
      ].join("\n")
    )
  })
})

describe("listText()", () => {
  it("prints one line per object, in columns", () => {
    assert.equal(
      listText([
        { hour: first, size: 1500, key: "2025-11-10_20.jsonl" },
        { hour: null, size: 7, key: "notes.txt" }
      ]),
      [
        "2025-11-10T20          1500  2025-11-10_20.jsonl",
        "-                         7  notes.txt"
      ].join("\n")
    )
    assert.equal(listText([]), "")
  })

  it("stays on one line, whatever characters a key contains", () => {
    const text = listText([{ hour: null, size: 7, key: "a\nb\u001B[31m\u009Bc" }])
    assert.equal(text, "-                         7  a?b?[31m?c")
  })
})

describe("checkText()", () => {
  const found = new SetupChecks({
    checks: [
      SetupCheck.make({ name: "keys", state: "ok", message: "accepted" }),
      SetupCheck.make({
        name: "store",
        state: "fail",
        message: "cannot be: make room",
        error: "E"
      }),
      SetupCheck.make({ name: "clock", state: "unknown", message: "not compared" })
    ],
    gaps: null,
    conflicts: [],
    exitCode: 5 as const
  })

  it("prints one line per check, however long, if it is not on a terminal", () => {
    assert.equal(
      checkText(found),
      "ok    keys      accepted\nfail  store     cannot be: make room\n-     clock     not compared"
    )
  })

  it("wraps between words at the width of the terminal", () => {
    const lines = checkText(found, 26).split("\n")
    assert.deepEqual(lines.slice(1, 3), [
      "fail  store     cannot be:",
      `${" ".repeat(16)}make room`
    ])
    assert.ok(lines.every((line) => line.length <= 26))
  })
})
