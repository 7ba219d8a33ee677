import assert from "node:assert/strict"
import { existsSync } from "node:fs"
import * as fs from "node:fs/promises"
import { join } from "node:path"
import { pathToFileURL } from "node:url"
import { describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { pathsBelow, temporaryFolder } from "../../fixtures/disk.ts"
import { queryFile } from "../../fixtures/duckdb.ts"
import { isLong } from "../../fixtures/long.ts"
import { run } from "../../fixtures/process/program.ts"

const KILL_AT = pathToFileURL("test/fixtures/process/killAt.mjs").href
const DAY = ["--dev", "--start-date", "2025-11-10", "--end-date", "2025-11-10T03"]
const SYNTHETIC = ["--source", "synthetic", "--events-per-hour", "200"]
const QUIET = ["--log-level", "error"]
const isCompiled = existsSync("dbt/compiled/plan.json")

const lakeIn =
  (folder: string) =>
  (...args: ReadonlyArray<string>) =>
    run([...args, ...QUIET], { folder })

/** A folder with a lake whose models are built. */
const modelled = Effect.gen(function* () {
  const folder = yield* temporaryFolder
  const lake = lakeIn(folder)
  for (const args of [["all", ...DAY, ...SYNTHETIC], ["load", "--dev"], ["model"]]) {
    const { code, stderr } = yield* lake(...args)
    assert.equal(code, 0, stderr)
  }
  return { folder, lake }
})

/** The files that readers see, by path. */
const seen = (folder: string) =>
  Effect.gen(function* () {
    if (!existsSync(folder)) return new Map<string, Buffer>()
    const paths = (yield* pathsBelow(folder)).filter(
      (path) => path.endsWith(".parquet") && !path.startsWith(".")
    )
    return new Map(
      yield* Effect.promise(() =>
        Promise.all(
          paths.map(async (path) => [path, await fs.readFile(join(folder, path))] as const)
        )
      )
    )
  })

/** Moments of an export, each a file operation. */
const MOMENTS = [
  ["open parquet/.amplitude-lake/runs/RUN/0/dim_pages", 1],
  ["writeFile parquet/.amplitude-lake/runs/RUN/0/manifest.json", 1],
  ["rename parquet/.amplitude-lake/runs/RUN/0$", 1],
  ["rename parquet/.amplitude-lake/publishing/", 1],
  ["rename parquet/.amplitude-lake/publishing/", 20],
  ["rename parquet/.amplitude-lake/publishing/manifest.json", 1],
  ["rm parquet/.amplitude-lake/publishing", 2]
] as const

describe.skipIf(!isCompiled)("amplitude-lake export", { timeout: 300_000 }, () => {
  it.scopedLive.runIf(isLong)(
    "shows whole files alone wherever it is killed, and the next run ends it",
    () =>
      Effect.gen(function* () {
        const { folder, lake } = yield* modelled
        const first = yield* lake("export", "--to", "whole", "--json")
        assert.equal(first.code, 0, first.stderr)
        const whole = yield* seen(join(folder, "whole"))
        assert.equal(JSON.parse(first.stdout).files, whole.size)
        for (const [at, count] of MOMENTS) {
          const env = { KILL_AT: at, KILL_COUNT: String(count) }
          const nodeArguments = ["--import", KILL_AT]
          const killed = yield* run(["export", "--to", "parquet"], { folder, env, nodeArguments })
          assert.equal(killed.code, null, `${at}: ${killed.stderr}`)
          const left = yield* seen(join(folder, "parquet"))
          for (const [path, bytes] of left) assert.ok(whole.get(path)?.equals(bytes), path)
          const isBegun = existsSync(join(folder, "parquet/.amplitude-lake/publishing"))
          if (!isBegun) assert.equal(left.size, 0)

          const again = yield* lake("export", "--to", "parquet", "--json")
          assert.equal(again.code, 0, again.stderr)
          assert.equal(JSON.parse(again.stdout).written, isBegun ? 0 : whole.size)
          assert.deepEqual([...(yield* seen(join(folder, "parquet"))).keys()], [...whole.keys()])
          assert.deepEqual(yield* pathsBelow(join(folder, "parquet/.amplitude-lake")), ["runs"])
          yield* Effect.promise(() => fs.rm(join(folder, "parquet"), { recursive: true }))
        }
      })
  )

  it.scopedLive.runIf(isLong)("lets go of a person, and says what comes first", () =>
    Effect.gen(function* () {
      const { folder, lake } = yield* modelled
      const [found] = yield* queryFile(
        join(folder, "lake.duckdb"),
        "select device_id as id, count(*)::integer as events from analytics.fct_events group by all order by events desc limit 1",
        ", read_only"
      )
      const { events, id } = found as { readonly events: number; readonly id: string }
      assert.equal((yield* lake("export", "--to", "parquet")).code, 0)
      const inFiles = Effect.promise(async () => {
        const parquet = join(folder, "parquet")
        return `from read_parquet(['${parquet}/fct_events/*/*.parquet', '${parquet}/fct_sessions/*/*.parquet'], union_by_name = true) where device_id = '${id}'`
      }).pipe(
        Effect.flatMap((sql) =>
          queryFile(
            join(folder, "lake.duckdb"),
            `select count(*)::integer as n ${sql}`,
            ", read_only"
          )
        ),
        Effect.map(([row]) => Number(row?.["n"]))
      )
      assert.ok((yield* inFiles) >= events)

      const redacted = yield* lake("redact", "--dev", "--device-id", id, "--yes")
      assert.equal(redacted.code, 0, redacted.stderr)
      assert.match(redacted.stdout, /- Parquet folders until the next export/)
      assert.equal((yield* lake("load", "--dev")).code, 0)
      const early = yield* lake("export", "--to", "parquet")
      assert.equal(early.code, 3)
      assert.match(
        early.stdout,
        /behind +\d+ loaded hours? not in the tables as loaded: .*amplitude-lake model \(or dbt build\), then export again/
      )
      assert.equal((yield* lake("model")).code, 0)
      assert.equal((yield* lake("export", "--to", "parquet")).code, 0)
      assert.equal(yield* inFiles, 0)
    })
  )

  it.scopedLive("needs a folder, a warehouse and models", () =>
    Effect.gen(function* () {
      const folder = yield* temporaryFolder
      const lake = lakeIn(folder)
      const [unnamed, absent] = [yield* lake("export"), yield* lake("export", "--to", "parquet")]
      assert.deepEqual([unnamed.code, absent.code], [2, 2])
      assert.match(absent.stderr, /: amplitude-lake load makes it/)
      assert.equal((yield* lake("all", ...DAY, ...SYNTHETIC)).code, 0)
      assert.equal((yield* lake("load", "--dev")).code, 0)
      const unmodelled = yield* lake("export", "--to", "parquet", "--json")
      assert.equal(unmodelled.code, 2)
      assert.equal(JSON.parse(unmodelled.stdout).error.error, "ExportError.NotModelled")
      assert.match(
        unmodelled.stderr,
        /the warehouse has no table analytics\.fct_events: .*amplitude-lake model makes it, or dbt build/
      )
      assert.equal(existsSync(join(folder, "parquet")), false)
    })
  )
})
