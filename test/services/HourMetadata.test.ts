import assert from "node:assert/strict"
import { describe, it } from "@effect/vitest"
import { FastCheck, Option } from "effect"
import { Hour, hourAt } from "../../src/services/Hour.ts"
import {
  HourMetadata,
  metadataFromText,
  metadataToText,
  replacing
} from "../../src/services/HourMetadata.ts"
import { addDigests, noLines, sameLines } from "../../src/services/LinesDigest.ts"

const hex = (digits: number) =>
  FastCheck.array(FastCheck.constantFrom(..."0123456789abcdef"), {
    minLength: digits,
    maxLength: digits
  }).map((it) => it.join(""))
const digests = FastCheck.record({
  events: FastCheck.nat(1e9),
  bytes: FastCheck.nat(1e12),
  lineset: hex(12),
  malformed: FastCheck.nat(1000)
})
const parameters = { seed: 1, numRuns: 1000 }

const landed = new HourMetadata({
  hour: Hour.make("2025-11-10T21"),
  events: 3,
  bytes: 120,
  lineset: "00000000002a",
  malformed: 0,
  sha256: "0123456789abcdef".repeat(4),
  parts: 2,
  project: "123456",
  version: "0.1.0"
})

function names(metadata: HourMetadata): ReadonlyArray<string> {
  return Object.keys(metadataToText(metadata))
}

describe("replacing()", () => {
  it("keeps what Amplitude returned, however often people were removed from the hour since", () => {
    const landings = ["older", "amplitude"]
    let replaces: ReadonlyArray<string> = ["older"]
    for (let version = 0; version < 200; version++) {
      replaces = replacing(version === 0 ? "amplitude" : `redacted ${version}`, { replaces })
    }
    assert.equal(replaces.length, 50)
    assert.deepEqual(replaces.slice(-2), landings.toReversed())
    assert.deepEqual(
      replaces.slice(0, 40),
      Array.from({ length: 40 }, (_, index) => `redacted ${199 - index}`)
    )
  })
})

describe("metadataToText()", () => {
  it("names only text, under the names that every store uses", () => {
    assert.deepEqual(metadataToText(landed), {
      hour: "2025-11-10T21",
      events: "3",
      bytes: "120",
      lineset: "00000000002a",
      sha256: "0123456789abcdef".repeat(4),
      parts: "2",
      project: "123456",
      version: "0.1.0"
    })
  })

  it("leaves malformed, project and replaces out where there is nothing to say", () => {
    assert.ok(names(new HourMetadata({ ...landed, malformed: 1 })).includes("malformed"))
    assert.ok(!names(new HourMetadata({ ...landed, malformed: 0 })).includes("malformed"))
    assert.ok(!names(new HourMetadata({ ...landed, project: "" })).includes("project"))
    assert.ok(!names(landed).includes("replaces"))
  })

  it("is read back as it was", () => {
    FastCheck.assert(
      FastCheck.property(
        digests,
        FastCheck.integer({ min: 394_464, max: 578_000 }),
        hex(64),
        FastCheck.nat(500),
        FastCheck.constantFrom("", "7", "123456"),
        FastCheck.array(hex(12), { maxLength: 50 }),
        (digest, n, sha256, parts, project, replaces) => {
          const hour = hourAt(n * 3_600_000)
          const version = "1.2.3-rc.1"
          const fields = { ...digest, hour, sha256, parts, project, version, replaces }
          const metadata = new HourMetadata(fields)
          const read = Option.getOrThrow(metadataFromText(metadataToText(metadata)))
          assert.deepEqual({ ...read }, { ...metadata })
        }
      ),
      parameters
    )
  })
})

describe("metadataFromText()", () => {
  const text = metadataToText(landed)

  it("takes malformed for none and project for empty where they are absent", () => {
    const { project: _, ...rest } = text
    const read = Option.getOrThrow(metadataFromText(rest))
    assert.equal(read.project, "")
    assert.equal(read.malformed, 0)
  })

  it("passes over names that it does not know", () => {
    const read = Option.getOrThrow(metadataFromText({ ...text, "uploaded-by": "somebody" }))
    assert.deepEqual({ ...read }, { ...landed })
  })

  it("is None for an object of another program", () => {
    assert.ok(Option.isNone(metadataFromText({})))
    assert.ok(Option.isNone(metadataFromText({ "Content-Type": "application/json" })))
    for (const name of ["hour", "events", "bytes", "lineset", "sha256", "parts", "version"]) {
      const rest = Object.fromEntries(Object.entries(text).filter(([key]) => key !== name))
      assert.ok(Option.isNone(metadataFromText(rest)), name)
    }
  })

  it("is None where a text is not what it should be", () => {
    for (const wrong of [
      { hour: "2025-02-30T00" },
      { hour: "20251110T21" },
      { events: "-1" },
      { events: "1.5" },
      { events: "many" },
      { events: "" },
      { bytes: "Infinity" },
      { lineset: "2a" },
      { lineset: "00000000002A" },
      { sha256: "0123" },
      { parts: "NaN" },
      { malformed: "-1" }
    ]) {
      assert.ok(
        Option.isNone(metadataFromText({ ...text, ...(wrong as Record<string, string>) })),
        JSON.stringify(wrong)
      )
    }
  })
})

describe("addDigests()", () => {
  it("adds line sets modulo 2^48", () => {
    const one = { ...noLines, events: 1, bytes: 10, lineset: "ffffffffffff", malformed: 1 }
    const other = { ...noLines, events: 2, bytes: 20, lineset: "000000000002" }
    assert.deepEqual(addDigests(one, other), {
      events: 3,
      bytes: 30,
      lineset: "000000000001",
      malformed: 1
    })
  })

  it("does not depend on order or grouping, and nothing added is nothing changed", () => {
    FastCheck.assert(
      FastCheck.property(digests, digests, digests, (one, two, three) => {
        assert.deepEqual(addDigests(one, two), addDigests(two, one))
        assert.deepEqual(
          addDigests(addDigests(one, two), three),
          addDigests(one, addDigests(two, three))
        )
        assert.deepEqual(addDigests(one, noLines), one)
        assert.match(addDigests(one, two).lineset, /^[0-9a-f]{12}$/)
      }),
      parameters
    )
  })
})

describe("sameLines()", () => {
  it("holds the events and the line set against each other, and nothing else", () => {
    assert.ok(sameLines(landed, { ...landed, bytes: 121, malformed: 7 }))
    assert.ok(!sameLines(landed, { ...landed, events: 4 }))
    assert.ok(!sameLines(landed, { ...landed, lineset: "00000000002b" }))
  })
})
