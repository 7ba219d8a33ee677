import assert from "node:assert/strict"
import { describe, it } from "@effect/vitest"
import { Context, Effect, Layer, Option, Stream } from "effect"
import * as ObjectStorageMemory from "../../../src/layers/memory/ObjectStorageMemory.ts"
import * as SpoolMemory from "../../../src/layers/memory/SpoolMemory.ts"
import { statusOfHours } from "../../../src/programs/inspect/statusOfHours.ts"
import { resolveConflict } from "../../../src/programs/resolve/resolveConflict.ts"
import {
  allHours,
  fetchHours,
  recheckWindow,
  syncHours
} from "../../../src/programs/runPipeline.ts"
import { Amplitude } from "../../../src/services/Amplitude.ts"
import { ObjectStorage, ObjectStorageError } from "../../../src/services/ObjectStorage.ts"
import { Staging } from "../../../src/services/Staging.ts"
import { objectOf } from "../../contracts/objectStorage.ts"
import {
  event,
  hour,
  keysOf,
  makeWorld,
  passTime,
  runOptions,
  textOf
} from "../../fixtures/world.ts"

const HOUR = "2025-11-10T21"
const KEY = "2025-11-10_21.jsonl"
const NOW = "2025-11-11T22:00:00Z"
const THEIRS = event("theirs")
const OURS = event("ours")

const keep = (version: "store" | "ours") => ({ keep: version, user: "ada", retries: 0 })
const resolve = (version: "store" | "ours") => resolveConflict(hour(HOUR), keep(version))

/** A store with one version of the hour that has refused another, which lies in staging. */
const conflict = Effect.fn("conflict")(function* (format: "jsonl" | "jsonl.gz" = "jsonl") {
  const options = runOptions(HOUR, HOUR, { host: "etl-1" })
  const world = yield* makeWorld({ amplitude: { hours: { [HOUR]: [THEIRS] } }, now: NOW })
  const theirs = runOptions(HOUR, HOUR, { format })
  yield* Effect.provide(allHours(theirs), world.layer)
  const other = yield* makeWorld({ amplitude: { hours: { [HOUR]: [OURS] } }, now: NOW })
  yield* Effect.provide(fetchHours(options), other.layer)
  const here = Layer.merge(other.layer, Layer.succeed(ObjectStorage, world.store))
  const elsewhere = yield* makeWorld({ amplitude: { hours: { [HOUR]: [OURS] } }, now: NOW })
  const refused = yield* Effect.provide(syncHours(options), here)
  return {
    refused,
    store: world.store,
    staging: other.staging,
    here,
    /** Another machine with the same store. */
    elsewhere: Layer.merge(elsewhere.layer, Layer.succeed(ObjectStorage, world.store)),
    /** The same machine, where Amplitude returns what is in the store. */
    agreeing: Layer.merge(
      here,
      Layer.succeed(Amplitude, Context.get(yield* Layer.build(world.layer), Amplitude))
    )
  }
}, Effect.scoped)

const marks = (store: ObjectStorage["Type"], folder: string) =>
  Effect.map(keysOf(store), (keys) =>
    keys.filter((key) => key.startsWith(`.amplitude-lake-${folder}/`))
  )

describe("a conflict", () => {
  it.effect("is named by every later run on every machine, with both versions", () =>
    Effect.gen(function* () {
      const { elsewhere, here, refused, staging, store } = yield* conflict()
      assert.match(
        refused.failed[0]?.message ?? "",
        /only in the store: theirs; only in ours: ours/
      )
      const [copy = ""] = yield* keysOf(staging)
      for (const machine of [here, elsewhere]) {
        const again = yield* passTime(Effect.provide(allHours(runOptions()), machine))
        assert.deepEqual([again.failed, again.exitCode], [[], 8])
        const [found] = again.conflicts
        assert.deepEqual([found?.hour, found?.host, found?.store?.events], [HOUR, "etl-1", 1])
        assert.equal(found?.object, `memory: ${KEY}`)
        assert.equal(found?.copy, `memory: ${copy}`)
        const status = yield* Effect.provide(statusOfHours(), machine)
        assert.deepEqual([status.conflicts, status.exitCode], [again.conflicts, 8])
      }
      assert.equal((yield* marks(store, "conflicts")).length, 1)
    })
  )

  it.effect("is not hidden where its mark cannot be written", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld({ amplitude: { hours: { [HOUR]: [THEIRS] } }, now: NOW })
      yield* Effect.provide(allHours(runOptions(HOUR)), world.layer)
      const other = yield* makeWorld({ amplitude: { hours: { [HOUR]: [OURS] } }, now: NOW })
      yield* Effect.provide(fetchHours(runOptions(HOUR)), other.layer)
      const store: ObjectStorage["Type"] = {
        ...world.store,
        put: (object, options) =>
          object.key.startsWith(".amplitude-lake-")
            ? Effect.fail(
                new ObjectStorageError({
                  reason: "AccessDenied",
                  method: "put",
                  path: object.key,
                  detail: "planned"
                })
              )
            : world.store.put(object, options)
      }
      const here = Layer.merge(other.layer, Layer.succeed(ObjectStorage, store))
      const summary = yield* Effect.provide(syncHours(runOptions()), here)
      // The hour stays staged, so that no later run is green.
      const again = yield* passTime(Effect.provide(allHours(runOptions(HOUR)), here))
      assert.equal(again.exitCode, 8)
      assert.equal(summary.failed[0]?.error, "LandingError.Conflict")
      assert.equal(summary.exitCode, 8)
    })
  )

  it.effect("met while landing stays staged until its mark can be written", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld({ amplitude: { hours: { [HOUR]: [OURS] } }, now: NOW })
      yield* world.store.put(objectOf(KEY, THEIRS))
      const denied = new ObjectStorageError({
        reason: "AccessDenied",
        method: "put",
        path: ".amplitude-lake-conflicts",
        detail: "planned"
      })
      const readOnly: ObjectStorage["Type"] = {
        ...world.store,
        put: (object, options) =>
          object.key.startsWith(".amplitude-lake-")
            ? Effect.fail(denied)
            : world.store.put(object, options)
      }
      // Another pipeline puts the hour after the run has listed the store.
      const blind = { ...readOnly, list: Stream.empty }
      const codes: Array<number> = []
      for (const store of [blind, readOnly, readOnly, world.store, world.store]) {
        const run = Effect.provideService(allHours(runOptions(HOUR)), ObjectStorage, store)
        codes.push((yield* passTime(Effect.provide(run, world.layer))).exitCode)
      }
      assert.deepEqual(codes, [8, 8, 8, 8, 8])
      assert.equal((yield* marks(world.store, "conflicts")).length, 1)
      const left = yield* keysOf(world.staging)
      assert.deepEqual(
        [left.length, left.every((key) => key.startsWith("failed_uploads/"))],
        [1, true]
      )
    })
  )

  it.effect("is marked by a recheck, and resolved for later ones", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld({ amplitude: { hours: { [HOUR]: [THEIRS] } }, now: NOW })
      yield* Effect.provide(allHours(runOptions(HOUR)), world.layer)
      const changed = yield* world.of({ hours: { [HOUR]: [OURS] } })
      const recheck = Effect.provide(recheckWindow(runOptions(HOUR)), changed.layer)
      assert.equal((yield* recheck).exitCode, 8)
      assert.equal((yield* marks(world.store, "conflicts")).length, 1)
      yield* Effect.provide(resolve("store"), changed.layer)
      const again = yield* recheck
      assert.deepEqual([again.skipped, again.exitCode], [[HOUR], 0])
    })
  )
})

describe("resolveConflict()", () => {
  it.effect("keeps the store's object, drops our copy, and later ones of the same lines", () =>
    Effect.gen(function* () {
      const { agreeing, elsewhere, here, staging, store } = yield* conflict()
      const resolved = yield* Effect.provide(resolve("store"), here)
      assert.deepEqual([resolved.object, resolved.replaced], [`memory: ${KEY}`, null])
      assert.deepEqual([yield* keysOf(staging), resolved.removed.length], [[], 1])
      assert.equal(yield* textOf(store, KEY), THEIRS)
      const fine = yield* passTime(Effect.provide(allHours(runOptions()), agreeing))
      assert.deepEqual([fine.conflicts, fine.exitCode], [[], 0])

      const nowhere = yield* makeWorld({ amplitude: { hours: {} } })
      yield* fetchHours(runOptions(HOUR)).pipe(
        Effect.provideService(ObjectStorage, nowhere.store),
        Effect.provide(elsewhere)
      )
      const late = yield* Effect.provide(syncHours(runOptions()), elsewhere)
      assert.deepEqual([late.skipped, late.exitCode], [[HOUR], 0])
    })
  )

  it.effect("replaces the store's object by our copy, and keeps the old one", () =>
    Effect.gen(function* () {
      const { elsewhere, here, staging, store } = yield* conflict()
      const before = Option.getOrThrow(yield* store.head(KEY))
      const resolved = yield* Effect.provide(resolve("ours"), here)
      assert.equal(yield* textOf(store, KEY), OURS)
      const lineset = before.metadata["lineset"] ?? ""
      const kept = `.amplitude-lake-replaced/${KEY}.${lineset}`
      assert.equal(resolved.replaced, `memory: ${kept}`)
      assert.equal(yield* textOf(store, kept), THEIRS)
      const after = Option.getOrThrow(yield* store.head(KEY))
      assert.deepEqual([after.metadata["replaces"], after.metadata["events"]], [lineset, "1"])
      assert.deepEqual(yield* keysOf(staging), [])
      for (const machine of [here, elsewhere]) {
        const status = yield* Effect.provide(statusOfHours(), machine)
        assert.deepEqual([status.conflicts, status.totals.landed, status.exitCode], [[], 1, 0])
      }
    })
  )

  it.effect("lets an older version, staged before, go without a conflict", () =>
    Effect.gen(function* () {
      const { agreeing, here, staging, store } = yield* conflict()
      yield* Effect.provide(resolve("ours"), here)
      const nowhere = yield* makeWorld({ amplitude: { hours: {} } })
      yield* fetchHours(runOptions(HOUR)).pipe(
        Effect.provideService(ObjectStorage, nowhere.store),
        Effect.provide(agreeing)
      )
      const synced = yield* Effect.provide(syncHours(runOptions()), agreeing)
      assert.deepEqual([synced.skipped, synced.exitCode], [[HOUR], 0])
      assert.deepEqual([yield* keysOf(staging), yield* textOf(store, KEY)], [[], OURS])
    })
  )

  it.effect("requests the hour again where the copy does not lie, in the object's format", () =>
    Effect.gen(function* () {
      const { elsewhere, store } = yield* conflict("jsonl.gz")
      yield* passTime(Effect.provide(resolve("ours"), elsewhere))
      const head = Option.getOrThrow(yield* store.head(`${KEY}.gz`))
      assert.equal(head.metadata["events"], "1")
      assert.match(head.metadata["replaces"] ?? "", /^[0-9a-f]{12}$/)
      assert.equal((yield* Effect.provide(statusOfHours(), elsewhere)).exitCode, 0)
    })
  )

  it.effect("refuses what Amplitude returns if it has other lines", () =>
    Effect.gen(function* () {
      const { store } = yield* conflict()
      const third = yield* makeWorld({ amplitude: { hours: { [HOUR]: [event("z")] } }, now: NOW })
      const error = yield* Effect.flip(passTime(resolve("ours"))).pipe(
        Effect.provide(Layer.merge(third.layer, Layer.succeed(ObjectStorage, store)))
      )
      assert.match(error.message, /OtherVersion/)
      assert.equal(yield* textOf(store, KEY), THEIRS)
      assert.deepEqual(yield* marks(store, "resolved"), [])
    })
  )

  it.effect("replaces no object but the one that was compared", () =>
    Effect.gen(function* () {
      const { here, staging, store } = yield* conflict()
      const { etag, metadata } = Option.getOrThrow(yield* store.head(KEY))
      const changed = yield* makeWorld({ amplitude: { hours: { [HOUR]: [event("n")] } }, now: NOW })
      yield* Effect.provide(allHours(runOptions(HOUR)), changed.layer)
      const newer = Option.getOrThrow(yield* changed.store.head(KEY))
      const sha256 = newer.metadata["sha256"] ?? ""
      const put = { ...newer, sha256, body: changed.store.get(KEY) }
      assert.ok(yield* store.put(put, { replacing: etag }))
      const error = yield* Effect.flip(Effect.provide(resolve("ours"), here))
      assert.match(error.message, /ObjectChanged: "memory: 2025-11-10_21\.jsonl"/)
      assert.equal(yield* textOf(store, KEY), event("n"))
      assert.equal((yield* keysOf(staging)).length, 1)
      assert.notEqual(metadata["lineset"], newer.metadata["lineset"])
      assert.deepEqual(yield* marks(store, "resolved"), [])
    })
  )

  it.effect("replaces no object that events were removed from", () =>
    Effect.gen(function* () {
      const { here, store } = yield* conflict()
      const redacting: ObjectStorage["Type"] = {
        ...store,
        head: (key) =>
          Effect.map(
            store.head(key),
            Option.map((head) => ({ ...head, metadata: { ...head.metadata, redacted: "1" } }))
          )
      }
      const error = yield* Effect.flip(
        Effect.provide(resolve("ours"), Layer.merge(here, Layer.succeed(ObjectStorage, redacting)))
      )
      assert.match(error.message, /Redacted/)
    })
  )

  for (const version of ["store", "ours"] as const) {
    it.effect(`goes on where a run was killed at any call, and keeps ${version}`, () =>
      Effect.gen(function* () {
        for (let calls = 0; ; calls++) {
          const { here, staging, store } = yield* conflict()
          let left = calls
          let isKilled = false
          const counted = <A, E>(call: Effect.Effect<A, E>): Effect.Effect<A, E> =>
            Effect.suspend(() => {
              isKilled = left === 0
              left -= 1
              return isKilled ? Effect.die("killed") : call
            })
          const dying = (self: ObjectStorage["Type"]): ObjectStorage["Type"] => ({
            ...self,
            put: (...given) => counted(self.put(...given)),
            head: (key) => counted(self.head(key)),
            remove: (key) => counted(self.remove(key))
          })
          const machine = Layer.mergeAll(
            here,
            Layer.succeed(ObjectStorage, dying(store)),
            Layer.succeed(Staging, dying(staging))
          )
          yield* Effect.exit(Effect.provide(resolve(version), machine))
          if (isKilled) yield* Effect.provide(resolve(version), here)
          assert.equal(yield* textOf(store, KEY), version === "store" ? THEIRS : OURS)
          assert.deepEqual(yield* keysOf(staging), [])
          assert.equal((yield* marks(store, "resolved")).length, 1)
          assert.equal((yield* marks(store, "replaced")).length, version === "store" ? 0 : 1)
          if (!isKilled) return
        }
      })
    )
  }

  it.effect("leaves the copy of another lake, even of the same lines", () =>
    Effect.gen(function* () {
      const staging = yield* ObjectStorageMemory.make()
      const beside = { staging, spool: yield* SpoolMemory.make() }
      const lakes = yield* Effect.forEach(["one/", "other/"], (prefix) =>
        Effect.gen(function* () {
          const amplitude = { hours: { [HOUR]: [OURS] } }
          const world = yield* makeWorld({ amplitude, beside, store: { prefix }, now: NOW })
          yield* Effect.provide(fetchHours(runOptions(HOUR)), world.layer)
          yield* world.store.put(objectOf(KEY, THEIRS))
          assert.equal(
            (yield* Effect.provide(syncHours(runOptions(HOUR)), world.layer)).exitCode,
            8
          )
          return world
        })
      )
      assert.equal((yield* keysOf(staging)).length, 2)
      for (const [index, { layer, requests, store }] of lakes.entries()) {
        const resolved = yield* Effect.provide(resolve("ours"), layer)
        assert.equal(resolved.removed.length, 1)
        assert.equal(yield* textOf(store, KEY), OURS)
        // It was the copy, and no new request.
        assert.equal((yield* requests).length, 1)
        assert.equal((yield* keysOf(staging)).length, 1 - index)
      }
    })
  )

  it.effect("lists the open conflicts for an hour that has none", () =>
    Effect.gen(function* () {
      const { here } = yield* conflict()
      const error = yield* Effect.flip(
        Effect.provide(resolveConflict(hour("2025-11-10T20"), keep("store")), here)
      )
      assert.match(error.message, /NoConflict: 2025-11-10T20 .*: 2025-11-10T21$/)
    })
  )

  it.effect("lands our version where the store's object is gone", () =>
    Effect.gen(function* () {
      const { here, store } = yield* conflict()
      yield* store.remove(KEY)
      const error = yield* Effect.flip(Effect.provide(resolve("store"), here))
      assert.match(error.message, /ObjectChanged/)
      yield* Effect.provide(resolve("ours"), here)
      assert.equal(yield* textOf(store, KEY), OURS)
    })
  )

  it.effect("puts our version back where the store's object was cut, and keeps our metadata", () =>
    Effect.gen(function* () {
      const lines = OURS + event("more")
      const world = yield* makeWorld({ amplitude: { hours: { [HOUR]: [lines] } }, now: NOW })
      yield* Effect.provide(fetchHours(runOptions(HOUR)), world.layer)
      const { metadata } = Option.getOrThrow(yield* world.staging.head(KEY))
      const { lake: _, ...ofStore } = metadata
      yield* world.store.put(objectOf(KEY, OURS, ofStore))
      const refused = yield* Effect.provide(syncHours(runOptions(HOUR)), world.layer)
      assert.equal(refused.exitCode, 8)
      const resolved = yield* Effect.provide(resolve("ours"), world.layer)
      assert.equal(yield* textOf(world.store, KEY), lines)
      assert.ok(resolved.replaced !== null)
      // What was there is kept under the lineset of its own lines.
      const [kept = ""] = yield* marks(world.store, "replaced")
      assert.equal(yield* textOf(world.store, kept), OURS)
    })
  )

  it.effect("takes neither a refused part nor one 404 for an hour without events", () =>
    Effect.gen(function* () {
      const empty = yield* makeWorld({ amplitude: { hours: {} }, now: NOW })
      for (const [amplitude, tag] of [
        [{ hours: { [HOUR]: ["<html></html>\n"] } }, "UnpackerError"],
        [{ hours: { [HOUR]: [OURS] }, plan: ["none" as const] }, "ResolveError"]
      ] as const) {
        const world = yield* makeWorld({ amplitude, now: NOW })
        yield* world.store.put(objectOf(KEY, THEIRS))
        yield* passTime(Effect.provide(fetchHours(runOptions(HOUR)), empty.layer))
        const here = Layer.merge(empty.layer, Layer.succeed(ObjectStorage, world.store))
        const refused = yield* passTime(Effect.provide(syncHours(runOptions(HOUR)), here))
        assert.equal(refused.exitCode, 8)
        const error = yield* passTime(Effect.provide(Effect.flip(resolve("ours")), world.layer))
        assert.equal(error._tag, tag)
        assert.equal(yield* textOf(world.store, KEY), THEIRS)
      }
    })
  )
})
