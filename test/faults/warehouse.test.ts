import assert from "node:assert/strict"
import { execFile } from "node:child_process"
import * as fs from "node:fs/promises"
import { join } from "node:path"
import { setTimeout } from "node:timers/promises"
import { promisify } from "node:util"
import { it } from "@effect/vitest"
import { DuckDBInstance } from "@duckdb/node-api"
import { Effect, Layer, Logger, LogLevel, Option } from "effect"
import { describe } from "vitest"
import * as AmplitudeSynthetic from "../../src/layers/synthetic/AmplitudeSynthetic.ts"
import * as ClockFixed from "../../src/layers/clock/ClockFixed.ts"
import * as ObjectStorageFileSystem from "../../src/layers/disk/ObjectStorageFileSystem.ts"
import * as ObjectStorageMemory from "../../src/layers/memory/ObjectStorageMemory.ts"
import * as SpoolMemory from "../../src/layers/memory/SpoolMemory.ts"
import * as UnpackerZip from "../../src/layers/unpack/UnpackerZip.ts"
import type { LoadSummary } from "../../src/programs/load/LoadSummary.ts"
import { allHours } from "../../src/programs/runPipeline.ts"
import { Staging } from "../../src/services/Staging.ts"
import { smallDisk, temporaryFolder } from "../fixtures/disk.ts"
import { queryFile } from "../fixtures/duckdb.ts"
import { assertCode, randomNumbers } from "../fixtures/process/killable.ts"
import { isLong, LOAD_KILLS } from "../fixtures/long.ts"
import { run, start } from "../fixtures/process/program.ts"
import { runOptions } from "../fixtures/world.ts"

const STORE = ["--store", "local", "--local-dir", "lake", "--prefix", "events/"]
const NOW = "2025-11-12T00:00:00Z"
const LOAD = ["load", ...STORE, "--now", NOW]
/** Loads of one file that are killed, one after the other, before one may end. */
const KILLS_A_FILE = 10

const layersOf = (folder: string, eventsPerHour: number) =>
  Layer.mergeAll(
    AmplitudeSynthetic.layer({ seed: 1, eventsPerHour }),
    ClockFixed.layer(Date.parse(NOW)),
    ObjectStorageFileSystem.layer({ root: join(folder, "lake"), prefix: "events/" }),
    Layer.effect(Staging, ObjectStorageMemory.make()),
    SpoolMemory.layer(),
    UnpackerZip.layer()
  )

/** A day in a folder, in both formats, with an hour without events. */
const landDay = (folder: string) => {
  const layers = layersOf(folder, 150)
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

describe("load", () => {
  it.scopedLive.runIf(isLong)(
    "W1 leaves every hour whole or absent, and none twice, wherever it is killed",
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
        let killed = 0
        for (let round = 0; round < LOAD_KILLS / KILLS_A_FILE; round++) {
          const name = `killed-${round}.duckdb`
          const file = join(folder, name)
          for (let kill = 0; kill < KILLS_A_FILE; kill++) {
            const ended = yield* Effect.scoped(
              Effect.gen(function* () {
                const program = yield* start([...LOAD, "--warehouse-file", name], { folder })
                const gone = Effect.promise(() => program.ended)
                yield* Effect.promise(() => setTimeout(took * (0.3 + 0.7 * random())))
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
        // A load may be quicker than the one that was timed.
        assert.ok(killed > 0)
      }),
    { timeout: 60_000 + LOAD_KILLS * 10_000 }
  )

  it.scopedLive.runIf(isLong)(
    "W2 says so when the disk is full, keeps the hours that are loaded, and goes on when it is larger",
    (context) =>
      Effect.gen(function* () {
        const folder = yield* temporaryFolder
        const small = yield* Effect.option(smallDisk(join(folder, "small"), "size=4m"))
        if (Option.isNone(small)) return context.skip("this user may not mount a disk")
        yield* landDay(folder)
        const file = join(folder, "small/lake.duckdb")
        const load = [...LOAD, "--warehouse-file", file]
        const full = yield* run([...load, "--json"], { folder })
        assert.ok(full.code === 3 || full.code === 5, `${full.code}: ${full.stderr}`)
        const summary: LoadSummary = JSON.parse(full.stdout)
        assert.equal(summary.error?.error, "WarehouseError.NoSpace", full.stderr)
        const kept = yield* look(file)
        assert.deepEqual(kept, { loaded: summary.loaded.length, wrong: 0 })
        assert.ok(kept.loaded > 0 && kept.loaded < 24, `${kept.loaded} hours`)
        yield* Effect.promise(() =>
          promisify(execFile)("mount", ["-o", "remount,size=64m", join(folder, "small")])
        )
        assertCode(yield* run(load, { folder }), 0)
        assert.deepEqual(yield* look(file), { loaded: 24, wrong: 0 })
      }),
    { timeout: 120_000 }
  )

  it.scopedLive.runIf(isLong)(
    "W3 has two runs at once take turns, and loads every hour once",
    () =>
      Effect.gen(function* () {
        const folder = yield* temporaryFolder
        yield* landDay(folder)
        const load = [...LOAD, "--retries", "100", "--retry-base-ms", "100"]
        const both = yield* Effect.forEach(
          ["one", "other"],
          () => Effect.flatMap(start(load, { folder }), (it) => Effect.promise(() => it.ended)),
          { concurrency: 2 }
        )
        for (const ended of both) assertCode(ended, 0)
        assert.deepEqual(yield* look(join(folder, "lake.duckdb")), { loaded: 24, wrong: 0 })
        const loads = both.map(({ stdout }) => Number(/^loaded +(\d+)/m.exec(stdout)?.[1] ?? 0))
        assert.equal((loads[0] ?? 0) + (loads[1] ?? 0), 24, `${loads.join(" and ")} hours`)
      }),
    { timeout: 120_000 }
  )

  it.scopedLive.runIf(isLong)(
    "W4 waits for a reader, exits 5 if it stays, and loads when it is gone",
    () =>
      Effect.gen(function* () {
        const folder = yield* temporaryFolder
        const file = join(folder, "lake.duckdb")
        yield* landDay(folder)
        assertCode(yield* run([...LOAD, "--end-date", "2025-11-10T03"], { folder }), 0)
        const before = yield* Effect.promise(() => fs.readFile(file))
        yield* Effect.scoped(
          Effect.gen(function* () {
            yield* reading(file)
            // In a process of its own: the system's locks do not keep a process from its own files.
            const program = yield* start([...LOAD, "--retries", "1", "--retry-base-ms", "1"], {
              folder
            })
            const ended = yield* Effect.promise(() => program.ended)
            assertCode(ended, 5)
            assert.match(ended.stderr, /Busy: .*Conflicting lock is held in .*PID \d+/)
          })
        )
        assert.ok(before.equals(yield* Effect.promise(() => fs.readFile(file))))
        assertCode(yield* run(LOAD, { folder }), 0)
        assert.deepEqual(yield* look(file), { loaded: 24, wrong: 0 })
      }),
    { timeout: 120_000 }
  )

  it.scopedLive.runIf(isLong)(
    "W5 ends within ten seconds of SIGTERM, also in the middle of a large hour, which is whole or absent",
    () =>
      Effect.gen(function* () {
        const folder = yield* temporaryFolder
        const file = join(folder, "lake.duckdb")
        const layers = layersOf(folder, 80_000)
        yield* allHours(runOptions("2025-11-10T12")).pipe(
          Effect.provide(layers),
          Logger.withMinimumLogLevel(LogLevel.None)
        )
        // While the hour is read, and while its row groups are written.
        for (const size of [1, 1_500_000]) {
          yield* Effect.promise(() => fs.rm(file, { force: true }))
          const program = yield* start([...LOAD, "--json"], { folder })
          yield* sizeReached(file, size)
          const signalled = performance.now()
          program.kill("SIGTERM")
          const ended = yield* Effect.promise(() => program.ended)
          assert.ok(performance.now() - signalled < 10_000)
          assertCode(ended, 143)
          const { length: loaded } = JSON.parse(ended.stdout).loaded
          if (size === 1) assert.equal(loaded, 0)
          assert.deepEqual(yield* look(file), { loaded, wrong: 0 })
        }
        assertCode(yield* run(LOAD, { folder }), 0)
        assert.deepEqual(yield* look(file), { loaded: 1, wrong: 0 })
      }),
    { timeout: 180_000 }
  )
})

/** Has a file open to read, as another program does. */
const reading = (file: string) =>
  Effect.acquireRelease(
    Effect.promise(() => DuckDBInstance.create(file, { access_mode: "READ_ONLY" })),
    (instance) => Effect.sync(() => instance.closeSync())
  )

/** Ends when a file has reached a size. */
const sizeReached = (file: string, size: number) =>
  Effect.promise(() => fs.stat(file).catch(() => ({ size: 0 }))).pipe(
    Effect.delay("20 millis"),
    Effect.repeat({ until: (it) => it.size >= size }),
    Effect.timeout("60 seconds")
  )
