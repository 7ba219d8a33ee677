import assert from "node:assert/strict"
import { describe, it } from "@effect/vitest"
import { Effect, Layer, Option, Stream } from "effect"
import * as ArchiveFilesMemory from "../../../src/layers/memory/ArchiveFilesMemory.ts"
import { exportArchive } from "../../../src/layers/synthetic/exportArchive.ts"
import { archivedHours } from "../../../src/programs/runPipeline.ts"
import { Progress } from "../../../src/services/Progress.ts"
import { hour, keysOf, makeWorld, runOptions, textOf, event } from "../../fixtures/world.ts"

const [h20, h21, h22, h23] = [
  "2025-11-10T20",
  "2025-11-10T21",
  "2025-11-10T22",
  "2025-11-10T23"
] as const
const NOON = Date.parse("2025-11-12T12:00:00Z")
const NAMED = "2025-11-10T20--2025-11-10T23.zip"

/** An archive as Amplitude sends it, one event an hour: the hour's number. */
const zipOf = (hours: ReadonlyArray<string>, project = "123456") =>
  Effect.map(
    Stream.runCollect(
      exportArchive(
        project,
        hours.map((text) => ({
          hour: hour(text),
          number: 0,
          lines: Buffer.from(event(text.slice(-2)))
        }))
      )
    ),
    (chunks) => new Uint8Array(Buffer.concat([...chunks]))
  )

type Given = Readonly<Record<string, readonly [bytes: Uint8Array, writtenAt?: string]>>

/** A world without Amplitude, and the files in it. */
const landing = Effect.fnUntraced(function* (given: Given, objects?: Record<string, Uint8Array>) {
  const world = yield* makeWorld({
    amplitude: { hours: {} },
    ...(objects === undefined ? {} : { store: { objects } })
  })
  const files = Object.fromEntries(
    Object.entries(given).map(([name, [bytes, writtenAt]]) => [
      name,
      { bytes, writtenAt: writtenAt === undefined ? NOON : Date.parse(writtenAt) }
    ])
  )
  const layer = Layer.merge(world.layer, ArchiveFilesMemory.layer(files))
  const land = (start?: string, end?: string, names = Object.keys(given)) =>
    Effect.provide(
      archivedHours(names, {
        ...runOptions(),
        ...(start === undefined ? {} : { start: hour(start) }),
        ...(end === undefined ? {} : { end: hour(end) })
      }),
      layer
    )
  return { ...world, land }
})

describe("landArchives()", () => {
  it.effect("lands the hours of an archive of any name, asks nothing, and skips them after", () =>
    Effect.gen(function* () {
      const world = yield* landing({ "by hand.zip": [yield* zipOf([h20, h22])] })
      const summary = yield* world.land()
      // The hour between them is in no file, and missing from now on.
      assert.deepEqual([summary.landed, summary.exitCode], [[h20, h22], 3])
      assert.deepEqual(summary.window, { first: h20, last: h22 })
      assert.deepEqual(yield* keysOf(world.store), ["2025-11-10_20.jsonl", "2025-11-10_22.jsonl"])
      assert.equal(yield* textOf(world.store, "2025-11-10_22.jsonl"), event("22"))
      const head = Option.getOrThrow(yield* world.store.head("2025-11-10_22.jsonl"))
      assert.equal(head.metadata["project"], "123456")
      const again = yield* world.land()
      assert.deepEqual([again.skipped, again.landed, again.exitCode], [[h20, h22], [], 3])
      assert.deepEqual(yield* world.requests, [])
    })
  )

  it.effect("reports how many hours it plans, and each that is done", () =>
    Effect.gen(function* () {
      const world = yield* landing({ "by hand.zip": [yield* zipOf([h20, h22])] })
      const told: Array<string> = []
      const quiet = { received: () => {}, sent: () => {}, retrying: () => () => {} }
      const listening = {
        ...quiet,
        planned: (count: number) => void (count > 0 && told.push(`${count} planned`)),
        done: (count: number) => void told.push(`${count} done`)
      }
      yield* Effect.provideService(world.land(), Progress, listening)
      assert.deepEqual(told, ["2 planned", "1 done", "1 done"])
    })
  )

  it.effect("fails over hours between the lake and its files, and over none that it filled", () =>
    Effect.gen(function* () {
      const world = yield* landing({
        "january.zip": [yield* zipOf([h20])],
        "late.zip": [yield* zipOf([h23])]
      })
      const missing = yield* world.land()
      assert.deepEqual(missing.olderGaps, { hours: 2, first: h21, last: h22 })
      assert.equal(missing.exitCode, 3)
      const lines = Buffer.from("{}\n")
      const filling = yield* landing(
        { "all.zip": [yield* zipOf([h20, h21, h22, h23])] },
        { "2025-11-10_20.jsonl": lines, "2025-11-10_23.jsonl": lines }
      )
      assert.equal((yield* filling.land()).exitCode, 0)
    })
  )

  it.effect("marks missing hours as empty only if the file's name contains the window", () =>
    Effect.gen(function* () {
      const zip = yield* zipOf([h20, h22])
      const named = yield* landing({ [NAMED]: [zip] })
      const summary = yield* named.land()
      assert.deepEqual(
        [summary.landed, summary.empty],
        [
          [h20, h22],
          [h21, h23]
        ]
      )

      const pending = yield* landing({ "2025-11-10T20--2025-11-10T23.pending.zip": [zip] })
      const second = yield* pending.land()
      assert.deepEqual([second.empty, second.pending], [[], [h21, h23]])
      assert.equal((yield* keysOf(pending.store)).length, 2)
    })
  )

  it.effect("takes everything between both dates as requested, and lands nothing beyond", () =>
    Effect.gen(function* () {
      const world = yield* landing({ "a.zip": [yield* zipOf([h20, h22])] })
      const from = yield* world.land(h21)
      assert.deepEqual([from.landed, from.empty], [[h22], []])
      const both = yield* world.land(h21, h23)
      assert.deepEqual([both.skipped, both.empty, both.exitCode], [[h22], [h21, h23], 0])
      assert.deepEqual(both.window, { first: h21, last: h23 })
      assert.equal((yield* keysOf(world.store)).length, 3)
    })
  )

  it.effect("takes no hour for empty that another of the archives has", () =>
    Effect.gen(function* () {
      const world = yield* landing({
        [NAMED]: [yield* zipOf([h20])],
        "more.zip": [yield* zipOf([h21])]
      })
      const summary = yield* world.land(h20, h23)
      assert.deepEqual(
        [summary.landed, summary.empty],
        [
          [h20, h21],
          [h22, h23]
        ]
      )
      assert.equal(yield* textOf(world.store, "2025-11-10_21.jsonl"), event("21"))
    })
  )

  it.effect(
    "lands no hour that was still open when the file was written, and no early silence",
    () =>
      Effect.gen(function* () {
        const zip = yield* zipOf([h20, h22])
        const early = yield* landing({ [NAMED]: [zip, "2025-11-11T09:30:00Z"] })
        const summary = yield* early.land()
        assert.deepEqual(
          [summary.landed, summary.pending, summary.open, summary.exitCode],
          [[h20], [], [h21, h22, h23], 3]
        )
        const later = yield* landing({ [NAMED]: [zip, "2025-11-11T12:30:00Z"] })
        const second = yield* later.land(h20, h23)
        assert.deepEqual(
          [second.landed, second.pending],
          [
            [h20, h22],
            [h21, h23]
          ]
        )
        const future = yield* landing({ [NAMED]: [yield* zipOf([h20]), "2031-01-01T00:00:00Z"] })
        assert.deepEqual((yield* future.land()).empty, [h21, h22, h23])
      })
  )

  it.effect("names each broken file, exits 8, and lands the others", () =>
    Effect.gen(function* () {
      const cut = (yield* zipOf([h20, h21])).slice(0, -7)
      const world = yield* landing({
        "cut.zip": [cut],
        "page.zip": [Buffer.from("<html>")],
        "good.zip": [yield* zipOf([h22])]
      })
      const summary = yield* world.land(undefined, undefined, [
        "absent.zip",
        "cut.zip",
        "page.zip",
        "good.zip"
      ])
      assert.deepEqual([summary.landed, summary.failed, summary.exitCode], [[h22], [], 8])
      assert.match(summary.error?.error ?? "", /^UnpackerError/)
      for (const name of ["absent", "cut", "page"]) {
        assert.match(summary.error?.message ?? "", new RegExp(`"${name}.zip"`))
      }
    })
  )

  it.effect(
    "names the hours that a broken file was to have, and takes none of them for empty",
    () =>
      Effect.gen(function* () {
        const cut = (yield* zipOf([h20, h21])).slice(0, -7)
        const named = yield* landing({
          "2025-11-10T20--2025-11-10T21.zip": [cut],
          [NAMED]: [yield* zipOf([h22])]
        })
        const one = yield* named.land()
        assert.deepEqual(
          [one.landed, one.empty, one.failed.map(({ hour }) => hour), one.exitCode],
          [[h22], [h23], [h20, h21], 8]
        )
        const dated = yield* landing({ "cut.zip": [cut], "good.zip": [yield* zipOf([h22])] })
        const two = yield* dated.land(h20, h23)
        assert.deepEqual(
          [two.landed, two.empty, two.failed.map(({ hour }) => hour)],
          [[h22], [], [h20, h21, h23]]
        )
      })
  )

  it.effect("does not even read a file all of whose hours are there by its name", () =>
    Effect.gen(function* () {
      const objects = Object.fromEntries(
        [h20, h21, h22, h23].map((it) => [`${it.replace("T", "_")}.jsonl`, Buffer.from("{}\n")])
      )
      const world = yield* landing({ [NAMED]: [Buffer.from("broken")] }, objects)
      const summary = yield* world.land()
      assert.deepEqual([summary.skipped.length, summary.exitCode], [4, 0])
    })
  )

  it.effect("refuses parts beyond the window of the name, and another project's", () =>
    Effect.gen(function* () {
      const beyond = yield* landing({ [NAMED]: [yield* zipOf([h20, "2025-11-11T00"])] })
      assert.equal((yield* beyond.land()).exitCode, 8)
      assert.deepEqual(yield* keysOf(beyond.store), [])

      const world = yield* landing({
        "one.zip": [yield* zipOf([h20])],
        "two.zip": [yield* zipOf([h21], "999")]
      })
      const summary = yield* world.land()
      assert.deepEqual([summary.landed, summary.exitCode], [[h20], 8])
      assert.match(summary.failed[0]?.message ?? "", /OtherProject/)
    })
  )

  it.effect("takes an archive without a part for no proof of anything", () =>
    Effect.gen(function* () {
      const world = yield* landing({ [NAMED]: [yield* zipOf([])] })
      const summary = yield* world.land(h20, h23)
      assert.deepEqual([summary.empty, summary.pending], [[], [h20, h21, h22, h23]])
      assert.deepEqual(yield* keysOf(world.store), [])
    })
  )
})
