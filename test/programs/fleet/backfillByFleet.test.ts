import assert from "node:assert/strict"
import { describe, it } from "@effect/vitest"
import { Effect, Fiber, Layer, Option, TestClock } from "effect"
import {
  backfillByFleet,
  type FleetBackfillOptions
} from "../../../src/programs/fleet/backfillByFleet.ts"
import { encodeResult } from "../../../src/programs/fleet/windowResult.ts"
import { Failed, type HourOutcome, Landed } from "../../../src/programs/run/HourOutcome.ts"
import { allHours, fetchHours } from "../../../src/programs/runPipeline.ts"
import { Fleet, type FleetStanding, type NewBackfill } from "../../../src/services/Fleet.ts"
import { addHours } from "../../../src/services/Hour.ts"
import { Window } from "../../../src/services/Window.ts"
import { event, hour, makeWorld, passTime, runOptions } from "../../fixtures/world.ts"

const FIRST = hour("2025-11-10T00")
const LAST = hour("2025-11-10T05")
const hours = Object.fromEntries(
  new Window({ first: FIRST, last: LAST }).hours.map((it) => [it, [event(it)]])
)
const landed = (at: number) => new Landed({ hour: addHours(FIRST, at), events: 7, bytes: 70 })

/** A lake, and a fleet that reports these outcomes once it has been looked at twice. */
const makeFleet = Effect.fnUntraced(function* (
  outcomes: ReadonlyArray<HourOutcome>,
  more: Partial<FleetStanding> = {}
) {
  const world = yield* makeWorld({ amplitude: { hours } })
  const submitted: Array<NewBackfill> = []
  let looks = 0
  const fleet = Layer.mock(Fleet, {
    place: "postgres://db/lake",
    submit: (it) =>
      Effect.sync(() => {
        submitted.push(it)
        return it.windows.length === 0 ? Option.none() : Option.some("1")
      }),
    standing: () =>
      Effect.sync(() => {
        looks += 1
        const whole = submitted[0]?.whole ?? new Window({ first: FIRST, last: LAST })
        const done = looks > 2 ? 2 : 0
        const counts = { windows: 2, running: 2 - done, done, hours: 6, hoursDone: done * 3 }
        return { ...counts, whole, workers: 1, isStopped: false, ...more }
      }),
    results: () => Effect.succeed([encodeResult(outcomes)])
  })
  const { healDays: _, lookbackDays: __, ...options } = runOptions()
  const dates = { start: FIRST, end: LAST, requestHours: 3 }
  return {
    submitted,
    /** Stages an hour on the machine that watches. */
    stage: passTime(Effect.provide(fetchHours(runOptions(FIRST, FIRST)), world.layer)),
    /** Lands some hours as a worker would. */
    land: (last: number) =>
      passTime(Effect.provide(allHours(runOptions(FIRST, addHours(FIRST, last))), world.layer)),
    backfill: (given: FleetBackfillOptions = dates) =>
      Effect.gen(function* () {
        const fiber = yield* Effect.fork(
          Effect.provide(backfillByFleet({ ...options, ...given }), Layer.merge(world.layer, fleet))
        )
        for (let seconds = 0; seconds < 10; seconds += 1) {
          yield* TestClock.adjust("1 second")
          yield* Effect.promise(() => new Promise((resolve) => setImmediate(resolve)))
        }
        return yield* Fiber.join(fiber)
      })
  }
})

describe("backfillByFleet()", () => {
  it.effect("submits what is missing, in windows, under the dates that were typed", () =>
    Effect.gen(function* () {
      const fleet = yield* makeFleet([])
      yield* fleet.land(1)
      yield* fleet.backfill()
      const [it] = fleet.submitted
      assert.deepEqual(it?.windows.map(String), ["2025-11-10T02..2025-11-10T04", "2025-11-10T05"])
      assert.deepEqual([it?.dates, it?.lanes], [`${FIRST}--${LAST}`, 4])
      yield* fleet.backfill({ lanes: 2 })
      assert.deepEqual([fleet.submitted[1]?.dates, fleet.submitted[1]?.lanes], ["--", 2])
    })
  )

  it.effect("takes for missing what is staged on the machine that watches alone", () =>
    Effect.gen(function* () {
      const fleet = yield* makeFleet([])
      assert.equal((yield* fleet.stage).landed.length, 1)
      const { postponed } = yield* fleet.backfill()
      assert.deepEqual([fleet.submitted[0]?.windows[0]?.first, postponed[0]], [FIRST, FIRST])
    })
  )

  it.effect("reports of landed hours what the workers have recorded", () =>
    Effect.gen(function* () {
      const fleet = yield* makeFleet([landed(0), landed(1)])
      const backfill = yield* Effect.fork(fleet.backfill())
      yield* fleet.land(5)
      const summary = yield* Fiber.join(backfill)
      assert.deepEqual([summary.landed.length, summary.skipped.length], [2, 4])
      assert.deepEqual([summary.events, summary.bytes, summary.exitCode], [14, 140, 0])
      assert.ok(summary.durationMs >= 2000)
    })
  )

  it.effect("believes the store of what has landed, and not the database", () =>
    Effect.gen(function* () {
      const fleet = yield* makeFleet([landed(0), landed(5)])
      const { exitCode, landed: found, postponed } = yield* fleet.backfill()
      assert.deepEqual([found, postponed.length, exitCode], [[], 6, 3])
    })
  )

  it.effect("ends with the exit code of what failed", () =>
    Effect.gen(function* () {
      const failed = new Failed({
        hour: LAST,
        kind: "refused",
        isFinal: false,
        error: "AmplitudeError.Forbidden",
        message: "no"
      })
      const fleet = yield* makeFleet([failed], { isStopped: true })
      const summary = yield* fleet.backfill()
      assert.deepEqual([summary.failed.length, summary.exitCode], [1, 7])
    })
  )
})
