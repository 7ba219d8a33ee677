import assert from "node:assert/strict"
import { createHash } from "node:crypto"
import { describe, it } from "@effect/vitest"
import { Effect, Layer, Option, Stream } from "effect"
import { allHours, fetchHours, syncHours } from "../../src/programs/runPipeline.ts"
import { ObjectStorage } from "../../src/services/ObjectStorage.ts"
import { event, keysOf, makeWorld, runOptions, textOf } from "../fixtures/world.ts"

const HOUR = "2025-11-10T20"
const KEY = "2025-11-10_20.jsonl"
const amplitude = { hours: { [HOUR]: [event("a")] } }

const sha256 = (text: string) => createHash("sha256").update(text).digest("hex")

describe("landObject()", () => {
  for (const [title, change] of [
    ["another size", { size: 1 }],
    ["other bytes", { metadata: { sha256: sha256("other") } }]
  ] as const) {
    it.effect(`compares what it put, and names an hour that came out as ${title}`, () =>
      Effect.gen(function* () {
        const world = yield* makeWorld({ amplitude })
        const store = {
          ...world.store,
          head: (key: string) =>
            Effect.map(
              world.store.head(key),
              Option.map((head) => ({ ...head, ...change }))
            )
        }
        const summary = yield* allHours(runOptions(HOUR)).pipe(
          Effect.provide(Layer.merge(world.layer, Layer.succeed(ObjectStorage, store)))
        )
        assert.deepEqual([summary.landed, summary.exitCode], [[], 8])
        assert.match(summary.failed[0]?.error ?? "", /NotVerified/)
      })
    )
  }

  it.effect("is a conflict where another hour came to stand there meanwhile, and keeps both", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld({ amplitude })
      const theirs = event("b")
      const body = Stream.make(new TextEncoder().encode(theirs))
      // It comes between the listing and our put.
      const store = {
        ...world.store,
        put: (...given: Parameters<typeof world.store.put>) =>
          Effect.zipRight(
            world.store.put({
              key: KEY,
              size: theirs.length,
              sha256: sha256(theirs),
              metadata: {},
              body
            }),
            world.store.put(...given)
          )
      }
      const summary = yield* allHours(runOptions(HOUR)).pipe(
        Effect.provide(
          Layer.merge(world.layer, Layer.succeed(ObjectStorage, store as typeof world.store))
        )
      )
      assert.deepEqual([summary.landed, summary.skipped, summary.exitCode], [[], [], 8])
      assert.match(summary.failed[0]?.error ?? "", /Conflict/)
      assert.equal(yield* textOf(world.store, KEY), theirs)
      const [copy = ""] = yield* keysOf(world.staging)
      assert.match(copy, /^failed_uploads\//)
      assert.equal(yield* textOf(world.staging, copy), event("a"))
    })
  )
})

describe("syncHours()", () => {
  it.effect("moves no staged file that was changed", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld({ amplitude })
      yield* Effect.provide(fetchHours(runOptions(HOUR)), world.layer)
      const { metadata } = Option.getOrThrow(yield* world.staging.head(KEY))
      yield* world.staging.remove(KEY)
      const changed = event("z")
      yield* world.staging.put({
        key: KEY,
        size: changed.length,
        sha256: sha256(changed),
        metadata,
        body: Stream.make(new TextEncoder().encode(changed))
      })
      const summary = yield* Effect.provide(syncHours(runOptions(HOUR)), world.layer)
      assert.deepEqual([summary.landed, summary.exitCode], [[], 8])
      assert.match(summary.failed[0]?.error ?? "", /StagedFileChanged/)
      assert.deepEqual(yield* keysOf(world.store), [])
      assert.deepEqual(yield* keysOf(world.staging), [KEY])
    })
  )
})
