import { Deferred, Effect, Redacted, type Scope } from "effect"
import type { Client, ClientConfig } from "pg"
import { FleetError } from "../../services/Fleet.ts"
import { loadSdk } from "../cloud/sdk.ts"

type Method = FleetError["method"]
type Reason = FleetError["reason"]
type Row = Readonly<Record<string, unknown>>

/** The package, an optional peer dependency. */
export const PACKAGE = "pg@8.23.1"

/** In milliseconds. A connection that is silent for so long is lost. */
const LONGEST = 10_000

/**
 * In milliseconds. A session that is silent for so long is ended by the server, with its locks: its machine is frozen, has
 * vanished, or cannot be reached. `LONGEST` after the last beat, the machine itself has stopped what it was doing.
 */
const LONGEST_IDLE = 25_000

/** A session, whose locks are free when it ends. */
export interface Connection {
  readonly rows: (
    method: Method,
    sql: string,
    values?: ReadonlyArray<unknown>
  ) => Effect.Effect<ReadonlyArray<Row>, FleetError>
  /** Fails when the session has ended. */
  readonly lost: Effect.Effect<never, FleetError>
}

/** The database without user and password. */
export function placeOf(url: Redacted.Redacted): string {
  const { host, pathname } = new URL(Redacted.value(url))
  return `postgres://${host}${pathname}`
}

/** By the class of the server's code, https://www.postgresql.org/docs/current/errcodes-appendix.html, or Node's code. */
const REASONS: ReadonlyArray<readonly [RegExp, Reason]> = [
  [/^(28|42501)/, "AccessDenied"],
  [/^(3D000|ERR_MODULE_NOT_FOUND|.*CERT.*|ENOTFOUND$)/, "Misconfigured"],
  [/^(08|53|57P0|58|40)/, "Unavailable"],
  [/^E[A-Z]+$/, "Unavailable"]
]

/** What the driver says without a code: the connection ended, or did not answer. */
const WITHOUT_CODE = /terminated|timeout|not queryable|closed/i

export function toFleetError(method: Method, place: string, cause: unknown): FleetError {
  const { code = "", message = String(cause) } = cause as { code?: string; message?: string }
  const found = REASONS.find(([pattern]) => pattern.test(code))?.[1]
  const reason = found ?? (code === "" && WITHOUT_CODE.test(message) ? "Unavailable" : "Failed")
  const [detail = ""] = (message === "" ? code : message).split("\n")
  return new FleetError({ reason, method, place, detail })
}

/** A server that no longer answers is not waited for. */
const soon = () => new Promise<void>((resolve) => setTimeout(resolve, 1000).unref())

/** Opens a session. It ends with the scope, at once where the server does not answer. */
export const connect = Effect.fn("FleetPostgres.connect")(function* (
  url: Redacted.Redacted
): Effect.fn.Return<Connection, FleetError, Scope.Scope> {
  const place = placeOf(url)
  const failed = (method: Method) => (cause: unknown) => toFleetError(method, place, cause)
  const lost = yield* Deferred.make<never, FleetError>()
  const config: ClientConfig = {
    connectionString: Redacted.value(url),
    application_name: "amplitude-lake",
    connectionTimeoutMillis: LONGEST,
    query_timeout: LONGEST,
    options: `-c idle_session_timeout=${LONGEST_IDLE}`
  }
  const end = (cause: unknown) => {
    Deferred.unsafeDone(lost, Effect.fail(failed("take from")(cause)))
  }
  const { default: pg } = yield* Effect.tryPromise({
    try: () => loadSdk(PACKAGE, () => import("pg")),
    catch: failed("open")
  })
  const client = yield* Effect.acquireRelease(
    Effect.tryPromise({
      try: async () => {
        const made: Client = new pg.Client(config)
        // Without a listener, an error of an idle connection would end the process.
        made.on("error", end)
        made.on("end", () => end(new Error("the connection was terminated")))
        await made.connect()
        return made
      },
      catch: failed("open")
    }),
    (made) => Effect.promise(() => Promise.race([made.end().catch(() => {}), soon()]))
  )
  return {
    rows: (method, sql, values = []) =>
      Effect.tryPromise({
        try: async () => (await client.query<Row>(sql, [...values])).rows,
        catch: failed(method)
      }),
    lost: Deferred.await(lost)
  }
})
