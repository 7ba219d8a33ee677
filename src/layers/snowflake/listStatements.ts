/**
 * What is said to Snowflake about the lists that load from the store beside the hours.
 *
 * @module
 */
import { type ReferenceList, referenceTables } from "../../services/Warehouse.ts"
import { MARKS } from "./answer.ts"
import { failing, literal, LOCK, TIME_FORMAT, timeOf } from "./statements.ts"

/** The ledger of lists, its columns in this order. */
export const LIST_COLUMNS = [
  "date",
  "stream",
  "key",
  "entries",
  "sha256",
  "loadedAt"
] as const satisfies ReadonlyArray<keyof ReferenceList>

export const LISTS = `SELECT TO_CHAR(DATE, 'YYYY-MM-DD'), STREAM, KEY, ENTRIES, SHA256, TO_CHAR(LOADED_AT, ${TIME_FORMAT})
FROM LISTS
ORDER BY DATE, STREAM`

/** Snowflake takes 1 MB at once, all statements of a request together. */
const LONGEST_ENTRIES = 800_000

function lengthOf(entry: string): number {
  return Buffer.byteLength(literal(entry)) + 1
}

/** The number of the first entry that does not fit into a request. */
export function tooLong(entries: ReadonlyArray<string>): number | undefined {
  const index = entries.findIndex((it) => lengthOf(it) > LONGEST_ENTRIES)
  return index === -1 ? undefined : index + 1
}

/** Entries that fit into one request. */
interface Part {
  readonly before: number
  readonly entries: Array<string>
}

function partsOf(entries: ReadonlyArray<string>): ReadonlyArray<Part> {
  let last: Part = { before: 0, entries: [] }
  const parts = [last]
  let length = 0
  for (const [before, entry] of entries.entries()) {
    length += lengthOf(entry)
    if (length > LONGEST_ENTRIES) {
      last = { before, entries: [] }
      parts.push(last)
      length = lengthOf(entry)
    }
    last.entries.push(entry)
  }
  return parts
}

/**
 * The requests that replace a list of a day, each one transaction. The first removes the ledger row and
 * the last writes it, if every entry is there then. Where another loader does the same at the same time,
 * both leave the same rows.
 */
export function loadList(
  list: ReferenceList,
  entries: ReadonlyArray<string>
): ReadonlyArray<ReadonlyArray<string>> {
  const [date, stream] = [literal(list.date), literal(list.stream)]
  const table = referenceTables[list.stream].toUpperCase()
  const parts = partsOf(entries)
  return parts.map((part, index) => [
    "BEGIN",
    LOCK,
    ...(index === 0 && parts.length > 1
      ? [`DELETE FROM LISTS WHERE DATE = ${date} AND STREAM = ${stream}`]
      : []),
    `DELETE FROM ${table} WHERE DATE = ${date} AND NUMBER > ${part.before}`,
    ...(part.entries.length === 0
      ? []
      : [
          `INSERT INTO ${table} (DATE, NUMBER, ENTRY)
SELECT ${date}::DATE, E.INDEX + ${part.before + 1}, E.VALUE
FROM TABLE(FLATTEN(INPUT => PARSE_JSON(${literal(`[${part.entries.join(",")}]`)}))) E`
        ]),
    ...(index === parts.length - 1 ? ledgerRow(list, table) : []),
    "COMMIT"
  ])
}

function ledgerRow(
  { date, entries, key, loadedAt, sha256, stream }: ReferenceList,
  table: string
): ReadonlyArray<string> {
  const day = literal(date)
  return [
    failing(
      MARKS.Changed,
      `  SELECT ${literal(`another run has changed the list "${key}" in between`)} AS FOUND
  FROM (SELECT COUNT(*) AS ENTRIES, COALESCE(MAX(NUMBER), 0) AS LAST FROM ${table} WHERE DATE = ${day}) E
  WHERE E.ENTRIES <> ${entries} OR E.LAST <> ${entries}`
    ),
    `DELETE FROM LISTS WHERE DATE = ${day} AND STREAM = ${literal(stream)}`,
    `INSERT INTO LISTS (DATE, STREAM, KEY, ENTRIES, SHA256, LOADED_AT)
SELECT ${day}::DATE, ${literal(stream)}, ${literal(key)}, ${entries}, ${literal(sha256)}, ${timeOf(loadedAt)}`
  ]
}
