import assert from "node:assert/strict"
import { describe, it } from "@effect/vitest"
import { verificationText } from "../../../src/cli/text/verificationText.ts"
import { Verification } from "../../../src/programs/inspect/verifyHours.ts"
import { Hour } from "../../../src/services/Hour.ts"

const [first, last] = [Hour.make("2025-11-10T20"), Hour.make("2025-11-10T21")]
const found = new Verification({
  window: { first, last },
  sample: null,
  verified: [first],
  unverified: [],
  absent: [],
  postponed: [],
  conflicts: [],
  differing: [],
  failed: [],
  objects: 1,
  events: 1234,
  invalid: 0,
  bytes: 1500,
  retries: 0,
  durationMs: 1234,
  exitCode: 0
})

describe("verificationText()", () => {
  it("shows what was read, and no more if all is well", () => {
    assert.equal(
      verificationText(found, "memory"),
      [
        "window     2025-11-10T20 to 2025-11-10T21",
        "where      memory",
        "read       1 object, 1,234 events, 1.5 kB",
        "verified   1 hour",
        "took       1.2 s"
      ].join("\n")
    )
  })

  it("counts lines that are no JSON object", () => {
    const some = new Verification({ ...found, invalid: 2 })
    assert.match(verificationText(some, "memory"), /^not JSON +2 lines, kept unchanged$/m)
  })

  it("names what to check if nothing was read", () => {
    const nothing = new Verification({ ...found, window: null, verified: [], objects: 0 })
    assert.match(verificationText(nothing, "memory"), /read       0 objects, .*: check --prefix/)
  })

  it("ends with each object that differs or could not be read, on its own lines", () => {
    const bad = new Verification({
      ...found,
      window: null,
      sample: { hours: 3, seed: 7 },
      unverified: [last],
      absent: [last],
      postponed: [first, last],
      conflicts: [{ hour: last, name: `${last}--000050c2fa4b--9f86d081884c` }],
      differing: [{ hour: first, key: "a\n.jsonl", problems: ["bytes 1, metadata says 2"] }],
      failed: [
        { hour: last, key: "b", kind: "temporary", error: "X.Y", message: 'Cannot get "b"' }
      ],
      retries: 1
    })
    assert.deepEqual(verificationText(bad, "memory").split("\n"), [
      "window     everything",
      "where      memory",
      "sample     3 hours; repeat it with --sample-seed 7",
      "read       1 object, 1,234 events, 1.5 kB",
      "verified   1 hour",
      "unverified 1 hour, from another pipeline: only their lines were checked, and each is one JSON object",
      "absent     1 hour, without an object: 2025-11-10T21; see gaps",
      "postponed  2 hours, not read within --max-duration: 2025-11-10T20 to 2025-11-10T21",
      "differing  1 object, listed below",
      "failed     1 object, could not be read",
      "conflict   2025-11-10T21 has two versions: amplitude-lake resolve 2025-11-10T21 --keep store, or amplitude-lake resolve 2025-11-10T21 --keep ours",
      "took       1.2 s, 1 retry",
      "2025-11-10T20  a?.jsonl differs:",
      "  bytes 1, metadata says 2",
      '2025-11-10T21  Cannot get "b"'
    ])
  })

  it("shows what the warehouse holds, each altered hour, and what to type", () => {
    const warehouse = {
      place: "lake.duckdb",
      loaded: 2,
      notLoaded: { hours: 1, first, last: first },
      unverified: null,
      outdated: null,
      gone: null,
      differing: [],
      verified: 2,
      events: 1234,
      altered: [
        { hour: first, problems: ["missing lines: 1 of 2"], isLanded: true },
        { hour: last, problems: ["lines without a ledger row: 1"], isLanded: false }
      ],
      postponed: { hours: 1, first, last: first }
    }
    const text = verificationText(new Verification({ ...found, warehouse }), "memory")
    assert.ok(
      text.includes(
        [
          "warehouse  lake.duckdb: 1,234 lines read",
          "stored     2 hours, each with the lines of its ledger row",
          "altered    2 hours, listed below",
          "unread     1 hour, not read within --max-duration",
          "ledger     1 hour not loaded, 2025-11-10T20: amplitude-lake load",
          "took       1.2 s",
          "2025-11-10T20  differs in the warehouse; to load it again: amplitude-lake load --replace 2025-11-10T20",
          "  missing lines: 1 of 2",
          "2025-11-10T21  differs in the warehouse, and the store does not have it, so that no load can replace it",
          "  lines without a ledger row: 1"
        ].join("\n")
      ),
      text
    )
  })
})
