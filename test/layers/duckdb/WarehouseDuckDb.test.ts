import assert from "node:assert/strict"
import { execFile, spawn } from "node:child_process"
import { once } from "node:events"
import * as fs from "node:fs/promises"
import { join } from "node:path"
import { promisify } from "node:util"
import { DuckDBInstance } from "@duckdb/node-api"
import { describe, it } from "@effect/vitest"
import { Cause, Chunk, Effect, Either, Option, Stream } from "effect"
import * as WarehouseDuckDb from "../../../src/layers/duckdb/WarehouseDuckDb.ts"
import type { Hour } from "../../../src/services/Hour.ts"
import type { ReferenceStream } from "../../../src/services/Amplitude.ts"
import {
  type Cell,
  type HourToLoad,
  ReferenceList,
  referenceTables
} from "../../../src/services/Warehouse.ts"
import { warehouseContract } from "../../contracts/warehouse.ts"
import { modeOf, pathsBelow, temporaryFolder } from "../../fixtures/disk.ts"
import { queryFile } from "../../fixtures/duckdb.ts"
import { hourToLoad } from "../../fixtures/hourToLoad.ts"
import { isLong } from "../../fixtures/long.ts"

const NAME = "lake.duckdb"

warehouseContract(
  "WarehouseDuckDb",
  Effect.gen(function* () {
    const file = join(yield* temporaryFolder, NAME)
    const rows = queryFile(
      file,
      "select strftime(hour, '%Y-%m-%dT%H') as hour, line, event from amplitude.events_raw order by hour, line",
      ", read_only"
    )
    const setLines = (hour: Hour, texts: ReadonlyArray<string>) =>
      queryFile(
        file,
        `delete from amplitude.events_raw where hour = '${hour}:00:00';
        insert into amplitude.events_raw select '${hour}:00:00', i + 1, e from (select unnest(['${texts.join("','")}']) as e, unnest(range(${texts.length})) as i)`
      )
    const entries = (stream: ReferenceStream) =>
      Effect.map(
        queryFile(
          file,
          `select date, number, entry from amplitude.${referenceTables[stream]} order by date, number`,
          ", read_only"
        ),
        (found) =>
          found.map(
            ({ date, entry, number }) => [String(date), Number(number), String(entry)] as const
          )
      )
    return {
      setLines,
      entries,
      warehouse: yield* WarehouseDuckDb.make({ file }),
      rows: Effect.map(rows, (found) =>
        found.map(({ event, hour, line }) => [String(hour), Number(line), String(event)] as const)
      )
    }
  })
)

const loaded = Effect.fnUntraced(function* (
  file: string,
  ...hours: Array<HourToLoad<never, never>>
) {
  const { open } = yield* WarehouseDuckDb.make({ file })
  return yield* Effect.scoped(
    Effect.flatMap(open("load"), ({ load, loads }) =>
      Effect.zipRight(Effect.forEach(hours, load), loads)
    )
  )
})

const H20 = "2025-11-10T20"

/** Another process that has the file open until the scope closes. */
const holding = (file: string) =>
  Effect.acquireRelease(
    Effect.promise(async () => {
      const script = `
        import { DuckDBInstance } from "@duckdb/node-api"
        const instance = await DuckDBInstance.create(${JSON.stringify(file)})
        console.log("held")
        process.stdin.on("data", () => {})`
      const child = spawn(process.execPath, ["--input-type=module", "-e", script])
      await once(child.stdout, "data")
      return child
    }),
    (child) =>
      Effect.promise(async () => {
        const gone = once(child, "exit")
        child.kill("SIGKILL")
        await gone
      })
  )

const database = (file: string, sql: string) =>
  Effect.zipRight(loaded(file, hourToLoad(H20, "{}\n")), queryFile(file, sql))
const written = (file: string, bytes: string) => Effect.promise(() => fs.writeFile(file, bytes))

describe("WarehouseDuckDb", () => {
  it.scopedLive("reads a file without tables for lists, and makes them once it loads", () =>
    Effect.gen(function* () {
      const file = join(yield* temporaryFolder, NAME)
      yield* loaded(file, hourToLoad(H20, "{}\n"))
      const tables = ["lists", ...Object.values(referenceTables)]
      yield* queryFile(file, tables.map((it) => `drop table amplitude.${it}`).join(";"))
      const { open } = yield* WarehouseDuckDb.make({ file })
      const read = Effect.flatMap(open("read"), ({ lists, loads }) => Effect.all([lists, loads]))
      const [lists, loads] = yield* Effect.scoped(read)
      assert.deepEqual([lists, loads.length], [[], 1])
      const row = new ReferenceList({
        date: "2025-11-10",
        stream: "cohorts",
        key: "cohorts.json",
        entries: 1,
        sha256: "0",
        loadedAt: 0
      })
      yield* Effect.scoped(Effect.flatMap(open("load"), (it) => it.loadList(row, ["{}"])))
      assert.deepEqual((yield* Effect.scoped(read))[0], [row])
    })
  )

  it.scopedLive("is one file of its owner alone, with nothing beside it", () =>
    Effect.gen(function* () {
      const folder = yield* temporaryFolder
      const file = join(folder, NAME)
      yield* loaded(file, hourToLoad(H20, "{}\n"))
      assert.deepEqual(yield* pathsBelow(folder), [NAME])
      assert.equal(yield* modeOf(file), 0o600)
    })
  )

  // Only a main thread may set the umask, which the log's permissions follow.
  it.scopedLive("has its log read by its owner alone, and gives the umask back", () =>
    Effect.gen(function* () {
      const folder = yield* temporaryFolder
      const script = `
        import { statSync } from "node:fs"
        import { Effect } from "effect"
        import * as WarehouseDuckDb from "./dist/layers/duckdb/WarehouseDuckDb.js"
        process.umask(0o022)
        const { open } = await Effect.runPromise(WarehouseDuckDb.make({ file: ${JSON.stringify(join(folder, NAME))} }))
        const modes = await Effect.runPromise(
          Effect.scoped(
            Effect.gen(function* () {
              const { setCalendar } = yield* open("load")
              yield* setCalendar([{ hour: "${H20}", state: "gap", events: undefined }], 0)
              return ["", ".wal"].map((end) => statSync(${JSON.stringify(join(folder, NAME))} + end).mode & 0o777)
            })
          )
        )
        console.log(JSON.stringify([...modes, process.umask()]))`
      const { stdout } = yield* Effect.promise(() =>
        promisify(execFile)(process.execPath, ["--input-type=module", "-e", script])
      )
      assert.deepEqual(JSON.parse(stdout), [0o600, 0o600, 0o022])
    })
  )

  it.scopedLive("is busy while another process has the file open", () =>
    Effect.gen(function* () {
      const file = join(yield* temporaryFolder, NAME)
      yield* loaded(file, hourToLoad(H20, "{}\n"))
      yield* Effect.scoped(
        Effect.gen(function* () {
          yield* holding(file)
          const error = yield* Effect.flip(loaded(file))
          assert.deepEqual([error.reason, error.isTransient], ["Busy", true])
          assert.match(
            error.message,
            /^Cannot open the warehouse ".*lake\.duckdb": Busy: .*PID \d+/
          )
        })
      )
      assert.equal((yield* loaded(file)).length, 1)
    })
  )

  const refused: ReadonlyArray<
    readonly [what: string, reason: string, make: (file: string) => Effect.Effect<unknown, unknown>]
  > = [
    [
      "somebody else's database",
      "Foreign",
      (file) => queryFile(file, "create table shop as select 1 as a; checkpoint")
    ],
    [
      "tables of an older version",
      "TooOld",
      (file) => database(file, "update amplitude.about set value = '0' where name = 'schema'")
    ],
    [
      "tables of a newer version",
      "TooNew",
      (file) => database(file, "update amplitude.about set value = '2' where name = 'schema'")
    ],
    ["a text", "NotADatabase", (file) => written(file, "hello ".repeat(2000))],
    [
      "a SQLite file",
      "NotADatabase",
      (file) => written(file, `SQLite format 3\0${"x".repeat(9000)}`)
    ],
    ["an empty file", "NotADatabase", (file) => written(file, "")],
    [
      "a database that was cut off",
      "NotADatabase",
      (file) =>
        Effect.zipRight(
          loaded(file, hourToLoad(H20, "{}\n")),
          Effect.promise(() => fs.truncate(file, 5000))
        )
    ],
    ["a log whose database is gone", "NotADatabase", (file) => written(`${file}.wal`, "x")]
  ]
  for (const [what, reason, make] of refused) {
    it.scopedLive(`refuses ${what} by name, and leaves it as it is`, () =>
      Effect.gen(function* () {
        const folder = yield* temporaryFolder
        const file = join(folder, NAME)
        yield* make(file)
        const look = Effect.flatMap(pathsBelow(folder), (names) =>
          Effect.forEach(names, (name) =>
            Effect.promise(async () => [name, await fs.readFile(join(folder, name), "hex")])
          )
        )
        const before = yield* look
        const error = yield* Effect.flip(loaded(file, hourToLoad("2025-11-10T21", "[]\n")))
        assert.deepEqual([error.reason, error.method, error.isTransient], [reason, "open", false])
        assert.ok(error.message.includes(file), error.message)
        assert.deepEqual(yield* look, before)
      })
    )
  }

  it.scopedLive("has a ledger that takes an hour once, whoever writes to it", () =>
    Effect.gen(function* () {
      const file = join(yield* temporaryFolder, NAME)
      yield* loaded(file, hourToLoad(H20, "{}\n"))
      const again =
        "insert into amplitude.loads select * replace ('other' as load_id) from amplitude.loads"
      const cause = yield* Effect.sandbox(queryFile(file, again)).pipe(Effect.flip)
      assert.match(Cause.pretty(cause), /Constraint Error: Duplicate key/)
      assert.equal((yield* loaded(file)).length, 1)
    })
  )

  it.scopedLive("says so where the folder does not exist", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(loaded(join(yield* temporaryFolder, "no", NAME)))
      assert.equal(error.reason, "Misconfigured")
      assert.match(error.message, /there is no folder ".*\/no": make it first/)
    })
  )

  it.scopedLive("begins again where a run was killed while it made the file", () =>
    Effect.gen(function* () {
      const folder = yield* temporaryFolder
      const file = join(folder, NAME)
      yield* written(`${file}.new`, "half of it")
      yield* loaded(file, hourToLoad(H20, "{}\n"))
      assert.deepEqual(yield* pathsBelow(folder), [NAME])
    })
  )

  it.scopedLive("leaves no other name of a file whose making was killed after it was named", () =>
    Effect.gen(function* () {
      const folder = yield* temporaryFolder
      const file = join(folder, NAME)
      yield* loaded(file, hourToLoad(H20, "{}\n"))
      yield* Effect.promise(() => fs.link(file, `${file}.new`))
      assert.equal((yield* loaded(file)).length, 1)
      assert.deepEqual(yield* pathsBelow(folder), [NAME])
    })
  )

  it.scopedLive("keeps row groups small and text compressed, however often it is opened", () =>
    Effect.gen(function* () {
      const file = join(yield* temporaryFolder, "it's a lake.duckdb")
      const lines = Array.from({ length: 20_000 }, (_, index) => `{"event":${index}}\n`).join("")
      yield* loaded(file, hourToLoad(H20, lines))
      yield* loaded(file, hourToLoad("2025-11-10T21", lines))
      yield* loaded(file)
      const found = yield* queryFile(
        file.replace("'", "''"),
        "select max(count) as rows, any_value(compression) as compression from pragma_storage_info('amplitude.events_raw') where column_name = 'event' and segment_type = 'VARCHAR'",
        ", read_only"
      )
      assert.deepEqual(found, [{ rows: "8192", compression: "ZSTD" }])
    })
  )

  it.scopedLive.runIf(isLong)(
    "needs no more memory on a file whose row groups another DuckDB made large",
    () =>
      Effect.gen(function* () {
        const folder = yield* temporaryFolder
        const [small, large] = [join(folder, NAME), join(folder, "large.duckdb")]
        const pad = "x".repeat(1000)
        const linesOf = (count: number) =>
          Array.from({ length: count }, (_, index) => `{"event":${index},"of":"${pad}"}\n`).join("")
        yield* loaded(small, hourToLoad(H20, linesOf(125_000)))
        yield* Effect.promise(() => fs.copyFile(small, large))
        // With its own settings, as a shell, a notebook or dbt opens it.
        yield* Effect.promise(async () => {
          const instance = await DuckDBInstance.create(large)
          const connection = await instance.connect()
          await connection.run("create schema analytics; force checkpoint")
          connection.closeSync()
          instance.closeSync()
        })
        assert.deepEqual([yield* rowGroupOf(small), yield* rowGroupOf(large)], [8192, 122_880])
        const peakOf = (file: string) => memoryToReplace(file, folder)
        const [before, after] = [yield* peakOf(small), yield* peakOf(large)]
        assert.ok(after < before + 60, `${after} MB against ${before} MB`)
        assert.equal((yield* loaded(large)).length, 1)
      }),
    { timeout: 120_000 }
  )
})

/** The rows of the largest row group. */
const rowGroupOf = (file: string) =>
  Effect.map(
    queryFile(
      file,
      "select max(count) as rows from pragma_storage_info('amplitude.events_raw') where column_name = 'event' and segment_type = 'VARCHAR'",
      ", read_only"
    ),
    ([found]) => Number(found?.["rows"])
  )

/** Megabytes at most that a process needs to replace the hour of a file with half of its lines. */
const memoryToReplace = Effect.fnUntraced(function* (file: string, folder: string) {
  const script = `
    import { readFileSync } from "node:fs"
    import { Effect } from "effect"
    import { countLines } from "./dist/layers/unpack/linesDigest.js"
    import { refusal } from "./dist/layers/unpack/refusal.js"
    import * as WarehouseDuckDb from "./dist/layers/duckdb/WarehouseDuckDb.js"
    const line = Buffer.from(JSON.stringify({ of: "y".repeat(1000) }) + "\\n")
    const lines = 60_000
    const counter = countLines(refusal("test"), false)
    for (let at = 0; at < lines; at++) counter.update(line)
    const { digest } = counter.finish()
    const { open } = await Effect.runPromise(WarehouseDuckDb.make({ file: ${JSON.stringify(file)} }))
    await Effect.runPromise(
      Effect.scoped(
        Effect.gen(function* () {
          const { load, loads } = yield* open("load")
          const [row] = yield* loads
          yield* load({
            row: { ...row, ...digest },
            replaces: row.loadId,
            read: (append) => Effect.loop(0, { while: (at) => at < lines, step: (at) => at + 1, body: () => append(line), discard: true })
          })
        })
      )
    )
    // The peak that resourceUsage() has counts the process that started this one, too.
    console.log(/VmHWM:\\s+(\\d+)/.exec(readFileSync("/proc/self/status", "utf8"))[1] / 1000)`
  const { stdout } = yield* Effect.promise(() =>
    promisify(execFile)(process.execPath, ["--input-type=module", "-e", script], {
      env: { ...process.env, TMPDIR: folder }
    })
  )
  return Number(stdout)
})

/** Asks a warehouse with one hour. */
const asked = (sql: string) =>
  Effect.gen(function* () {
    const file = join(yield* temporaryFolder, NAME)
    yield* loaded(file, hourToLoad(H20, '{"a":1}\n'))
    const { open } = yield* WarehouseDuckDb.make({ file })
    return yield* Effect.scoped(
      Effect.gen(function* () {
        const { columns, rows } = yield* Effect.flatMap(open("read"), (it) => it.query(sql))
        return { columns, rows: Chunk.toReadonlyArray(yield* Stream.runCollect(rows)).flat() }
      })
    )
  })

describe("WarehouseDuckDb.query", () => {
  const values: ReadonlyArray<readonly [sql: string, cell: Cell]> = [
    ["9007199254740993", 9007199254740993n],
    ["170141183460469231731687303715884105727::hugeint", 2n ** 127n - 1n],
    ["1.10::decimal(5, 2)", { json: "1.10" }],
    ["0.1::float", 0.1],
    ["0.1::double", 0.1],
    ['\'{"b":9007199254740993,"a":1.10}\'::json', { json: '{"b":9007199254740993,"a":1.10}' }],
    ["'a' || chr(0) || 'b'", "a\0b"],
    ["timestamp '2025-11-10 21:00:00'", "2025-11-10T21:00:00Z"],
    ["timestamp '2025-11-10 21:00:00.000001'", "2025-11-10T21:00:00.000001Z"],
    ["timestamptz '2025-11-10 21:00:00+05'", "2025-11-10T16:00:00Z"],
    ["timestamp_ns '2025-11-10 21:00:00.123456789'", "2025-11-10T21:00:00.123456789Z"],
    ["'infinity'::timestamp", "infinity"],
    ["date '2025-11-10'", "2025-11-10"],
    ["null", null],
    ["true", true],
    ["['[1.0]'::json]", [{ json: "[1.0]" }]],
    ["[1.5::decimal(3, 1), null]", [{ json: "1.5" }, null]],
    [
      "{a: timestamp '2025-11-10 21:00:00', b: 'x'}",
      new Map([
        ["a", "2025-11-10T21:00:00Z"],
        ["b", "x"]
      ])
    ],
    ["map {1: 'x'}", new Map([["1", "x"]])],
    ["uuid '00000000-0000-0000-0000-00000000000a'", "00000000-0000-0000-0000-00000000000a"]
  ]
  it.scopedLive("gives each value exactly", () =>
    Effect.gen(function* () {
      const { rows } = yield* asked(`select ${values.map(([sql]) => sql).join(", ")}`)
      assert.deepEqual(
        rows[0],
        values.map(([, cell]) => cell)
      )
    })
  )

  it.scopedLive("knows the tables of the lake, and what is a number", () =>
    Effect.gen(function* () {
      const { columns, rows } = yield* asked("from amplitude.events_raw limit 5")
      assert.deepEqual(columns, [
        { name: "hour", isNumber: false },
        { name: "line", isNumber: true },
        { name: "event", isNumber: false }
      ])
      assert.deepEqual(rows, [["2025-11-10T20:00:00Z", 1, '{"a":1}']])
    })
  )

  const refused: ReadonlyArray<readonly [sql: string, detail: RegExp]> = [
    ["selec 1", /Parser Error: syntax error/],
    ["from nowhere", /^Catalog Error: Table with name nowhere does not exist!.*LINE 1/s],
    ["select 'x'::integer", /^Conversion Error/],
    ["delete from amplitude.loads", /read/],
    ["insert into amplitude.about values ('a', 'b')", /read/],
    ["create temp table x as select 1", /^only statements that read/],
    ["create table memory.main.x as select 1", /^only statements that read/],
    ["set memory_limit = '1TB'", /^only statements that read/],
    ["attach ':memory:' as other", /^only statements that read/],
    ["copy (select 1) to 'out.csv'", /Permission Error/],
    ["from read_text('/etc/hostname')", /Permission Error/],
    ["select 1; select 2", /^there are 2 statements/],
    ["-- nothing", /^there is no statement/]
  ]
  for (const [sql, detail] of refused) {
    it.scopedLive(`refuses ${sql}`, () =>
      Effect.gen(function* () {
        const found = yield* Effect.either(asked(sql))
        assert.ok(Either.isLeft(found), "it was run")
        const error = found.left
        assert.deepEqual([error.reason, error.isTransient], ["BadQuery", false])
        assert.match(error.detail, detail)
      })
    )
  }

  it.scopedLive("computes no more than is taken, and ends at once when it is interrupted", () =>
    Effect.gen(function* () {
      const file = join(yield* temporaryFolder, NAME)
      yield* loaded(file, hourToLoad(H20, "{}\n"))
      const { open } = yield* WarehouseDuckDb.make({ file })
      const first = yield* Effect.scoped(
        Effect.gen(function* () {
          const { rows } = yield* Effect.flatMap(open("read"), (it) =>
            it.query("from range(1000000000000)")
          )
          return yield* Stream.runHead(rows)
        })
      )
      assert.equal(Option.getOrThrow(first)[0]?.[0], 0n)
      const endless = Effect.scoped(
        Effect.gen(function* () {
          const { rows } = yield* Effect.flatMap(open("read"), (it) =>
            it.query("select sum(a.range * b.range) from range(1000000) a, range(1000000) b")
          )
          yield* Stream.runDrain(rows)
        })
      )
      const ended = yield* Effect.timeout(endless, "200 millis").pipe(Effect.flip)
      assert.equal(ended._tag, "TimeoutException")
      assert.equal((yield* loaded(file)).length, 1)
    })
  )
})

describe("WarehouseDuckDb.health", () => {
  it.scopedLive("names a file that every user can read", () =>
    Effect.gen(function* () {
      const file = join(yield* temporaryFolder, NAME)
      yield* loaded(file)
      const { health } = yield* WarehouseDuckDb.make({ file })
      yield* Effect.promise(() => fs.chmod(file, 0o640))
      assert.equal((yield* health).exposure, "")
      yield* Effect.promise(() => fs.chmod(file, 0o644))
      assert.match((yield* health).exposure, /^every user .*: chmod o-rwx ".*lake\.duckdb"$/)
    })
  )
})
