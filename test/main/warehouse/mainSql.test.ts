import assert from "node:assert/strict"
import { spawn } from "node:child_process"
import { join } from "node:path"
import { describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as WarehouseDuckDb from "../../../src/layers/duckdb/WarehouseDuckDb.ts"
import { pathsBelow, temporaryFolder } from "../../fixtures/disk.ts"
import { hourToLoad } from "../../fixtures/hourToLoad.ts"
import { isLong } from "../../fixtures/long.ts"
import { run } from "../../fixtures/process/program.ts"

const EVENTS = '{"id":9007199254740993,"price":1.10}\n{"id":"\\ud800"}\n'
const IDS = "select event->>'$.id' as id, line from amplitude.events_raw where json_valid(event)"

/** A folder with a warehouse of one hour, and the command in it. */
const lake = Effect.gen(function* () {
  const folder = yield* temporaryFolder
  const warehouse = yield* WarehouseDuckDb.make({ file: join(folder, "lake.duckdb") })
  yield* Effect.scoped(
    Effect.flatMap(warehouse.open("load"), (it) => it.load(hourToLoad("2025-11-10T21", EVENTS)))
  )
  const sql = (...args: ReadonlyArray<string>) =>
    run(["sql", "--retries", "0", ...args], { folder })
  return { folder, sql, warehouse }
})

/** Runs a query in a process of its own, which reads `input`, and whose reader leaves after some lines. */
const piped = (
  folder: string,
  query: string,
  { input = "", lines = Number.POSITIVE_INFINITY } = {}
) =>
  Effect.promise(
    () =>
      new Promise<{
        readonly code: number | null
        readonly stdout: string
        readonly stderr: string
      }>((resolve, reject) => {
        const main = join(process.cwd(), "dist/main.js")
        const child = spawn(process.execPath, [main, "sql", query], {
          cwd: folder,
          env: {},
          stdio: "pipe"
        })
        let [stdout, stderr] = ["", ""]
        child.stdout.on("data", (text) => {
          stdout += text
          if (stdout.split("\n").length > lines) child.stdout.destroy()
        })
        child.stderr.on("data", (text) => (stderr += text))
        child.once("error", reject)
        child.once("close", (code) => {
          resolve({ code, stdout: stdout.split("\n").slice(0, lines).join("\n"), stderr })
        })
        child.stdin.end(input)
      })
  )

describe("amplitude-lake sql", () => {
  it.scopedLive("prints the answer alone, as CSV where nobody watches", () =>
    Effect.gen(function* () {
      const { folder, sql } = yield* lake
      const answer = yield* sql(IDS)
      assert.deepEqual(answer, { code: 0, stdout: "id,line\n9007199254740993,1\n", stderr: "" })
      const json = yield* sql("from amplitude.events_raw limit 1", "--output", "json")
      assert.equal(
        json.stdout,
        '[{"hour":"2025-11-10T21:00:00Z","line":1,"event":"{\\"id\\":9007199254740993,\\"price\\":1.10}"}]\n'
      )
      const table = yield* sql("select hour, events from amplitude.loads", "--output", "table")
      assert.match(table.stdout, /^hour +events\n─+ {2}─+\n2025-11-10T21:00:00Z +2\n$/)
      assert.deepEqual(yield* pathsBelow(folder), ["lake.duckdb"])
    })
  )

  it.scopedLive("refuses what would change anything, and what is no SQL, with exit code 2", () =>
    Effect.gen(function* () {
      const { sql } = yield* lake
      for (const [query, says] of [
        ["delete from amplitude.loads", /only statements that read are run|read-only/],
        ["selec 1", /Parser Error: syntax error at or near/],
        ["from nowhere", /Table with name nowhere does not exist/]
      ] as const) {
        const { code, stderr, stdout } = yield* sql(query, "--output", "json")
        assert.deepEqual([code, stdout], [2, ""], query)
        assert.match(stderr, says)
      }
      assert.equal((yield* sql("select count(*) as n from amplitude.loads")).stdout, "n\n1\n")
    })
  )

  it.scopedLive("says that load makes the warehouse where there is none", () =>
    Effect.gen(function* () {
      const folder = yield* temporaryFolder
      const { code, stderr, stdout } = yield* run(["sql", "select 1"], { folder })
      assert.deepEqual([code, stdout], [2, ""])
      assert.match(
        stderr,
        /There is no warehouse at \S+lake\.duckdb\S+: amplitude-lake load makes it, or name another file \(--warehouse-file\)/
      )
    })
  )

  it.scopedLive.runIf(isLong)("exits with 5 while another process writes to the file", () =>
    Effect.gen(function* () {
      const { folder, sql, warehouse } = yield* lake
      const busy = yield* Effect.scoped(Effect.zipRight(warehouse.open("load"), sql("select 1")))
      assert.deepEqual([busy.code, busy.stdout], [5, ""])
      assert.match(busy.stderr, /Busy/)
      assert.equal((yield* piped(folder, "select 1")).code, 0)
    })
  )

  it.scopedLive.runIf(isLong)(
    "reads the query from standard input, and ends quietly with its reader",
    () =>
      Effect.gen(function* () {
        const { folder } = yield* lake
        const typed = yield* piped(folder, "-", { input: `${IDS};\n` })
        assert.deepEqual(typed, { code: 0, stdout: "id,line\n9007199254740993,1\n", stderr: "" })
        const cut = yield* piped(folder, "from range(100000000)", { lines: 3 })
        assert.deepEqual(cut, { code: 0, stdout: "range\n0\n1", stderr: "" })
      })
  )
})
