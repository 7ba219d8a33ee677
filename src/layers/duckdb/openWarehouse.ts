import { randomUUID } from "node:crypto"
import { Effect, Option, Schema, Stream, type Scope } from "effect"
import type { DuckDBBlobValue, DuckDBTimestampValue, Json } from "@duckdb/node-api"
import { Hour, hourStart } from "../../services/Hour.ts"
import {
  type Answer,
  type Append,
  type CalendarHour,
  type HourToLoad,
  LoadedHour,
  type OpenWarehouse,
  WarehouseError
} from "../../services/Warehouse.ts"
import { buildModel, replaceIpRanges } from "./buildModel.ts"
import { cellsOf, isNumber } from "./cells.ts"
import type { Connection } from "./connection.ts"
import { referenceLists } from "./referenceLists.ts"
import { tableFiles } from "./tableFiles.ts"
import { storeLines, sumLines, type StoredLines } from "./storedLines.ts"
import { lineRows } from "./lineRows.ts"
import { inTransaction } from "./inTransaction.ts"

const LOADS = `select strftime(hour, '%Y-%m-%dT%H') as hour, key, format, events::double as events, bytes::double as bytes,
malformed::double as malformed, lineset, stored_lineset as "storedLineset", sha256, etag, coalesce(project, '') as project,
redacted::double as redacted, landed_by as "landedBy", load_id as "loadId", loaded_by as "loadedBy",
epoch_ms(loaded_at)::double as "loadedAt" from amplitude.loads order by hour`

const HOURS = `select strftime(hour, '%Y-%m-%dT%H') as hour from (select distinct hour from amplitude.events_raw) order by hour`

const NUMBERED = `select coalesce(count(distinct line) = count(*) and min(line) = 1 and max(line) = count(*), true) as numbered
from amplitude.events_raw where hour = $1`

const decodeLoads = Schema.decodeUnknown(Schema.Array(LoadedHour))

/** The tables of an open file. One statement, or one load, runs at a time. */
export const openWarehouse = Effect.fnUntraced(function* (connection: Connection, path: string) {
  const api = yield* Effect.promise(() => import("@duckdb/node-api"))
  const { DuckDBTimestampValue } = api
  const one = yield* Effect.makeSemaphore(1)
  const { rows, run } = connection
  const timeOf = (millis: number) => new DuckDBTimestampValue(BigInt(millis) * 1000n)

  const loads = rows("read", LOADS).pipe(
    Effect.flatMap((found) =>
      Effect.mapError(decodeLoads(found), ({ message }) =>
        failure("Failed", path, `its ledger cannot be read: ${message}`, "read")
      )
    )
  )
  const warehouse: OpenWarehouse = {
    lake: Effect.map(rows("read", "select name, value from amplitude.about"), (found) => {
      const about = new Map(found.map(({ name, value }) => [name, value] as const))
      return Option.map(textOf(about.get("place")), (place) => ({
        place,
        project: textOf(about.get("project"))
      }))
    }),
    claim: ({ place, project }) =>
      Effect.forEach(
        Object.entries({ place, project: Option.getOrUndefined(project) }),
        ([name, value]) =>
          value === undefined
            ? Effect.void
            : run("load", "insert or replace into amplitude.about values ($1, $2)", [name, value]),
        { discard: true }
      ),
    loads,
    storedHours: Effect.map(rows("read", HOURS), (found) =>
      found.map(({ hour }) => Hour.make(String(hour)))
    ),
    digestOf: (hour) => digestOf(connection, timeOf(hourStart(hour))),
    query: (sql) => answer(connection, api, sql),
    load: (hour) => loadHour(connection, api, path, hour, timeOf),
    build: (model) => buildModel(connection, model),
    setIpRanges: (ranges) => replaceIpRanges(connection, ranges),
    relabel: (loadId, { etag, format, key, sha256 }) =>
      run(
        "load",
        "update amplitude.loads set key = $2, format = $3, sha256 = $4, etag = $5 where load_id = $1",
        [loadId, key, format, sha256, etag]
      ),
    ...referenceLists(connection, api, path),
    setCalendar: (hours, seenAt) =>
      inTransaction(connection, appendCalendar(connection, hours, timeOf(seenAt), timeOf))
  }
  const alone = one.withPermits(1)
  const files = tableFiles(connection)
  return {
    lake: alone(warehouse.lake),
    claim: (lake) => alone(warehouse.claim(lake)),
    loads: alone(warehouse.loads),
    storedHours: alone(warehouse.storedHours),
    digestOf: (hour) => alone(warehouse.digestOf(hour)),
    query: (sql) =>
      Effect.zipRight(
        Effect.acquireRelease(one.take(1), () => one.release(1)),
        warehouse.query(sql)
      ),
    load: (hour) => alone(warehouse.load(hour)),
    build: (model) => alone(warehouse.build(model)),
    files: {
      tables: (schema) => alone(files.tables(schema)),
      digests: (table) => alone(files.digests(table)),
      write: (table, date, path) => alone(files.write(table, date, path)),
      digestOf: (table, path) => alone(files.digestOf(table, path))
    },
    setIpRanges: (ranges) => alone(warehouse.setIpRanges(ranges)),
    lists: alone(warehouse.lists),
    loadList: (list, entries) => alone(warehouse.loadList(list, entries)),
    relabel: (loadId, names) => alone(warehouse.relabel(loadId, names)),
    setCalendar: (hours, seenAt) => alone(warehouse.setCalendar(hours, seenAt))
  } satisfies OpenWarehouse
})

type Api = typeof import("@duckdb/node-api")
type TimeOf = (millis: number) => DuckDBTimestampValue

function textOf(value: Json | undefined): Option.Option<string> {
  return typeof value === "string" ? Option.some(value) : Option.none()
}

function failure(
  reason: WarehouseError["reason"],
  path: string,
  detail: string,
  method: WarehouseError["method"] = "load"
): WarehouseError {
  return new WarehouseError({ reason, method, path, detail })
}

const digestOf = Effect.fnUntraced(function* (
  { chunks, rows }: Connection,
  at: DuckDBTimestampValue
) {
  const lines = sumLines()
  // As bytes, so that no text is made of them.
  const sql = "select encode(event) from amplitude.events_raw where hour = $1"
  yield* Stream.runForEach(chunks("read", sql, [at]), (chunk) =>
    Effect.sync(() => {
      for (const value of chunk.getColumnValues(0)) {
        lines.add((value as DuckDBBlobValue).bytes)
      }
    })
  )
  const [found] = yield* rows("read", NUMBERED, [at])
  return { ...lines.finish(), isNumbered: found?.["numbered"] === true }
})

const answer = Effect.fnUntraced(function* (
  connection: Connection,
  api: typeof import("@duckdb/node-api"),
  sql: string
): Effect.fn.Return<Answer, WarehouseError, Scope.Scope> {
  const { chunks, result } = yield* connection.answer(sql)
  const types = result.columnTypes()
  const cellOf = cellsOf(api)
  return {
    columns: result.columnNames().map((name, index) => {
      const type = types[index]
      return { name, isNumber: type !== undefined && isNumber(api, type) }
    }),
    // A piece does not know which of its texts are JSON.
    rows: Stream.mapEffect(chunks, (chunk) =>
      connection.now("query", () =>
        chunk.getRows().map((row) => row.map((value, index) => cellOf(value, types[index])))
      )
    )
  }
})

const loadHour = <E, R>(
  connection: Connection,
  api: Api,
  path: string,
  { read, replaces, row }: HourToLoad<E, R>,
  timeOf: TimeOf
): Effect.Effect<LoadedHour, WarehouseError | E, R> =>
  Effect.uninterruptibleMask((restore) =>
    inTransaction(
      connection,
      Effect.gen(function* () {
        const at = timeOf(hourStart(row.hour))
        yield* makeRoom(connection, path, row.hour, at, replaces)
        const stored = yield* appendLines(connection, api, at, (append) => restore(read(append)))
        const isSame = stored.events === row.events && stored.lineset === row.lineset
        if (!isSame) {
          const detail = `the ${stored.events} lines of ${row.hour} with lineset ${stored.lineset} are not the ${row.events} with lineset ${row.lineset} that were announced`
          return yield* failure("Differs", path, detail)
        }
        const loaded = new LoadedHour({
          ...row,
          storedLineset: stored.storedLineset,
          loadId: randomUUID()
        })
        yield* insertLoad(connection, loaded, at, timeOf)
        return loaded
      })
    )
  )

/** Removes what is replaced. Fails if that is not what the ledger has. */
const makeRoom = Effect.fnUntraced(function* (
  { rows, run }: Connection,
  path: string,
  hour: Hour,
  at: DuckDBTimestampValue,
  replaces: string | undefined
) {
  const found = yield* rows("load", "select load_id from amplitude.loads where hour = $1", [at])
  const standing = found[0]?.["load_id"]
  if (standing !== replaces) {
    const detail = `${hour} was ${standing === undefined ? "removed" : "loaded"} in between`
    return yield* failure("Changed", path, detail)
  }
  // Lines without a ledger row are not ours, and would be counted twice.
  yield* run("load", "delete from amplitude.events_raw where hour = $1", [at])
  if (replaces === undefined) return
  yield* run("load", "delete from amplitude.loads where hour = $1", [at])
})

const appendLines = <E, R>(
  { appender, now }: Connection,
  api: Api,
  at: DuckDBTimestampValue,
  read: (append: Append) => Effect.Effect<void, E, R>
): Effect.Effect<ReturnType<StoredLines["finish"]>, WarehouseError | E, R> =>
  Effect.acquireUseRelease(
    appender("events_raw"),
    (it) =>
      Effect.gen(function* () {
        const rows = lineRows(api, it, at)
        const lines = storeLines(rows.add)
        yield* read((bytes) =>
          now("load", () => {
            lines.update(bytes)
            rows.settle()
          })
        )
        return yield* now("load", () => {
          const stored = lines.finish()
          rows.finish()
          return stored
        })
      }),
    // Lines that were not flushed are dropped; those that were are rolled back.
    (it) =>
      Effect.ignore(
        now("load", () => {
          it.clear()
          it.closeSync()
        })
      )
  )

function insertLoad(
  { run }: Connection,
  it: LoadedHour,
  at: DuckDBTimestampValue,
  timeOf: TimeOf
): Effect.Effect<void, WarehouseError> {
  const columns = {
    hour: at,
    key: it.key,
    format: it.format,
    events: BigInt(it.events),
    bytes: BigInt(it.bytes),
    malformed: BigInt(it.malformed),
    lineset: it.lineset,
    stored_lineset: it.storedLineset,
    sha256: it.sha256,
    etag: it.etag,
    project: it.project === "" ? null : it.project,
    redacted: BigInt(it.redacted),
    landed_by: it.landedBy,
    load_id: it.loadId,
    loaded_by: it.loadedBy,
    loaded_at: timeOf(it.loadedAt)
  }
  const names = Object.keys(columns)
  const values = names.map((_, index) => `$${index + 1}`)
  return run(
    "load",
    `insert into amplitude.loads (${names.join(", ")}) values (${values.join(", ")})`,
    Object.values(columns)
  )
}

const appendCalendar = (
  { appender, now, run }: Connection,
  hours: ReadonlyArray<CalendarHour>,
  seenAt: DuckDBTimestampValue,
  timeOf: TimeOf
) =>
  Effect.acquireUseRelease(
    Effect.zipRight(run("load", "delete from amplitude.calendar"), appender("calendar")),
    (rows) =>
      now("load", () => {
        for (const { events, hour, state } of hours) {
          rows.appendTimestamp(timeOf(hourStart(hour)))
          rows.appendVarchar(state)
          if (events === undefined) rows.appendNull()
          else rows.appendBigInt(BigInt(events))
          rows.appendTimestamp(seenAt)
          rows.endRow()
        }
        rows.flushSync()
      }),
    (rows) => Effect.ignore(now("load", () => rows.closeSync()))
  )
