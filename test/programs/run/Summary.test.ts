import assert from "node:assert/strict"
import { describe, it } from "vitest"
import {
  Accepted,
  Empty,
  Failed,
  type FailureKind,
  type HourOutcome,
  Landed,
  Open,
  Pending,
  Postponed,
  Skipped
} from "../../../src/programs/run/HourOutcome.ts"
import { exitCodeOfRun, type LakeFindings, summarize } from "../../../src/programs/run/Summary.ts"
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
    ["open hours requested by date", [landed, new Open({ hour: at })], true, 3],
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
      assert.equal(exitCodeOfRun({ outcomes, isByDate }), code)
    })
  }

  const older = { hours: 361, first: hour("2025-07-31T22"), last: hour("2025-08-16T08") }
  const fine = {
    olderGaps: null,
    newerGaps: null,
    conflicts: [],
    answersForGaps: true,
    isSettled: () => true
  }
  const conflicts = [{ hour: at, name: `${at}--000050c2fa4b--9f86d081884c` }]
  const known: ReadonlyArray<
    [name: string, outcomes: ReadonlyArray<HourOutcome>, lake: LakeFindings, code: number]
  > = [
    ["all there, and none missing before", [landed], fine, 0],
    ["gaps before the window", [landed], { ...fine, olderGaps: older }, 3],
    [
      "gaps, of a run that only moves hours",
      [landed],
      { ...fine, olderGaps: older, answersForGaps: false },
      0
    ],
    ["gaps, and all else temporary", [failed("temporary")], { ...fine, olderGaps: older }, 3],
    ["an open conflict", [landed], { ...fine, conflicts }, 8],
    ["an open conflict and gaps", [landed], { ...fine, conflicts, olderGaps: older }, 8],
    ["a settled hour that was postponed", [landed, new Postponed({ hour: at })], fine, 3],
    [
      "a postponed hour that may still get its events",
      [landed, new Postponed({ hour: at })],
      { ...fine, isSettled: () => false },
      0
    ],
    ["a settled hour that is left pending", [landed, new Pending({ hour: at })], fine, 3],
    ["accepted gaps", [landed, new Accepted({ hour: at })], fine, 0]
  ]
  for (const [name, outcomes, lake, code] of known) {
    it(`is ${code} for: ${name}`, () => {
      assert.equal(exitCodeOfRun({ outcomes, isByDate: false, lake }), code)
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
