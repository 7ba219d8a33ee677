import assert from "node:assert/strict"
import { describe, it } from "@effect/vitest"
import { Effect } from "effect"
import type { Ended, Program } from "../fixtures/program.ts"
import { restartServer } from "./_database.ts"
import { ended, KEYS, makeFleet, until } from "./_machines.ts"

function summaryOf({ code, stderr, stdout }: Ended) {
  assert.equal(code, 0, stderr.slice(-3000))
  return JSON.parse(stdout) as {
    readonly landed: ReadonlyArray<string>
    readonly empty: ReadonlyArray<string>
    readonly skipped: ReadonlyArray<string>
    readonly exitCode: number
  }
}

/** The number of windows in a state. */
const countOf = (fleet: Fleet, state: string) =>
  Effect.map(
    fleet.query(
      `select count(*)::integer as count from amplitude_lake.windows where state = '${state}'`
    ),
    ([row]) => Number(row?.["count"])
  )
type Fleet = Effect.Effect.Success<ReturnType<typeof makeFleet>>

describe("A fleet", () => {
  it.scopedLive("lands each hour once, by four requests at most, while workers are killed", () =>
    Effect.gen(function* () {
      const fleet = yield* makeFleet("2025-11-01", "2025-11-03")
      const { gate } = fleet
      gate.delay = 300
      const workers = yield* Effect.all(Array.from({ length: 5 }, () => fleet.worker()))
      const backfill = yield* fleet.backfill("--request-hours", "4", "--json")
      for (let kills = 0; kills < 3; kills += 1) {
        const before = gate.windows.length
        yield* until(
          Effect.sync(() => gate.windows.length),
          (now) => now >= before + 3
        )
        const victim: Program | undefined = workers.shift()
        victim?.kill("SIGKILL")
        workers.push(yield* fleet.worker())
      }
      const { empty, landed, skipped } = summaryOf(yield* ended(backfill))
      assert.equal(landed.length + empty.length + skipped.length, 3 * 24)
      const [lake, dump] = yield* fleet.compared
      assert.deepEqual(lake, dump)
      const most = gate.most.get(KEYS.AMP_API_KEY) ?? 0
      assert.ok(most >= 3 && most <= 4, `${most} at once`)
      assert.deepEqual(gate.twice, [])
      // A killed worker's window is the only one that is requested again.
      assert.ok(gate.windows.length <= 18 + 3, `${gate.windows.length} requests`)
    })
  )

  // A machine that is busy with something else is measured again.
  it.scopedLive(
    "is at least 2.5 times as fast with four workers as with one",
    () =>
      Effect.gen(function* () {
        const fleet = yield* makeFleet("2025-11-01T00", "2025-11-01T07")
        fleet.gate.delay = 2000
        const timed = Effect.fnUntraced(function* (workers: number, prefix: string) {
          const lake = ["--prefix", prefix]
          const running = yield* Effect.all(
            Array.from({ length: workers }, () => fleet.worker(...lake))
          )
          for (const it of running)
            yield* until(Effect.sync(it.said), (text) => text.includes("has 1 lane"))
          const backfill = yield* fleet.backfill("--request-hours", "1", "--json", ...lake)
          const begun = fleet.gate.windows.length
          yield* until(
            Effect.sync(() => fleet.gate.windows.length),
            (now) => now > begun
          )
          const at = Date.now()
          yield* until(countOf(fleet, "waiting"), (left) => left === 0)
          yield* until(countOf(fleet, "running"), (left) => left === 0)
          const took = Date.now() - at
          summaryOf(yield* ended(backfill))
          for (const it of running) it.kill("SIGKILL")
          return took
        }, Effect.scoped)
        const one = yield* timed(1, "one/")
        const four = yield* timed(4, "four/")
        assert.ok(one / four >= 2.5, `${one} ms by one, ${four} ms by four`)
      }),
    { retry: 2 }
  )

  it.scopedLive("hands a window over within 10 seconds of SIGTERM", () =>
    Effect.gen(function* () {
      const fleet = yield* makeFleet("2025-11-01T00", "2025-11-01T01")
      const { gate } = fleet
      gate.delay = 60_000
      const worker = yield* fleet.worker()
      const backfill = yield* fleet.backfill("--json")
      yield* until(Effect.sync(gate.open), (open) => open === 1)
      const at = Date.now()
      worker.kill("SIGTERM")
      const { code } = yield* ended(worker)
      assert.equal(code, 143)
      assert.ok(Date.now() - at < 10_000)
      assert.equal(yield* countOf(fleet, "waiting"), 1)
      gate.delay = 0
      yield* fleet.worker()
      summaryOf(yield* ended(backfill))
      const [lake, dump] = yield* fleet.compared
      assert.deepEqual(lake, dump)
    })
  )

  it.scopedLive(
    "loses and doubles nothing by a frozen worker, and by a database that restarts",
    () =>
      Effect.gen(function* () {
        const fleet = yield* makeFleet("2025-11-01", "2025-11-02")
        const { gate } = fleet
        gate.delay = 500
        const frozen = yield* fleet.worker()
        const backfill = yield* fleet.backfill("--request-hours", "4", "--json")
        yield* until(Effect.sync(gate.open), (open) => open === 1)
        frozen.kill("SIGSTOP")
        yield* fleet.worker()
        const before = gate.windows.length
        yield* until(
          Effect.sync(() => gate.windows.length),
          (now) => now >= before + 2
        )
        // Nobody has taken what the frozen one has.
        assert.deepEqual(gate.twice, [])
        yield* restartServer
        yield* until(
          Effect.sync(() => gate.windows.length),
          (now) => now >= before + 4
        )
        frozen.kill("SIGCONT")
        summaryOf(yield* ended(backfill))
        const [lake, dump] = yield* fleet.compared
        assert.deepEqual(lake, dump)
      })
  )

  it.scopedLive("is watched, stopped, and goes on; the same dates are the same backfill", () =>
    Effect.gen(function* () {
      const fleet = yield* makeFleet("2025-11-01", "2025-11-01")
      const { gate } = fleet
      gate.delay = 400
      const early = yield* ended(yield* fleet.backfill("--watch"))
      assert.equal(early.code, 2)
      assert.match(early.stderr, /NotFound: it knows no backfill/)
      const first = yield* fleet.backfill("--request-hours", "2")
      yield* fleet.worker("--worker-lanes", "2")
      yield* until(
        Effect.sync(() => gate.windows.length),
        (now) => now >= 3
      )
      const stopped = yield* ended(yield* fleet.backfill("--stop", "--json"))
      assert.equal(stopped.code, 0, stopped.stderr)
      const { stopped: isStopped, windows } = JSON.parse(stopped.stdout) as Record<string, unknown>
      assert.deepEqual([isStopped, windows], [true, 12])
      const partly = yield* ended(first)
      assert.equal(partly.code, 3, partly.stderr)
      assert.match(partly.stdout, /^postponed +\d+ hours/m)
      yield* until(countOf(fleet, "running"), (running) => running === 0)
      const requested = gate.windows.length
      const watching = yield* fleet.backfill("--json")
      const stops = fleet.query("select stopped_at from amplitude_lake.backfills")
      yield* until(stops, ([row]) => row?.["stopped_at"] === null)
      const other = yield* fleet.backfill("--json", "--watch")
      const { landed } = summaryOf(yield* ended(watching))
      assert.deepEqual(summaryOf(yield* ended(other)).landed, landed)
      assert.ok(gate.windows.length > requested)
      const [row] = yield* fleet.query(
        "select count(*)::integer as count from amplitude_lake.backfills"
      )
      assert.equal(row?.["count"], 1)
      // Nothing is missing, so that nothing is submitted.
      const again = summaryOf(yield* ended(yield* fleet.backfill("--json")))
      assert.deepEqual([again.landed.length, again.skipped.length], [0, 24])
    })
  )
})
