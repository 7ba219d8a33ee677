import assert from "node:assert/strict"
import { describe, it } from "@effect/vitest"
import { Effect, Layer, Logger, LogLevel, Option } from "effect"
import * as WarehouseMemory from "../../../src/layers/memory/WarehouseMemory.ts"
import { verifyHours } from "../../../src/programs/inspect/verifyHours.ts"
import { loadHours } from "../../../src/programs/load/loadHours.ts"
import { relandHours, type RelandOptions } from "../../../src/programs/reland/relandHours.ts"
import { resolveConflict } from "../../../src/programs/resolve/resolveConflict.ts"
import { allHours, recheckWindow } from "../../../src/programs/runPipeline.ts"
import { takeLake } from "../../../src/programs/plan/inventory.ts"
import { ObjectStorage } from "../../../src/services/ObjectStorage.ts"
import { Staging } from "../../../src/services/Staging.ts"
import { Warehouse } from "../../../src/services/Warehouse.ts"
import { objectOf } from "../../contracts/objectStorage.ts"
import { event, hour, keysOf, makeWorld, runOptions, textOf } from "../../fixtures/world.ts"
import { realStores } from "../../fixtures/realStores.ts"

type Store = ObjectStorage["Type"]
const [H20, H21, H22] = ["2025-11-10T20", "2025-11-10T21", "2025-11-10T22"] as const
const KEY = "2025-11-10_21.jsonl"
const PREFIX = "events/"
const [OLD, NEW] = [event("old"), event("new") + event("late")]

const options: RelandOptions = {
  start: hour(H20),
  end: hour(H22),
  user: "ada",
  retries: 0,
  version: "0.0.0-test"
}
const quiet = Logger.withMinimumLogLevel(LogLevel.None)
const reland = (more: Partial<RelandOptions> = {}) => quiet(relandHours({ ...options, ...more }))

const before = { [H20]: [event("a")], [H21]: [OLD], [H22]: [event("c")] }
const after = { ...before, [H21]: [NEW] }

/** Three landed hours, one of which Amplitude returns otherwise now. */
const landed = Effect.fn("landed")(function* ({
  now = after,
  store: given
}: { readonly now?: typeof before; readonly store?: Store } = {}) {
  const world = yield* makeWorld({ amplitude: { hours: before } })
  const store = given ?? world.store
  const at = Layer.succeed(ObjectStorage, store)
  yield* Effect.provide(allHours(runOptions(H20, H22)), Layer.merge(world.layer, at))
  const { layer, requests } = yield* world.of({ hours: now })
  return { world, store, staging: world.staging, requests, layer: Layer.merge(layer, at) }
}, quiet)

const stores = realStores(PREFIX)

const linesetOf = (store: Store, key: string) =>
  Effect.map(store.head(key), (head) => Option.getOrThrow(head).metadata["lineset"] ?? "")

describe("relandHours()", () => {
  for (const [name, makeStore] of Object.entries(stores)) {
    it.scopedLive(`replaces in ${name} what differs, keeps it, and a warehouse follows`, () =>
      Effect.gen(function* () {
        const { layer, store } = yield* landed({ store: yield* makeStore })
        const warehouse = Layer.succeed(Warehouse, yield* WarehouseMemory.make())
        const load = loadHours({ prefix: PREFIX, retries: 0 }).pipe(
          Effect.provide(Layer.merge(layer, warehouse)),
          quiet
        )
        assert.deepEqual((yield* load).loaded, [H20, H21, H22])
        const lineset = yield* linesetOf(store, KEY)
        const found = yield* Effect.provide(reland(), layer)
        assert.deepEqual([found.same, found.exitCode], [[H20, H22], 0])
        assert.deepEqual(
          found.replaced.map((it) => [it.hour, it.before.events, it.after.events]),
          [[H21, 1, 2]]
        )
        assert.equal(yield* textOf(store, KEY), NEW)
        const kept = `.amplitude-lake-replaced/${KEY}.${lineset}`
        assert.ok(found.replaced[0]?.replaced?.endsWith(kept), found.replaced[0]?.replaced ?? "")
        assert.equal(yield* textOf(store, kept), OLD)
        const { metadata } = Option.getOrThrow(yield* store.head(KEY))
        assert.equal(metadata["replaces"], lineset)
        const again = yield* Effect.provide(reland(), layer)
        assert.deepEqual([again.replaced, again.same.length, again.exitCode], [[], 3, 0])
        const loaded = yield* load
        assert.deepEqual([loaded.replaced, loaded.exitCode], [[H21], 0])
        const verified = yield* Effect.provide(verifyHours(), layer)
        assert.deepEqual([verified.verified.length, verified.exitCode], [3, 0])
      })
    )
  }

  it.effect("writes nothing in a dry run, and shows what would be replaced", () =>
    Effect.gen(function* () {
      const { layer, store, world } = yield* landed()
      const keys = yield* keysOf(store)
      world.calls.length = 0
      const found = yield* Effect.provide(reland({ dryRun: true }), layer)
      assert.deepEqual(
        found.replaced.map((it) => [it.hour, it.replaced]),
        [[H21, null]]
      )
      assert.deepEqual([found.dryRun, found.exitCode], [true, 0])
      assert.deepEqual(yield* keysOf(store), keys)
      assert.ok(world.calls.every(({ method }) => method === "list" || method === "head"))
    })
  )

  it.effect("replaces each object in its own format, by one request for each", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld({ amplitude: { hours: before } })
      yield* Effect.provide(allHours(runOptions(H20)), world.layer)
      const zipped = runOptions(H21, H22, { format: "jsonl.gz", layout: "hive" })
      yield* Effect.provide(allHours(zipped), world.layer)
      const now = { [H20]: [event("z")], [H21]: [NEW], [H22]: [event("c")] }
      const changed = yield* world.of({ hours: now })
      const found = yield* Effect.provide(reland(), changed.layer)
      assert.deepEqual(
        found.replaced.map((it) => it.object),
        ["memory: 2025-11-10_20.jsonl", "memory: dt=2025-11-10/hour=21/events.jsonl.gz"]
      )
      assert.equal((yield* changed.requests).length, 2)
      const verified = yield* Effect.provide(verifyHours(), world.layer)
      assert.deepEqual([verified.verified.length, verified.exitCode], [3, 0])
    }).pipe(quiet)
  )

  it.effect("refuses an hour that a person's events were removed from", () =>
    Effect.gen(function* () {
      const { layer, store } = yield* landed()
      const [old, lineset] = [
        Option.getOrThrow(yield* store.head(KEY)),
        yield* linesetOf(store, KEY)
      ]
      const rewritten = (replaces: string) =>
        Effect.gen(function* () {
          const { etag } = Option.getOrThrow(yield* store.head(KEY))
          const more = event(`left ${replaces}`)
          const other = yield* makeWorld({ amplitude: { hours: { [H21]: [more] } } })
          yield* Effect.provide(allHours(runOptions(H21)), other.layer)
          const { metadata, size } = Option.getOrThrow(yield* other.store.head(KEY))
          const object = {
            key: KEY,
            size,
            sha256: metadata["sha256"] ?? "",
            metadata: { ...metadata, replaces, redacted: "1" },
            body: other.store.get(KEY)
          }
          assert.ok(yield* store.put(object, { replacing: etag }))
          return more
        })
      const text = yield* rewritten(lineset)
      const found = yield* Effect.provide(reland(), layer)
      assert.deepEqual([found.replaced, found.exitCode], [[], 8])
      assert.match(found.failed[0]?.message ?? "", /Redacted: a person's events were removed/)
      assert.equal(yield* textOf(store, KEY), text)
      // Amplitude still has what the hour held before, which is no difference.
      const changed = yield* Effect.provide(recheckWindow(runOptions(H21)), layer)
      assert.equal(changed.exitCode, 8)
      const now = Option.getOrThrow(yield* store.head(KEY))
      assert.notEqual(now.etag, old.etag)
      yield* rewritten("0".repeat(12))
      const { layer: later } = yield* landed({ store })
      assert.equal((yield* Effect.provide(reland(), later)).exitCode, 8)
    }).pipe(quiet)
  )

  it.effect(
    "knows what an hour held before a person's events were removed, as a recheck does",
    () =>
      Effect.gen(function* () {
        const { layer, store, world } = yield* landed()
        const { etag } = Option.getOrThrow(yield* store.head(KEY))
        const asks = yield* world.of({ hours: before })
        const head = Option.getOrThrow(yield* store.head(KEY))
        const emptied = {
          ...head.metadata,
          events: "0",
          bytes: "0",
          lineset: "0".repeat(12),
          redacted: "1",
          replaces: head.metadata["lineset"] ?? ""
        }
        const nothing = objectOf(KEY, "")
        const metadata = { ...emptied, sha256: nothing.sha256 }
        assert.ok(yield* store.put({ ...nothing, metadata }, { replacing: etag }))
        const again = yield* Effect.provide(reland(), asks.layer)
        assert.deepEqual([again.redacted, again.same, again.exitCode], [[H21], [H20, H22], 0])
        const recheck = yield* Effect.provide(recheckWindow(runOptions(H21)), asks.layer)
        assert.deepEqual([recheck.skipped, recheck.exitCode], [[H21], 0])
        // Other lines may hold the person's once more.
        const other = yield* Effect.provide(recheckWindow(runOptions(H21)), layer)
        assert.equal(other.exitCode, 8)
        assert.equal(yield* textOf(store, KEY), "")
      }).pipe(quiet)
  )

  it.effect("refuses to empty an hour, and what only a person can decide", () =>
    Effect.gen(function* () {
      const { layer, store, world } = yield* landed({ now: { ...before, [H21]: [] } })
      const emptied = yield* Effect.provide(reland(), layer)
      assert.deepEqual([emptied.replaced, emptied.exitCode], [[], 8])
      assert.equal(emptied.failed[0]?.error, "ResolveError.Emptied")
      assert.equal(yield* textOf(store, KEY), OLD)

      yield* store.put(objectOf("dt=2025-11-10/hour=21/events.jsonl", NEW))
      const changed = yield* world.of({ hours: after })
      const doubled = yield* Effect.provide(reland(), changed.layer)
      assert.deepEqual(
        doubled.failed.map(({ error }) => error),
        ["LandingError.Doubled"]
      )
      assert.equal(doubled.exitCode, 8)
    }).pipe(quiet)
  )

  it.effect("keeps a choice between versions of the hour that it replaces", () =>
    Effect.gen(function* () {
      const { layer, store } = yield* landed()
      yield* store.put(objectOf("dt=2025-11-10/hour=21/events.jsonl", event("other")))
      const chosen = resolveConflict(hour(H21), { keep: KEY, user: "ada", retries: 0 })
      yield* Effect.provide(chosen, layer)
      const found = yield* Effect.provide(reland(), layer)
      assert.deepEqual([found.replaced.length, found.conflicts, found.exitCode], [1, [], 0])
      const { inventory, superseded } = yield* takeLake(store)
      assert.deepEqual(
        inventory.get(hour(H21))?.map(({ key }) => key),
        [KEY]
      )
      assert.equal(superseded.length, 1)
    }).pipe(quiet)
  )

  it.effect("ends the conflict that a recheck found, and only that one", () =>
    Effect.gen(function* () {
      const { layer, store, world } = yield* landed()
      const recheck = yield* Effect.provide(recheckWindow(runOptions(H21)), layer)
      assert.equal(recheck.exitCode, 8)
      const third = yield* world.of({ hours: { ...before, [H21]: [event("third")] } })
      const other = yield* Effect.provide(reland(), third.layer)
      assert.deepEqual(
        other.failed.map(({ error }) => error),
        ["ResolveError.OtherVersion"]
      )
      const found = yield* Effect.provide(reland(), layer)
      assert.deepEqual([found.replaced.length, found.conflicts, found.exitCode], [1, [], 0])
      assert.equal(yield* textOf(store, KEY), NEW)
      const chosen = yield* Effect.provide(recheckWindow(runOptions(H21)), third.layer)
      assert.equal(chosen.exitCode, 8)
      const keep = resolveConflict(hour(H21), { keep: "store", user: "ada", retries: 0 })
      yield* Effect.provide(keep, layer)
      const decided = yield* Effect.provide(reland(), third.layer)
      assert.deepEqual([decided.decided, decided.replaced, decided.exitCode], [[H21], [], 0])
    }).pipe(quiet)
  )

  it.effect("names hours that are not in the store, and lands none", () =>
    Effect.gen(function* () {
      const { layer, store } = yield* landed()
      const keys = yield* keysOf(store)
      const found = yield* Effect.provide(reland({ start: hour("2025-11-10T19") }), layer)
      assert.deepEqual([found.absent, found.exitCode], [["2025-11-10T19"], 3])
      assert.equal((yield* keysOf(store)).length, keys.length + 1)
    })
  )

  it.effect("refuses another Amplitude project", () =>
    Effect.gen(function* () {
      const { store, world } = yield* landed()
      const foreign = yield* world.of({ hours: after, project: "999" })
      const found = yield* Effect.provide(reland(), foreign.layer)
      assert.deepEqual(
        [...new Set(found.failed.map(({ error }) => error))],
        ["LandingError.OtherProject"]
      )
      assert.deepEqual([yield* textOf(store, KEY), found.exitCode], [OLD, 8])
    })
  )

  it.effect("goes on where it was killed at any call", () =>
    Effect.gen(function* () {
      for (let calls = 0; ; calls++) {
        const { layer, staging, store } = yield* landed()
        let left = calls
        let isKilled = false
        const counted = <A, E>(call: Effect.Effect<A, E>): Effect.Effect<A, E> =>
          Effect.suspend(() => {
            isKilled ||= left === 0
            left -= 1
            return isKilled ? Effect.die("killed") : call
          })
        const dying = (self: Store): Store => ({
          ...self,
          put: (object, more) => counted(self.put(object, more)),
          head: (key) => counted(self.head(key)),
          remove: (key) => counted(self.remove(key))
        })
        const machine = Layer.mergeAll(
          layer,
          Layer.succeed(ObjectStorage, dying(store)),
          Layer.succeed(Staging, dying(staging))
        )
        yield* Effect.exit(Effect.provide(reland(), machine))
        const found = yield* Effect.provide(reland(), layer)
        assert.deepEqual([found.same.length + found.replaced.length, found.exitCode], [3, 0])
        assert.equal(yield* textOf(store, KEY), NEW)
        const kept = (yield* keysOf(store)).filter((key) => key.includes("replaced/"))
        assert.equal(kept.length, 1)
        assert.equal(yield* textOf(store, kept[0] ?? ""), OLD)
        if (!isKilled) return
      }
    })
  )

  it.effect("meets another one, and a run, at the same time", () =>
    Effect.gen(function* () {
      const { layer, store } = yield* landed()
      const all = allHours(runOptions(H20, H22))
      const [one, other, run] = yield* Effect.all([reland(), reland(), quiet(all)], {
        concurrency: "unbounded"
      }).pipe(Effect.provide(layer))
      for (const found of [one, other]) {
        assert.deepEqual([found.failed, found.exitCode], [[], 0])
        assert.equal(found.same.length + found.replaced.length, 3)
      }
      assert.deepEqual([run.skipped.length, run.exitCode], [3, 0])
      assert.equal(yield* textOf(store, KEY), NEW)
      assert.equal((yield* keysOf(store)).filter((key) => key.includes("replaced/")).length, 1)
    })
  )

  it.effect("replaces no object that a person's events are removed from meanwhile", () =>
    Effect.gen(function* () {
      const { layer, store } = yield* landed()
      const left = event("left")
      let isOver = false
      const meeting: Store = {
        ...store,
        put: (object, more) =>
          Effect.gen(function* () {
            if (more?.replacing !== undefined && !isOver) {
              isOver = true
              const redacted = { ...object.metadata, redacted: "1", replaces: "0".repeat(12) }
              yield* Effect.orDie(store.put(objectOf(KEY, left, redacted), more))
            }
            return yield* store.put(object, more)
          })
      }
      const found = yield* reland().pipe(
        Effect.provide(Layer.merge(layer, Layer.succeed(ObjectStorage, meeting)))
      )
      assert.match(found.failed[0]?.message ?? "", /Redacted/)
      assert.deepEqual([found.replaced, found.exitCode], [[], 8])
      assert.equal(yield* textOf(store, KEY), left)
    })
  )

  it.effect("replaces no object that changes again and again", () =>
    Effect.gen(function* () {
      const { layer, store } = yield* landed()
      let count = 0
      const meeting: Store = {
        ...store,
        put: (object, more) =>
          Effect.gen(function* () {
            if (more?.replacing !== undefined) {
              count += 1
              yield* Effect.orDie(store.put(objectOf(KEY, event(`${count}`)), more))
            }
            return yield* store.put(object, more)
          })
      }
      const found = yield* reland().pipe(
        Effect.provide(Layer.merge(layer, Layer.succeed(ObjectStorage, meeting)))
      )
      assert.match(found.failed[0]?.message ?? "", /ObjectChanged.*run again/)
      assert.equal(yield* textOf(store, KEY), event("2"))
    })
  )
})
