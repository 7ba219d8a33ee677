import assert from "node:assert/strict"
import * as fs from "node:fs/promises"
import { join } from "node:path"
import { setTimeout } from "node:timers/promises"
import { it } from "@effect/vitest"
import { Effect, Layer, Logger, LogLevel } from "effect"
import { describe } from "vitest"
import * as AmplitudeSynthetic from "../../src/layers/synthetic/AmplitudeSynthetic.ts"
import * as ClockFixed from "../../src/layers/clock/ClockFixed.ts"
import * as ObjectStorageFileSystem from "../../src/layers/disk/ObjectStorageFileSystem.ts"
import * as ObjectStorageMemory from "../../src/layers/memory/ObjectStorageMemory.ts"
import * as SpoolMemory from "../../src/layers/memory/SpoolMemory.ts"
import * as UnpackerZip from "../../src/layers/unpack/UnpackerZip.ts"
import { allHours } from "../../src/programs/runPipeline.ts"
import { Staging } from "../../src/services/Staging.ts"
import { temporaryFolder } from "../fixtures/disk.ts"
import { queryFile } from "../fixtures/duckdb.ts"
import { assertCode, LONG_MILLIS, randomNumbers } from "../fixtures/killable.ts"
import { isLong } from "../fixtures/long.ts"
import { run, start } from "../fixtures/program.ts"
import { runOptions } from "../fixtures/world.ts"

const STORE = ["--store", "local", "--local-dir", "lake", "--prefix", "events/"]
const NOW = "2025-11-12T00:00:00Z"
const LOAD = ["load", ...STORE, "--now", NOW]
const KILLS = isLong ? 10 : 3

/** A day in a folder, in both formats, with an hour without events. */
const landDay = (folder: string) => {
  const layers = Layer.mergeAll(
    AmplitudeSynthetic.layer({ seed: 1, eventsPerHour: 150 }),
    ClockFixed.layer(Date.parse(NOW)),
    ObjectStorageFileSystem.layer({ root: join(folder, "lake"), prefix: "events/" }),
    Layer.effect(Staging, ObjectStorageMemory.make()),
    SpoolMemory.layer(),
    UnpackerZip.layer()
  )
  const land = (first: string, last: string, format: "jsonl" | "jsonl.gz") =>
    Effect.provide(allHours(runOptions(first, last, { format })), layers)
  return Effect.zipRight(
    land("2025-11-10T00", "2025-11-10T15", "jsonl"),
    land("2025-11-10T16", "2025-11-10T23", "jsonl.gz")
  ).pipe(Logger.withMinimumLogLevel(LogLevel.None))
}

/** Hours of which rows and ledger disagree, and how many are loaded. */
const look = (file: string) =>
  Effect.map(
    queryFile(
      file,
      `with stored as (select hour, count(*) as lines, count(distinct line) as numbers, max(line) as last from amplitude.events_raw group by hour)
       select count(loads.hour) as loaded, count_if(loads.hour is null or coalesce(lines, 0) <> events or coalesce(numbers, 0) <> events or coalesce(last, 0) <> events) as wrong
       from amplitude.loads full join stored on loads.hour = stored.hour`,
      ", read_only"
    ),
    ([row]) => ({ loaded: Number(row?.["loaded"]), wrong: Number(row?.["wrong"]) })
  )

/** Every loaded line, by hour. */
const linesOf = (file: string) =>
  queryFile(
    file,
    "select hour::varchar as hour, md5(string_agg(event, chr(10) order by line)) as lines from amplitude.events_raw group by hour order by hour",
    ", read_only"
  )

describe("W1 load", () => {
  it.scopedLive(
    "leaves every hour whole or absent, and none twice, wherever it is killed",
    () =>
      Effect.gen(function* () {
        const folder = yield* temporaryFolder
        yield* landDay(folder)
        const whole = join(folder, "whole.duckdb")
        const begun = performance.now()
        assertCode(yield* run([...LOAD, "--warehouse-file", "whole.duckdb"], { folder }), 0)
        const took = performance.now() - begun
        const expected = yield* linesOf(whole)
        assert.ok(expected.length > 10)

        const random = randomNumbers(7)
        const until = performance.now() + LONG_MILLIS
        for (let round = 0; round === 0 || performance.now() < until; round++) {
          const name = `killed-${round}.duckdb`
          const file = join(folder, name)
          let killed = 0
          for (let kill = 0; kill < KILLS; kill++) {
            const ended = yield* Effect.scoped(
              Effect.gen(function* () {
                const program = yield* start([...LOAD, "--warehouse-file", name], { folder })
                const gone = Effect.promise(() => program.ended)
                yield* Effect.promise(() => setTimeout(took * (0.2 + 0.8 * random())))
                program.kill("SIGKILL")
                return yield* gone
              })
            )
            if (ended.code === null) killed += 1
            else assertCode(ended, 0)
            const isThere = yield* Effect.promise(async () =>
              (await fs.readdir(folder)).includes(name)
            )
            if (isThere) assert.equal((yield* look(file)).wrong, 0)
          }
          assert.ok(killed > 0)
          assertCode(yield* run([...LOAD, "--warehouse-file", name], { folder }), 0)
          assert.deepEqual(yield* look(file), { loaded: 24, wrong: 0 })
          assert.deepEqual(yield* linesOf(file), expected)
          const beside = yield* Effect.promise(async () =>
            (await fs.readdir(folder)).filter((it) => it.startsWith(name))
          )
          assert.deepEqual(beside, [name])
          const sizes = yield* Effect.promise(() =>
            Promise.all([file, whole].map(async (path) => (await fs.stat(path)).size))
          )
          assert.ok((sizes[0] ?? 0) < 1.5 * (sizes[1] ?? 0), `${sizes.join(" against ")} bytes`)
        }
      }),
    { timeout: 240_000 + LONG_MILLIS }
  )
})
