/**
 * Snowflake's SQL REST API. A request that may have been carried out although its answer was lost is
 * repeated with the same ID, which Snowflake carries out once.
 *
 * Source: https://docs.snowflake.com/en/developer-guide/sql-api/index
 *
 * @module
 */
import { randomUUID } from "node:crypto"
import { promisify } from "node:util"
import { gunzip } from "node:zlib"
import { Cause, Clock, Duration, Effect, Fiber, Schema } from "effect"
import { request } from "undici"
import type { OpenRoute } from "../../network/route.ts"
import { WarehouseError } from "../../services/Warehouse.ts"
import { header, type Headers, hider } from "../http/amplitudeAnswer.ts"
import { networkProblem } from "../http/networkProblem.ts"
import { type Attempt, refusalError } from "./answer.ts"
import type { Authorization } from "./credentials.ts"

export interface ClientOptions {
  readonly route: OpenRoute
  readonly authorization: Authorization
  /** The warehouse, as its users name it. */
  readonly path: string
  /** Role, compute warehouse, database and schema of each request. */
  readonly context: Readonly<Record<string, string | undefined>>
  readonly userAgent: string
  /** After that long Snowflake itself cancels a statement. */
  readonly statementTimeout: Duration.Duration
  /** How long Snowflake may take to answer. It answers after 45 seconds, finished or not. */
  readonly answerTimeout: Duration.Duration
  /** The wait before the first look at a running statement; it grows to ten seconds. */
  readonly pollEvery: Duration.Duration
}

type Method = Attempt["method"]
export type Cells = ReadonlyArray<string | null>

export interface Client {
  /** Runs statements in one session, one after the other. The first that fails ends them. */
  readonly run: (
    method: Method,
    statements: ReadonlyArray<string>
  ) => Effect.Effect<void, WarehouseError>
  /** The rows of one statement, as text. */
  readonly rows: (
    method: Method,
    statement: string
  ) => Effect.Effect<ReadonlyArray<Cells>, WarehouseError>
  /** The rows of a SHOW or DESC, by the names of their columns in small letters. */
  readonly records: (
    method: Method,
    statement: string
  ) => Effect.Effect<ReadonlyArray<Readonly<Record<string, string>>>, WarehouseError>
}

const PATH = "/api/v2/statements"
const LONGEST_POLL = Duration.seconds(10)
/** How long an interrupted run waits to see what became of its statement. */
const LAST_LOOK = Duration.seconds(8)

const Result = Schema.parseJson(
  Schema.Struct({
    statementHandle: Schema.optional(Schema.String),
    data: Schema.optional(Schema.Array(Schema.Array(Schema.NullOr(Schema.String)))),
    resultSetMetaData: Schema.optional(
      Schema.Struct({
        partitionInfo: Schema.optional(Schema.Array(Schema.Unknown)),
        rowType: Schema.optional(Schema.Array(Schema.Struct({ name: Schema.String })))
      })
    )
  })
)
type Result = typeof Result.Type

interface Call {
  readonly verb: "GET" | "POST"
  /** With its query. */
  readonly path: string
  readonly body?: unknown
}

interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly body: string
}

export function makeClient(options: ClientOptions): Client {
  const { authorization, context, path, route } = options
  /** By their text, the IDs of requests whose answer is not known. */
  const uncertain = new Map<string, string>()

  const once = Effect.fnUntraced(function* (
    method: Method,
    call: Call
  ): Effect.fn.Return<Answer, Failure> {
    const headers = yield* authorization.headers
    return yield* Effect.tryPromise({
      try: (signal) => exchange(options, call, headers, signal),
      catch: (error) => {
        const { detail, reason } = networkProblem(route, error)
        return unknown(
          new WarehouseError({
            reason: reason === "Unavailable" ? reason : "Misconfigured",
            method,
            path,
            detail
          })
        )
      }
    }).pipe(
      Effect.timeoutFail({
        duration: options.answerTimeout,
        onTimeout: () => {
          const detail = `${route.host} did not answer for ${Duration.format(options.answerTimeout)}`
          return unknown(new WarehouseError({ reason: "Unavailable", method, path, detail }))
        }
      })
    )
  })

  /** An answer that is none of these fails. A token that has expired is replaced once. */
  const answered = Effect.fnUntraced(function* (
    method: Method,
    call: Call
  ): Effect.fn.Return<{ readonly isRunning: boolean; readonly result: Result }, Failure> {
    let answer = yield* once(method, call)
    if (answer.status === 401 && authorization.renew !== undefined) {
      yield* authorization.renew
      answer = yield* once(method, call)
    }
    const { body, headers, status } = answer
    if (status !== 200 && status !== 202) {
      const now = yield* Clock.currentTimeMillis
      const hide = hider(yield* authorization.secrets)
      const error = refusalError({ method, path, status, headers, body, now, hide })
      // Of a poll, 429 says nothing about the statement, which goes on.
      return yield* Effect.fail({ error, isFinal: status < 500 && status !== 429 })
    }
    const result = yield* Effect.mapError(Schema.decode(Result)(body), () => {
      const detail = `${route.host} answered with something else than a result; check for a proxy between here and there`
      return unknown(new WarehouseError({ reason: "Unavailable", method, path, detail }))
    })
    return { isRunning: status === 202, result }
  })

  const submit = (
    method: Method,
    { count, isAsync, requestId, statement }: Submission,
    isRepeated: boolean
  ) => {
    const query = new URLSearchParams({
      requestId,
      ...(isRepeated ? { retry: "true" } : {}),
      ...(isAsync ? { async: "true" } : {})
    })
    return answered(method, {
      verb: "POST",
      path: `${PATH}?${query.toString()}`,
      body: {
        statement,
        timeout: Duration.toSeconds(options.statementTimeout),
        ...context,
        parameters: {
          MULTI_STATEMENT_COUNT: String(count),
          QUERY_TAG: options.userAgent,
          TIMEZONE: "UTC"
        }
      }
    })
  }

  const finished = Effect.fnUntraced(function* (
    method: Method,
    handle: string
  ): Effect.fn.Return<Result, Failure> {
    let wait = options.pollEvery
    while (true) {
      yield* Effect.sleep(wait)
      const { isRunning, result } = yield* answered(method, {
        verb: "GET",
        path: `${PATH}/${encodeURIComponent(handle)}`
      })
      if (!isRunning) return result
      wait = Duration.min(Duration.times(wait, 1.5), LONGEST_POLL)
    }
  })

  const outcome = Effect.fnUntraced(function* (
    method: Method,
    submission: Submission,
    isRepeated: boolean
  ): Effect.fn.Return<Result, Failure> {
    const { isRunning, result } = yield* submit(method, submission, isRepeated)
    if (!isRunning) return result
    return yield* finished(method, yield* handleOf(method, result))
  })

  const handleOf = (method: Method, { statementHandle }: Result) =>
    statementHandle === undefined
      ? Effect.fail(
          unknown(
            new WarehouseError({
              reason: "Failed",
              method,
              path,
              detail: `${route.host} did not name the statement that it runs`
            })
          )
        )
      : Effect.succeed(statementHandle)

  const forgetFinal = ({ statement }: Submission, { isFinal }: Failure) =>
    Effect.sync(() => {
      if (isFinal) uncertain.delete(statement)
    })

  /** Cancels what an interrupted run had sent; succeeds if it was finished before. */
  const stopped = (method: Method, submission: Submission) =>
    Effect.gen(function* () {
      const { isRunning, result } = yield* submit(method, submission, true)
      if (!isRunning) return result
      const handle = yield* handleOf(method, result)
      yield* answered(method, {
        verb: "POST",
        path: `${PATH}/${encodeURIComponent(handle)}/cancel`
      })
      return yield* finished(method, handle)
    }).pipe(
      Effect.tapError((error) => forgetFinal(submission, error)),
      Effect.timeout(LAST_LOOK),
      Effect.orElse(() => Effect.interrupt),
      Effect.interruptible,
      // This fiber is interrupted already.
      Effect.forkDaemon,
      Effect.flatMap(Fiber.join)
    )

  const execute = (method: Method, statement: string, count: number, isAsync: boolean) =>
    Effect.suspend(() => {
      const known = uncertain.get(statement)
      const requestId = known ?? randomUUID()
      const submission = { requestId, statement, count, isAsync }
      uncertain.set(statement, requestId)
      return Effect.interruptible(outcome(method, submission, known !== undefined)).pipe(
        Effect.catchAllCause((cause) =>
          Cause.isInterruptedOnly(cause) ? stopped(method, submission) : Effect.failCause(cause)
        ),
        Effect.tap(() => Effect.sync(() => uncertain.delete(statement))),
        Effect.tapError((error) => forgetFinal(submission, error)),
        Effect.uninterruptible
      )
    })

  const table = (method: Method, statement: string) =>
    Effect.gen(function* () {
      const result = yield* execute(method, statement, 1, false)
      const { partitionInfo = [], rowType = [] } = result.resultSetMetaData ?? {}
      const columns = rowType.map(({ name }) => name.toLowerCase())
      const { length } = partitionInfo
      if (length < 2) return { columns, rows: result.data ?? [] }
      const handle = encodeURIComponent(yield* handleOf(method, result))
      const others = yield* Effect.forEach(Array.from({ length: length - 1 }), (_, index) =>
        answered(method, { verb: "GET", path: `${PATH}/${handle}?partition=${index + 1}` })
      )
      const rows = [result, ...others.map((it) => it.result)].flatMap(({ data = [] }) => data)
      return { columns, rows }
    }).pipe(Effect.mapError(({ error }) => error))

  return {
    run: (method, statements) =>
      execute(method, statements.join(";\n"), statements.length, method === "load").pipe(
        Effect.asVoid,
        Effect.mapError(({ error }) => error)
      ),
    rows: (method, statement) => Effect.map(table(method, statement), ({ rows }) => rows),
    records: (method, statement) =>
      Effect.map(table(method, statement), ({ columns, rows }) =>
        rows.map((row) =>
          Object.fromEntries(columns.map((name, index) => [name, row[index] ?? ""]))
        )
      )
  }
}

interface Failure {
  readonly error: WarehouseError
  /** Whether it is Snowflake's answer, so that there is nothing left to find out. */
  readonly isFinal: boolean
}

function unknown(error: WarehouseError): Failure {
  return { error, isFinal: false }
}

interface Submission {
  readonly requestId: string
  readonly statement: string
  readonly count: number
  /** Whether Snowflake answers at once, with the statement's handle. */
  readonly isAsync: boolean
}

const inflated = promisify(gunzip)

async function exchange(
  { route, userAgent }: ClientOptions,
  { body, path, verb }: Call,
  authorization: Readonly<Record<string, string>>,
  signal: AbortSignal
): Promise<Answer> {
  const answer = await request(new URL(path, route.url), {
    dispatcher: route.dispatcher,
    method: verb,
    signal,
    headers: {
      ...authorization,
      accept: "application/json",
      "user-agent": userAgent,
      ...(body === undefined ? {} : { "content-type": "application/json" })
    },
    body: body === undefined ? null : JSON.stringify(body)
  })
  const bytes = new Uint8Array(await answer.body.arrayBuffer())
  // Snowflake compresses further partitions whether that is accepted or not.
  const isCompressed = header(answer.headers, "content-encoding") === "gzip"
  const text = Buffer.from(isCompressed ? await inflated(bytes) : bytes).toString("utf8")
  return { status: answer.statusCode, headers: answer.headers, body: text }
}
