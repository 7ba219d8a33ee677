import assert from "node:assert/strict"
import { describe, it } from "@effect/vitest"
import { Effect, FastCheck, Layer } from "effect"
import * as WarehouseMemory from "../../../src/layers/memory/WarehouseMemory.ts"
import { loadHours } from "../../../src/programs/load/loadHours.ts"
import { Shard } from "../../../src/programs/plan/Shard.ts"
import { allHours, planHours } from "../../../src/programs/runPipeline.ts"
import { addHours, hourAt } from "../../../src/services/Hour.ts"
import { Window } from "../../../src/services/Window.ts"
import { event, hour, keysOf, makeWorld, passTime, runOptions } from "../../fixtures/world.ts"

const HOUR = 3_600_000
const shardsOf = (shards: number) =>
  Array.from({ length: shards }, (_, at) => new Shard({ shard: at + 1, shards }))

describe("Shard", () => {
  it("is one of several that together have every hour of any window once, and days whole", () => {
    FastCheck.assert(
      FastCheck.property(
        FastCheck.integer({ min: 1, max: 40 }),
        FastCheck.integer({
          min: Date.UTC(2014, 0, 1) / HOUR,
          max: Date.UTC(2035, 0, 1) / HOUR
        }),
        FastCheck.integer({ min: 1, max: 1500 }),
        (shards, start, length) => {
          const first = hourAt(start * HOUR)
          const { hours } = new Window({ first, last: addHours(first, length - 1) })
          const parts = shardsOf(shards).map((it) => hours.filter((hour) => it.has(hour)))
          assert.deepEqual(parts.flat().sort(), hours)
          const days = parts.map((it) => new Set(it.map((hour) => hour.slice(0, 10))))
          const all = new Set(hours.map((hour) => hour.slice(0, 10)))
          assert.equal(
            days.reduce((sum, { size }) => sum + size, 0),
            all.size
          )
          const sizes = days.map(({ size }) => size)
          assert.ok(Math.max(...sizes) - Math.min(...sizes) <= 1)
        }
      ),
      { seed: 1, numRuns: 100 }
    )
  })

  it("exists from 1 to the number of shards", () => {
    assert.equal(String(new Shard({ shard: 3, shards: 16 })), "3/16")
    for (const [shard, shards] of [
      [0, 2],
      [3, 2],
      [1, 0],
      [0.5, 2]
    ] as const) {
      assert.throws(() => new Shard({ shard, shards }))
    }
  })
})

const days = ["2025-11-07", "2025-11-08", "2025-11-09", "2025-11-10"]
const hours = Object.fromEntries(
  days.flatMap((day) => ["00", "01"].map((it) => [`${day}T${it}`, [event(`${day}${it}`)]]))
)
const [one, two] = shardsOf(2) as [Shard, Shard]
const window = runOptions("2025-11-07T00", "2025-11-10T23")

const loadedBy = (shard: Shard) =>
  Effect.map(loadHours({ prefix: "events/", shard }), (it) => [it.shard, it.loaded.length])

describe("A run with a shard", () => {
  it.effect("requests and lands the days of its shard, and answers for no others", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld({ amplitude: { hours } })
      const options = { ...window, shard: one }
      const planned = yield* Effect.provide(planHours(options), world.layer)
      assert.equal(planned.missing.length, 48)
      assert.deepEqual(new Set(planned.missing.map((it) => it.slice(0, 10))).size, 2)
      const half = yield* passTime(Effect.provide(allHours(options), world.layer))
      assert.deepEqual([half.shard, half.exitCode, half.olderGaps], ["1/2", 0, null])
      const requests = yield* world.requests
      assert.deepEqual(
        [requests.length, half.landed.length, half.empty.length],
        [2, 4, 44],
        requests.join()
      )
      const later = yield* passTime(
        Effect.provide(allHours({ ...runOptions("2025-11-11T00"), shard: one }), world.layer)
      )
      assert.deepEqual([later.olderGaps, later.exitCode], [null, 0])
      const other = yield* passTime(
        Effect.provide(allHours({ ...runOptions("2025-11-11T00"), shard: two }), world.layer)
      )
      assert.equal(other.olderGaps?.hours, 24)
      assert.equal(other.exitCode, 3)
      yield* passTime(Effect.provide(allHours({ ...window, shard: two }), world.layer))
      assert.equal((yield* keysOf(world.store)).length, 97)
    })
  )

  it.effect("loads the days of its shard", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld({ amplitude: { hours } })
      yield* passTime(Effect.provide(allHours(window), world.layer))
      const layer = Layer.provideMerge(WarehouseMemory.layer(), world.layer)
      const loaded = Effect.all([loadedBy(one), loadedBy(two)])
      assert.deepEqual(yield* passTime(Effect.provide(loaded, layer)), [
        ["1/2", 48],
        ["2/2", 48]
      ])
      const again = loadHours({ prefix: "events/", shard: one, replace: hour("2025-11-08T00") })
      assert.equal(
        (yield* passTime(
          Effect.provide(again, world.layer.pipe(Layer.provideMerge(WarehouseMemory.layer())))
        )).loaded.length,
        1
      )
    })
  )
})
