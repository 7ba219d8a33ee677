import assert from "node:assert/strict"
import { describe, it } from "@effect/vitest"
import { Either, FastCheck } from "effect"
import { dateAt, hour } from "../../../src/cli/settings/dates.ts"
import { hourAt } from "../../../src/services/Hour.ts"

const NOW = Date.parse("2025-11-12T00:30:00Z")

/** The hour that a text names as a start and as an end, and whether it is relative. */
function both(text: string, now = NOW) {
  const [start, end] = [dateAt("start"), dateAt("end")].map((parse) =>
    Either.getOrThrowWith(parse(text, now), (expected) => new Error(`"${text}": ${expected}`))
  )
  assert.ok(start !== undefined && end !== undefined)
  assert.equal(start.isRelative, end.isRelative)
  return [start.hour, end.hour, start.isRelative]
}

describe("dateAt()", () => {
  it("takes one hour in every form as itself", () => {
    for (const text of [
      "20251110T07",
      "2025-11-10T07",
      "2025-11-10T07:00Z",
      "2025-11-10T07:00:00Z",
      "2025-11-10T07:00:00.000Z"
    ]) {
      assert.deepEqual(both(text), ["2025-11-10T07", "2025-11-10T07", false], text)
    }
  })

  it("takes a day or a month from its first hour to its last", () => {
    for (const [text, start, end] of [
      ["2025-11-10", "2025-11-10T00", "2025-11-10T23"],
      ["20240229", "2024-02-29T00", "2024-02-29T23"],
      ["2025-11", "2025-11-01T00", "2025-11-30T23"],
      ["2025-12", "2025-12-01T00", "2025-12-31T23"],
      ["2024-02", "2024-02-01T00", "2024-02-29T23"]
    ] as const) {
      assert.deepEqual(both(text), [start, end, false], text)
    }
  })

  it("counts relative days back from today in UTC, just after midnight and just before", () => {
    for (const now of [NOW, Date.parse("2025-11-12T23:59:59.999Z")]) {
      for (const [text, day] of [
        ["today", "2025-11-12"],
        ["yesterday", "2025-11-11"],
        ["-0d", "2025-11-12"],
        ["-1d", "2025-11-11"],
        ["-3d", "2025-11-09"],
        ["-365d", "2024-11-12"]
      ] as const) {
        assert.deepEqual(both(text, now), [`${day}T00`, `${day}T23`, true], text)
      }
    }
  })

  it("takes the day of any instant back to itself", () => {
    const instants = FastCheck.integer({ min: 0, max: Date.UTC(2100, 0) })
    FastCheck.assert(
      FastCheck.property(instants, FastCheck.integer({ min: 0, max: 3660 }), (now, days) => {
        const [start] = both(`-${days}d`, now + days * 86_400_000)
        assert.equal(start, `${hourAt(now).slice(0, 10)}T00`)
      }),
      { seed: 18 }
    )
  })

  it("refuses what is no whole hour of the calendar in UTC, and names the forms", () => {
    for (const text of [
      "2025-02-30",
      "2025-02-29T00",
      "20251310T00",
      "2025-13",
      "202511",
      "2025-11-10T24",
      "2025-11-10T24:00Z",
      "2025-11-10T",
      "2025-11-10 07",
      "2025-11-10T07:00",
      "2025-11-10T07Z",
      "2025-11-10T00:30Z",
      "2025-11-10T00:00:01Z",
      "2025-11-10T07:00+01:00",
      "10.11.2025",
      "Yesterday",
      "tomorrow",
      "3d",
      "-3",
      "-3h",
      "-d",
      "-12345d",
      "--yesterday",
      ""
    ]) {
      for (const edge of ["start", "end"] as const) {
        const answer = dateAt(edge)(text, NOW)
        assert.ok(Either.isLeft(answer), `takes "${text}"`)
        assert.match(answer.left, /2025-11-10T00.*2025-11-10.*2025-11.*today, yesterday or -3d$/)
      }
    }
  })
})

describe("hour", () => {
  it("takes one hour only", () => {
    assert.deepEqual(hour("20251110T07", NOW), Either.right("2025-11-10T07"))
    assert.deepEqual(hour("2025-11-10T07:00Z", NOW), Either.right("2025-11-10T07"))
    for (const text of ["2025-11-10", "yesterday", "2025-11", "2025-11-10T07:30Z"]) {
      assert.ok(Either.isLeft(hour(text, NOW)), text)
    }
  })
})
