import assert from "node:assert/strict"
import { existsSync } from "node:fs"
import * as fs from "node:fs/promises"
import { dirname, join } from "node:path"
import { setImmediate } from "node:timers/promises"
import { describe, it } from "@effect/vitest"
import { Effect, Option } from "effect"
import * as ExportFolderFileSystem from "../../../src/layers/disk/ExportFolderFileSystem.ts"
import * as WarehouseDuckDb from "../../../src/layers/duckdb/WarehouseDuckDb.ts"
import { exportTables } from "../../../src/programs/export/exportTables.ts"
import { ExportFolder, type ExportManifest } from "../../../src/services/Folders.ts"
import { Warehouse } from "../../../src/services/Warehouse.ts"
import { foreignRun, pathsBelow, syncsOf, temporaryFolder } from "../../fixtures/disk.ts"
import { queryFile } from "../../fixtures/duckdb.ts"
import { hourToLoad } from "../../fixtures/hourToLoad.ts"
import { isLong } from "../../fixtures/long.ts"

const EXACT = "9007199254740993"

/** A row of `fct_events`: a time, `null` for none, and what its JSON says. */
type Event = readonly [time: string | null, says: string]

const EVENTS: ReadonlyArray<Event> = [
  ["2025-11-10 21:00:00.000001", `{"big": ${EXACT}, "price": 1.10}`],
  ["2025-11-10 20:59:59", "{}"],
  ["2025-11-09 23:59:59.999999", `{"text": "it's ü, 注文"}`],
  [null, "{}"]
]

function eventsSql(events: ReadonlyArray<Event>, builtAt: string): string {
  // The first row has the types, and does not count.
  const rows = [[null, "{}"] as Event, ...events].map(
    ([time, says], line) =>
      `(cast(${time === null ? "null" : `'${time}'`} as timestamp), ${line}, '${says.replaceAll("'", "''")}')`
  )
  return `select timestamp '2025-11-10 21:00:00' as landed_hour, cast(line as integer) as landed_line,
(select min_by(load_id, hour) from amplitude.loads) as load_id, given.time as event_time, cast(${EXACT} as bigint) + line as amplitude_id,
cast(123456789012345678901234567890 as hugeint) as huge, cast(1.10 as decimal(9, 6)) as price,
cast(says as json) as event_properties, [1, 2] as numbers, map {'a': 1} as pairs, timestamp '${builtAt}' as modelled_at
from (values ${rows.join(", ")}) as given (time, line, says) where line > 0`
}

const table = (name: string, sql: string) => ({
  schema: "analytics",
  name,
  kind: "table" as const,
  sql
})

/** A warehouse with one loaded hour, and a folder beside it. */
const world = Effect.gen(function* () {
  const home = yield* temporaryFolder
  const [file, folder] = [join(home, "lake.duckdb"), join(home, "parquet")]
  const loading = yield* WarehouseDuckDb.make({ file })
  const change = (
    use: (
      it: Effect.Effect.Success<ReturnType<typeof loading.open>>
    ) => Effect.Effect<unknown, unknown>
  ) => Effect.orDie(Effect.scoped(Effect.flatMap(loading.open("load"), use)))
  yield* change((it) => it.load(hourToLoad("2025-11-10T21", '{"a":1}\n')))
  let builds = 0
  const build = (events: ReadonlyArray<Event>, pages = 1) =>
    change((it) =>
      Effect.all([
        it.build(table("fct_events", eventsSql(events, `2026-01-01 00:00:0${builds++ % 10}`))),
        it.build(table("dim_pages", `select range as page from range(${pages})`)),
        it.build(table("int_inner", "select 1 as a")),
        it.build({ schema: "analytics", name: "a_view", kind: "view", sql: "select 1 as a" })
      ])
    )
  const exportTo = (to = folder, dryRun = false) =>
    Effect.gen(function* () {
      const exportsTo = ExportFolderFileSystem.stagingOf(to)
      const warehouse = yield* WarehouseDuckDb.make({ file, exportsTo })
      const target = yield* ExportFolderFileSystem.make({ folder: to })
      return yield* exportTables({ dryRun, retries: 0 }).pipe(
        Effect.provideService(Warehouse, warehouse),
        Effect.provideService(ExportFolder, target)
      )
    })
  const read = (sql: string) => queryFile(file, sql, ", read_only")
  return { home, file, folder, change, build, exportTo, read }
})

const manifestOf = (folder: string) =>
  Effect.promise(
    async () =>
      JSON.parse(await fs.readFile(join(folder, "manifest.json"), "utf8")) as ExportManifest
  )

/** Every file with its inode and time, which tell whether it was touched. */
const touchesOf = (folder: string) =>
  Effect.promise(async () => {
    const paths = await fs.readdir(folder, { recursive: true })
    const files = await Promise.all(
      paths.map(async (path) => ({ path, stats: await fs.stat(join(folder, path)) }))
    )
    return files
      .filter(({ stats }) => stats.isFile())
      .map(({ path, stats }) => `${path} ${stats.ino} ${stats.mtimeMs}`)
      .sort()
  })

const DAY = (date: string) => `fct_events/event_date=${date}/data.parquet`
const PAGES = "dim_pages/data.parquet"
const NO_DATE = "__HIVE_DEFAULT_PARTITION__"

const filesIn = (folder: string) =>
  Effect.map(pathsBelow(folder), (paths) => paths.filter((path) => path.endsWith(".parquet")))

describe("exportTables()", () => {
  it.scopedLive("writes each date and each table, and readers find every value as it was", () =>
    Effect.gen(function* () {
      const { build, exportTo, folder, read } = yield* world
      yield* build(EVENTS)
      const { bytes: _bytes, durationMs: _took, ...found } = yield* exportTo()
      assert.deepEqual(found, {
        ...found,
        folder,
        dryRun: false,
        tables: [
          { name: "dim_pages", rows: 1, files: 1, written: 1, removed: 0 },
          { name: "fct_events", rows: 4, files: 3, written: 3, removed: 0 }
        ],
        rows: 5,
        files: 4,
        written: 4,
        removed: 0,
        notModelled: 0,
        exitCode: 0
      })
      assert.deepEqual(yield* filesIn(folder), [
        PAGES,
        DAY("2025-11-09"),
        DAY("2025-11-10"),
        DAY(NO_DATE)
      ])
      const rows =
        yield* read(`set TimeZone = 'UTC'; from read_parquet('${folder}/fct_events/*/*.parquet', hive_partitioning = true)
order by event_time`)
      assert.deepEqual(
        rows.map((it) => [
          it["event_time"],
          it["amplitude_id"],
          it["event_properties"],
          it["event_date"]
        ]),
        [
          [
            "2025-11-09 23:59:59.999999+00",
            "9007199254740996",
            '{"text": "it\'s ü, 注文"}',
            "2025-11-09"
          ],
          ["2025-11-10 20:59:59+00", "9007199254740995", "{}", "2025-11-10"],
          [
            "2025-11-10 21:00:00.000001+00",
            "9007199254740994",
            `{"big": ${EXACT}, "price": 1.10}`,
            "2025-11-10"
          ],
          [null, "9007199254740997", "{}", null]
        ]
      )
      assert.deepEqual(
        [rows[0]?.["huge"], rows[0]?.["price"], rows[0]?.["numbers"], rows[0]?.["pairs"]],
        ["123456789012345678901234567890", "1.100000", [1, 2], "{a=1}"]
      )
      assert.equal("modelled_at" in (rows[0] ?? {}), false)
      // Sorted by time within a file.
      const [sorted] = yield* read(
        `select list(event_time order by file_row_number) = list(event_time order by event_time) as it from read_parquet('${folder}/${DAY("2025-11-10")}', file_row_number = true)`
      )
      assert.deepEqual(sorted, { it: true })
      const [compressed] = yield* read(
        `select list(distinct compression) as it from parquet_metadata('${folder}/${DAY("2025-11-10")}')`
      )
      assert.deepEqual(compressed, { it: ["ZSTD"] })
    })
  )

  it.scopedLive("touches only what has changed, also after the models were built again", () =>
    Effect.gen(function* () {
      const { build, exportTo, folder } = yield* world
      yield* build(EVENTS)
      yield* exportTo()
      const before = yield* touchesOf(folder)
      yield* build(EVENTS)
      const same = yield* exportTo()
      assert.deepEqual([same.written, same.removed, same.exitCode], [0, 0, 0])
      assert.deepEqual(yield* touchesOf(folder), before)

      yield* build([...EVENTS.slice(0, 3), ["2025-11-12 00:00:00", "{}"]], 2)
      const planned = yield* exportTo(folder, true)
      assert.deepEqual(yield* touchesOf(folder), before)
      const next = yield* exportTo()
      assert.deepEqual([planned.written, planned.removed, planned.dryRun], [2, 1, true])
      assert.deepEqual([next.written, next.removed, next.dryRun], [2, 1, false])
      assert.deepEqual(yield* filesIn(folder), [
        PAGES,
        DAY("2025-11-09"),
        DAY("2025-11-10"),
        DAY("2025-11-12")
      ])
      const after = new Set(yield* touchesOf(folder))
      const kept = before.filter((it) => after.has(it)).map((it) => it.split(" ")[0])
      assert.deepEqual(kept, [DAY("2025-11-09"), DAY("2025-11-10")])
      // Nothing is left of the date, not even its folder.
      assert.ok(!(yield* pathsBelow(folder)).some((path) => path.includes(NO_DATE)))
    })
  )

  it.scopedLive("writes again what is missing or has another size", () =>
    Effect.gen(function* () {
      const { build, exportTo, folder } = yield* world
      yield* build(EVENTS)
      yield* exportTo()
      yield* Effect.promise(async () => {
        await fs.rm(join(folder, PAGES))
        await fs.appendFile(join(folder, DAY("2025-11-09")), "x")
      })
      assert.equal((yield* exportTo()).written, 2)
      assert.equal((yield* exportTo()).written, 0)
    })
  )

  it.scopedLive("writes a table again whose columns have other names", () =>
    Effect.gen(function* () {
      const { build, change, exportTo } = yield* world
      yield* build(EVENTS)
      yield* exportTo()
      yield* change((it) => it.build(table("dim_pages", "select range as path from range(1)")))
      assert.equal((yield* exportTo()).written, 1)
    })
  )

  it.scopedLive.runIf(isLong)(
    "ends up as an export of everything does, whatever changes between",
    () =>
      Effect.gen(function* () {
        const { build, exportTo, folder, home } = yield* world
        let seed = 7
        const next = (below: number) => {
          seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0
          return Math.floor((seed / 2 ** 32) * below)
        }
        let events: ReadonlyArray<Event> = EVENTS
        for (let round = 0; round < (isLong ? 40 : 8); round++) {
          const date = `2025-11-${String(10 + next(4)).padStart(2, "0")}`
          const one: Event = [
            next(9) === 0 ? null : `${date} 0${next(10)}:00:00`,
            `{"n": ${next(3)}}`
          ]
          const at = next(events.length + 1)
          events = [
            ...events.slice(0, at),
            ...(next(3) === 0 ? [] : [one]),
            ...events.slice(at + next(2))
          ]
          yield* build(events, next(3))
          if (next(3) === 0) continue
          yield* exportTo()
          const whole = join(home, `whole-${round}`)
          yield* exportTo(whole)
          const [ours, theirs] = [yield* manifestOf(folder), yield* manifestOf(whole)]
          assert.deepEqual(ours.files, theirs.files)
          assert.deepEqual(yield* filesIn(folder), yield* filesIn(whole))
          for (const path of yield* filesIn(folder)) {
            const [one, other] = yield* Effect.promise(() =>
              Promise.all([fs.readFile(join(folder, path)), fs.readFile(join(whole, path))])
            )
            assert.ok(one.equals(other), path)
          }
        }
      })
  )

  it.scopedLive("goes on where it was stopped, at whatever file", () =>
    Effect.gen(function* () {
      const { build, exportTo, folder, home } = yield* world
      yield* build(EVENTS)
      yield* exportTo()
      yield* build([...EVENTS.slice(1, 2), ["2025-11-12 00:00:00", "{}"]], 2)
      const whole = join(home, "whole")
      yield* exportTo(whole)
      const inner = join(folder, ".amplitude-lake")
      // As a run leaves it that is killed once it had begun to put its files in place.
      yield* Effect.promise(async () => {
        const publishing = join(inner, "publishing")
        await fs.mkdir(publishing)
        await fs.copyFile(join(whole, "manifest.json"), join(publishing, "manifest.json"))
        for (const path of [PAGES, DAY("2025-11-10"), DAY("2025-11-12")]) {
          await fs.copyFile(join(whole, path), join(publishing, encodeURIComponent(path)))
        }
        await fs.rename(join(publishing, encodeURIComponent(PAGES)), join(folder, PAGES))
        await fs.mkdir(dirname(join(folder, DAY("2025-11-12"))))
        await fs.rename(
          join(publishing, encodeURIComponent(DAY("2025-11-12"))),
          join(folder, DAY("2025-11-12"))
        )
      })
      const { removed, written } = yield* exportTo()
      assert.deepEqual([written, removed], [0, 0])
      assert.deepEqual(yield* filesIn(folder), yield* filesIn(whole))
      assert.deepEqual((yield* manifestOf(folder)).files, (yield* manifestOf(whole)).files)
      assert.deepEqual(yield* pathsBelow(inner), ["runs"])
    })
  )

  it.scopedLive("leaves a folder as it is that holds files of others", () =>
    Effect.gen(function* () {
      const { build, exportTo, folder } = yield* world
      yield* build(EVENTS)
      yield* Effect.promise(async () => {
        await fs.mkdir(folder)
        await fs.writeFile(join(folder, "notes.txt"), "mine")
      })
      const refused = yield* Effect.flip(exportTo())
      assert.equal(refused._tag === "FolderError" && refused.reason, "Foreign")
      assert.match(refused.message, /"notes\.txt"/)
      assert.deepEqual(yield* pathsBelow(folder), ["notes.txt"])
      yield* Effect.promise(() => fs.rm(join(folder, "notes.txt")))
      yield* exportTo()
      yield* Effect.promise(async () => {
        await fs.writeFile(join(folder, "_SUCCESS"), "")
        await fs.copyFile(join(folder, PAGES), join(folder, "dim_pages/more.parquet"))
      })
      const doubled = yield* Effect.flip(exportTo())
      assert.match(doubled.message, /"dim_pages\/more\.parquet"; move them/)
    })
  )

  it.scopedLive("waits for another export, and takes over what a dead one left", () =>
    Effect.gen(function* () {
      const { build, exportTo, folder } = yield* world
      yield* build(EVENTS)
      yield* exportTo()
      yield* build([])
      const before = yield* touchesOf(folder)
      const other = join(folder, ".amplitude-lake/runs", foreignRun)
      yield* Effect.promise(() => fs.mkdir(other, { recursive: true }))
      const refused = yield* Effect.flip(exportTo())
      assert.equal(refused._tag === "FolderError" && refused.reason, "Busy")
      assert.deepEqual(yield* touchesOf(folder), before)
      // Silent for longer than a live run would be.
      yield* Effect.promise(async () => {
        await fs.writeFile(join(other, "half"), "")
        await fs.utimes(other, 0, 0)
      })
      assert.equal((yield* exportTo()).removed, 3)
      assert.deepEqual(yield* pathsBelow(join(folder, ".amplitude-lake")), ["runs"])
    })
  )

  it.scopedLive("lets one of two exports at once go on, or none", () =>
    Effect.gen(function* () {
      const { build, folder } = yield* world
      yield* build(EVENTS)
      let [holding, most] = [0, 0]
      const hold = Effect.promise(async () => {
        holding += 1
        most = Math.max(most, holding)
        for (let turn = 0; turn < 200; turn++) await setImmediate()
        holding -= 1
      })
      const open = Effect.flatMap(ExportFolderFileSystem.make({ folder }), (it) =>
        Effect.scoped(Effect.zipRight(it.open, hold))
      )
      yield* Effect.all(
        Array.from({ length: 4 }, () => Effect.either(open)),
        { concurrency: 4 }
      )
      assert.ok(most <= 1, `${most} held the folder`)
      yield* open
    })
  )

  it.scopedLive("names what is to be typed first, and writes nothing", () =>
    Effect.gen(function* () {
      const { exportTo, folder } = yield* world
      const failed = yield* Effect.flip(exportTo())
      assert.equal(failed._tag === "ExportError" && failed.reason, "NotModelled")
      yield* Effect.flip(Effect.tryPromise(() => fs.stat(folder)))
    })
  )

  it.scopedLive(
    "exits 3 where hours were loaded, replaced or emptied after the models were built",
    () =>
      Effect.gen(function* () {
        const { build, change, exportTo } = yield* world
        yield* build(EVENTS)
        yield* change((it) => it.load(hourToLoad("2025-11-10T22", '{"a":1}\n')))
        const behind = yield* exportTo()
        assert.deepEqual([behind.notModelled, behind.exitCode], [1, 3])
        // Lines that are no events are in no table.
        yield* change((it) =>
          Effect.flatMap(it.loads, ([, second]) =>
            it.load({
              ...hourToLoad("2025-11-10T22", "{oh no}\n[1]\n"),
              replaces: second?.loadId
            })
          )
        )
        assert.equal((yield* exportTo()).notModelled, 0)
        yield* change((it) =>
          Effect.flatMap(it.loads, ([first]) =>
            it.load({ ...hourToLoad("2025-11-10T21", ""), replaces: first?.loadId })
          )
        )
        assert.deepEqual((yield* exportTo()).notModelled, 1)
      })
  )

  it.scopedLive("refuses the folder of another Amplitude project", () =>
    Effect.gen(function* () {
      const { build, change, exportTo } = yield* world
      yield* build(EVENTS)
      const claim = (project: string) =>
        change((it) => it.claim({ place: "s3://lake/", project: Option.some(project) }))
      yield* claim("1")
      yield* exportTo()
      yield* claim("2")
      const refused = yield* Effect.flip(exportTo())
      assert.equal(refused._tag === "ExportError" && refused.reason, "OtherProject")
    })
  )

  it.scopedLive("puts no file in place where one was not read back as its table", () =>
    Effect.gen(function* () {
      const { build, file, folder } = yield* world
      yield* build(EVENTS)
      const exportsTo = ExportFolderFileSystem.stagingOf(folder)
      const warehouse = yield* WarehouseDuckDb.make({ file, exportsTo })
      const target = yield* ExportFolderFileSystem.make({ folder })
      // A disk that gives the rows of another date back.
      const wrong: Warehouse["Type"] = {
        ...warehouse,
        open: (to) =>
          Effect.map(warehouse.open(to), (it) => ({
            ...it,
            files: it.files && {
              ...it.files,
              write: (of, date, path) =>
                it.files?.write(of, date === "2025-11-10" ? "2025-11-09" : date, path) ??
                Effect.void
            }
          }))
      }
      const failed = yield* exportTables({ retries: 0 }).pipe(
        Effect.provideService(Warehouse, wrong),
        Effect.provideService(ExportFolder, target),
        Effect.flip
      )
      assert.equal(failed._tag === "ExportError" && failed.reason, "Differs")
      assert.deepEqual(yield* pathsBelow(folder), [".amplitude-lake", ".amplitude-lake/runs"])
    })
  )

  it.scopedLive("lets DuckDB write to its own folder alone", () =>
    Effect.gen(function* () {
      const { build, file, folder, home } = yield* world
      yield* build(EVENTS)
      const pages = {
        schema: "analytics",
        name: "dim_pages",
        columns: [{ name: "page", type: "BIGINT" }],
        datedBy: null
      }
      const writing = (path: string, exportsTo?: string) =>
        Effect.scoped(
          Effect.gen(function* () {
            const { open } = yield* WarehouseDuckDb.make({ file, exportsTo })
            const { files } = yield* open("read")
            yield* files?.write(pages, null, path) ?? Effect.void
          })
        )
      const exportsTo = ExportFolderFileSystem.stagingOf(folder)
      for (const [path, allowed] of [
        [join(home, "out.parquet"), exportsTo],
        [join(exportsTo, "../../out.parquet"), exportsTo],
        [join(exportsTo, "out.parquet"), undefined]
      ] as const) {
        const refused = yield* Effect.flip(writing(path, allowed))
        assert.match(refused.message, /Cannot export the warehouse .*Permission Error/)
      }
      assert.deepEqual(yield* pathsBelow(home), ["lake.duckdb"])
    })
  )

  it.scopedLive("makes files durable before they are seen", () =>
    Effect.gen(function* () {
      const { build, exportTo, folder } = yield* world
      yield* build(EVENTS)
      const syncs = yield* syncsOf(folder, () => existsSync(join(folder, PAGES)), exportTo())
      const unseen = syncs.filter(({ seen }) => !seen).map(({ path }) => path)
      for (const path of [PAGES, DAY("2025-11-09"), DAY("2025-11-10"), DAY(NO_DATE)]) {
        assert.ok(
          unseen.some((it) => it.endsWith(encodeURIComponent(path))),
          path
        )
      }
      const seen = syncs.filter((it) => it.seen).map(({ path }) => path)
      assert.ok(seen.includes(dirname(DAY("2025-11-10"))))
      assert.equal(seen.at(-1), "")
    })
  )
})
