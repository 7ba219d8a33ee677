import assert from "node:assert/strict"
import { describe, it } from "@effect/vitest"
import { Deferred, Effect, Exit, Fiber, Layer, Option, Stream } from "effect"
import type { AmplitudeMemoryOptions } from "../../../src/layers/memory/AmplitudeMemory.ts"
import type { ObjectStorageMemoryOptions } from "../../../src/layers/memory/ObjectStorageMemory.ts"
import * as WarehouseMemory from "../../../src/layers/memory/WarehouseMemory.ts"
import {
  type LandAndLoadOptions,
  type LandedAndLoaded,
  landAndLoad
} from "../../../src/programs/load/landAndLoad.ts"
import { loadHours } from "../../../src/programs/load/loadHours.ts"
import { allHours, recheckWindow, type RunOptions } from "../../../src/programs/runPipeline.ts"
import { AmplitudeError } from "../../../src/services/Amplitude.ts"
import { ObjectStorageError } from "../../../src/services/ObjectStorage.ts"
import { Warehouse, WarehouseError } from "../../../src/services/Warehouse.ts"
import type { Window } from "../../../src/services/Window.ts"
import { event, makeWorld, passTime, runOptions } from "../../fixtures/world.ts"

const [H20, H21, H22] = ["2025-11-10T20", "2025-11-10T21", "2025-11-10T22"] as const
const HOURS = { [H20]: [event("a")], [H21]: [event("b")], [H22]: [] }

const forbidden = (window: Window) =>
  new AmplitudeError({ reason: "Forbidden", window, status: 403, detail: "planned" })

interface Options {
  readonly amplitude?: Partial<AmplitudeMemoryOptions>
  readonly store?: ObjectStorageMemoryOptions
  /** What opening the warehouse fails with, by the number of the attempt. */
  readonly fails?: (attempt: number) => WarehouseError["reason"] | undefined
}

const lakeWith = Effect.fn(function* ({ amplitude = {}, fails, store = {} }: Options = {}) {
  const world = yield* makeWorld({ amplitude: { hours: HOURS, ...amplitude }, store })
  const depot = yield* WarehouseMemory.makeTest
  let attempts = 0
  let isOpen = false
  const warehouse = Warehouse.of({
    ...depot.service,
    open: (to) =>
      Effect.gen(function* () {
        attempts += 1
        const reason = fails?.(attempts)
        if (reason !== undefined) {
          return yield* new WarehouseError({ reason, method: "open", path: "it", detail: "no" })
        }
        yield* Effect.acquireRelease(
          Effect.sync(() => {
            isOpen = true
          }),
          () =>
            Effect.sync(() => {
              isOpen = false
            })
        )
        return yield* depot.service.open(to)
      })
  })
  const layer = Layer.merge(world.layer, Layer.succeed(Warehouse, warehouse))
  const both = (
    [first, last]: readonly [string?, string?] = [H20, H22],
    more: Partial<LandAndLoadOptions> = {},
    program: typeof allHours = allHours
  ) =>
    landAndLoad(
      (options) => program({ ...runOptions(first, last), ...options } satisfies RunOptions),
      { prefix: "events/", isByDate: true, onInterrupt: () => Effect.void, ...more }
    ).pipe(Effect.provide(layer))
  return {
    ...world,
    layer,
    warehouse,
    both,
    run: (...args: Parameters<typeof both>) => passTime(both(...args)),
    lines: depot.lines,
    attempts: () => attempts,
    isOpen: () => isOpen
  }
})

const slowly: typeof allHours = (options) =>
  Effect.zipLeft(allHours(options), Effect.sleep("2 minutes"))

const codesOf = ({ exitCode, load }: LandedAndLoaded) => [exitCode, load?.exitCode]

describe("landAndLoad()", () => {
  it.effect("loads what it has landed, and what had landed before, whatever the dates", () =>
    Effect.gen(function* () {
      const lake = yield* lakeWith()
      yield* passTime(Effect.provide(allHours(runOptions(H20)), lake.layer))
      const found = yield* lake.run([H21, H22])
      assert.deepEqual([found.landed, found.empty], [[H21], [H22]])
      assert.deepEqual(found.load?.loaded, [H20, H21, H22])
      assert.deepEqual(codesOf(found), [0, 0])
      assert.deepEqual([...lake.lines.keys()], [H20, H21, H22])
      const again = yield* lake.run()
      assert.deepEqual(
        [again.skipped, again.load?.skipped, again.exitCode],
        [[H20, H21, H22], [H20, H21, H22], 0]
      )
    })
  )

  it.effect("keeps the warehouse closed while hours land", () =>
    Effect.gen(function* () {
      const seen: Array<boolean> = []
      const lake = yield* lakeWith()
      const found = yield* passTime(
        landAndLoad(
          (options) =>
            Effect.suspend(() => {
              seen.push(lake.isOpen())
              return allHours({ ...runOptions(H20, H22), ...options })
            }),
          { isByDate: true, onInterrupt: () => Effect.void }
        ).pipe(Effect.provide(lake.layer))
      )
      assert.deepEqual(seen, [false])
      assert.equal(found.load?.loaded.length, 3)
    })
  )

  const refused = {
    Misconfigured: 2,
    Foreign: 2,
    NotADatabase: 2,
    TooOld: 2,
    TooNew: 2,
    AccessDenied: 7
  } as const
  for (const [reason, code] of Object.entries(refused)) {
    it.effect(`lands nothing where the warehouse is ${reason}, and exits ${code}`, () =>
      Effect.gen(function* () {
        const lake = yield* lakeWith({ fails: () => reason as WarehouseError["reason"] })
        const found = yield* lake.run()
        assert.deepEqual([found.landed, found.load, found.exitCode], [[], undefined, code])
        assert.equal(found.error?.error, `WarehouseError.${reason}`)
        assert.deepEqual([yield* lake.requests, lake.calls], [[], []])
      })
    )
  }

  it.effect("lands nothing where the warehouse holds another lake", () =>
    Effect.gen(function* () {
      const lake = yield* lakeWith()
      yield* lake.run()
      yield* Effect.scoped(
        Effect.flatMap(lake.warehouse.open("load"), ({ claim }) =>
          claim({ place: "s3://elsewhere/", project: Option.some("123456") })
        )
      )
      for (const { key } of yield* Stream.runCollect(lake.store.list)) yield* lake.store.remove(key)
      const before = yield* lake.requests
      const found = yield* lake.run()
      assert.deepEqual([found.landed, found.load, found.exitCode], [[], undefined, 8])
      assert.equal(found.error?.error, "LoadError.OtherPlace")
      assert.deepEqual(yield* lake.requests, before)
    })
  )

  it.effect("lands although the warehouse is busy, tries to load again, and names the hours", () =>
    Effect.gen(function* () {
      const lake = yield* lakeWith({ fails: () => "Busy" })
      const found = yield* lake.run([H20, H22], { retries: 3 })
      assert.deepEqual([found.landed, found.empty], [[H20, H21], [H22]])
      assert.deepEqual(
        found.load?.failed.map(({ error, hour }) => [hour, error]),
        [H20, H21, H22].map((it) => [it, "WarehouseError.Busy"])
      )
      assert.deepEqual(codesOf(found), [3, 5])
      assert.equal(found.error?.error, "WarehouseError.Busy")
      // Once before landing, then by the schedule.
      assert.deepEqual([lake.attempts(), found.retries], [5, 3])
    })
  )

  it.effect("loads as soon as the warehouse is no longer busy", () =>
    Effect.gen(function* () {
      const lake = yield* lakeWith({ fails: (attempt) => (attempt < 4 ? "Busy" : undefined) })
      const found = yield* lake.run()
      assert.deepEqual([found.load?.loaded.length, found.exitCode], [3, 0])
    })
  )

  it.effect("asks for another try where the warehouse is busy and nothing landed", () =>
    Effect.gen(function* () {
      const lake = yield* lakeWith({ fails: (attempt) => (attempt > 2 ? "Busy" : undefined) })
      yield* lake.run()
      const found = yield* lake.run([H20, H22], { retries: 0 })
      assert.deepEqual([found.load?.failed, ...codesOf(found)], [[], 5, 5])
    })
  )

  it.effect("loads what is there although nothing could land, and ends with the worse code", () =>
    Effect.gen(function* () {
      const lake = yield* lakeWith({ amplitude: { plan: ["ok", forbidden] } })
      yield* passTime(Effect.provide(allHours(runOptions(H20)), lake.layer))
      const found = yield* lake.run([H21, H22])
      assert.deepEqual([found.landed, found.load?.loaded], [[], [H20]])
      assert.deepEqual(codesOf(found), [7, 0])
    })
  )

  it.effect("is no green run where store and warehouse contradict each other", () =>
    Effect.gen(function* () {
      const lake = yield* lakeWith()
      yield* passTime(Effect.provide(allHours(runOptions(H20)), lake.layer))
      yield* passTime(Effect.provide(loadHours(), lake.layer))
      yield* lake.store.remove("2025-11-10_20.jsonl")
      const changed = yield* lake.of({ hours: { ...HOURS, [H20]: [event("z")] } })
      yield* passTime(Effect.provide(allHours(runOptions(H20)), changed.layer))
      const found = yield* lake.run()
      assert.deepEqual(
        found.load?.differing.map(({ hour }) => hour),
        [H20]
      )
      assert.deepEqual([found.landed, ...codesOf(found)], [[H21], 8, 8])
    })
  )

  it.effect("loads what rechecking has left, too", () =>
    Effect.gen(function* () {
      const lake = yield* lakeWith()
      yield* passTime(Effect.provide(allHours(runOptions(H20, H22)), lake.layer))
      const found = yield* lake.run([H20, H22], {}, recheckWindow)
      assert.deepEqual([found.load?.loaded.length, found.exitCode], [3, 0])
    })
  )

  for (const [isByDate, code] of [
    [false, 0],
    [true, 3]
  ] as const) {
    it.effect(
      `loads with the time that landing has left: ${isByDate ? "by" : "without"} dates`,
      () =>
        Effect.gen(function* () {
          const lake = yield* lakeWith()
          const limit = { isByDate, maxDuration: "1 minute" } as const
          const found = yield* lake.run([H20, H22], limit, slowly)
          assert.deepEqual([found.landed, found.load?.loaded], [[H20, H21], []])
          assert.deepEqual([found.load?.postponed, ...codesOf(found)], [[H20, H21, H22], code, 0])
          const next = yield* lake.run([H20, H22], limit)
          assert.deepEqual([next.load?.loaded.length, next.exitCode], [3, 0])
        })
    )
  }

  it.effect("tells of both parts where it is interrupted", () =>
    Effect.gen(function* () {
      const begun = yield* Deferred.make<void>()
      const lake = yield* lakeWith({
        store: {
          failures: ({ key, method }) => {
            if (method !== "get" || key !== "2025-11-10_21.jsonl") return Option.none()
            Deferred.unsafeDone(begun, Exit.void)
            return Option.some(
              new ObjectStorageError({ reason: "Unavailable", method, path: key, detail: "gone" })
            )
          }
        }
      })
      let soFar: LandedAndLoaded | undefined
      const fiber = yield* Effect.fork(
        lake.both([H20, H22], {
          retryBase: "1 hour",
          onInterrupt: (it) =>
            Effect.sync(() => {
              soFar = it
            })
        })
      )
      yield* Deferred.await(begun)
      yield* Fiber.interrupt(fiber)
      assert.deepEqual([soFar?.landed, soFar?.load?.loaded], [[H20, H21], [H20]])
    })
  )
})
