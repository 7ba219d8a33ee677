/**
 * A backlog by workers that are killed all the time, into the S3 server that `S3_TEST_ENDPOINT` names. `FLEET_HOURS` sets
 * its hours: 26,280 are three years; two weeks are the short form.
 *
 * @module
 */
import assert from "node:assert/strict"
import { describe, it } from "@effect/vitest"
import { Effect, Ref } from "effect"
import { addHours, Hour } from "../../src/services/Hour.ts"
import { Window } from "../../src/services/Window.ts"
import type { Program } from "../fixtures/process/program.ts"
import { layer } from "../fixtures/s3/s3Target.ts"
import { bucketLake } from "./_lakes.ts"
import { ended, KEYS, makeFleet } from "./_machines.ts"
import { overlapsOf, turnsOf } from "./_turns.ts"

const HOURS = Number(process.env["FLEET_HOURS"] ?? 14 * 24)
const isShort = HOURS < 1000
const REQUEST_HOURS = isShort ? 12 : 48
const WORKERS = 4
const FIRST = Hour.make("2022-11-01T00")

/** The hours of a window, whose first and last hour are written as we do, or as the Export API does. */
function hoursIn(window: string): ReadonlyArray<Hour> {
  const [first = "", last = ""] = window
    .split("..")
    .map((it) => it.replace(/^(\d{4})(\d\d)(\d\d)T/, "$1-$2-$3T"))
  return new Window({ first: Hour.make(first), last: Hour.make(last) }).hours
}

/** Windows of which some hour was requested more than once. */
function requestedAgain(windows: ReadonlyArray<string>, requests: ReadonlyArray<string>) {
  const seen = new Set<Hour>()
  const again = new Set<Hour>()
  for (const hour of requests.flatMap(hoursIn)) (seen.has(hour) ? again : seen).add(hour)
  return [...new Set(windows)].filter((window) => hoursIn(window).some((hour) => again.has(hour)))
}

describe.skipIf(process.env["S3_TEST_ENDPOINT"] === undefined)(
  "A fleet over years (skipped where S3_TEST_ENDPOINT is not set)",
  () => {
    it.scopedLive(
      `lands ${HOURS} hours once, while its workers are killed`,
      () =>
        Effect.gen(function* () {
          const begun = Date.now()
          const lake = yield* bucketLake
          const fleet = yield* makeFleet(FIRST, addHours(FIRST, HOURS - 1), lake)
          const { gate } = fleet
          const worker = fleet.worker("--log-format", "json")
          const running = yield* Effect.all(Array.from({ length: WORKERS }, () => worker))
          const backfill = yield* fleet.backfill("--request-hours", `${REQUEST_HOURS}`, "--json")
          const dead = yield* Ref.make<ReadonlyArray<Program>>([])
          const kill = Effect.gen(function* () {
            const before = gate.windows.length
            // The short form kills by what was done: a busy machine needs as many kills as an idle one.
            const isTime = Effect.sync(() => gate.windows.length >= before + 8)
            yield* isShort
              ? Effect.repeat(Effect.delay(isTime, "100 millis"), { until: (it) => it })
              : Effect.sleep("20 seconds")
            const victim = running.shift()
            if (victim === undefined) return
            victim.kill("SIGKILL")
            yield* Ref.update(dead, (all) => [...all, victim])
            running.push(yield* worker)
          })
          const { code, stderr, stdout } = yield* Effect.raceFirst(
            ended(backfill),
            Effect.forever(kill)
          )
          const took = Date.now() - begun
          assert.equal(code, 0, stderr.slice(-3000))
          const { empty, landed, skipped } = JSON.parse(stdout) as Record<string, Array<string>>
          const kills = (yield* Ref.get(dead)).length
          const windows = Math.ceil(HOURS / REQUEST_HOURS)
          const most = gate.most.get(KEYS.AMP_API_KEY) ?? 0
          const turns = [...(yield* Ref.get(dead)), ...running].flatMap((it) => turnsOf(it.said()))
          yield* Effect.logInfo(
            `${HOURS} hours in ${Math.round(took / 1000)} s: ${windows} windows by ${gate.windows.length} requests, at most ${most} at once, ${kills} kills, ${turns.length} turns`
          )
          const all = [landed, empty, skipped].reduce((sum, it) => sum + (it?.length ?? 0), 0)
          assert.equal(all, HOURS)
          const [found, dump] = yield* fleet.compared
          assert.ok((dump?.size ?? 0) > HOURS / 2)
          assert.deepEqual(found, dump)
          assert.ok(most <= 4, `${most} at once`)
          assert.ok(kills >= 2, `${kills} kills`)
          assert.deepEqual(gate.twice, [])
          assert.deepEqual(overlapsOf(turns), [])
          // Only the window of a killed worker is requested again, each run of its missing hours by itself.
          const again = requestedAgain(
            turns.map((it) => it.window),
            gate.windows
          )
          assert.ok(again.length <= kills, `${again.join()} after ${kills} kills`)
        }).pipe(Effect.provide(layer)),
      { timeout: 10_800_000 }
    )
  }
)
