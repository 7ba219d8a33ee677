/** Warehouse files that dbt and this process use in turn, and the tables of the models in them. */
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { type DuckDBConnection, DuckDBInstance } from "@duckdb/node-api"

/** Opens a file as the program does, for one use. */
export async function inFile<A>(
  file: string,
  use: (connection: DuckDBConnection) => Promise<A>
): Promise<A> {
  const instance = await DuckDBInstance.create(":memory:", { threads: "2" })
  const connection = await instance.connect()
  try {
    await connection.run(`attach '${file}' as lake (storage_version 'v1.5.0', row_group_size 8192)`)
    await connection.run("use lake")
    return await use(connection)
  } finally {
    connection.closeSync()
    instance.closeSync()
  }
}

export async function rowsOf(connection: DuckDBConnection, sql: string) {
  return (await connection.runAndReadAll(sql)).getRowsJson()
}

interface Planned {
  readonly name: string
  readonly materialized: "view" | "table" | "seed"
  readonly file: string
}

/** The models in the order in which they are made. */
export function plan(): ReadonlyArray<Planned> {
  return JSON.parse(readFileSync("dbt/compiled/plan.json", "utf8"))
}

/** What tells when a row was made, and not what it is. */
const TIMES_OF_MODELLING: ReadonlySet<string> = new Set([
  "modelled_at",
  "events_modelled_at",
  "session_modelled_at"
])

/** Makes the tables of the models anew beside those that dbt made, from the seeds that dbt loaded. */
export async function makeAnew(connection: DuckDBConnection): Promise<void> {
  await connection.run("create or replace schema anew")
  for (const { file, materialized, name } of plan()) {
    const sql =
      materialized === "seed"
        ? `select * from "analytics"."${name}"`
        : readFileSync(join("dbt/compiled", file), "utf8").replaceAll('"analytics".', '"anew".')
    const kind = materialized === "view" ? "view" : "table"
    await connection.run(`create ${kind} "anew"."${name}" as ${sql}`)
  }
}

export const tables = () =>
  plan().flatMap(({ materialized, name }) => (materialized === "table" ? [name] : []))

/** Those of some tables that differ between two schemas, with the number of rows on each side. */
export async function differences(
  connection: DuckDBConnection,
  one: string,
  other: string,
  names: ReadonlyArray<string> = tables()
): Promise<ReadonlyArray<string>> {
  const found: Array<string> = []
  for (const name of names) {
    const columnsIn = async (schema: string) => {
      const rows = await rowsOf(
        connection,
        `select column_name, data_type from duckdb_columns() where schema_name = '${schema}' and table_name = '${name}' order by all`
      )
      return rows.filter(([column]) => !TIMES_OF_MODELLING.has(String(column)))
    }
    const [columns, others] = [await columnsIn(one), await columnsIn(other)]
    if (JSON.stringify(columns) !== JSON.stringify(others) || columns.length === 0) {
      found.push(`${name}: ${JSON.stringify(columns)} and ${JSON.stringify(others)}`)
      continue
    }
    const list = columns.map(([column]) => `"${String(column)}"`).join(", ")
    const only = async (here: string, there: string) => {
      const rows = await rowsOf(
        connection,
        `select count(*) from (select ${list} from "${here}"."${name}" except all select ${list} from "${there}"."${name}")`
      )
      return Number(rows[0]?.[0])
    }
    const [more, less] = [await only(one, other), await only(other, one)]
    if (more + less > 0) found.push(`${name}: ${more} only in ${one}, ${less} only in ${other}`)
  }
  return found
}
