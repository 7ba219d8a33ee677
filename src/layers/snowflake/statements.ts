/**
 * What is said to Snowflake, as text. Names are those of the schema in each request's context.
 *
 * @module
 */
import { addHours, byHour, type Hour } from "../../services/Hour.ts"
import type {
  CalendarHour,
  HourToLoad,
  LoadedHour,
  WarehouseLake
} from "../../services/Warehouse.ts"
import { Option } from "effect"
import { MARKS } from "./answer.ts"
import { qualified } from "./names.ts"

/** The most objects that one COPY may name. */
export const MOST_FILES = 1000

const HOUR_FORMAT = `'YYYY-MM-DD"T"HH24'`
export const TIME_FORMAT = `'YYYY-MM-DD"T"HH24:MI:SS.FF3"Z"'`

/** A string constant. Snowflake reads backslashes in it. */
export function literal(text: string): string {
  return `'${text.replaceAll("\\", "\\\\").replaceAll("'", "''").replaceAll("\n", "\\n")}'`
}

/** A time in milliseconds since 1970. */
export function timeOf(millis: number): string {
  return `${literal(new Date(millis).toISOString().replace("Z", ""))}::TIMESTAMP_NTZ`
}

function hourOf(hour: Hour): string {
  return `'${hour.replace("T", " ")}:00:00'`
}

/** The ledger, its columns in this order. */
export const LOAD_COLUMNS = [
  "hour",
  "key",
  "format",
  "events",
  "bytes",
  "malformed",
  "lineset",
  "storedLineset",
  "sha256",
  "etag",
  "project",
  "redacted",
  "landedBy",
  "loadId",
  "loadedBy",
  "loadedAt"
] as const satisfies ReadonlyArray<keyof LoadedHour>

export const LOADS = `SELECT TO_CHAR(HOUR, ${HOUR_FORMAT}), KEY, FORMAT, EVENTS, BYTES, MALFORMED, LINESET, STORED_LINESET, SHA256, ETAG,
  COALESCE(PROJECT, ''), REDACTED, LANDED_BY, LOAD_ID, LOADED_BY, TO_CHAR(LOADED_AT, ${TIME_FORMAT})
FROM LOADS
ORDER BY HOUR`

export const ABOUT = "SELECT NAME, VALUE FROM ABOUT"

/** How many rows the lock has. Fails unless the role sees each table that a load needs. */
export const LOCK_ROWS =
  "SELECT COUNT(*) FROM LOAD_LOCK WHERE TURN >= 0 OR EXISTS (SELECT 1 FROM LOADS) OR EXISTS (SELECT 1 FROM EVENTS_RAW) OR EXISTS (SELECT 1 FROM CALENDAR)"

export function claim({ place, project }: WarehouseLake): ReadonlyArray<string> {
  const rows = [
    ["place", place] as const,
    ...Option.toArray(project).map((it) => ["project", it] as const)
  ]
  const values = rows.map(([name, value]) => `(${literal(name)}, ${literal(value)})`).join(", ")
  return [
    `MERGE INTO ABOUT A USING (SELECT V.NAME, V.VALUE FROM (VALUES ${values}) AS V (NAME, VALUE)) S ON A.NAME = S.NAME
WHEN MATCHED THEN UPDATE SET VALUE = S.VALUE
WHEN NOT MATCHED THEN INSERT (NAME, VALUE) VALUES (S.NAME, S.VALUE)`
  ]
}

/** Makes two loaders take turns. */
export const LOCK = "UPDATE LOAD_LOCK SET TURN = TURN + 1"

/** A statement that fails with a text if it finds anything. */
export function failing(mark: string, what: string): string {
  return `SELECT TO_NUMBER(IFF(COUNT(*) = 0, '0', '${mark} ' || LISTAGG(FOUND, '; ') WITHIN GROUP (ORDER BY FOUND)))
FROM (
${what}
)`
}

/** What COPY reads of each line. Only functions that Snowflake allows there. */
const STAGED = `SELECT
    TO_TIMESTAMP_NTZ(REGEXP_REPLACE(METADATA$FILENAME, '^(.*/)?(dt=)?([0-9-]{10})(_|/hour=)([0-9]{2})(/events)?[.]jsonl([.]gz)?$', '\\\\3 \\\\5'), 'YYYY-MM-DD HH24'),
    METADATA$FILENAME,
    METADATA$FILE_ROW_NUMBER,
    CASE WHEN CHECK_JSON($1) IS NULL THEN PARSE_JSON($1) END,
    CASE WHEN CHECK_JSON($1) IS NOT NULL THEN $1 WHEN PARSE_JSON($1) IS NULL THEN $1 END,
    METADATA$FILE_CONTENT_KEY,
    METADATA$START_SCAN_TIME`

/** Lines of any text. The default escape would break each escaped quote. */
export const FILE_FORMAT = `TYPE = CSV COMPRESSION = AUTO RECORD_DELIMITER = '\\n' FIELD_DELIMITER = NONE ESCAPE = NONE ESCAPE_UNENCLOSED_FIELD = NONE
  FIELD_OPTIONALLY_ENCLOSED_BY = NONE TRIM_SPACE = FALSE EMPTY_FIELD_AS_NULL = FALSE NULL_IF = () SKIP_BLANK_LINES = TRUE ENCODING = 'UTF8' REPLACE_INVALID_CHARACTERS = TRUE`

/** The names below a stage that are hours, as a pattern of the whole name: what marks and keeps is none. */
export const HOUR_NAMES =
  "([0-9]{4}-[0-9]{2}-[0-9]{2}_[0-9]{2}|dt=[0-9]{4}-[0-9]{2}-[0-9]{2}/hour=[0-9]{2}/events)[.]jsonl([.]gz)?"

export function copyInto(stage: string, table = "EVENTS_RAW"): string {
  return `COPY INTO ${table} (HOUR, KEY, LINE, EVENT, MALFORMED, CONTENT_KEY, LOADED_AT)
FROM (
  ${STAGED}
  FROM @${stage}
)`
}

export interface Batch {
  readonly hours: ReadonlyArray<Pick<HourToLoad<never, never>, "row" | "replaces">>
  /** The load ID of each hour is this, a slash and the hour. */
  readonly id: string
  readonly stage: string
  /** What keys in the ledger begin with, and names in the stage do not. */
  readonly prefix: string
}

export function loadIdOf(batch: string, hour: Hour): string {
  return `${batch}/${hour}`
}

/** Whether two texts that look like S3's ETags differ. Other stores have nothing to compare. */
const OTHER_CONTENT = `REGEXP_LIKE(R.CONTENT_KEY, '[0-9a-f]{32}(-[0-9]+)?')
      AND REGEXP_LIKE(REPLACE(L.ETAG, '"', ''), '[0-9a-f]{32}(-[0-9]+)?')
      AND R.CONTENT_KEY <> REPLACE(L.ETAG, '"', '')`

/**
 * One transaction that loads hours. It fails before its COMMIT if the ledger is not as the caller knew
 * it, or if the lines of any hour are not those of its object.
 */
export function load(batch: Batch): ReadonlyArray<string> {
  const { hours, id, prefix, stage } = batch
  const ours = oursOf(id)
  const files = hours.flatMap(({ row: { events, key } }) =>
    events === 0 ? [] : [literal(key.slice(prefix.length))]
  )
  return [
    "BEGIN",
    ...ledgerRows(batch),
    `DELETE FROM EVENTS_RAW
WHERE HOUR IN (SELECT HOUR FROM LOADS WHERE ${ours("LOAD_ID")}) OR KEY IN (SELECT KEY FROM LOADS WHERE ${ours("LOAD_ID")})`,
    ...(files.length === 0
      ? []
      : [
          `${copyInto(stage)}
FILES = (${files.join(", ")})
FILE_FORMAT = (${FILE_FORMAT})
FORCE = TRUE ON_ERROR = ABORT_STATEMENT`
        ]),
    comparison(id),
    "COMMIT"
  ]
}

/**
 * One transaction that writes the ledger rows of hours whose lines a pipe has loaded. It fails before
 * its COMMIT as that of a load does, and also if a line is there twice.
 */
export function adopt(batch: Omit<Batch, "stage" | "prefix">): ReadonlyArray<string> {
  return [
    "BEGIN",
    ...ledgerRows(batch),
    comparison(batch.id, "COUNT(DISTINCT R.LINE) <> L.EVENTS"),
    "COMMIT"
  ]
}

/** The lines of each hour by their key, from one hour to another, whoever has loaded them. */
export function counts(first: Hour | undefined, last: Hour | undefined): string {
  const bounds = [
    ...(first === undefined ? [] : [`HOUR >= ${hourOf(first)}::TIMESTAMP_NTZ`]),
    ...(last === undefined ? [] : [`HOUR <= ${hourOf(last)}::TIMESTAMP_NTZ`])
  ]
  const where = bounds.length === 0 ? "" : `\nWHERE ${bounds.join(" AND ")}`
  return `SELECT TO_CHAR(HOUR, ${HOUR_FORMAT}), KEY, COUNT(*), COUNT(DISTINCT LINE)
FROM EVENTS_RAW${where}
GROUP BY HOUR, KEY
ORDER BY HOUR, KEY`
}

/** Lets a pipe load what it has missed below a path of the stage. Its name is given in parts. */
export function refresh(pipe: ReadonlyArray<string>, path: string): string {
  return `ALTER PIPE ${qualified(...pipe)} REFRESH${path === "" ? "" : ` PREFIX = ${literal(path)}`}`
}

function oursOf(id: string) {
  return (column: string) => `STARTSWITH(${column}, ${literal(`${id}/`)})`
}

/** Takes the turn of the lock, and writes ledger rows unless the ledger is not as the caller knew it. */
function ledgerRows({ hours, id }: Pick<Batch, "hours" | "id">): ReadonlyArray<string> {
  const ours = oursOf(id)
  const known = hours
    .map(({ replaces, row }) => `(${hourOf(row.hour)}, ${literal(replaces ?? "")})`)
    .join(",\n    ")
  const rows = hours.map(({ row }) => `(${valuesOf(row, id).join(", ")})`).join(",\n    ")
  const columns = LOAD_NAMES.join(", ")
  return [
    LOCK,
    failing(
      MARKS.Changed,
      `  SELECT TO_CHAR(E.HOUR, ${HOUR_FORMAT}) || ' was loaded or removed in between' AS FOUND
  FROM (
    SELECT V.HOUR::TIMESTAMP_NTZ AS HOUR, V.LOAD_ID
    FROM (VALUES
    ${known}
    ) AS V (HOUR, LOAD_ID)
  ) E LEFT JOIN LOADS L ON L.HOUR = E.HOUR
  WHERE COALESCE(L.LOAD_ID, '') <> E.LOAD_ID AND NOT ${ours("COALESCE(L.LOAD_ID, '')")}`
    ),
    `MERGE INTO LOADS L USING (
  SELECT V.HOUR::TIMESTAMP_NTZ AS HOUR, ${LOAD_NAMES.slice(1, -1)
    .map((name) => `V.${name}`)
    .join(", ")}, V.LOADED_AT::TIMESTAMP_NTZ AS LOADED_AT
  FROM (VALUES
    ${rows}
  ) AS V (${columns})
) S ON L.HOUR = S.HOUR
WHEN MATCHED THEN UPDATE SET ${LOAD_NAMES.slice(1)
      .map((name) => `${name} = S.${name}`)
      .join(", ")}
WHEN NOT MATCHED THEN INSERT (${columns}) VALUES (${LOAD_NAMES.map((name) => `S.${name}`).join(", ")})`
  ]
}

/** A statement that fails if the lines of any hour are not those of its object. */
function comparison(id: string, ...more: ReadonlyArray<string>): string {
  const wrong = [
    "COUNT(R.KEY) <> L.EVENTS",
    "COALESCE(MAX(R.LINE), 0) <> L.EVENTS",
    "COUNT_IF(R.KEY <> L.KEY) > 0",
    ...more
  ]
  return failing(
    MARKS.Differs,
    `  SELECT TO_CHAR(L.HOUR, ${HOUR_FORMAT}) || ' has ' || COUNT(R.KEY) || ' lines for the ' || L.EVENTS || ' that were announced, the last number '
    || COALESCE(MAX(R.LINE), 0) || IFF(COUNT(R.KEY) = L.EVENTS AND MAX(R.LINE) > L.EVENTS, ', as if blank lines were numbered', '')
    || ', and ' || COUNT_IF(${OTHER_CONTENT}) || ' lines of another object' AS FOUND
  FROM LOADS L LEFT JOIN EVENTS_RAW R ON R.HOUR = L.HOUR
  WHERE ${oursOf(id)("L.LOAD_ID")}
  GROUP BY L.HOUR, L.KEY, L.EVENTS, L.ETAG
  HAVING ${wrong.join(" OR ")}
    OR COUNT_IF(${OTHER_CONTENT}) > 0`
  )
}

const LOAD_NAMES = LOAD_COLUMNS.map((name) => name.replace(/[A-Z]/g, "_$&").toUpperCase())

function valuesOf(row: Batch["hours"][number]["row"], id: string): ReadonlyArray<string> {
  const loaded = { ...row, storedLineset: "", loadId: loadIdOf(id, row.hour) }
  return LOAD_COLUMNS.map((name) => {
    if (name === "hour") return hourOf(loaded.hour)
    if (name === "loadedAt")
      return literal(new Date(loaded.loadedAt).toISOString().replace("Z", ""))
    const value = loaded[name]
    if (name === "project" && value === "") return "NULL"
    return typeof value === "number" ? String(value) : literal(value)
  })
}

/** Lets the ledger row of a load name another object. */
export function relabel(
  loadId: string,
  { etag, format, key, sha256 }: Pick<LoadedHour, "key" | "format" | "sha256" | "etag">
): ReadonlyArray<string> {
  return [
    `UPDATE LOADS SET KEY = ${literal(key)}, FORMAT = ${literal(format)}, SHA256 = ${literal(sha256)}, ETAG = ${literal(etag)}
WHERE LOAD_ID = ${literal(loadId)}`
  ]
}

/** A stretch of hours in one state: the first hour, the state, and the events of each hour. */
type Stretch = readonly [first: Hour, state: string, events: Array<number | null>]

/** Hours as few characters, so that decades fit into one statement. */
function stretches(hours: ReadonlyArray<CalendarHour>): ReadonlyArray<Stretch> {
  const found: Array<Stretch> = []
  for (const { events = null, hour, state } of hours.toSorted(byHour)) {
    const last = found.at(-1)
    const isNext =
      last !== undefined && last[1] === state && addHours(last[0], last[2].length) === hour
    if (isNext) last[2].push(events)
    else found.push([hour, state, [events]])
  }
  return found
}

export function setCalendar(
  hours: ReadonlyArray<CalendarHour>,
  seenAt: number
): ReadonlyArray<string> {
  // Two loaders at once would each insert all of it.
  const replace = ["BEGIN", LOCK, "DELETE FROM CALENDAR"]
  if (hours.length === 0) return [...replace, "COMMIT"]
  return [
    ...replace,
    `INSERT INTO CALENDAR (HOUR, STATE, EVENTS, SEEN_AT)
SELECT DATEADD(HOUR, E.INDEX, TO_TIMESTAMP_NTZ(S.VALUE[0]::VARCHAR, ${HOUR_FORMAT})), S.VALUE[1]::VARCHAR,
  IFF(IS_NULL_VALUE(E.VALUE), NULL, E.VALUE::NUMBER(38, 0)), ${timeOf(seenAt)}
FROM TABLE(FLATTEN(INPUT => PARSE_JSON(${literal(JSON.stringify(stretches(hours)))}))) S, LATERAL FLATTEN(INPUT => S.VALUE[2]) E`,
    "COMMIT"
  ]
}
