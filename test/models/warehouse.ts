/** The compiled models, run on a warehouse that holds a world. */
import { readFileSync } from "node:fs"
import { join } from "node:path"
import {
  DuckDBDateValue,
  DuckDBDecimalValue,
  type DuckDBConnection,
  DuckDBInstance,
  DuckDBTimestampValue,
  type DuckDBValue
} from "@duckdb/node-api"
import { TABLES } from "../../src/layers/duckdb/tables.ts"
import { startOf } from "./reference/lines/times.ts"
import type { AddressRange, World } from "./reference/lines/world.ts"
import type { Cell, Row } from "./reference/tables/reference.ts"

const COMPILED = "dbt/compiled"

interface Planned {
  readonly name: string
  readonly schema: string
  readonly materialized: "view" | "table" | "seed"
  readonly file: string
  readonly columns?: Readonly<Record<string, string>>
}

let known: ReadonlyArray<Planned & { readonly sql: string }> | undefined

/** The plan, with the SQL of each model. */
function plan() {
  return (known ??= (
    JSON.parse(readFileSync(join(COMPILED, "plan.json"), "utf8")) as ReadonlyArray<Planned>
  ).map((planned) => ({ ...planned, sql: readFileSync(join(COMPILED, planned.file), "utf8") })))
}

const time = (micros: number) => new DuckDBTimestampValue(BigInt(micros))

type Values = ReadonlyArray<DuckDBValue>

async function insert(
  connection: DuckDBConnection,
  table: string,
  rows: ReadonlyArray<Values>
): Promise<void> {
  for (const row of rows) {
    const places = row.map((_, index) => `$${index + 1}`).join(", ")
    await connection.run(`insert into ${table} values (${places})`, [...row])
  }
}

async function appendLines(connection: DuckDBConnection, { hours }: World): Promise<void> {
  const appender = await connection.createAppender("events_raw", "amplitude")
  for (const { hour, lines } of hours) {
    for (const [index, line] of lines.entries()) {
      appender.appendTimestamp(time(startOf(hour)))
      appender.appendInteger(index + 1)
      appender.appendVarchar(line)
      appender.endRow()
    }
  }
  appender.closeSync()
}

async function fill(connection: DuckDBConnection, world: World): Promise<void> {
  await connection.run(TABLES)
  await appendLines(connection, world)
  await insert(
    connection,
    "amplitude.loads",
    world.hours.map(({ hour, lines, loadId, redacted }) => [
      time(startOf(hour)),
      `python-import/${hour.replace("T", "_")}.jsonl`,
      "jsonl",
      BigInt(lines.length),
      0n,
      0n,
      "000000000000",
      "000000000000",
      "",
      "etag",
      "123456",
      BigInt(redacted),
      "test",
      loadId,
      "test",
      time(startOf(hour))
    ])
  )
  await insert(
    connection,
    "amplitude.calendar",
    world.calendar.map(({ hour, seenAt, state }) => [
      time(startOf(hour)),
      state,
      null,
      time(seenAt)
    ])
  )
  if (world.rangesIn === "table") {
    await insert(connection, "amplitude.ip_ranges", world.ipRanges.map(valuesOfRange))
  }
}

function valuesOfRange({ asn, company, first, kind, last }: AddressRange): Values {
  return [first, last, asn === null ? null : BigInt(asn), company, kind]
}

/** A range that holds every address, in the seed where it must not count. */
const DECOY = { first: "::", last: "ffff::", asn: 1, company: "Decoy", kind: "unknown" }

/** What a user has named in the seeds. */
const SEEDS: Readonly<Record<string, (world: World) => ReadonlyArray<Values>>> = {
  sites: ({ sites }) => sites.map(({ host, pathPrefix, site }) => [host, pathPrefix, site]),
  menu_items: ({ menuItems }) => menuItems.map(({ label, name, site }) => [site, label, name]),
  ip_ranges: ({ ipRanges, rangesIn }) =>
    (rangesIn === "seed" ? ipRanges : [DECOY]).map(valuesOfRange)
}

async function model(connection: DuckDBConnection, world: World): Promise<void> {
  await connection.run("create schema analytics")
  for (const { columns = {}, materialized, name, schema, sql } of plan()) {
    const relation = `"${schema}"."${name}"`
    if (materialized !== "seed") {
      await connection.run(`create ${materialized} ${relation} as ${sql}`)
      continue
    }
    const typed = Object.entries(columns).map(([column, type]) => `"${column}" ${type}`)
    await connection.run(`create table ${relation} (${typed.join(", ")})`)
    await insert(connection, relation, SEEDS[name]?.(world) ?? [])
  }
}

function cellOf(value: DuckDBValue): Cell {
  if (value instanceof DuckDBTimestampValue) return Number(value.micros)
  if (value instanceof DuckDBDateValue) return value.toString()
  if (value instanceof DuckDBDecimalValue) return value.toDouble()
  return value as Cell
}

export type Read = (sql: string) => Promise<ReadonlyArray<Row>>

/** Runs the models on a world, in a new file if one is named, and reads what they made. */
export async function inWarehouse<A>(
  world: World,
  read: (read: Read) => Promise<A>,
  file = ":memory:"
): Promise<A> {
  const instance = await DuckDBInstance.create(file, { threads: "1" })
  try {
    const connection = await instance.connect()
    try {
      await fill(connection, world)
      await model(connection, world)
      return await read(async (sql) => {
        const rows = (await connection.runAndReadAll(sql)).getRowObjects()
        return rows.map((row) =>
          Object.fromEntries(Object.entries(row).map(([name, value]) => [name, cellOf(value)]))
        )
      })
    } finally {
      connection.closeSync()
    }
  } finally {
    instance.closeSync()
  }
}
