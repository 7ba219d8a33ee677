import assert from "node:assert/strict"
import { describe, it } from "@effect/vitest"
import { Effect } from "effect"
import type { Ended } from "../fixtures/process/program.ts"
import { restartServer } from "./_database.ts"
import { openLink } from "./_link.ts"
import { ended, KEYS, makeFleet, until } from "./_machines.ts"

type Fleet = Effect.Effect.Success<ReturnType<typeof makeFleet>>

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
/** Waits until so many requests have come, and so many of them are open. */
const requested = ({ gate }: Fleet, count: number, open: number) =>
  until(
    Effect.sync(() => [gate.windows.length, gate.open()] as const),
    ([now, isOpen]) => now === count && isOpen === open
  )

/** Waits until so many lanes have looked for a window in vain, as the last that they did. */
const inVain = (fleet: Fleet, lanes: number) =>
  until(
    fleet.query(
      `select count(*)::integer as count from pg_stat_activity
      where datname = current_database() and pid <> pg_backend_pid() and query like '%pg_try_advisory_lock%'`
    ),
    ([row]) => row?.["count"] === lanes
  )

/** The windows on their way, with their workers' names. */
const running = (fleet: Fleet) =>
  fleet.query("select first, worker from amplitude_lake.windows where state = 'running'")

describe("A fleet", () => {
  it.scopedLive("lands each hour once, by exactly four requests, while workers are killed", () =>
    Effect.gen(function* () {
      const fleet = yield* makeFleet("2025-11-01", "2025-11-03")
      const { gate } = fleet
      gate.delay = Infinity
      const workers = yield* Effect.all(Array.from({ length: 5 }, () => fleet.worker()))
      const backfill = yield* fleet.backfill("--request-hours", "4", "--json")
      yield* requested(fleet, 4, 4)
      for (let kills = 0; kills < 3; kills += 1) {
        yield* inVain(fleet, 1)
        const [{ first, worker } = {}] = yield* running(fleet)
        const victim = workers.findIndex((it) => it.said().includes(`Worker ${String(worker)} `))
        workers.splice(victim, 1).forEach((it) => it.kill("SIGKILL"))
        yield* requested(fleet, 5 + kills, 4)
        assert.ok(gate.windows.at(-1)?.startsWith(String(first).replaceAll("-", "")))
        workers.push(yield* fleet.worker())
      }
      gate.delay = 0
      gate.letGo()
      const { empty, landed, skipped } = summaryOf(yield* ended(backfill))
      assert.equal(landed.length + empty.length + skipped.length, 3 * 24)
      const [lake, dump] = yield* fleet.compared
      assert.deepEqual(lake, dump)
      assert.equal(gate.most.get(KEYS.AMP_API_KEY), 4)
      assert.deepEqual(gate.twice, [])
      // A killed worker's window is the only one that is requested again.
      assert.equal(gate.windows.length, 18 + 3)
    })
  )

  it.scopedLive("lands in two answers' time by four workers what one lands in eight", () =>
    Effect.gen(function* () {
      const fleet = yield* makeFleet("2025-11-01T04", "2025-11-01T11")
      const { gate } = fleet
      // Each hour has events: one without is requested twice.
      gate.delay = Infinity
      const answers = Effect.fnUntraced(function* (workers: number, prefix: string) {
        const lake = ["--prefix", prefix]
        yield* Effect.all(Array.from({ length: workers }, () => fleet.worker(...lake)))
        const backfill = yield* fleet.backfill("--request-hours", "1", "--json", ...lake)
        const before = gate.windows.length
        let count = 0
        while (gate.windows.length < before + 8) {
          yield* requested(fleet, gate.windows.length + workers, workers)
          gate.letGo()
          count += 1
        }
        summaryOf(yield* ended(backfill))
        return count
      }, Effect.scoped)
      assert.equal(yield* answers(1, "one/"), 8)
      assert.equal(yield* answers(4, "four/"), 2)
    })
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

  it.scopedLive("loses and doubles nothing by a database that restarts", () =>
    Effect.gen(function* () {
      const fleet = yield* makeFleet("2025-11-01", "2025-11-02")
      const { gate } = fleet
      gate.delay = Infinity
      yield* fleet.worker()
      yield* fleet.worker()
      const backfill = yield* fleet.backfill("--request-hours", "4", "--json")
      yield* requested(fleet, 2, 2)
      yield* restartServer
      // Both let go of what they had, and begin it again.
      yield* requested(fleet, 4, 2)
      gate.delay = 0
      gate.letGo()
      summaryOf(yield* ended(backfill))
      assert.equal(gate.windows.length, 12 + 2)
      assert.deepEqual(gate.twice, [])
      const [lake, dump] = yield* fleet.compared
      assert.deepEqual(lake, dump)
    })
  )

  it.scopedLive(
    "takes over from a worker that is frozen, or cannot reach the database, and bears both when they are back",
    () =>
      Effect.gen(function* () {
        const fleet = yield* makeFleet("2025-11-01", "2025-11-02")
        const { gate } = fleet
        gate.delay = Infinity
        const link = yield* openLink(fleet.url)
        const backfill = yield* fleet.backfill("--request-hours", "4", "--json")
        const frozen = yield* fleet.worker()
        yield* requested(fleet, 1, 1)
        yield* fleet.workerBy({ AMPLITUDE_LAKE_DATABASE_URL: link.url })
        yield* requested(fleet, 2, 2)
        const [one = "", other = ""] = gate.windows
        frozen.kill("SIGSTOP")
        link.cut()
        const begun = Date.now()
        // The second stops by itself, before anybody else may begin.
        yield* until(Effect.sync(gate.open), (open) => open === 1)
        yield* fleet.worker("--worker-lanes", "4")
        // Both windows are begun again, and two more: a lane that is free is never left free.
        yield* requested(fleet, 6, 5)
        assert.ok(Date.now() - begun < 45_000)
        assert.deepEqual(
          gate.windows
            .slice(2)
            .filter((it) => it === one || it === other)
            .toSorted(),
          [one, other].toSorted()
        )
        assert.deepEqual(gate.twice, [one])
        link.heal()
        yield* inVain(fleet, 1)
        // The frozen worker's answer lies ready when it wakes.
        gate.delay = 0
        gate.letGo()
        frozen.kill("SIGCONT")
        summaryOf(yield* ended(backfill))
        assert.equal(gate.windows.length, 12 + 2)
        const [lake, dump] = yield* fleet.compared
        assert.deepEqual(lake, dump)
      })
  )

  it.scopedLive("is watched, stopped, and goes on; the same dates are the same backfill", () =>
    Effect.gen(function* () {
      const fleet = yield* makeFleet("2025-11-01", "2025-11-01")
      const { gate } = fleet
      const early = yield* ended(yield* fleet.backfill("--watch"))
      assert.equal(early.code, 2)
      assert.match(early.stderr, /NotFound: it knows no backfill/)
      gate.delay = Infinity
      const first = yield* fleet.backfill("--request-hours", "2")
      yield* fleet.worker("--worker-lanes", "2")
      yield* requested(fleet, 2, 2)
      gate.letGo()
      yield* requested(fleet, 4, 2)
      const stopped = yield* ended(yield* fleet.backfill("--stop", "--json"))
      assert.equal(stopped.code, 0, stopped.stderr)
      const { stopped: isStopped, windows } = JSON.parse(stopped.stdout) as Record<string, unknown>
      assert.deepEqual([isStopped, windows], [true, 12])
      gate.delay = 400
      gate.letGo()
      const partly = yield* ended(first)
      assert.equal(partly.code, 3, partly.stderr)
      assert.match(partly.stdout, /^postponed +\d+ hours/m)
      yield* until(countOf(fleet, "running"), (running) => running === 0)
      const before = gate.windows.length
      const watching = yield* fleet.backfill("--json")
      const stops = fleet.query("select stopped_at from amplitude_lake.backfills")
      yield* until(stops, ([row]) => row?.["stopped_at"] === null)
      const other = yield* fleet.backfill("--json", "--watch")
      const { landed } = summaryOf(yield* ended(watching))
      assert.deepEqual(summaryOf(yield* ended(other)).landed, landed)
      assert.ok(gate.windows.length > before)
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
