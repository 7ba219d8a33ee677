import assert from "node:assert/strict"
import { describe, it } from "@effect/vitest"
import { Effect, Layer, Option, Stream } from "effect"
import { exportArchive } from "../../../src/layers/synthetic/exportArchive.ts"
import * as ArchiveFolderMemory from "../../../src/layers/memory/ArchiveFolderMemory.ts"
import { allHours, fetchHours, recheckWindow } from "../../../src/programs/runPipeline.ts"
import { ArchiveError, ArchiveFolder } from "../../../src/services/ArchiveFolder.ts"
import { ObjectStorageError } from "../../../src/services/ObjectStorage.ts"
import { event, makeWorld, passTime, runOptions, type WorldOptions } from "../../fixtures/world.ts"

const [h20, h21, h22] = ["2025-11-10T20", "2025-11-10T21", "2025-11-10T22"] as const
const three = { [h20]: [event("a")], [h21]: [event("b"), event("c")], [h22]: [event("d")] }
const NOON = "2025-11-11T12:00:00Z"
const NAME = "2025-11-10T20--2025-11-10T22.zip"

/** A world in which archives are kept, unless `failures` are left. */
const makeKeeping = Effect.fnUntraced(function* (options: WorldOptions, failures = 0) {
  const world = yield* makeWorld(options)
  const { service, kept } = yield* ArchiveFolderMemory.makeTest
  let left = failures
  const layer = Layer.succeed(ArchiveFolder, {
    ...service,
    keep: (archive, isComplete) =>
      left-- > 0
        ? new ArchiveError({ reason: "NoSpace", method: "keep", path: "archives", detail: "full" })
        : service.keep(archive, isComplete)
  })
  return {
    ...world,
    kept,
    layer: Layer.merge(world.layer, layer),
    spooled: world.spool.list("memory-123456")
  }
})

describe("keepArchive()", () => {
  it.effect("keeps an archive whose hours have landed, and lets go of the spool's", () =>
    Effect.gen(function* () {
      const world = yield* makeKeeping({ amplitude: { hours: three } })
      const summary = yield* Effect.provide(allHours(runOptions(h20, h22)), world.layer)
      assert.deepEqual([summary.landed, summary.exitCode], [[h20, h21, h22], 0])
      assert.deepEqual([...world.kept.keys()], [NAME])
      assert.deepEqual(yield* world.spooled, [])
    })
  )

  it.effect("keeps the archives of fetch too, and none if archives are not kept", () =>
    Effect.gen(function* () {
      const world = yield* makeKeeping({ amplitude: { hours: three } })
      yield* Effect.provide(fetchHours(runOptions(h20, h22)), world.layer)
      assert.deepEqual([...world.kept.keys()], [NAME])

      const other = yield* makeWorld({ amplitude: { hours: three } })
      yield* Effect.provide(fetchHours(runOptions(h20, h22)), other.layer)
      assert.deepEqual(yield* other.spool.list("memory-123456"), [])
    })
  )

  it.effect("says by the name that an hour was still pending, or that all were settled", () =>
    Effect.gen(function* () {
      const hours = { [h20]: [event("a")], [h22]: [event("d")] }
      const early = yield* makeKeeping({ amplitude: { hours }, now: NOON })
      const first = yield* Effect.provide(allHours(runOptions(h20, h22)), early.layer)
      assert.deepEqual([first.landed, first.pending], [[h20, h22], [h21]])
      assert.deepEqual([...early.kept.keys()], ["2025-11-10T20--2025-11-10T22.pending.zip"])

      const late = yield* makeKeeping({ amplitude: { hours } })
      const second = yield* Effect.provide(allHours(runOptions(h20, h22)), late.layer)
      assert.deepEqual(second.empty, [h21])
      assert.deepEqual([...late.kept.keys()], [NAME])
    })
  )

  it.effect(
    "keeps no archive before its last hour has landed, by the next run from the spool",
    () =>
      Effect.gen(function* () {
        const refusal = new ObjectStorageError({
          reason: "AccessDenied",
          method: "put",
          path: "memory",
          detail: "as told"
        })
        let isRefused = true
        const world = yield* makeKeeping({
          amplitude: { hours: three },
          store: {
            failures: ({ method, key }) =>
              isRefused && method === "put" && key.includes("_21")
                ? Option.some(refusal)
                : Option.none()
          }
        })
        const run = Effect.provide(allHours(runOptions(h20, h22)), world.layer)
        assert.equal((yield* run).exitCode, 7)
        assert.deepEqual([...world.kept.keys()], [])
        assert.equal((yield* world.spooled).length, 1)
        isRefused = false
        assert.deepEqual((yield* run).landed, [h21])
        assert.deepEqual([...world.kept.keys()], [NAME])
        assert.deepEqual([yield* world.spooled, (yield* world.requests).length], [[], 1])
      })
  )

  it.effect("lets the next run keep an archive that could not be kept, as after a kill", () =>
    Effect.gen(function* () {
      const world = yield* makeKeeping({ amplitude: { hours: three } }, 1)
      const run = Effect.provide(allHours(runOptions(h20, h22)), world.layer)
      const first = yield* run
      assert.deepEqual([first.landed.length, first.exitCode], [3, 0])
      assert.deepEqual([world.kept.size, (yield* world.spooled).length], [0, 1])
      const second = yield* run
      assert.deepEqual([second.skipped.length, second.exitCode], [3, 0])
      assert.deepEqual([...world.kept.keys()], [NAME])
      assert.deepEqual([yield* world.spooled, (yield* world.requests).length], [[], 1])
    })
  )

  it.effect("keeps no broken archive, none without a part, and none of a recheck", () =>
    Effect.gen(function* () {
      const broken = { bytes: Buffer.from("<html>no zip</html>") }
      const plan = [broken, "ok"] as const
      const world = yield* makeKeeping({ amplitude: { hours: three, plan } })
      yield* passTime(Effect.provide(allHours(runOptions(h20, h22)), world.layer))
      assert.deepEqual([...world.kept.keys()], [NAME])
      yield* Effect.provide(recheckWindow(runOptions(h20, h21)), world.layer)
      assert.deepEqual([...world.kept.keys()], [NAME])

      const empty = Buffer.concat([...(yield* Stream.runCollect(exportArchive("123456", [])))])
      const twice = [{ bytes: empty }, { bytes: empty }]
      const nothing = yield* makeKeeping({ amplitude: { hours: {}, plan: twice } })
      yield* passTime(Effect.provide(allHours(runOptions(h20, h22)), nothing.layer))
      assert.equal(nothing.kept.size, 0)
    })
  )

  it.effect("keeps no archive of a project other than that of the landed hours", () =>
    Effect.gen(function* () {
      const objects = { "999_2025-11-09_00#0.json": Buffer.from(event("z")) }
      const world = yield* makeKeeping({ amplitude: { hours: three }, store: { objects } })
      const summary = yield* Effect.provide(allHours(runOptions(h20, h22)), world.layer)
      assert.deepEqual([summary.failed.length, summary.exitCode], [3, 8])
      assert.deepEqual([world.kept.size, yield* world.spooled], [0, []])
    })
  )

  it.effect(
    "keeps no archive with lines of an hour that was still open, even once that landed",
    () =>
      Effect.gen(function* () {
        // By Amplitude's own time, two hours behind the clock here, the last hour was not over for
        // long enough.
        const date = Date.parse("2025-11-11T10:30:00Z")
        let isRefused = true
        const world = yield* makeKeeping({
          amplitude: { hours: three, date },
          now: NOON,
          store: {
            failures: ({ method, key }) =>
              isRefused && method === "put" && key.includes("_20")
                ? Option.some(
                    new ObjectStorageError({
                      reason: "AccessDenied",
                      method,
                      path: "memory",
                      detail: "as told"
                    })
                  )
                : Option.none()
          }
        })
        const first = yield* Effect.provide(allHours(runOptions(h20, h22)), world.layer)
        assert.deepEqual([first.landed, first.open, first.exitCode], [[h21], [h22], 7])
        const later = yield* world.of({ hours: three }, "2025-11-12T12:00:00Z")
        const layer = Layer.merge(world.layer, later.layer)
        yield* Effect.provide(allHours(runOptions(h22, h22)), layer)
        isRefused = false
        const last = yield* Effect.provide(allHours(runOptions(h20, h22)), layer)
        assert.deepEqual([last.landed, last.skipped], [[h20], [h21, h22]])
        assert.deepEqual([...world.kept.keys()], ["2025-11-10T22--2025-11-10T22.zip"])
        assert.deepEqual(yield* world.spooled, [])
      })
  )
})
