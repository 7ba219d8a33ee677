import assert from "node:assert/strict"
import { describe, it } from "@effect/vitest"
import { Clock, Effect, Fiber, Layer, TestClock } from "effect"
import {
  backfillHours,
  type BackfillOptions,
  planBackfill
} from "../../../src/programs/fleet/backfillHours.ts"
import { allHours } from "../../../src/programs/runPipeline.ts"
import { Amplitude } from "../../../src/services/Amplitude.ts"
import { addHours } from "../../../src/services/Hour.ts"
import { Window } from "../../../src/services/Window.ts"
import { event, hour, keysOf, makeWorld, passTime, runOptions } from "../../fixtures/world.ts"
import { isLong } from "../../fixtures/long.ts"

const FIRST = hour("2025-10-05T00")
const LAST = hour("2025-11-10T23")
/** Days that have landed, the first of them 38 days before the clock's. */
const DAYS = ["2025-10-05", "2025-10-07"]
const hours = Object.fromEntries(
  new Window({ first: FIRST, last: LAST }).hours.map((it) => [it, [event(it)]])
)
/** The same with an event at midnight only. */
const midnights = Object.fromEntries(Object.entries(hours).filter(([it]) => it.endsWith("T00")))

/** Counts the requests that are being answered, each of which takes two seconds. */
function slowly(amplitude: Amplitude["Type"]) {
  let open = 0
  const seen = { most: 0, count: 0 }
  const service = Amplitude.of({
    ...amplitude,
    export: (window) =>
      Effect.acquireRelease(
        Effect.sync(() => {
          open += 1
          seen.count += 1
          seen.most = Math.max(seen.most, open)
        }),
        () => Effect.sync(() => (open -= 1))
      ).pipe(Effect.zipRight(Effect.sleep("2 seconds")), Effect.zipRight(amplitude.export(window)))
  })
  return { seen, service }
}

const makeLake = Effect.fnUntraced(function* (amplitude = { hours }) {
  const world = yield* makeWorld({ amplitude })
  const inner = yield* Effect.provide(Amplitude, world.layer)
  const { seen, service } = slowly(inner)
  const layer = Layer.merge(world.layer, Layer.succeed(Amplitude, service))
  const { healDays: _, lookbackDays: __, ...options } = runOptions()
  return {
    ...world,
    seen,
    /** Lands one window of `all`. */
    land: (first: string, last: string) =>
      passTime(Effect.provide(allHours(runOptions(first, last)), layer)),
    plan: Effect.provide(planBackfill(options), layer),
    backfill: (more: BackfillOptions = {}) =>
      Effect.provide(backfillHours({ ...options, ...more }), layer)
  }
})

const seconds = Effect.map(Clock.currentTimeMillis, (it) => it / 1000)

describe("backfillHours()", () => {
  it.effect("lands every gap of the lake, however old", () =>
    Effect.gen(function* () {
      const lake = yield* makeLake({ hours: midnights })
      for (const day of DAYS) yield* lake.land(`${day}T00`, `${day}T23`)
      const planned = yield* lake.plan
      assert.deepEqual(
        [planned.window.first, planned.missing[0]],
        ["2025-10-06T00", "2025-10-06T00"]
      )
      const summary = yield* passTime(lake.backfill())
      assert.deepEqual([summary.exitCode, summary.olderGaps], [0, null])
      assert.deepEqual([summary.landed.length, summary.skipped.length], [35, 24])
      assert.equal(summary.empty.length + summary.pending.length, 35 * 23 + 24)
    })
  )

  it.effect("lands the hours between two dates", () =>
    Effect.gen(function* () {
      const lake = yield* makeLake()
      const summary = yield* passTime(
        lake.backfill({ start: FIRST, end: addHours(FIRST, 99), requestHours: 10 })
      )
      assert.deepEqual([summary.landed.length, summary.exitCode], [100, 0])
      assert.equal(lake.seen.count, 10)
    })
  )

  it.effect.runIf(isLong)(
    "makes as many requests at once as it has lanes, and takes a fraction of the time",
    () =>
      Effect.gen(function* () {
        const took: Array<number> = []
        for (const lanes of [1, 3, undefined]) {
          const lake = yield* makeLake()
          const begun = yield* seconds
          const end = addHours(FIRST, 47)
          yield* passTime(lake.backfill({ start: FIRST, end, requestHours: 2, lanes }))
          took.push((yield* seconds) - begun)
          assert.equal(lake.seen.most, lanes ?? 4)
          assert.equal(lake.seen.count, 24)
        }
        const [one = 0, , four = 0] = took
        assert.ok(one >= 48 && four <= one / 3, took.join())
      })
  )

  it.effect("goes on where it was stopped, without a request for what has landed", () =>
    Effect.gen(function* () {
      const lake = yield* makeLake()
      const dates = { start: FIRST, end: addHours(FIRST, 199), requestHours: 5 }
      let soFar = 0
      const stopped = yield* Effect.fork(
        lake.backfill({
          ...dates,
          onInterrupt: ({ landed }) => Effect.sync(() => void (soFar = landed.length))
        })
      )
      while (lake.seen.count < 18) {
        yield* TestClock.adjust("1 second")
        yield* Effect.promise(() => new Promise((resolve) => setImmediate(resolve)))
      }
      yield* Fiber.interrupt(stopped)
      const landed = (yield* keysOf(lake.store)).length
      assert.ok(landed > 0 && landed < 200)
      assert.equal(soFar, landed)
      lake.seen.count = 0
      const again = yield* passTime(lake.backfill(dates))
      assert.deepEqual([again.landed.length, again.skipped.length], [200 - landed, landed])
      assert.ok(lake.seen.count <= Math.ceil((200 - landed) / 5) + 4)
      assert.deepEqual([again.exitCode, (yield* keysOf(lake.store)).length], [0, 200])
    })
  )
})
