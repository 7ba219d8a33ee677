/** The version of the tables below. A schema with another one is refused. */
export const SCHEMA_VERSION = 1

type TableName =
  | "ABOUT"
  | "EVENTS_RAW"
  | "LOADS"
  | "CALENDAR"
  | "IP_RANGES"
  | "LISTS"
  | "EVENT_TYPES"
  | "COHORTS"
  | "ANNOTATIONS"
  | "LOAD_LOCK"

/** The columns of a list's entries. */
const ENTRIES = {
  DATE: "DATE NOT NULL",
  NUMBER: "NUMBER(10, 0) NOT NULL",
  ENTRY: "VARIANT NOT NULL"
} as const

/** The columns of each table, in their order. `LOAD_LOCK` makes two loaders take turns. */
export const COLUMNS: Readonly<Record<TableName, Readonly<Record<string, string>>>> = {
  ABOUT: {
    NAME: "VARCHAR NOT NULL PRIMARY KEY",
    VALUE: "VARCHAR NOT NULL"
  },
  EVENTS_RAW: {
    HOUR: "TIMESTAMP_NTZ NOT NULL",
    KEY: "VARCHAR NOT NULL",
    LINE: "NUMBER(10, 0) NOT NULL",
    EVENT: "VARIANT",
    MALFORMED: "VARCHAR",
    CONTENT_KEY: "VARCHAR",
    LOADED_AT: "TIMESTAMP_NTZ NOT NULL"
  },
  LOADS: {
    HOUR: "TIMESTAMP_NTZ NOT NULL PRIMARY KEY",
    KEY: "VARCHAR NOT NULL",
    FORMAT: "VARCHAR NOT NULL",
    EVENTS: "NUMBER(38, 0) NOT NULL",
    BYTES: "NUMBER(38, 0) NOT NULL",
    MALFORMED: "NUMBER(38, 0) NOT NULL",
    LINESET: "VARCHAR NOT NULL",
    STORED_LINESET: "VARCHAR NOT NULL",
    SHA256: "VARCHAR NOT NULL",
    ETAG: "VARCHAR NOT NULL",
    PROJECT: "VARCHAR",
    REDACTED: "NUMBER(38, 0) NOT NULL",
    LANDED_BY: "VARCHAR NOT NULL",
    LOAD_ID: "VARCHAR NOT NULL",
    LOADED_BY: "VARCHAR NOT NULL",
    LOADED_AT: "TIMESTAMP_NTZ NOT NULL"
  },
  CALENDAR: {
    HOUR: "TIMESTAMP_NTZ NOT NULL",
    STATE: "VARCHAR NOT NULL",
    EVENTS: "NUMBER(38, 0)",
    SEEN_AT: "TIMESTAMP_NTZ NOT NULL"
  },
  IP_RANGES: {
    FIRST_IP: "VARCHAR NOT NULL",
    LAST_IP: "VARCHAR NOT NULL",
    ASN: "NUMBER(38, 0)",
    COMPANY: "VARCHAR",
    KIND: "VARCHAR"
  },
  LISTS: {
    DATE: "DATE NOT NULL",
    STREAM: "VARCHAR NOT NULL",
    KEY: "VARCHAR NOT NULL",
    ENTRIES: "NUMBER(38, 0) NOT NULL",
    SHA256: "VARCHAR NOT NULL",
    LOADED_AT: "TIMESTAMP_NTZ NOT NULL"
  },
  EVENT_TYPES: ENTRIES,
  COHORTS: ENTRIES,
  ANNOTATIONS: ENTRIES,
  LOAD_LOCK: {
    TURN: "NUMBER(38, 0) NOT NULL"
  }
}

export const TABLE_NAMES = Object.keys(COLUMNS) as ReadonlyArray<TableName>

const CLUSTERED: Readonly<Partial<Record<TableName, string>>> = { EVENTS_RAW: " CLUSTER BY (HOUR)" }

/** Makes a table; `schema` is empty, or ends with a dot. */
export function tableOf(name: TableName, schema = ""): string {
  const columns = Object.entries(COLUMNS[name]).map(([column, type]) => `  ${column} ${type}`)
  return `CREATE TABLE IF NOT EXISTS ${schema}${name} (\n${columns.join(",\n")}\n)${CLUSTERED[name] ?? ""}`
}

/** The tables of a lake's warehouse, one statement each. */
export const TABLES: ReadonlyArray<string> = TABLE_NAMES.map((name) => tableOf(name))

/** Fills the new tables, whoever else does at the same time. */
export function firstRows(schema = ""): ReadonlyArray<string> {
  return [
    `MERGE INTO ${schema}ABOUT A USING (SELECT 'schema' AS NAME, '${SCHEMA_VERSION}' AS VALUE) S ON A.NAME = S.NAME
WHEN NOT MATCHED THEN INSERT (NAME, VALUE) VALUES (S.NAME, S.VALUE)`,
    `MERGE INTO ${schema}LOAD_LOCK L USING (SELECT 0 AS TURN) S ON L.TURN >= S.TURN
WHEN NOT MATCHED THEN INSERT (TURN) VALUES (S.TURN)`
  ]
}

export const FIRST_ROWS: ReadonlyArray<string> = firstRows()
