import { Chunk, Effect, Stream } from "effect"
import type { DuckDBValue } from "@duckdb/node-api"
import type {
  RowsDigest,
  StoredTable,
  TableFiles,
  TableToExport
} from "../../services/Warehouse.ts"
import { type Connection, quoted } from "./connection.ts"

/** Small enough that a group of wide rows fits into the memory of one thread. */
const ROW_GROUP = 32_768

/** Types that every reader has. A time is an instant in UTC, and JSON is its text. */
const KEPT =
  /^(BOOLEAN|TINYINT|SMALLINT|INTEGER|BIGINT|FLOAT|DOUBLE|DECIMAL\(\d+,\d+\)|VARCHAR|BLOB|DATE|TIMESTAMP WITH TIME ZONE)(\[\])?$/

/** What a column is written as. Anything else would become a double, or a type that few readers know. */
function exportedType(type: string): string {
  if (/^TIMESTAMP(_S|_MS|_NS)?$/.test(type)) return "TIMESTAMP WITH TIME ZONE"
  if (/^(HUGEINT|UBIGINT)$/.test(type)) return "DECIMAL(38,0)"
  if (/^(UTINYINT|USMALLINT|UINTEGER)$/.test(type)) return "BIGINT"
  return KEPT.test(type) ? type : "VARCHAR"
}

/** They say when a row was built, and differ after each build of the same rows. */
const OF_BUILD = /(^|_)modelled_at$/

/** Columns that tell rows of the same time apart, so that the same rows are written as the same bytes. */
const TELLING = ["landed_hour", "landed_line", "session_key"]

/** Writes tables as Parquet files, and reads them back. */
export function tableFiles({ chunks, execute, rows }: Connection): TableFiles {
  /** As `rows`, but can be interrupted. */
  const answer = (sql: string) =>
    Effect.map(Stream.runCollect(chunks("export", sql)), (found) =>
      Chunk.toReadonlyArray(found).flatMap((chunk) => chunk.getRows())
    )
  return {
    tables: (schema) =>
      Effect.map(
        rows(
          "export",
          `select table_name as "table", column_name as "column", data_type as type
from information_schema.columns join information_schema.tables using (table_catalog, table_schema, table_name)
where table_catalog = current_database() and table_schema = $1 and table_type = 'BASE TABLE'
order by table_name, ordinal_position`,
          [schema]
        ),
        (found) => {
          const tables = new Map<string, Array<StoredTable["columns"][number]>>()
          for (const { column, table, type } of found) {
            const columns = tables.get(String(table)) ?? []
            tables.set(String(table), columns)
            if (OF_BUILD.test(String(column))) continue
            columns.push({ name: String(column), type: exportedType(String(type)) })
          }
          return [...tables].map(([name, columns]) => ({ name, columns }))
        }
      ),
    digests: (table) => {
      const date = table.datedBy === null ? "null" : dateOf(table.datedBy)
      return Effect.map(
        answer(
          `select ${digestOf(table)}, ${DATE} from (select ${selected(table)}, ${date} as ${DATE} from ${nameOf(table)}) group by ${DATE} order by ${DATE} nulls first`
        ),
        (found) => new Map(found.map((row) => [textOf(row[2]), digestIn(row)] as const))
      )
    },
    write: (table, date, path) => {
      const { columns, datedBy } = table
      const names = new Set(columns.map(({ name }) => name))
      const order =
        datedBy === null
          ? "all"
          : [datedBy, ...TELLING.filter((name) => names.has(name))].map(quoted).join(", ")
      return execute(
        "export",
        `copy (select ${selected(table)} from ${nameOf(table)}${datedBy === null ? "" : ` where ${isOf(datedBy, date)}`} order by ${order}) to ${text(path)} (format parquet, compression zstd, row_group_size ${ROW_GROUP})`
      )
    },
    digestOf: (table, path) =>
      Effect.map(
        answer(
          `select ${digestOf(table)} from read_parquet(${text(path)}, hive_partitioning = false)`
        ),
        ([row = []]) => digestIn(row)
      )
  }
}

/** Not the name of a column. */
const DATE = quoted("date of file")

function digestIn([rows, digest]: ReadonlyArray<DuckDBValue>): RowsDigest {
  return { rows: Number(rows), digest: textOf(digest) ?? "0" }
}

function textOf(value: DuckDBValue | undefined): string | null {
  return typeof value === "string" ? value : null
}

function text(value: string): string {
  return `'${value.replaceAll("'", "''")}'`
}

/** Of rows in any order. Hashed twice, because the first hash of a row is that of its last column under a mask. */
function digestOf({ columns }: TableToExport): string {
  const names = columns.map(({ name }) => quoted(name)).join(", ")
  return `count(*)::double as rows, sum(hash(hash(${names})))::varchar as digest`
}

function selected({ columns }: TableToExport): string {
  return columns
    .map(({ name, type }) => `cast(${quoted(name)} as ${type}) as ${quoted(name)}`)
    .join(", ")
}

/** `null` for a time that no date of four digits has. */
function dateOf(column: string): string {
  const at = `cast(${quoted(column)} as timestamp)`
  return `case when ${at} >= timestamp '0001-01-01' and ${at} < timestamp '10000-01-01' then strftime(${at}, '%Y-%m-%d') end`
}

/** Rows of a date, in a form that skips whole row groups. */
function isOf(column: string, date: string | null): string {
  if (date === null) return `${dateOf(column)} is null`
  const at = quoted(column)
  return `${at} >= timestamp '${date}' and ${at} < timestamp '${date}' + interval 1 day`
}

function nameOf({ name, schema }: TableToExport): string {
  return `${quoted(schema)}.${quoted(name)}`
}
