import assert from "node:assert/strict"
import { createHash } from "node:crypto"
import { gunzipSync, gzipSync } from "node:zlib"
import { describe, it } from "@effect/vitest"
import { Context, Effect, Layer, Option, Stream } from "effect"
import { failedUploadKey } from "../../src/programs/land/refuseAsConflict.ts"
import { allHours, fetchHours, syncHours } from "../../src/programs/runPipeline.ts"
import { ObjectStorage } from "../../src/services/ObjectStorage.ts"
import { Staging } from "../../src/services/Staging.ts"
import { event, keysOf, makeWorld, runOptions, textOf } from "../fixtures/world.ts"

const HOUR = "2025-11-10T20"
const KEY = "2025-11-10_20.jsonl"
const amplitude = { hours: { [HOUR]: [event("a")] } }

const sha256 = (bytes: string | Uint8Array) => createHash("sha256").update(bytes).digest("hex")

const put = (
  store: ObjectStorage["Type"],
  key: string,
  given: string | Uint8Array,
  metadata: Record<string, string> = {}
) => {
  const bytes = Buffer.from(given)
  const body = Stream.make<[Uint8Array]>(bytes)
  return store.put({ key, size: bytes.length, sha256: sha256(bytes), metadata, body })
}

/** A world in whose store another hour is put between the listing and our put. */
const overtaken = Effect.fnUntraced(function* (key: string, theirs: string | Uint8Array) {
  const world = yield* makeWorld({ amplitude })
  const store: typeof world.store = {
    ...world.store,
    put: (...given) => Effect.zipRight(put(world.store, key, theirs), world.store.put(...given))
  }
  return { ...world, layer: Layer.merge(world.layer, Layer.succeed(ObjectStorage, store)) }
})

describe("landObject()", () => {
  for (const [title, change] of [
    ["another size", { size: 1 }],
    ["other bytes", { metadata: { sha256: sha256("other") } }]
  ] as const) {
    it.effect(`compares what it put, and names an hour that was stored as ${title}`, () =>
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

  it.effect("is a conflict if a different version appeared meanwhile, and keeps both", () =>
    Effect.gen(function* () {
      const theirs = event("b")
      const world = yield* overtaken(KEY, theirs)
      const summary = yield* Effect.provide(allHours(runOptions(HOUR)), world.layer)
      assert.deepEqual([summary.landed, summary.skipped, summary.exitCode], [[], [], 8])
      assert.match(summary.failed[0]?.error ?? "", /Conflict/)
      assert.equal(yield* textOf(world.store, KEY), theirs)
      const [copy = ""] = yield* keysOf(world.staging)
      assert.match(copy, /^failed_uploads\//)
      assert.equal(yield* textOf(world.staging, copy), event("a"))
    })
  )
})

describe("allHours()", () => {
  it.effect("keeps the hour beside an earlier copy of it that does not even inflate", () =>
    Effect.gen(function* () {
      const key = `${KEY}.gz`
      const options = runOptions(HOUR, HOUR, { format: "jsonl.gz" })
      const before = yield* makeWorld({ amplitude })
      yield* Effect.provide(allHours(options), before.layer)
      const { metadata } = Option.getOrThrow(yield* before.store.head(key))

      const world = yield* overtaken(key, gzipSync(event("b")))
      const lake = world.store.location
      const broken = failedUploadKey(key, metadata["sha256"] ?? "")
      yield* put(world.staging, broken, "no gzip member", { lake })
      const summary = yield* Effect.provide(allHours(options), world.layer)
      assert.deepEqual([summary.landed, summary.exitCode], [[], 8])
      assert.match(summary.failed[0]?.error ?? "", /Conflict/)
      const [whole = ""] = yield* keysOf(world.staging)
      assert.match(whole, /^failed_uploads\/2025-11-10_20\.[0-9a-f]{8}-2\.jsonl\.gz$/)
      assert.equal(yield* textOf(world.staging, broken), "no gzip member")
      const ours = yield* Stream.runCollect(world.staging.get(whole))
      assert.equal(String(gunzipSync(Buffer.concat([...ours]))), event("a"))
    })
  )

  it.effect("names an object that came first and does not inflate, and keeps ours", () =>
    Effect.gen(function* () {
      const key = `${KEY}.gz`
      const options = runOptions(HOUR, HOUR, { format: "jsonl.gz" })
      const world = yield* overtaken(key, "no gzip member")
      const summary = yield* Effect.provide(allHours(options), world.layer)
      assert.deepEqual([summary.landed, summary.exitCode], [[], 8])
      const [failed] = summary.failed
      assert.match(failed?.error ?? "", /Conflict/)
      assert.match(
        failed?.message ?? "",
        /2025-11-10_20\.jsonl\.gz" already holds .* cannot be read/
      )
      assert.match((yield* keysOf(world.staging))[0] ?? "", /^failed_uploads\//)
      assert.equal(yield* textOf(world.store, key), "no gzip member")

      const again = yield* Effect.provide(allHours(options), world.layer)
      assert.deepEqual([again.conflicts.length, again.exitCode], [1, 8])
      assert.deepEqual(again.conflicts[0]?.store, {})
    })
  )
})

/** A staging whose one object another run moves to the store at a certain call. */
const movedAt = Effect.fnUntraced(function* (method: "put" | "head" | "get") {
  const world = yield* makeWorld({ amplitude })
  const { staging, store } = world
  const move = Effect.gen(function* () {
    const head = yield* staging.head(KEY)
    if (Option.isNone(head)) return
    const { size, metadata } = head.value
    const body = staging.get(KEY)
    yield* store.put({ key: KEY, size, sha256: metadata["sha256"] ?? "", metadata, body })
    yield* staging.remove(KEY)
  }).pipe(Effect.orDie)
  const moving: typeof staging = {
    ...staging,
    put: (...given) =>
      method === "put" ? Effect.zipLeft(staging.put(...given), move) : staging.put(...given),
    head: (key) => Effect.zipRight(method === "head" ? move : Effect.void, staging.head(key)),
    get: (key) => Stream.unwrap(Effect.as(method === "get" ? move : Effect.void, staging.get(key)))
  }
  return { ...world, moving: Layer.merge(world.layer, Layer.succeed(Staging, moving)) }
})

describe("fetchHours()", () => {
  it.effect("counts an hour as landed if another run moved it right after it was staged", () =>
    Effect.gen(function* () {
      const world = yield* movedAt("put")
      const summary = yield* Effect.provide(fetchHours(runOptions(HOUR)), world.moving)
      assert.deepEqual([summary.landed, summary.failed, summary.exitCode], [[HOUR], [], 0])
      assert.deepEqual(yield* keysOf(world.store), [KEY])
    })
  )

  it.effect("skips an hour that others staged and moved meanwhile", () =>
    Effect.gen(function* () {
      const world = yield* movedAt("head")
      const staging = {
        ...Context.get(yield* Layer.build(world.moving), Staging),
        // Theirs comes first.
        put: (...given: Parameters<typeof world.staging.put>) =>
          Effect.zipRight(world.staging.put(...given), world.staging.put(...given))
      }
      const summary = yield* fetchHours(runOptions(HOUR)).pipe(
        Effect.provide(
          Layer.merge(world.layer, Layer.succeed(Staging, staging as typeof world.staging))
        )
      )
      assert.deepEqual([summary.skipped, summary.failed, summary.exitCode], [[HOUR], [], 0])
      assert.deepEqual(yield* keysOf(world.store), [KEY])
    }).pipe(Effect.scoped)
  )
})

describe("syncHours()", () => {
  for (const method of ["head", "get"] as const) {
    it.effect(`skips a staged file that another run moved before its ${method}`, () =>
      Effect.gen(function* () {
        const world = yield* movedAt(method)
        yield* Effect.provide(fetchHours(runOptions(HOUR)), world.layer)
        const summary = yield* Effect.provide(syncHours(runOptions(HOUR)), world.moving)
        // By the time of the first look it is not staged any more.
        const skipped = method === "head" ? [] : [HOUR]
        assert.deepEqual([summary.skipped, summary.failed, summary.exitCode], [skipped, [], 0])
        assert.deepEqual(yield* keysOf(world.store), [KEY])
      })
    )
  }

  it.effect("keeps its own copy beside one that was changed", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld({ amplitude })
      const sync = Effect.provide(syncHours(runOptions(HOUR)), world.layer)
      yield* Effect.provide(fetchHours(runOptions(HOUR)), world.layer)
      yield* put(world.store, KEY, event("b"))
      const copy = failedUploadKey(KEY, sha256(event("a")))
      yield* put(world.staging, copy, event("c"), { lake: world.store.location })
      const refused = yield* sync
      assert.equal(refused.exitCode, 8)
      assert.match(refused.failed[0]?.error ?? "", /Conflict/)
      const second = failedUploadKey(KEY, sha256(event("a")), 2)
      assert.deepEqual(yield* keysOf(world.staging), [second, copy])
      assert.equal(yield* textOf(world.staging, copy), event("c"))
      assert.equal(yield* textOf(world.staging, second), event("a"))
    })
  )

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
