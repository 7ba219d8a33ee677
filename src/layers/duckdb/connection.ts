import { Effect, Exit, Option, type Scope, Stream } from "effect"
import type {
  DuckDBAppender,
  DuckDBConnection,
  DuckDBDataChunk,
  DuckDBResult,
  DuckDBValue,
  Json
} from "@duckdb/node-api"
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

/** What DuckDB says of everything that is wrong with a statement begins otherwise. */
const NOT_OF_STATEMENT = /^(IO|Out of Memory|INTERNAL|FATAL|INTERRUPT|Connection|Fatal)\b/

/** Converts what DuckDB threw. Its message ends with the first line, or before the advice for its own shell. */
export function toWarehouseError(method: Method, path: string, cause: unknown): WarehouseError {
  const message = cause instanceof Error ? cause.message : String(cause)
  const [detail = ""] = message.split(/\n|\. However, /)
  const reason = REASONS.find(([pattern]) => pattern.test(detail))?.[1] ?? "Failed"
  return reason === "Failed" &&
    (method === "query" || method === "build") &&
    !NOT_OF_STATEMENT.test(detail)
    ? new WarehouseError({ reason: "BadQuery", method, path, detail: message.trim() })
    : new WarehouseError({ reason, method, path, detail })
}

type Values = ReadonlyArray<DuckDBValue>

/** `SELECT` and `EXPLAIN` among the package's `StatementType`, which is loaded later. */
const READING: ReadonlySet<number> = new Set([1, 4])

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
  /** Runs a statement that may take long. Interrupting it interrupts the statement. */
  readonly execute: (method: Method, sql: string) => Effect.Effect<void, WarehouseError>
  /** Answers a statement in pieces. Interrupting it interrupts the statement. */
  readonly chunks: (
    method: Method,
    sql: string,
    values?: Values
  ) => Stream.Stream<DuckDBDataChunk, WarehouseError>
  /** Answers one statement that only reads, until the scope closes. */
  readonly answer: (sql: string) => Effect.Effect<
    {
      readonly result: DuckDBResult
      readonly chunks: Stream.Stream<DuckDBDataChunk, WarehouseError>
    },
    WarehouseError,
    Scope.Scope
  >
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
  const refused = (detail: string) =>
    new WarehouseError({ reason: "BadQuery", method: "query", path, detail })
  /** Runs what may take long: if it is interrupted, DuckDB is, too, and waited for. */
  const interruptible = <A>(method: Method, run: () => Promise<A>) =>
    Effect.async<A, WarehouseError>((resume) => {
      const ended = run().then(
        (value) => resume(Exit.succeed(value)),
        (cause: unknown) => resume(Exit.fail(toWarehouseError(method, path, cause)))
      )
      return Effect.promise(() => {
        connection.interrupt()
        return ended
      })
    })
  const chunksOf = (method: Method, result: DuckDBResult) =>
    Stream.repeatEffectOption(
      interruptible(method, () => result.fetchChunk()).pipe(
        Effect.mapError(Option.some),
        Effect.filterOrFail(
          (chunk): chunk is DuckDBDataChunk => chunk !== null && chunk.rowCount > 0,
          () => Option.none<WarehouseError>()
        )
      )
    )
  return {
    execute: (method, sql) => Effect.asVoid(interruptible(method, () => connection.run(sql))),
    chunks: (method, sql, values = []) =>
      Stream.unwrap(
        Effect.map(
          interruptible(method, () => connection.stream(sql, [...values])),
          (result) => chunksOf(method, result)
        )
      ),
    answer: Effect.fnUntraced(function* (sql: string) {
      const statements = yield* interruptible("query", () =>
        connection.extractStatements(sql)
      ).pipe(
        // What DuckDB says of a text without any statement.
        Effect.mapError((error) =>
          error.detail === "Error in native callback" ? refused("there is no statement") : error
        )
      )
      if (statements.count !== 1) {
        return yield* refused(
          `there are ${statements.count} statements, and one is run at a time; PIVOT needs its values: IN (…)`
        )
      }
      const prepared = yield* Effect.acquireRelease(
        tried("query", () => statements.prepare(0)),
        (it) => Effect.sync(() => it.destroySync())
      )
      if (!READING.has(prepared.statementType)) {
        return yield* refused(
          "only statements that read are run: SELECT, FROM, WITH, VALUES, SHOW, DESCRIBE, SUMMARIZE and EXPLAIN"
        )
      }
      const result = yield* interruptible("query", () => prepared.stream())
      return { result, chunks: chunksOf("query", result) }
    }),
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

/** A name as SQL has it. */
export function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}
