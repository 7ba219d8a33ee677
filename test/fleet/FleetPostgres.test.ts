import assert from "node:assert/strict"
import { describe, it } from "@effect/vitest"
import { Effect, Option, Redacted } from "effect"
import * as FleetPostgres from "../../src/layers/postgres/FleetPostgres.ts"
import { backfillOf, fleetContract, LAKE, nothing, submitted, taken } from "../contracts/fleet.ts"
import { database, query } from "./_database.ts"
import { until } from "./_machines.ts"

const make = Effect.gen(function* () {
  const url = yield* database
  const fleet = yield* FleetPostgres.make({ url: Redacted.make(url) })
  return { url, fleet }
})

/** As if all that has happened to a fleet had happened a day before. */
const aged = (url: string) => {
  const old = "now() - interval '25 hours'"
  return Effect.promise(() =>
    query(
      url,
      `update amplitude_lake.backfills set begun_at = ${old}, ended_at = case when ended_at is null then null else ${old} end`
    )
  )
}

fleetContract(
  "FleetPostgres",
  Effect.map(make, ({ fleet, url }) => ({
    fleet,
    aDayLater: (call) => Effect.zipRight(aged(url), call)
  }))
)

describe("FleetPostgres", () => {
  it.scopedLive("frees what a lane has taken when the server ends its session", () =>
    Effect.gen(function* () {
      const { fleet, url } = yield* make
      yield* submitted(fleet, backfillOf(2, { lanes: 1 }))
      const dead = yield* fleet.lane
      const first = yield* taken(dead)
      const lane = yield* fleet.lane
      yield* nothing(lane)
      yield* Effect.promise(() =>
        query(
          url,
          "select pg_terminate_backend(pid) from pg_locks where locktype = 'advisory' and granted"
        )
      )
      assert.equal((yield* Effect.flip(dead.lost)).reason, "Unavailable")
      // The server reports the end of a session before it releases the session's locks.
      const again = Option.getOrThrow(yield* until(lane.take([LAKE], "me"), Option.isSome))
      assert.deepEqual([again.window, again.turn], [first.window, 2])
    })
  )

  it.scopedLive("forgets the windows of what it purges", () =>
    Effect.gen(function* () {
      const { fleet, url } = yield* make
      yield* submitted(fleet, backfillOf(3))
      const lane = yield* fleet.lane
      for (let at = 0; at < 3; at += 1) yield* lane.finish(yield* taken(lane), [], false)
      yield* aged(url)
      assert.equal(yield* fleet.purge(1), 1)
      const left = yield* Effect.promise(() => query(url, "select from amplitude_lake.windows"))
      assert.deepEqual(left, [])
    })
  )

  it.scopedLive("says why it cannot be used, without the password", () =>
    Effect.gen(function* () {
      const url = yield* database
      const fails = Effect.fnUntraced(function* (change: Partial<URL>) {
        const wrong = Object.assign(new URL(url), { password: "hunter2" }, change).href
        const fleet = yield* FleetPostgres.make({ url: Redacted.make(wrong) })
        const error = yield* Effect.flip(fleet.find(backfillOf(0)))
        assert.ok(!error.message.includes("hunter2"), error.message)
        return error.reason
      })
      assert.equal(yield* fails({ port: "1" }), "Unavailable")
      assert.equal(yield* fails({ pathname: "/nowhere" }), "Misconfigured")
      assert.equal(yield* fails({ username: "nobody" }), "AccessDenied")
      const fleet = yield* FleetPostgres.make({ url: Redacted.make(url) })
      yield* fleet.find(backfillOf(0))
      yield* Effect.promise(() => query(url, "update amplitude_lake.version set number = 2"))
      assert.equal(yield* fails({}), "TooNew")
    })
  )

  it.scopedLive("makes its tables once where many are the first", () =>
    Effect.gen(function* () {
      const url = yield* database
      const finds = Array.from({ length: 6 }, () =>
        Effect.flatMap(FleetPostgres.make({ url: Redacted.make(url) }), (fleet) =>
          fleet.find(backfillOf(0))
        )
      )
      yield* Effect.all(finds, { concurrency: "unbounded" })
      const rows = yield* Effect.promise(() =>
        query(url, "select number from amplitude_lake.version")
      )
      assert.deepEqual(rows, [{ number: 1 }])
    })
  )
})
