import assert from "node:assert/strict"
import { describe, it } from "@effect/vitest"
import { Effect, Layer, Option } from "effect"
import { checkSetup } from "../../../src/programs/inspect/checkSetup.ts"
import { statusOfHours } from "../../../src/programs/inspect/statusOfHours.ts"
import { verifyHours } from "../../../src/programs/inspect/verifyHours.ts"
import { resolveConflict } from "../../../src/programs/resolve/resolveConflict.ts"
import {
  allHours,
  fetchHours,
  recheckWindow,
  syncHours
} from "../../../src/programs/runPipeline.ts"
import { cleanLeftovers } from "../../../src/programs/clean/cleanLeftovers.ts"
import * as FoldersMemory from "../../../src/layers/memory/FoldersMemory.ts"
import { Amplitude } from "../../../src/services/Amplitude.ts"
import { ObjectStorage, ObjectStorageError } from "../../../src/services/ObjectStorage.ts"
import { objectOf } from "../../contracts/objectStorage.ts"
import { event, hour, keysOf, makeWorld, runOptions } from "../../fixtures/world.ts"

const HOUR = "2025-11-10T21"
const NOW = "2025-11-11T22:00:00Z"
const [PLAIN, GZIP] = ["2025-11-10_21.jsonl", "dt=2025-11-10/hour=21/events.jsonl.gz"]
const LINES = event("a") + event("b")
const options = runOptions(HOUR)
const other = runOptions(HOUR, HOUR, { layout: "hive", format: "jsonl.gz" })

const keep = (key: string) => resolveConflict(hour(HOUR), { keep: key, user: "ada", retries: 0 })

/** A run in one form, and another that lands the same hour in another form meanwhile. */
const doubled = Effect.fn("doubled")(function* () {
  let isOver = false
  const world = yield* makeWorld({ amplitude: { hours: { [HOUR]: [LINES] } }, now: NOW })
  const second = yield* world.of({ hours: { [HOUR]: [LINES] } })
  const amplitude = yield* Effect.provide(Amplitude, world.layer)
  const meeting: Amplitude["Type"] = {
    ...amplitude,
    export: (...given) =>
      Effect.zipRight(
        Effect.suspend(() => {
          if (isOver) return Effect.void
          isOver = true
          return Effect.provide(allHours(other), second.layer).pipe(
            Effect.tap(({ exitCode }) => Effect.sync(() => assert.equal(exitCode, 0))),
            Effect.orDie
          )
        }),
        amplitude.export(...given)
      )
  }
  world.calls.length = 0
  const summary = yield* Effect.provide(
    allHours(options),
    Layer.merge(world.layer, Layer.succeed(Amplitude, meeting))
  )
  return { ...world, summary }
})

describe("an hour in two forms", () => {
  it.effect("is named by the run that put the second, which exits 8", () =>
    Effect.gen(function* () {
      const { store, summary } = yield* doubled()
      assert.deepEqual(yield* keysOf(store), [PLAIN, GZIP])
      assert.deepEqual([summary.landed, summary.exitCode], [[HOUR], 8])
      const [found] = summary.conflicts
      assert.deepEqual(
        found?.versions?.map(({ events, key, object }) => [key, object, events]),
        [
          [GZIP, `memory: ${GZIP}`, 2],
          [PLAIN, `memory: ${PLAIN}`, 2]
        ]
      )
    })
  )

  it.effect("costs one listing of a run that has put something, and no request an hour", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld({ amplitude: { hours: { [HOUR]: [LINES] } }, now: NOW })
      yield* Effect.provide(allHours(options), world.layer)
      const made = world.calls.map(({ method }) => method)
      assert.deepEqual(made, ["list", "check", "put", "head", "list"])
    })
  )

  it.effect("cannot be ruled out without that listing, so that the run is not green", () =>
    Effect.gen(function* () {
      const error = new ObjectStorageError({
        reason: "AccessDenied",
        method: "list",
        path: "memory",
        detail: "planned"
      })
      const world = yield* makeWorld({
        amplitude: { hours: { [HOUR]: [LINES] } },
        store: {
          failures: ({ count, method }) =>
            Option.liftPredicate(error, () => method === "list" && count === 2)
        },
        now: NOW
      })
      const summary = yield* Effect.provide(allHours(options), world.layer)
      assert.deepEqual([summary.landed, summary.exitCode], [[HOUR], 7])
      assert.equal(summary.error?.error, "ObjectStorageError.AccessDenied")
    })
  )

  it.effect("fails every command until a person has chosen, and is drawn", () =>
    Effect.gen(function* () {
      const { layer, summary } = yield* doubled()
      const folders = FoldersMemory.layer({ data: 10e9, work: 10e9 })
      const ended = yield* Effect.all([
        allHours(options),
        allHours(other),
        fetchHours(options),
        syncHours(options),
        statusOfHours(),
        verifyHours(),
        checkSetup()
      ]).pipe(Effect.provide(Layer.merge(layer, folders)))
      for (const { conflicts, exitCode } of ended) {
        assert.deepEqual([conflicts, exitCode], [summary.conflicts, 8])
      }
      const { hours } = yield* Effect.provide(statusOfHours(), layer)
      assert.deepEqual(
        hours.filter(({ state }) => state === "doubled").map((it) => it.hour),
        [HOUR]
      )
    })
  )

  it.effect("is no conflict for Amplitude's parts", () =>
    Effect.gen(function* () {
      const parts = Object.fromEntries(
        [0, 1].map((part) => [`123456_2025-11-10_21#${part}.json`, Buffer.from(event(`${part}`))])
      )
      const world = yield* makeWorld({
        amplitude: { hours: {} },
        store: { objects: parts },
        now: NOW
      })
      const status = yield* Effect.provide(statusOfHours(), world.layer)
      assert.deepEqual([status.conflicts, status.totals.unverified, status.exitCode], [[], 1, 0])
      yield* world.store.put(objectOf(PLAIN, event("0") + event("1")))
      const { conflicts } = yield* Effect.provide(statusOfHours(), world.layer)
      assert.deepEqual(
        conflicts[0]?.versions?.map(({ key }) => key),
        ["123456_2025-11-10_21#0.json", PLAIN]
      )
      const kept = yield* Effect.provide(keep("123456_2025-11-10_21#1.json"), world.layer)
      assert.deepEqual(
        kept.superseded.map(({ key }) => key),
        [PLAIN]
      )
    })
  )
})

describe("resolveConflict() of an hour in two forms", () => {
  it.effect("lets one object count, and lists the other, which it does not remove", () =>
    Effect.gen(function* () {
      const { calls, layer, store } = yield* doubled()
      const resolved = yield* Effect.provide(keep(GZIP), layer)
      assert.deepEqual(
        [resolved.object, resolved.superseded],
        [`memory: ${GZIP}`, [{ key: PLAIN, object: `memory: ${PLAIN}` }]]
      )
      const marks = (yield* keysOf(store)).filter((key) => key.startsWith(".amplitude-lake"))
      assert.deepEqual([marks.length, (yield* keysOf(store)).length], [1, 3])
      calls.length = 0
      const status = yield* Effect.provide(statusOfHours(), layer)
      assert.deepEqual(
        calls.map(({ method }) => method),
        ["list", "head"]
      )
      assert.deepEqual([status.conflicts, status.totals.landed, status.exitCode], [[], 1, 0])
      assert.deepEqual(
        status.superseded.map(({ key, kept }) => [key, kept]),
        [[PLAIN, `memory: ${GZIP}`]]
      )
      const verified = yield* Effect.provide(verifyHours(), layer)
      assert.deepEqual([verified.objects, verified.events, verified.exitCode], [1, 2, 0])
      const recheck = yield* Effect.provide(recheckWindow(options), layer)
      assert.deepEqual([recheck.skipped, recheck.exitCode], [[HOUR], 0])
    })
  )

  it.effect("is repeatable, by full address too, and not to be changed by a later decision", () =>
    Effect.gen(function* () {
      const { layer } = yield* doubled()
      yield* Effect.provide(keep(`memory: ${PLAIN}`), layer)
      const again = yield* Effect.provide(keep(PLAIN), layer)
      assert.deepEqual(
        again.superseded.map(({ key }) => key),
        [GZIP]
      )
      const error = yield* Effect.provide(Effect.flip(keep(GZIP)), layer)
      assert.match(error.message, /Decided: .* says that 2025-11-10_21\.jsonl counts, as ada/)
    })
  )

  it.effect("says what to name for store and ours, and for a key of another hour", () =>
    Effect.gen(function* () {
      const { layer } = yield* doubled()
      for (const version of ["store", "ours"]) {
        const error = yield* Effect.provide(Effect.flip(keep(version)), layer)
        assert.match(error.message, /Doubled: .*under the keys .*jsonl/)
      }
      const unknown = yield* Effect.provide(Effect.flip(keep("2025-11-10_20.jsonl")), layer)
      assert.match(unknown.message, /UnknownKey/)
    })
  )

  it.effect("opens again where a third object comes, or one of them changes", () =>
    Effect.gen(function* () {
      const { layer, store } = yield* doubled()
      yield* Effect.provide(keep(PLAIN), layer)
      const third = "2025-11-10_21.jsonl.gz"
      yield* store.put(objectOf(third, ""))
      assert.equal((yield* Effect.provide(statusOfHours(), layer)).exitCode, 8)
      yield* store.remove(third)
      assert.equal((yield* Effect.provide(statusOfHours(), layer)).exitCode, 0)
      yield* store.remove(GZIP)
      yield* store.put(objectOf(GZIP, ""))
      assert.equal((yield* Effect.provide(statusOfHours(), layer)).exitCode, 8)
    })
  )

  it.effect("compares a staged hour with the version that counts, and with none before", () =>
    Effect.gen(function* () {
      const { layer, staging, store } = yield* doubled()
      const nowhere = yield* makeWorld({ amplitude: { hours: {} } })
      yield* fetchHours(options).pipe(
        Effect.provideService(ObjectStorage, nowhere.store),
        Effect.provide(layer)
      )
      for (const run of [syncHours(options), recheckWindow(options)]) {
        const { exitCode, failed } = yield* Effect.provide(run, layer)
        assert.deepEqual([exitCode, failed[0]?.error], [8, "LandingError.Doubled"])
      }
      const cleaned = yield* Effect.provide(cleanLeftovers(), layer)
      assert.equal(cleaned.exitCode, 8)
      assert.deepEqual(yield* keysOf(staging), [PLAIN])
      assert.equal((yield* keysOf(store)).length, 2)
      yield* Effect.provide(keep(GZIP), layer)
      const moved = yield* Effect.provide(syncHours(options), layer)
      assert.deepEqual([moved.skipped, moved.exitCode], [[HOUR], 0])
      assert.deepEqual(yield* keysOf(staging), [])
    })
  )
})
