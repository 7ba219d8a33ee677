import assert from "node:assert/strict"
import { describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { listGaps } from "../../../src/programs/inspect/listGaps.ts"
import { statusOfHours } from "../../../src/programs/inspect/statusOfHours.ts"
import { acceptGaps } from "../../../src/programs/resolve/acceptGaps.ts"
import { withdrawGaps } from "../../../src/programs/resolve/withdrawGaps.ts"
import { allHours } from "../../../src/programs/runPipeline.ts"
import { event, hour, keysOf, makeWorld, passTime, runOptions } from "../../fixtures/world.ts"

/** Lands one hour, then an outage that is longer than the healing window, then a run. */
const outage = Effect.gen(function* () {
  const hours = { "2025-09-01T00": [event("a")], "2025-09-20T10": [event("lost")] }
  const world = yield* makeWorld({ amplitude: { hours }, now: "2025-09-02T12:00:00Z" })
  yield* passTime(Effect.provide(allHours(runOptions()), world.layer))
  const after = yield* world.of({ hours }, "2025-10-15T12:30:00Z")
  // A healing window of two days, in which few hours have to land.
  const run = (start?: string) =>
    passTime(Effect.provide(allHours(runOptions(start, start, { healDays: 2 })), after.layer))
  assert.equal((yield* run()).exitCode, 3)
  const accept = (start: string, end: string) =>
    acceptGaps({
      start: hour(start),
      end: hour(end),
      reason: "disk full, Zürich",
      user: "ops"
    }).pipe(Effect.provide(after.layer))
  return { world, after, run, accept }
})

const first = "2025-09-01T12"
const last = "2025-10-12T23"

describe("acceptGaps()", () => {
  it.effect("turns a lake green, says why, who and when, and is drawn in status", () =>
    Effect.gen(function* () {
      const { accept, after, run } = yield* outage
      const accepted = yield* accept("2025-08-31T00", "2025-10-13T05")
      const name = `${first}--${last}--1`
      assert.deepEqual(accepted.accepted, [{ name, first, last, hours: 996 }])
      assert.deepEqual(accepted.left, { landed: 18, accepted: 0, unsettled: 0, before: 24 })
      assert.equal((yield* run()).exitCode, 0)
      const status = yield* Effect.provide(statusOfHours(), after.layer)
      assert.deepEqual([status.totals.accepted, status.totals.gap, status.exitCode], [996, 0, 0])
      const list = yield* Effect.provide(listGaps(), after.layer)
      assert.deepEqual(list.gaps, [])
      const time = "2025-10-15T12:30:00.000Z"
      const about = { reason: "disk full, Zürich", user: "ops", time }
      assert.deepEqual(list.acceptances, [{ name, first, last, hours: 996, ...about }])
    })
  )

  it.effect("accepts each run of gaps by itself, and no hour twice", () =>
    Effect.gen(function* () {
      const { accept, run, world } = yield* outage
      yield* run("2025-09-20T10")
      const accepted = yield* accept(first, last)
      assert.deepEqual(
        accepted.accepted.map((it) => it.name),
        [`${first}--2025-09-20T09--1`, `2025-09-20T11--${last}--1`]
      )
      const error = yield* Effect.flip(accept(first, last))
      assert.equal(error._tag === "ResolveError" && error.reason, "NoGap")
      const marks = (yield* keysOf(world.store)).filter((key) => key.startsWith(".amplitude-lake-"))
      assert.equal(marks.length, 2)
    })
  )

  it.effect("lets an accepted hour land if it is requested by date, and only then", () =>
    Effect.gen(function* () {
      const { accept, after, run } = yield* outage
      yield* accept(first, last)
      const before = (yield* after.requests).length
      assert.equal((yield* run()).landed.length, 0)
      const requested = (yield* after.requests).slice(before)
      assert.ok(
        requested.every((window) => window.slice(0, 13) > last),
        requested.join()
      )
      assert.deepEqual((yield* run("2025-09-20T10")).landed, ["2025-09-20T10"])
      assert.equal((yield* run()).exitCode, 0)
    })
  )
})

describe("withdrawGaps()", () => {
  it.effect("makes gaps of what is still missing, which may be accepted once more", () =>
    Effect.gen(function* () {
      const { accept, after, run } = yield* outage
      yield* accept(first, last)
      const withdraw = (name: string) =>
        Effect.provide(withdrawGaps(name, { user: "ops" }), after.layer)
      const withdrawn = yield* withdraw(`${first}--${last}--1`)
      assert.equal(withdrawn.hours, 996)
      assert.equal((yield* run()).exitCode, 3)
      const again = yield* accept(first, last)
      assert.equal(again.accepted[0]?.name, `${first}--${last}--2`)
      assert.equal((yield* run()).exitCode, 0)
      const error = yield* Effect.flip(withdraw(`${first}--${last}--1`))
      assert.match(error.message, /UnknownAcceptance.*there are 2025-09-01T12--2025-10-12T23--2$/)
    })
  )
})
