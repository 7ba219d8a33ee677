import assert from "node:assert/strict"
import { execFile } from "node:child_process"
import * as fs from "node:fs/promises"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"
import { it } from "@effect/vitest"
import { Effect } from "effect"
import { DuckDBInstance } from "@duckdb/node-api"
import { describe } from "vitest"
import type { LandedAndLoaded } from "../../../src/programs/load/landAndLoad.ts"
import { temporaryFolder } from "../../fixtures/disk.ts"
import { queryFile } from "../../fixtures/duckdb.ts"
import { assertCode } from "../../fixtures/process/killable.ts"
import { isLong } from "../../fixtures/long.ts"
import { type Ended, run, start } from "../../fixtures/process/program.ts"
import { webhookServer } from "../../fixtures/servers/webhookServer.ts"

const NOW = "2025-11-12T12:00:00Z"
const SOURCE = ["--source", "synthetic", "--now", NOW]
const STORE = ["--store", "local", "--local-dir", "lake", "--prefix", "events/"]
const ALL = ["all", ...SOURCE, ...STORE, "--events-per-hour", "20"]
const HOURS = ["--start-date", "2025-11-10T20", "--end-date", "2025-11-10T22"]
const H = ["2025-11-10T20", "2025-11-10T21", "2025-11-10T22"]
const ROOT = fileURLToPath(new URL("../../..", import.meta.url))

const summaryOf = ({ stdout }: Ended): LandedAndLoaded => JSON.parse(stdout)
const namesIn = (folder: string) => Effect.promise(() => fs.readdir(folder))

/** The events of the warehouse, and of the ledger. */
const countsOf = (file: string) =>
  Effect.map(
    queryFile(
      file,
      "select (select count(*) from amplitude.events_raw) as rows, (select sum(events) from amplitude.loads) as events",
      ", read_only"
    ),
    ([row]) => [Number(row?.["rows"]), Number(row?.["events"])]
  )

/** Has a warehouse open, as a notebook or dbt does. */
const opened = (file: string) =>
  Effect.acquireRelease(
    Effect.promise(() => DuckDBInstance.create(file)),
    (it) => Effect.sync(() => it.closeSync())
  )

describe("all --load", { timeout: 120_000 }, () => {
  it.scopedLive("lands and loads in one run, and says so in one summary", () =>
    Effect.gen(function* () {
      const folder = yield* temporaryFolder
      const dry = yield* run([...ALL, ...HOURS, "--load", "--dry-run", "--json"], { folder })
      assertCode(dry, 0)
      assert.deepEqual(JSON.parse(dry.stdout).load.load, [])
      assert.deepEqual(yield* namesIn(folder), [])
      const hook = yield* webhookServer(200)
      const env = { NOTIFY_WEBHOOK_URL: `${hook.origin}/hook` }
      const told = ["--notify", "always", "--metrics-file", "lake.prom"]
      const first = yield* run([...ALL, ...HOURS, "--load", ...told], { folder, env })
      assertCode(first, 0)
      assert.match(first.stdout, /^landed +2 hours, \d+ events/m)
      assert.match(first.stdout, /^warehouse lake\.duckdb\nloaded +3 hours\nevents +\d+ events/m)
      assert.equal(first.stdout.match(/^took/gm)?.length, 1)
      const [rows, events] = yield* countsOf(join(folder, "lake.duckdb"))
      assert.ok(rows !== undefined && rows > 0 && rows === events)
      const posted = JSON.parse(hook.posted[0]?.body ?? "{}")
      assert.match(posted.text, /hours: 2 landed, 1 empty, 3 loaded$/)
      assert.deepEqual(posted.load.loaded, H)
      const metrics = yield* Effect.promise(() => fs.readFile(join(folder, "lake.prom"), "utf8"))
      assert.match(metrics, /_last_run_outcomes\{.*outcome="landed"\} 2\n/)
      assert.match(metrics, /_last_run_loads\{.*outcome="loaded"\} 3\n/)
      assert.equal(metrics.match(/^amplitude_lake_last_run_retries\{/gm)?.length, 1)
    })
  )

  it.scopedLive("is switched on by its variable, and has its other flags mean nothing alone", () =>
    Effect.gen(function* () {
      const folder = yield* temporaryFolder
      const env = { AMPLITUDE_LAKE_LOAD: "true", AMPLITUDE_LAKE_WAREHOUSE_FILE: "it.duckdb" }
      const ended = yield* run([...ALL, ...HOURS, "--json"], { folder, env })
      assertCode(ended, 0)
      assert.deepEqual(summaryOf(ended).load?.loaded, H)
      assert.ok((yield* namesIn(folder)).includes("it.duckdb"))
      for (const more of [["--warehouse-file", "x.duckdb"], ["--unverified"]]) {
        const alone = yield* run([...ALL, ...more], { folder })
        assertCode(alone, 2)
        assert.match(alone.stderr, new RegExp(`${more[0]} has no effect without --load`))
      }
    })
  )

  it.scopedLive("lands nothing beside a file that is no warehouse, and leaves it as it is", () =>
    Effect.gen(function* () {
      const folder = yield* temporaryFolder
      const file = join(folder, "notes.txt")
      yield* Effect.promise(() => fs.writeFile(file, "notes"))
      const args = [...ALL, ...HOURS, "--load", "--warehouse-file"]
      assertCode(yield* run([...args, "notes.txt"], { folder }), 2)
      assertCode(yield* run([...args, "nowhere/lake.duckdb"], { folder }), 2)
      assert.deepEqual(yield* namesIn(folder), ["notes.txt"])
      assert.equal(yield* Effect.promise(() => fs.readFile(file, "utf8")), "notes")
    })
  )

  it.scopedLive.runIf(isLong)("lands nothing without the package, and says how to install it", () =>
    Effect.gen(function* () {
      const folder = yield* temporaryFolder
      yield* Effect.promise(async () => {
        for (const part of ["dist/main.js", "dist/program", "package.json"]) {
          await fs.cp(join(ROOT, part), join(folder, "app", part), { recursive: true })
        }
      })
      const main = join(folder, "app/dist/main.js")
      const ended = yield* Effect.promise(() =>
        promisify(execFile)(process.execPath, [main, ...ALL, ...HOURS, "--load"], {
          cwd: folder
        }).catch((error: { readonly code: number; readonly stderr: string }) => error)
      )
      assert.equal("code" in ended ? ended.code : 0, 2)
      assert.match(ended.stderr, /npm install @duckdb\/node-api@1\.5\.6-r\.1/)
      assert.deepEqual(yield* namesIn(folder), ["app"])
    })
  )

  it.scopedLive.runIf(isLong)(
    "lands although another process has the warehouse open, and names what is not loaded",
    () =>
      Effect.gen(function* () {
        const folder = yield* temporaryFolder
        const file = join(folder, "lake.duckdb")
        const first = [...ALL, "--start-date", H[0] ?? "", "--end-date", H[0] ?? "", "--load"]
        assertCode(yield* run(first, { folder }), 0)
        const rest = [...ALL, ...HOURS, "--load", "--retries", "1", "--retry-base-ms", "1"]
        yield* Effect.scoped(
          Effect.gen(function* () {
            yield* opened(file)
            // In a process of its own: locks do not keep a process from its own files.
            const busy = yield* Effect.flatMap(start([...rest, "--json"], { folder }), (it) =>
              Effect.promise(() => it.ended)
            )
            assertCode(busy, 3)
            const { landed, load, skipped } = summaryOf(busy)
            assert.deepEqual([landed, skipped], [H.slice(1), H.slice(0, 1)])
            assert.deepEqual(
              load?.failed.map(({ error, hour }) => [hour, error]),
              H.slice(1).map((it) => [it, "WarehouseError.Busy"])
            )
            assert.match(busy.stderr, /Hours land all the same/)
          })
        )
        const next = yield* run([...rest, "--json"], { folder })
        assertCode(next, 0)
        assert.deepEqual(summaryOf(next).load?.loaded, H.slice(1))
      })
  )
})
