import { Effect, Schema } from "effect"
import { DAY } from "../../services/Hour.ts"
import {
  type OpenWarehouse,
  ReferenceList,
  referenceTables,
  WarehouseError
} from "../../services/Warehouse.ts"
import type { Connection } from "./connection.ts"
import { inTransaction } from "./inTransaction.ts"

type Api = typeof import("@duckdb/node-api")

const HAS_LISTS = `select count(*)::int as tables from information_schema.tables
where table_catalog = current_database() and table_schema = 'amplitude' and table_name = 'lists'`

const LISTS = `select strftime(date, '%Y-%m-%d') as date, stream, key, entries::double as entries, sha256,
epoch_ms(loaded_at)::double as "loadedAt" from amplitude.lists order by date, stream`

const decodeLists = Schema.decodeUnknown(Schema.Array(ReferenceList))

/** The lists of an open file. One that was made without their tables, and is opened to be read, has none. */
export function referenceLists(
  connection: Connection,
  api: Api,
  path: string
): Pick<OpenWarehouse, "lists" | "loadList"> {
  const { rows } = connection
  return {
    lists: Effect.gen(function* () {
      const [found] = yield* rows("read", HAS_LISTS)
      if (found?.["tables"] !== 1) return []
      return yield* Effect.mapError(decodeLists(yield* rows("read", LISTS)), ({ message }) => {
        const detail = `its lists cannot be read: ${message}`
        return new WarehouseError({ reason: "Failed", method: "read", path, detail })
      })
    }),
    loadList: (list, entries) =>
      inTransaction(connection, replaceList(connection, api, list, entries))
  }
}

const replaceList = Effect.fnUntraced(function* (
  { appender, now, run }: Connection,
  { DuckDBDateValue, DuckDBTimestampValue }: Api,
  list: ReferenceList,
  entries: ReadonlyArray<string>
) {
  const table = referenceTables[list.stream]
  const date = new DuckDBDateValue(Date.parse(list.date) / DAY)
  yield* run("load", `delete from amplitude.${table} where date = $1`, [date])
  yield* Effect.acquireUseRelease(
    appender(table),
    (it) =>
      now("load", () => {
        for (const [index, entry] of entries.entries()) {
          it.appendDate(date)
          it.appendInteger(index + 1)
          it.appendVarchar(entry)
          it.endRow()
        }
        it.flushSync()
      }),
    (it) => Effect.ignore(now("load", () => it.closeSync()))
  )
  yield* run("load", "insert or replace into amplitude.lists values ($1, $2, $3, $4, $5, $6)", [
    date,
    list.stream,
    list.key,
    BigInt(list.entries),
    list.sha256,
    new DuckDBTimestampValue(BigInt(list.loadedAt) * 1000n)
  ])
})
