import assert from "node:assert/strict"
import { describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { statusOfHours } from "../../src/programs/inspect/statusOfHours.ts"
import { allHours, recheckWindow, syncHours } from "../../src/programs/runPipeline.ts"
import { ObjectStorage, ObjectStorageError } from "../../src/services/ObjectStorage.ts"
import { event, makeWorld, passTime, runOptions as everyOption } from "../fixtures/world.ts"

/** A healing window of two days, in which few hours have to land. */
const runOptions = (
  start?: string,
  end = start,
  more: Partial<ReturnType<typeof everyOption>> = {}
) => everyOption(start, end, { healDays: 2, ...more })

describe("older gaps", () => {
  const outage = Effect.gen(function* () {
    const hours = { "2025-10-09T00": [event("a")], "2025-10-14T00": [event("b")] }
    const world = yield* makeWorld({ amplitude: { hours }, now: "2025-10-10T12:00:00Z" })
    const first = yield* passTime(Effect.provide(allHours(runOptions()), world.layer))
    const after = yield* world.of({ hours }, "2025-10-15T12:30:00Z")
    return { first, world, after }
  })

  it.effect("are counted and fail every run, until they are landed", () =>
    Effect.gen(function* () {
      const { after, first, world } = yield* outage
      assert.deepEqual([first.olderGaps, first.exitCode], [null, 0])
      const missing = { hours: 84, first: "2025-10-09T12", last: "2025-10-12T23" }
      for (const _ of [1, 2]) {
        const again = yield* passTime(Effect.provide(allHours(runOptions()), after.layer))
        assert.deepEqual(again.olderGaps, missing)
        assert.equal(again.exitCode, 3)
      }
      const status = yield* Effect.provide(statusOfHours(), after.layer)
      assert.deepEqual([status.gaps, status.exitCode], [missing, 3])
      const dates = runOptions(missing.first, missing.last)
      const landed = yield* passTime(Effect.provide(allHours(dates), after.layer))
      assert.deepEqual([landed.empty.length, landed.exitCode], [84, 0])
      const fine = yield* passTime(Effect.provide(allHours(runOptions()), after.layer))
      assert.deepEqual([fine.olderGaps, fine.exitCode], [null, 0])
      assert.equal((yield* Effect.provide(statusOfHours(), world.layer)).exitCode, 0)
    })
  )

  it.effect("are named by sync, which does not answer for them", () =>
    Effect.gen(function* () {
      const { after } = yield* outage
      const synced = yield* Effect.provide(syncHours(runOptions()), after.layer)
      assert.deepEqual([synced.olderGaps?.first, synced.exitCode], ["2025-10-09T12", 0])
    })
  )

  it.effect("do not make a failed run exit as temporary", () =>
    Effect.gen(function* () {
      const { after, world } = yield* outage
      const check = new ObjectStorageError({
        reason: "Unavailable",
        method: "check",
        path: "memory",
        detail: "planned"
      })
      const store = { ...world.store, check: Effect.fail(check) }
      const failed = yield* allHours(runOptions(undefined, undefined, { retries: 0 })).pipe(
        Effect.provideService(ObjectStorage, store),
        Effect.provide(after.layer),
        passTime
      )
      assert.deepEqual(
        [failed.error?.error, failed.exitCode],
        ["ObjectStorageError.Unavailable", 3]
      )
    })
  )

  it.effect("are reported if a lake grows backwards, and do not fail the run", () =>
    Effect.gen(function* () {
      const { after } = yield* outage
      const dates = runOptions("2025-09-27T00", "2025-09-27T05")
      const landed = yield* passTime(Effect.provide(allHours(dates), after.layer))
      assert.deepEqual([landed.olderGaps, landed.exitCode], [null, 0])
      const newer = { hours: 282, first: "2025-09-27T06", last: "2025-10-08T23" }
      assert.deepEqual(landed.newerGaps, newer)
      const next = yield* passTime(Effect.provide(allHours(runOptions()), after.layer))
      assert.deepEqual([next.olderGaps?.first, next.exitCode], ["2025-09-27T06", 3])
    })
  )

  it.effect("of the window fail a recheck, which lands nothing", () =>
    Effect.gen(function* () {
      const { after } = yield* outage
      const dates = runOptions("2025-10-09T00", "2025-10-10T23")
      const found = yield* passTime(Effect.provide(recheckWindow(dates), after.layer))
      assert.deepEqual([found.olderGaps?.first, found.exitCode], ["2025-10-09T12", 3])
    })
  )

  it.effect("do not exist, and are no defect, if only an hour that is not closed has landed", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld({
        amplitude: { hours: {} },
        store: { objects: { "2025-11-12_11.jsonl": Buffer.from("{}\n") } }
      })
      const status = yield* Effect.provide(statusOfHours(), world.layer)
      assert.deepEqual([status.totals.gap, status.exitCode], [0, 0])
    })
  )

  it.effect("do not exist if no hour has landed", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld({ amplitude: { hours: {} } })
      const status = yield* Effect.provide(statusOfHours(), world.layer)
      assert.deepEqual([status.totals.gap, status.exitCode], [0, 0])
      assert.ok(status.totals.unlanded > 0)
    })
  )
})
