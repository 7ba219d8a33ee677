import { Effect } from "effect"
import type { DuckDBAppender, DuckDBConnection, DuckDBValue, Json } from "@duckdb/node-api"
import { WarehouseError } from "../../services/Warehouse.ts"

type Method = WarehouseError["method"]
type Reason = WarehouseError["reason"]

/** The package, an optional peer dependency. */
export const PACKAGE = "@duckdb/node-api@1.5.6-r.1"

/** What DuckDB says of each reason. It has no codes for them. */
const REASONS: ReadonlyArray<readonly [RegExp, Reason]> = [
  [/could not set lock on file/i, "Busy"],
  [/database does not exist|no such file or directory/i, "NotFound"],
  [/version number \d+, but we can only read|lower than what the database itself uses/, "TooNew"],
  [
    /not a valid DuckDB database file|could not read enough bytes|corrupt database file|is a directory/i,
    "NotADatabase"
  ],
  [/permission denied|read-only file system/i, "AccessDenied"],
  [/no space left on device|disk quota/i, "NoSpace"]
]

/** Converts what DuckDB threw. Its message is the first line; the rest is advice for its own shell. */
export function toWarehouseError(method: Method, path: string, cause: unknown): WarehouseError {
  const [detail = ""] = (cause instanceof Error ? cause.message : String(cause)).split("\n")
  const reason = REASONS.find(([pattern]) => pattern.test(detail))?.[1] ?? "Failed"
  return new WarehouseError({ reason, method, path, detail })
}

type Values = ReadonlyArray<DuckDBValue>

/** One connection. DuckDB's statements share it, so only one may run at a time. */
export interface Connection {
  /** Runs statements to their end, even if interrupted. */
  readonly run: (
    method: Method,
    sql: string,
    values?: Values
  ) => Effect.Effect<void, WarehouseError>
  readonly rows: (
    method: Method,
    sql: string,
    values?: Values
  ) => Effect.Effect<ReadonlyArray<Readonly<Record<string, Json>>>, WarehouseError>
  readonly appender: (table: string) => Effect.Effect<DuckDBAppender, WarehouseError>
  /** Runs code of DuckDB's that blocks this thread. */
  readonly now: <A>(method: Method, run: () => A) => Effect.Effect<A, WarehouseError>
}

/** `path` names the warehouse in errors; `catalog` is its name in DuckDB. */
export function connectionOf(
  connection: DuckDBConnection,
  path: string,
  catalog: string
): Connection {
  const tried = <A>(method: Method, run: () => Promise<A>) =>
    Effect.uninterruptible(
      Effect.tryPromise({ try: run, catch: (cause) => toWarehouseError(method, path, cause) })
    )
  return {
    run: (method, sql, values = []) =>
      Effect.asVoid(tried(method, () => connection.run(sql, [...values]))),
    rows: (method, sql, values = []) =>
      Effect.map(
        tried(method, () => connection.runAndReadAll(sql, [...values])),
        (result) => result.getRowObjectsJson()
      ),
    appender: (table) =>
      tried("load", () => connection.createAppender(table, "amplitude", catalog)),
    now: (method, run) =>
      Effect.try({ try: run, catch: (cause) => toWarehouseError(method, path, cause) })
  }
}
