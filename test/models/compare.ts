/** The tables of the models against those of the reference, row by row. */
import { exact, jsonOf, parsed } from "./reference/lines/json.ts"
import { byText, grouped, keyOf } from "./reference/lines/words.ts"
import type { Cell, Row, Tables } from "./reference/tables/reference.ts"
import { PROMISED } from "./promised.ts"
import type { Read } from "./warehouse.ts"

/** Columns that hold a hash; the reference has what it is made from. */
const HASHES = ["session_key", "location_key", "device_key"]
const JSON_COLUMNS: ReadonlySet<string> = new Set(["event_properties", "user_properties", "groups"])

type Meanings = ReadonlyMap<Cell, Cell>

function lineOf(row: Row): string {
  return keyOf(String(row["landed_hour"]), String(row["landed_line"]))
}

/**
 * What each hash stands for, read off the events. Fails if one hash stands for two things, or two
 * for one.
 */
function meaningsOf(models: ReadonlyArray<Row>, reference: ReadonlyArray<Row>) {
  const byLine = new Map(reference.map((row) => [lineOf(row), row]))
  const problems: Array<string> = []
  const meanings = new Map(HASHES.map((column) => [column, new Map<Cell, Cell>()]))
  for (const column of HASHES) {
    const meaning = meanings.get(column) as Map<Cell, Cell>
    const hashes = new Map<Cell, Cell>()
    for (const row of models) {
      const [hash, means] = [row[column] ?? null, byLine.get(lineOf(row))?.[column] ?? null]
      if (hash === null || means === null) continue
      if ((meaning.get(hash) ?? means) !== means) problems.push(`${column}: one for two, ${means}`)
      if ((hashes.get(means) ?? hash) !== hash) problems.push(`${column}: two for one, ${means}`)
      meaning.set(hash, means)
      hashes.set(means, hash)
    }
  }
  return { meanings, problems }
}

/** A cell as text, the same for values that are the same. */
function textOfCell(column: string, cell: Cell | undefined): string {
  if (cell === null || cell === undefined) return "null"
  if (JSON_COLUMNS.has(column) && typeof cell === "string") {
    const value = parsed(cell)
    return value === undefined ? cell : jsonOf(value, true)
  }
  if (typeof cell === "number") return String(Number(cell.toFixed(9)) + 0)
  return typeof cell === "bigint" ? exact(String(cell)) : String(cell)
}

function textOfRow(columns: ReadonlyArray<string>, row: Row): string {
  return columns.map((column) => `${column}=${textOfCell(column, row[column])}`).join(" | ")
}

function withMeanings(row: Row, meanings: ReadonlyMap<string, Meanings>): Row {
  const known = HASHES.filter((column) => row[column] !== null && row[column] !== undefined)
  return {
    ...row,
    ...Object.fromEntries(
      known.map((column) => [column, meanings.get(column)?.get(row[column] ?? null) ?? "unknown"])
    )
  }
}

type Counts = ReadonlyMap<string, number>

function counted(texts: ReadonlyArray<string>): Counts {
  return new Map([...grouped(texts, (text) => text)].map(([text, { length }]) => [text, length]))
}

function moreIn(one: Counts, other: Counts): ReadonlyArray<string> {
  return [...one].filter(([text, count]) => count > (other.get(text) ?? 0)).map(([text]) => text)
}

/** Rows of either side that the other one has not, or not as often; rows that are alike together. */
function differences(
  table: string,
  models: ReadonlyArray<string>,
  reference: ReadonlyArray<string>
): ReadonlyArray<string> {
  const [got, expected] = [counted(models), counted(reference)]
  return [
    ...moreIn(expected, got).map((row) => ({ row, side: "expected" })),
    ...moreIn(got, expected).map((row) => ({ row, side: "got     " }))
  ]
    .sort((one, other) => byText(one.row, other.row))
    .map(({ row, side }) => `${table} ${side} ${row}`)
}

/** What differs between the models and the reference; nothing if they agree. */
export async function differencesOf(read: Read, reference: Tables): Promise<ReadonlyArray<string>> {
  const events = await read("select * from analytics.fct_events")
  const { meanings, problems } = meaningsOf(events, reference["fct_events"] ?? [])
  const found = [...problems]
  for (const [table, promised] of Object.entries(PROMISED)) {
    const columns = promised.split(" ")
    const list = columns.map((column) => `"${column}"`).join(", ")
    const rows = await read(`select ${list} from analytics.${table}`)
    found.push(
      ...differences(
        table,
        rows.map((row) => textOfRow(columns, withMeanings(row, meanings))),
        (reference[table] ?? []).map((row) => textOfRow(columns, row))
      )
    )
  }
  return found
}
