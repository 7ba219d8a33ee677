import assert from "node:assert/strict"
import { describe, it } from "@effect/vitest"
import { Effect, Exit, Option, Scope } from "effect"
import type { Fleet, FleetLane, NewBackfill, TakenWindow } from "../../src/services/Fleet.ts"
import { Hour } from "../../src/services/Hour.ts"
import { Window } from "../../src/services/Window.ts"

const hour = (number: number) => Hour.make(`2025-11-10T${String(number).padStart(2, "0")}`)
export const LAKE = { location: "s3://bucket/lake/", source: "shop" }

/** A backfill of a lake, with a window for each hour. */
export function backfillOf(hours: number, more: Partial<NewBackfill> = {}): NewBackfill {
  const windows = Array.from(
    { length: hours },
    (_, at) => new Window({ first: hour(at), last: hour(at) })
  )
  const whole = new Window({ first: hour(0), last: hour(23) })
  return { ...LAKE, dates: "--", whole, lanes: 4, windows, ...more }
}

export const submitted = (fleet: Fleet["Type"], backfill: NewBackfill) =>
  Effect.map(fleet.submit(backfill), Option.getOrThrow)
export const taken = (lane: FleetLane, lakes = [LAKE]) =>
  Effect.map(lane.take(lakes, "me"), Option.getOrThrow)
export const nothing = Effect.fnUntraced(function* (lane: FleetLane, lakes = [LAKE]) {
  assert.ok(Option.isNone(yield* lane.take(lakes, "me")))
})
const hourOf = ({ window }: TakenWindow) => window.first

/** A fleet of its own, and what makes a call a day later than it is. */
export interface FleetToTest {
  readonly fleet: Fleet["Type"]
  readonly aDayLater: <A, E>(call: Effect.Effect<A, E>) => Effect.Effect<A, E>
}

/** What every `Fleet` layer must do. */
export function fleetContract(name: string, make: Effect.Effect<FleetToTest, never, Scope.Scope>) {
  describe(`${name} keeps the Fleet contract`, () => {
    it.scopedLive("takes the same name for the same backfill until it has ended", () =>
      Effect.gen(function* () {
        const { fleet } = yield* make
        assert.ok(Option.isNone(yield* fleet.submit(backfillOf(0))))
        const first = yield* submitted(fleet, backfillOf(2))
        assert.equal(yield* submitted(fleet, backfillOf(5)), first)
        assert.equal(yield* submitted(fleet, backfillOf(0)), first)
        assert.notEqual(yield* submitted(fleet, backfillOf(1, { source: "blog" })), first)
        assert.equal((yield* fleet.standing(first)).windows, 2)
        const lane = yield* fleet.lane
        for (let at = 0; at < 2; at += 1) yield* lane.finish(yield* taken(lane), [at], false)
        assert.deepEqual(yield* fleet.results(first), [[1], [0]])
        assert.equal((yield* fleet.standing(first)).done, 2)
        assert.deepEqual(yield* fleet.find(backfillOf(0)), Option.some(first))
        const second = yield* submitted(fleet, backfillOf(1))
        assert.notEqual(second, first)
        assert.deepEqual(yield* fleet.find(backfillOf(0)), Option.some(second))
      })
    )

    it.scopedLive("begins one backfill where many submit it at once", () =>
      Effect.gen(function* () {
        const { fleet } = yield* make
        const ids = yield* Effect.all(
          Array.from({ length: 8 }, () => submitted(fleet, backfillOf(3))),
          { concurrency: "unbounded" }
        )
        assert.equal(new Set(ids).size, 1)
        assert.equal((yield* fleet.standing(ids[0] ?? "")).windows, 3)
      })
    )

    it.scopedLive(
      "gives each window to one lane, newest first, and a project no more than its lanes",
      () =>
        Effect.gen(function* () {
          const { fleet } = yield* make
          yield* submitted(fleet, backfillOf(6, { lanes: 3 }))
          yield* submitted(fleet, backfillOf(6, { lanes: 3, location: "s3://bucket/other/" }))
          const both = [LAKE, { ...LAKE, location: "s3://bucket/other/" }]
          const lanes = yield* Effect.all(Array.from({ length: 5 }, () => fleet.lane))
          const found = yield* Effect.forEach(lanes, (lane) => lane.take(both, "me"), {
            concurrency: "unbounded"
          })
          const hours = found.flatMap(Option.toArray).map(hourOf)
          // A moment ago, two lanes may have tried the same one.
          assert.ok(hours.length <= 3 && hours.length > 0)
          for (const [at, lane] of lanes.entries()) {
            if (hours.length < 3 && Option.isNone(found[at] ?? Option.none())) {
              hours.push(...Option.toArray(yield* lane.take(both, "me")).map(hourOf))
            }
          }
          assert.deepEqual(hours.toSorted(), [hour(3), hour(4), hour(5)])
          yield* nothing(yield* fleet.lane, both)
        })
    )

    it.scopedLive("gives windows of the lakes that a worker names, and of no others", () =>
      Effect.gen(function* () {
        const { fleet } = yield* make
        yield* submitted(fleet, backfillOf(1))
        const lane = yield* fleet.lane
        yield* nothing(lane, [{ ...LAKE, source: "blog" }])
        yield* nothing(lane, [{ ...LAKE, location: "s3://bucket/other/" }])
        assert.equal(hourOf(yield* taken(lane)), hour(0))
      })
    )

    it.scopedLive("takes a window back, for any lane", () =>
      Effect.gen(function* () {
        const { fleet } = yield* make
        yield* submitted(fleet, backfillOf(1))
        const [one, other] = [yield* fleet.lane, yield* fleet.lane]
        const first = yield* taken(one)
        yield* nothing(other)
        yield* one.giveBack(first)
        assert.deepEqual(yield* taken(other), first)
      })
    )

    it.scopedLive("begins nothing more of a stopped backfill until it is submitted again", () =>
      Effect.gen(function* () {
        const { fleet } = yield* make
        const backfill = yield* submitted(fleet, backfillOf(3))
        const lane = yield* fleet.lane
        const first = yield* taken(lane)
        yield* fleet.stop(backfill)
        yield* nothing(yield* fleet.lane)
        assert.deepEqual((yield* fleet.standing(backfill)).isStopped, true)
        yield* lane.finish(first, [], false)
        assert.equal(yield* submitted(fleet, backfillOf(3)), backfill)
        yield* lane.finish(yield* taken(lane), [], true)
        yield* nothing(lane)
      })
    )

    it.scopedLive("forgets what ended long ago, and nothing that is open", () =>
      Effect.gen(function* () {
        const { aDayLater, fleet } = yield* make
        const ended = yield* submitted(fleet, backfillOf(1))
        const lane = yield* fleet.lane
        yield* lane.finish(yield* taken(lane), [], false)
        const open = yield* submitted(fleet, backfillOf(1))
        assert.equal(yield* fleet.purge(1), 0)
        assert.equal(yield* aDayLater(fleet.purge(1)), 1)
        assert.equal((yield* Effect.flip(fleet.standing(ended))).reason, "NotFound")
        assert.equal((yield* fleet.standing(open)).windows, 1)
      })
    )

    it.scopedLive(
      "frees what a lane has taken when its scope closes, and takes no late result",
      () =>
        Effect.gen(function* () {
          const { fleet } = yield* make
          const backfill = yield* submitted(fleet, backfillOf(2, { lanes: 1 }))
          const scope = yield* Scope.make()
          const dead = yield* Scope.extend(fleet.lane, scope)
          const first = yield* taken(dead)
          const lane = yield* fleet.lane
          yield* nothing(lane)
          yield* Scope.close(scope, Exit.void)
          const again = yield* taken(lane)
          assert.deepEqual([again.window, again.turn], [first.window, 2])
          assert.equal(
            (yield* Effect.flip(dead.finish(first, ["late"], false))).reason,
            "Unavailable"
          )
          const other = yield* fleet.lane
          yield* other.finish(first, ["late"], false)
          yield* other.giveBack(first)
          const { done, running } = yield* fleet.standing(backfill)
          assert.deepEqual([done, running], [0, 1])
          yield* lane.finish(again, ["good"], false)
          assert.deepEqual(yield* fleet.results(backfill), [["good"]])
        })
    )
  })
}
