import assert from "node:assert/strict"
import { describe, it } from "vitest"
import {
  Empty,
  Failed,
  type FailureKind,
  type HourOutcome,
  Landed,
  Open,
  Pending,
  Skipped
} from "../../../src/programs/run/HourOutcome.ts"
import { exitCodeOfRun, summarize } from "../../../src/programs/run/Summary.ts"
import { hour } from "../../fixtures/world.ts"

const at = hour("2025-11-10T21")
const landed = new Landed({ hour: at, events: 2, bytes: 30 })
const failed = (kind: FailureKind) =>
  new Failed({
    hour: at,
    kind,
    isFinal: false,
    error: "AmplitudeError.Unavailable",
    message: "Cannot"
  })

describe("exitCodeOfRun()", () => {
  const cases: ReadonlyArray<readonly [string, ReadonlyArray<HourOutcome>, boolean, number]> = [
    ["nothing to do", [], false, 0],
    ["all there", [landed, new Skipped({ hour: at }), new Empty({ hour: at })], true, 0],
    ["pending hours do not fail a run", [new Pending({ hour: at })], true, 0],
    ["open hours do not fail a run by default", [landed, new Open({ hour: at })], false, 0],
    ["open hours asked for by date", [landed, new Open({ hour: at })], true, 3],
    ["some failed for now", [landed, failed("temporary")], false, 3],
    ["nothing done, but may be later", [new Skipped({ hour: at }), failed("temporary")], false, 5],
    ["nothing done, and never will be", [failed("permanent"), failed("temporary")], false, 3],
    [
      "refused comes before some failed",
      [landed, failed("temporary"), failed("refused")],
      false,
      7
    ],
    ["integrity comes first", [failed("refused"), failed("integrity")], true, 8]
  ]
  for (const [name, outcomes, isByDate, code] of cases) {
    it(`is ${code} for: ${name}`, () => {
      assert.equal(exitCodeOfRun(outcomes, isByDate), code)
    })
  }
})

describe("summarize()", () => {
  it("lists hours oldest first and adds up what landed", () => {
    const summary = summarize({
      window: null,
      outcomes: [
        new Landed({ hour: hour("2025-11-10T22"), events: 1, bytes: 10 }),
        landed,
        failed("temporary")
      ],
      isByDate: false,
      retries: 2,
      durationMs: 5
    })
    assert.deepEqual(summary.landed, ["2025-11-10T21", "2025-11-10T22"])
    assert.deepEqual([summary.events, summary.bytes, summary.retries], [3, 40, 2])
    assert.deepEqual(summary.failed, [
      { hour: at, error: "AmplitudeError.Unavailable", message: "Cannot" }
    ])
  })
})
