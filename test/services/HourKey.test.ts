import assert from "node:assert/strict"
import { describe, it } from "@effect/vitest"
import { FastCheck, Option } from "effect"
import { Hour, hourAt } from "../../src/services/Hour.ts"
import { Format, hourKey, hourOfKey, Layout } from "../../src/services/HourKey.ts"

const MILLIS = 3_600_000
const hours = FastCheck.oneof(
  FastCheck.integer({
    min: Date.UTC(2014, 0, 1) / MILLIS,
    max: Date.UTC(2035, 11, 31, 23) / MILLIS
  }).map((n) => hourAt(n * MILLIS)),
  FastCheck.tuple(
    FastCheck.constantFrom(2016, 2020, 2024, 2028, 2032),
    FastCheck.integer({ min: 0, max: 23 })
  ).map(([year, clock]) => hourAt(Date.UTC(year, 1, 29, clock)))
)
const layouts = FastCheck.constantFrom(...Layout.literals)
const formats = FastCheck.constantFrom(...Format.literals)
const parameters = { seed: 1, numRuns: 2000 }

const hour = Hour.make("2025-11-10T21")
const keyed = (key: string) => Option.getOrThrow(hourOfKey(key))

describe("hourKey()", () => {
  it("is the key that the stages of a warehouse expect", () => {
    assert.equal(hourKey(hour, "hourly", "jsonl"), "2025-11-10_21.jsonl")
    assert.equal(hourKey(hour, "hourly", "jsonl.gz"), "2025-11-10_21.jsonl.gz")
    assert.equal(hourKey(hour, "hive", "jsonl"), "dt=2025-11-10/hour=21/events.jsonl")
    assert.equal(hourKey(hour, "hive", "jsonl.gz"), "dt=2025-11-10/hour=21/events.jsonl.gz")
  })

  it("is read back as its hour, layout and format, in every year", () => {
    FastCheck.assert(
      FastCheck.property(hours, layouts, formats, (hour, layout, format) => {
        const read = keyed(hourKey(hour, layout, format))
        assert.equal(read.hour, hour)
        assert.equal(read.form, layout)
        assert.equal(read.format, format)
        assert.ok(Option.isNone(read.project))
      }),
      parameters
    )
  })

  it("gives no two hours, layouts or formats one key", () => {
    FastCheck.assert(
      FastCheck.property(
        FastCheck.tuple(hours, layouts, formats),
        FastCheck.tuple(hours, layouts, formats),
        (one, other) => {
          assert.equal(hourKey(...one) === hourKey(...other), one.join() === other.join())
        }
      ),
      parameters
    )
  })
})

describe("hourOfKey()", () => {
  it("knows Amplitude's part names at any depth, with the hour padded or not", () => {
    const folders = FastCheck.array(FastCheck.stringMatching(/^[A-Za-z0-9=_.-]{1,12}$/), {
      maxLength: 4
    })
    FastCheck.assert(
      FastCheck.property(
        hours,
        folders,
        FastCheck.option(FastCheck.integer({ min: 1, max: 999_999_999 })),
        FastCheck.nat(500),
        FastCheck.constantFrom(".json", ".json.gz", ".jsonl", ".jsonl.gz"),
        FastCheck.boolean(),
        (hour, path, project, part, ending, isPadded) => {
          const clock = isPadded ? hour.slice(11) : String(Number(hour.slice(11)))
          const start = project === null ? "" : `${project}_`
          const name = `${start}${hour.slice(0, 10)}_${clock}#${part}${ending}`
          const read = keyed([...path, name].join("/"))
          assert.equal(read.hour, hour)
          assert.equal(read.form, "parts")
          assert.equal(read.format, ending.endsWith(".gz") ? "jsonl.gz" : "jsonl")
          assert.equal(Option.getOrNull(read.project), project === null ? null : String(project))
        }
      ),
      parameters
    )
  })

  it("reads the project of a part, and its hour without a zero before it", () => {
    for (const key of [
      "123456_2025-11-10_3#0.json",
      "123456_2025-11-10_3#0.json.gz",
      "123456/123456_2025-11-10_3#12.json.gz",
      "a/b/c/123456_2025-11-10_03#0.json"
    ]) {
      const read = keyed(key)
      assert.equal(read.hour, "2025-11-10T03")
      assert.equal(Option.getOrThrow(read.project), "123456")
    }
  })

  it("takes no near miss for an hour", () => {
    for (const key of [
      "",
      "2025-11-10_24.jsonl",
      "2025-11-10_21.json",
      "2025-11-10_21.jsonl.gz.tmp",
      "2025-11-10_21.jsonl.bz2",
      "2025-11-10_21xjsonl",
      "2025-11-10_21.jsonl\n",
      "2025-11-10_3.jsonl",
      "2025-11-10T21.jsonl",
      "x2025-11-10_21.jsonl",
      "2025-02-30_00.jsonl",
      "2025-02-29_00.jsonl",
      "2025-13-01_00.jsonl",
      "a/2025-11-10_21.jsonl",
      "/2025-11-10_21.jsonl",
      ".2025-11-10_21.jsonl.meta",
      "failed_uploads/2025-11-10_21.jsonl",
      "failed_uploads/2025-11-10_21.3fa9c1d2.jsonl",
      "dt=2025-11-10/hour=24/events.jsonl",
      "dt=2025-11-10/hour=3/events.jsonl",
      "dt=2025-02-30/hour=00/events.jsonl",
      "dt=2025-11-10/hour=21/events.json",
      "dt=2025-11-10/hour=21/other.jsonl",
      "x/dt=2025-11-10/hour=21/events.jsonl",
      "123456_2025-11-10_24#0.json",
      "123456_2025-02-30_3#0.json",
      "123456_2025-11-10_3.json",
      "123456_2025-11-10_3#.json",
      "123456_2025-11-10_3#0.csv",
      "123456_2025-11-10_003#0.json",
      "x123456_2025-11-10_3#0.json",
      "123456_2025-11-10_3#0.json/x"
    ]) {
      assert.ok(Option.isNone(hourOfKey(key)), key)
    }
  })
})
