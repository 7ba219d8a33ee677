import { execFile } from "node:child_process"
import { mkdtemp, rm, writeFile } from "node:fs/promises"
import { createServer } from "node:http"
import { createRequire } from "node:module"
import { tmpdir } from "node:os"
import path from "node:path"
import { fileURLToPath } from "node:url"
import { inspect } from "node:util"
import * as HttpServer from "@effect/platform/HttpServer"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import { assert, describe, it } from "@effect/vitest"
import {
  Cause,
  Clock,
  Deferred,
  Effect,
  Exit,
  Fiber,
  Layer,
  Logger,
  Option,
  Queue,
  Redacted,
  Scope,
  Stream,
  TestClock,
  Tracer
} from "effect"
import * as AmplitudeHttp from "../../../src/layers/http/AmplitudeHttp.ts"
import * as AmplitudeSynthetic from "../../../src/layers/synthetic/AmplitudeSynthetic.ts"
import { exportApi } from "../../../src/cli/simulate/exportApi.ts"
import {
  Amplitude,
  type AmplitudeError,
  type ExportAnswer
} from "../../../src/services/Amplitude.ts"
import { addHours, Hour } from "../../../src/services/Hour.ts"
import { Window } from "../../../src/services/Window.ts"
import { amplitudeContract } from "../../contracts/amplitude.ts"
import { isLong } from "../../fixtures/long.ts"
import {
  answer,
  chunked,
  raw,
  type ScriptedServer,
  scriptedServer,
  silence,
  type Step,
  tunnelTo
} from "../../fixtures/servers/scriptedServer.ts"
import { withEnvironment } from "../../fixtures/process/environment.ts"
import { selfSigned } from "../../fixtures/servers/selfSigned.ts"

const window = new Window({
  first: Hour.make("2025-11-10T00"),
  last: Hour.make("2025-11-10T23")
})

// Characters that base64 and percent encoding change, so that each form of a key differs.
const apiKey = "canary+api/key?~~"
const secretKey = "canary&secret key>~~"
const token = Buffer.from(`${apiKey}:${secretKey}`).toString("base64")
const canaries = [apiKey, secretKey, token].flatMap((key) => [key, encodeURIComponent(key)])

type Options = Partial<AmplitudeHttp.AmplitudeHttpOptions>

const exportFrom = Effect.fnUntraced(function* (origin: string, options: Options = {}) {
  const amplitude = yield* AmplitudeHttp.make({
    origin,
    apiKey: Redacted.make(apiKey),
    secretKey: Redacted.make(secretKey),
    ...options
  })
  return yield* amplitude.export(window)
})

function bytesOf({ archive }: ExportAnswer) {
  return Option.getOrThrow(archive).bytes
}

const drain = Effect.fnUntraced(function* (answered: ExportAnswer) {
  return Buffer.concat([...(yield* Stream.runCollect(bytesOf(answered)))])
})

const exportWhole = (origin: string, options?: Options) =>
  Effect.scoped(Effect.flatMap(exportFrom(origin, options), drain))

/** The failure of an export, once it is sure that no key shows in it, in a log or in a span. */
const failureOf = Effect.fnUntraced(function* (self: Effect.Effect<unknown, AmplitudeError>) {
  const seen: Array<unknown> = []
  const native = yield* Effect.tracer
  const tracer = Tracer.make({
    span: (...args) => {
      const span = native.span(...args)
      seen.push(span)
      return span
    },
    context: native.context
  })
  const logger = Logger.make(({ annotations, cause, message }) => {
    seen.push(message, cause, [...annotations])
  })
  const exit = yield* self.pipe(
    Effect.tapErrorCause(Effect.logError),
    Effect.withTracer(tracer),
    Effect.withTracerEnabled(true),
    Effect.provide(Logger.replace(Logger.defaultLogger, logger)),
    Effect.exit
  )
  if (Exit.isSuccess(exit)) return assert.fail("it has not failed")
  const failure = Option.getOrThrow(Cause.failureOption(exit.cause))
  const shown = [failure, exit, ...seen].flatMap((value) => [
    inspect(value, { depth: 20, showHidden: true, maxStringLength: null }),
    JSON.stringify(value, (_, value: unknown) => (typeof value === "bigint" ? `${value}` : value)),
    String(value)
  ])
  shown.push(failure.message, failure.stack ?? "", Cause.pretty(exit.cause))
  for (const canary of canaries) {
    assert.isFalse(
      shown.some((text) => text?.includes(canary)),
      `shows ${canary}`
    )
  }
  return failure
})

const failureFrom = Effect.fnUntraced(function* (step: Step, options?: Options) {
  const server = yield* scriptedServer([step])
  return yield* failureOf(exportWhole(server.origin, options))
})

const noProxies = {
  HTTPS_PROXY: undefined,
  https_proxy: undefined,
  HTTP_PROXY: undefined,
  http_proxy: undefined,
  NO_PROXY: undefined,
  no_proxy: undefined
}

const forever = new Promise<never>(() => {})

/** Moves virtual time by the minute until the fiber is done: real bytes arrive when they do. */
const passTime = <A, E>(fiber: Fiber.RuntimeFiber<A, E>) =>
  Effect.gen(function* () {
    yield* TestClock.adjust("1 minute")
    return Option.isSome(yield* Fiber.poll(fiber))
  }).pipe(Effect.repeat({ until: (isDone) => isDone }), Effect.zipRight(Fiber.join(fiber)))

/** The identity of a layer. */
const identityOf = (options: Options) =>
  Effect.scoped(
    AmplitudeHttp.make({
      apiKey: Redacted.make(apiKey),
      secretKey: Redacted.make(secretKey),
      ...options
    })
  ).pipe(Effect.map(({ identity }) => identity))

/** As `failureOf`, with the virtual time at which it failed. */
const failedAt = <A>(self: Effect.Effect<A, AmplitudeError>) =>
  failureOf(self).pipe(
    Effect.flatMap((error) => Effect.map(Clock.currentTimeMillis, (millis) => ({ error, millis })))
  )

function gate() {
  let open!: () => void
  const opened = new Promise<void>((resolve) => (open = resolve))
  return { open, opened }
}

/** Sends a piece, and each further one when a gate opens. */
async function* gated(gates: ReadonlyArray<ReturnType<typeof gate>>) {
  yield "piece"
  for (const { opened } of gates) {
    await opened
    yield "piece"
  }
}

async function* endless() {
  while (true) yield `${" ".repeat(16_000)}.`
}

const failureOf400 = (message: string) =>
  failureFrom(answer(400, { body: JSON.stringify({ error: { message } }) }))

const waitAfter = (headers: Record<string, string>, status = 429) =>
  Effect.map(failureFrom(answer(status, { headers })), ({ retryAfter }) => retryAfter)

describe("AmplitudeHttp", () => {
  describe("asks", () => {
    it.scoped("for both hours, with the keys in a header and nowhere else", () =>
      Effect.gen(function* () {
        const server = yield* scriptedServer([answer(200)])
        yield* exportWhole(server.origin, { version: "1.2.3" })
        const [request] = server.requests
        assert.strictEqual(request?.method, "GET")
        assert.strictEqual(request?.target, "/api/2/export?start=20251110T00&end=20251110T23")
        const { authorization, host, ...headers } = request?.headers ?? {}
        assert.strictEqual(authorization, `Basic ${token}`)
        assert.strictEqual(host, `127.0.0.1:${server.port}`)
        assert.strictEqual(headers["accept-encoding"], "identity")
        assert.strictEqual(headers["user-agent"], "amplitude-lake/1.2.3")
        assert.notMatch(JSON.stringify(headers), /canary/)
      })
    )

    it.scoped("once", () =>
      Effect.gen(function* () {
        const server = yield* scriptedServer([answer(503), answer(200)])
        yield* failureOf(exportWhole(server.origin))
        assert.lengthOf(server.requests, 1)
      })
    )

    it.scoped("by way of its layer", () =>
      Effect.gen(function* () {
        const server = yield* scriptedServer([answer(404)])
        const layer = AmplitudeHttp.layer({
          origin: server.origin,
          apiKey: Redacted.make(apiKey),
          secretKey: Redacted.make(secretKey)
        })
        const asked = Effect.flatMap(Amplitude, (amplitude) => amplitude.export(window))
        const { archive } = yield* Effect.provide(asked, layer)
        assert.deepStrictEqual(archive, Option.none())
      })
    )

    it.scoped("sends nothing to an origin that would see the keys in the clear", () =>
      Effect.gen(function* () {
        for (const origin of [
          "http://amplitude.example",
          "http://127.0.0.1.example",
          "http://128.0.0.1",
          "ftp://127.0.0.1",
          "https://user:canary@amplitude.com",
          "https://amplitude.com/api",
          "https://amplitude.com?canary",
          "canary"
        ]) {
          const error = yield* failureOf(exportWhole(origin))
          assert.strictEqual(error.reason, "Rejected")
          assert.match(error.detail, /the Amplitude URL/)
          assert.notInclude(error.detail, "canary")
        }
      })
    )
  })

  describe("identity", () => {
    it.effect("names the host and a hash of the key, in characters of a file name", () =>
      Effect.gen(function* () {
        assert.match(yield* identityOf({}), /^analytics\.eu\.amplitude\.com-[0-9a-f]{12}$/)
        assert.match(yield* identityOf({ region: "us" }), /^amplitude\.com-[0-9a-f]{12}$/)
        const local = yield* identityOf({ region: "us", origin: "http://127.0.0.1:8080" })
        assert.match(local, /^127\.0\.0\.1-8080-[0-9a-f]{12}$/)
        assert.match(yield* identityOf({ origin: "http://[::1]:1" }), /^[A-Za-z0-9.-]+$/)
        assert.match(yield* identityOf({ origin: "no origin" }), /^[A-Za-z0-9.-]+$/)
      })
    )

    it.effect("changes with either key", () =>
      Effect.gen(function* () {
        const other = Redacted.make("other")
        const identities = yield* Effect.all([
          identityOf({}),
          identityOf({ apiKey: other }),
          identityOf({ secretKey: other })
        ])
        assert.strictEqual(new Set(identities).size, 3)
        assert.strictEqual(yield* identityOf({}), identities[0])
      })
    )
  })

  describe("an archive", () => {
    it.scoped("comes with its size, its date and every byte", () =>
      Effect.gen(function* () {
        const body = Buffer.alloc(300_000, "events")
        const headers = { Date: "Thu, 20 Nov 2025 10:00:00 GMT" }
        const server = yield* scriptedServer([answer(200, { headers, body })])
        const answered = yield* exportFrom(server.origin)
        assert.deepStrictEqual(answered.date, Option.some(Date.parse("2025-11-20T10:00:00Z")))
        assert.deepStrictEqual(Option.getOrThrow(answered.archive).size, Option.some(300_000))
        assert.isTrue(body.equals(yield* drain(answered)))
      })
    )

    it.scoped("arrives as it is sent, piece by piece", () =>
      Effect.gen(function* () {
        const later = gate()
        const server = yield* scriptedServer([answer(200, { length: 10, body: gated([later]) })])
        const pieces: Array<string> = []
        yield* Stream.runForEach(bytesOf(yield* exportFrom(server.origin)), (piece) =>
          Effect.sync(() => {
            pieces.push(Buffer.from(piece).toString())
            later.open()
          })
        )
        assert.deepStrictEqual(pieces, ["piece", "piece"])
      })
    )

    it.scoped("in chunks has no size, and passes as it ended", () =>
      Effect.gen(function* () {
        const pieces = [Buffer.from("PK"), Buffer.from("cut off at a border")]
        const server = yield* scriptedServer([chunked(pieces)])
        const answered = yield* exportFrom(server.origin)
        assert.deepStrictEqual(Option.getOrThrow(answered.archive).size, Option.none())
        assert.strictEqual((yield* drain(answered)).toString(), "PKcut off at a border")
      })
    )

    it.scoped("without length or chunks ends with the connection", () =>
      Effect.gen(function* () {
        const server = yield* scriptedServer([
          answer(200, { body: "PK", length: "none", ending: "end" })
        ])
        assert.strictEqual((yield* exportWhole(server.origin)).toString(), "PK")
      })
    )

    it.scoped(
      "may be anything that is answered 200 or 204, for the archive's own checks to see",
      () =>
        Effect.gen(function* () {
          const page = "<html><title>Sign in</title></html>"
          const headers = { "Content-Type": "text/html" }
          const server = yield* scriptedServer([
            answer(200, { headers, body: page }),
            answer(200),
            answer(204, { length: "none" })
          ])
          assert.strictEqual((yield* exportWhole(server.origin)).toString(), page)
          assert.strictEqual((yield* exportWhole(server.origin)).length, 0)
          assert.strictEqual((yield* exportWhole(server.origin)).length, 0)
        })
    )

    it.scoped("without a date that can be read has none", () =>
      Effect.gen(function* () {
        const server = yield* scriptedServer([
          answer(200),
          answer(200, { headers: { Date: "yesterday" } })
        ])
        assert.deepStrictEqual((yield* exportFrom(server.origin)).date, Option.none())
        assert.deepStrictEqual((yield* exportFrom(server.origin)).date, Option.none())
      })
    )

    it.scoped("can be taken once, and is never empty the second time", () =>
      Effect.gen(function* () {
        const server = yield* scriptedServer([chunked([Buffer.from("PK")])])
        const answered = yield* exportFrom(server.origin)
        yield* drain(answered)
        assert.strictEqual((yield* failureOf(drain(answered))).reason, "Unavailable")
      })
    )

    it.scoped("that was compressed on its way is refused", () =>
      Effect.gen(function* () {
        for (const encoding of ["gzip", "br", "x-gzip"]) {
          const headers = { "Content-Encoding": encoding }
          const error = yield* failureFrom(answer(200, { headers, body: "PK" }))
          assert.deepStrictEqual([error.reason, error.status], ["Unavailable", 200])
          assert.match(error.detail, /compressed/)
        }
        const headers = { "Content-Encoding": "identity" }
        const server = yield* scriptedServer([answer(200, { headers, body: "PK" })])
        assert.strictEqual((yield* exportWhole(server.origin)).toString(), "PK")
      })
    )
  })

  it.scoped("takes 404 for an answer without events, and gives its connection back", () =>
    Effect.gen(function* () {
      const headers = { Date: "Thu, 20 Nov 2025 10:00:00 GMT" }
      const body = "Raw data files were not found."
      const server = yield* scriptedServer([answer(404, { headers, body, length: 1000 })])
      const { archive, date } = yield* exportFrom(server.origin)
      assert.deepStrictEqual(archive, Option.none())
      assert.deepStrictEqual(date, Option.some(Date.parse("2025-11-20T10:00:00Z")))
      yield* Effect.promise(() => server.requests[0]?.closed ?? forever)
    })
  )

  describe("a refusal", () => {
    for (const [status, reason] of [
      [206, "Rejected"],
      [300, "Redirected"],
      [307, "Redirected"],
      [401, "Unauthorized"],
      [403, "Forbidden"],
      [405, "Rejected"],
      [408, "Unavailable"],
      [413, "TooLarge"],
      [425, "Unavailable"],
      [429, "RateLimited"],
      [500, "Unavailable"],
      [502, "Unavailable"],
      [503, "Unavailable"],
      [504, "GatewayTimeout"]
    ] as const) {
      it.scoped(`of ${status} is ${reason}`, () =>
        Effect.gen(function* () {
          const error = yield* failureFrom(answer(status, { body: "Amplitude's own words" }))
          assert.deepStrictEqual([error.reason, error.status], [reason, status])
          assert.strictEqual(error.detail.includes("Amplitude's own words"), status >= 400)
        })
      )
    }

    it.scoped("of 400 is judged by its words", () =>
      Effect.gen(function* () {
        assert.strictEqual(
          (yield* failureOf400("The export exceeds the size limit")).reason,
          "TooLarge"
        )
        const rejected = yield* failureOf400("Invalid chart definition")
        assert.strictEqual(rejected.reason, "Rejected")
        assert.strictEqual(rejected.detail, "Invalid chart definition")
      })
    )

    it.scoped("of 400 that is cut off is not judged", () =>
      Effect.gen(function* () {
        const cut = answer(400, { body: "Too", length: 100, ending: "reset" })
        assert.strictEqual((yield* failureFrom(cut)).reason, "Unavailable")
      })
    )

    it.scoped("of another status is judged though its words are cut off", () =>
      Effect.gen(function* () {
        const cut = answer(403, { body: "Inv", length: 100, ending: "end" })
        const error = yield* failureFrom(cut)
        assert.strictEqual(error.reason, "Forbidden")
        assert.strictEqual(error.detail, "Forbidden")
      })
    )

    it.scoped("is read for 64 KiB and no further", () =>
      Effect.gen(function* () {
        const server = yield* scriptedServer([answer(400, { body: endless(), ending: "end" })])
        const error = yield* failureOf(exportWhole(server.origin))
        assert.strictEqual(error.detail, ". . . .")
        yield* Effect.promise(() => server.requests[0]?.closed ?? forever)
      })
    )

    it.scoped("that is compressed is not taken for words", () =>
      Effect.gen(function* () {
        const headers = { "Content-Encoding": "gzip" }
        const error = yield* failureFrom(answer(502, { headers, body: "\u001f\u008bgarbage" }))
        assert.strictEqual(error.detail, "Bad Gateway")
      })
    )

    it.scoped("carries the time to wait, in seconds or until a date", () =>
      Effect.gen(function* () {
        const until = { "Retry-After": "Thu, 20 Nov 2025 10:01:00 GMT" }
        assert.strictEqual(yield* waitAfter({ "Retry-After": "30" }), 30_000)
        assert.strictEqual(yield* waitAfter({ "Retry-After": "30" }, 503), 30_000)
        const date = "Thu, 20 Nov 2025 10:00:00 GMT"
        assert.strictEqual(yield* waitAfter({ ...until, Date: date }), 60_000)
        yield* TestClock.setTime(Date.parse("2025-11-20T10:00:45Z"))
        assert.strictEqual(yield* waitAfter(until), 15_000)
        assert.isUndefined(yield* waitAfter({}))
      })
    )

    it.scoped("names no key, though the server repeats them all", () =>
      Effect.gen(function* () {
        const echo = `${canaries.join(" ")} Basic ${token}`
        for (const status of [302, 400, 401, 403, 413, 418, 429, 500, 503, 504]) {
          for (const body of [
            echo,
            JSON.stringify({ error: { message: echo } }),
            JSON.stringify({ error: { message: echo } }).replaceAll("/", "\\/"),
            `<html><body>${echo}</body></html>`
          ]) {
            const headers = { Location: `https://other.example/?token=${token}` }
            const error = yield* failureFrom(answer(status, { headers, body }))
            if (status >= 400) assert.include(error.detail, "***")
          }
        }
      })
    )

    it.scoped("by a redirect sends nothing to the place it names", () =>
      Effect.gen(function* () {
        const thief = yield* scriptedServer([])
        for (const status of [301, 302, 303, 307, 308]) {
          const headers = { Location: `${thief.origin}/api/2/export?x=1` }
          const error = yield* failureFrom(answer(status, { headers }))
          assert.deepStrictEqual([error.reason, error.status], ["Redirected", status])
          assert.include(error.detail, thief.origin)
          assert.notInclude(error.detail, "x=1")
        }
        assert.lengthOf(thief.requests, 0)
      })
    )
  })

  describe("a connection", () => {
    it.scoped("that is cut anywhere fails as Unavailable", () =>
      Effect.gen(function* () {
        const whole = Buffer.from(
          `HTTP/1.1 200 OK\r\nContent-Length: 400000\r\n\r\n${"x".repeat(400_000)}`
        )
        const body = whole.length - 400_000
        for (const cut of [
          0,
          1,
          12,
          20,
          body - 1,
          body,
          body + 1,
          body + 65_536,
          whole.length - 1
        ]) {
          for (const ending of ["reset", "end"] as const) {
            const error = yield* failureFrom(raw(whole.subarray(0, cut), ending))
            assert.strictEqual(error.reason, "Unavailable", `${cut} bytes, then ${ending}`)
            assert.match(error.detail, /127\.0\.0\.1:\d+ was lost/)
            if (ending === "end" && cut >= body) {
              assert.include(error.detail, ` after ${cut - body} of 400000 bytes`)
            }
          }
        }
      })
    )

    it.scoped("that is cut between chunks fails as Unavailable", () =>
      Effect.gen(function* () {
        for (const ending of ["reset", "end"] as const) {
          const cut = chunked([Buffer.from("PK")], { isWhole: false, ending })
          assert.strictEqual((yield* failureFrom(cut)).reason, "Unavailable")
        }
      })
    )

    it.scoped("brings no byte more than was announced", () =>
      Effect.gen(function* () {
        const server = yield* scriptedServer([
          answer(200, { body: "PK and more", length: 2, ending: "end" })
        ])
        const exit = yield* Effect.exit(exportWhole(server.origin))
        if (Exit.isSuccess(exit)) assert.strictEqual(exit.value.toString(), "PK")
        else assert.include(Cause.pretty(exit.cause), "Unavailable")
      })
    )

    it.scoped("to no HTTP server at all fails as Unavailable", () =>
      Effect.gen(function* () {
        const error = yield* failureFrom(raw("220 mail.example ESMTP\r\n", "end"))
        assert.strictEqual(error.reason, "Unavailable")
      })
    )

    it.scoped("that is refused names the host", () =>
      Effect.gen(function* () {
        const { origin, port } = yield* Effect.scoped(scriptedServer([]))
        const error = yield* failureOf(exportWhole(origin))
        assert.strictEqual(error.reason, "Unavailable")
        assert.strictEqual(error.detail, `127.0.0.1:${port} refused the connection`)
      })
    )

    it.scoped("to a name that nobody knows says so", () =>
      Effect.gen(function* () {
        yield* withEnvironment(noProxies)
        const error = yield* failureOf(exportWhole("https://nobody.invalid"))
        assert.strictEqual(error.reason, "Unavailable")
        assert.match(error.detail, /nobody\.invalid (is unknown|cannot be resolved)/)
      })
    )

    it.scoped("is closed when the export is interrupted before it is answered", () =>
      Effect.gen(function* () {
        const server = yield* scriptedServer([silence])
        const fiber = yield* Effect.fork(exportWhole(server.origin))
        const request = yield* Effect.promise(() => server.received(1))
        yield* Fiber.interrupt(fiber)
        yield* Effect.promise(() => request.closed)
      })
    )

    it.scoped("is closed when the export is interrupted midway", () =>
      Effect.gen(function* () {
        const server = yield* scriptedServer([
          answer(200, { body: "PK", length: 100, ending: "silence" })
        ])
        const begun = yield* Deferred.make<void>()
        const fiber = yield* exportFrom(server.origin).pipe(
          Effect.flatMap((answered) =>
            Stream.runForEach(bytesOf(answered), () => Deferred.succeed(begun, undefined))
          ),
          Effect.scoped,
          Effect.fork
        )
        yield* Deferred.await(begun)
        yield* Fiber.interrupt(fiber)
        yield* Effect.promise(() => server.requests[0]?.closed ?? forever)
      })
    )

    it.scoped("is closed with the scope, and the archive fails rather than ends", () =>
      Effect.gen(function* () {
        const server = yield* scriptedServer([
          chunked([Buffer.from("PK")], { isWhole: false, ending: "silence" })
        ])
        const scope = yield* Scope.make()
        const layerScope = yield* Effect.scope
        const amplitude = yield* AmplitudeHttp.make({
          origin: server.origin,
          apiKey: Redacted.make(apiKey),
          secretKey: Redacted.make(secretKey)
        }).pipe(Scope.extend(layerScope))
        const answered = yield* amplitude.export(window).pipe(Scope.extend(scope))
        yield* Scope.close(scope, Exit.void)
        yield* Effect.promise(() => server.requests[0]?.closed ?? forever)
        assert.strictEqual((yield* failureOf(drain(answered))).reason, "Unavailable")
      })
    )

    it.scoped("is closed when no more of the archive is wanted, though the scope is open", () =>
      Effect.gen(function* () {
        const server = yield* scriptedServer([
          answer(200, { body: "PK", length: 100, ending: "silence" })
        ])
        const answered = yield* exportFrom(server.origin)
        yield* Stream.runDrain(Stream.take(bytesOf(answered), 1))
        yield* Effect.promise(() => server.requests[0]?.closed ?? forever)
      })
    )

    it.scoped("is closed after a refusal, though the scope is open", () =>
      Effect.gen(function* () {
        const endless = { body: "x".repeat(70_000), length: 1_000_000 }
        const server = yield* scriptedServer([answer(500, endless), answer(302, endless)])
        yield* Effect.flip(exportFrom(server.origin))
        yield* Effect.flip(exportFrom(server.origin))
        yield* Effect.promise(() => Promise.all(server.requests.map(({ closed }) => closed)))
      })
    )
  })

  describe("a silence", () => {
    it.scoped("of ten minutes before an answer is a stall", () =>
      Effect.gen(function* () {
        const server = yield* scriptedServer([silence])
        const fiber = yield* Effect.fork(failedAt(exportWhole(server.origin)))
        const request = yield* Effect.promise(() => server.received(1))
        const { error, millis } = yield* passTime(fiber)
        assert.strictEqual(error.reason, "Stalled")
        assert.match(error.detail, /did not answer for 10m/)
        assert.isAtLeast(millis, 600_000)
        yield* Effect.promise(() => request.closed)
      })
    )

    it.scoped("of two minutes within an archive is a stall", () =>
      Effect.gen(function* () {
        const server = yield* scriptedServer([
          answer(200, { body: "PK", length: 100, ending: "silence" })
        ])
        const begun = yield* Deferred.make<void>()
        const fiber = yield* exportFrom(server.origin).pipe(
          Effect.flatMap((answered) =>
            Stream.runForEach(bytesOf(answered), () => Deferred.succeed(begun, undefined))
          ),
          Effect.scoped,
          failedAt,
          Effect.fork
        )
        yield* Deferred.await(begun)
        const { error, millis } = yield* passTime(fiber)
        assert.strictEqual(error.reason, "Stalled")
        assert.match(error.detail, /sent nothing after 2 of 100 bytes for 2m/)
        assert.isAtLeast(millis, 120_000)
        yield* Effect.promise(() => server.requests[0]?.closed ?? forever)
      })
    )

    it.scoped("lasts as long as the options say", () =>
      Effect.gen(function* () {
        const options = { firstByteTimeout: "3 minutes", idleTimeout: "5 minutes" } as const
        const server = yield* scriptedServer([
          silence,
          answer(200, { length: 1, ending: "silence" })
        ])
        const first = yield* Effect.fork(failedAt(exportWhole(server.origin, options)))
        yield* Effect.promise(() => server.received(1))
        assert.match((yield* passTime(first)).error.detail, /did not answer for 3m/)
        const begun = yield* Deferred.make<void>()
        const second = yield* exportFrom(server.origin, options).pipe(
          Effect.tap(() => Deferred.succeed(begun, undefined)),
          Effect.flatMap(drain),
          Effect.scoped,
          failedAt,
          Effect.fork
        )
        yield* Deferred.await(begun)
        assert.match((yield* passTime(second)).error.detail, /sent nothing .* for 5m/)
      })
    )

    it.scoped("within the words of a refusal leaves a 400 unjudged, and others as they are", () =>
      Effect.gen(function* () {
        for (const [status, reason] of [
          [400, "Stalled"],
          [403, "Forbidden"],
          [503, "Unavailable"]
        ] as const) {
          const server = yield* scriptedServer([
            answer(status, { body: "Too", length: 100, ending: "silence" })
          ])
          // Time passes while the head is still on its way, which is not what this is about.
          const options = { firstByteTimeout: "1000 days" } as const
          const fiber = yield* Effect.fork(failureOf(exportWhole(server.origin, options)))
          assert.strictEqual((yield* passTime(fiber)).reason, reason)
        }
      })
    )

    it.scoped("that is shorter than the timeout is none, however often it comes", () =>
      Effect.gen(function* () {
        const gates = Array.from({ length: 5 }, gate)
        const server = yield* scriptedServer([answer(200, { length: 30, body: gated(gates) })])
        const arrivals = yield* Queue.unbounded<Uint8Array>()
        const fiber = yield* exportFrom(server.origin).pipe(
          Effect.flatMap((answered) =>
            Stream.runForEach(bytesOf(answered), (piece) => Queue.offer(arrivals, piece))
          ),
          Effect.fork
        )
        for (const { open } of gates) {
          yield* Queue.take(arrivals)
          yield* TestClock.adjust("100 seconds")
          open()
        }
        yield* Fiber.join(fiber)
        assert.isAtLeast(yield* Clock.currentTimeMillis, 500_000)
      })
    )

    it.scoped("of whoever takes the archive is no stall", () =>
      Effect.gen(function* () {
        const body = Buffer.alloc(1_000_000)
        const server = yield* scriptedServer([answer(200, { body })])
        const answered = yield* exportFrom(server.origin)
        const total = yield* Stream.runFoldEffect(bytesOf(answered), 0, (total, piece) =>
          Effect.as(TestClock.adjust("10 minutes"), total + piece.length)
        )
        assert.strictEqual(total, body.length)
      })
    )
  })

  describe("a certificate", () => {
    it.scoped("that nobody vouches for is not trusted, and nothing is sent", () =>
      Effect.gen(function* () {
        yield* withEnvironment({ NODE_TLS_REJECT_UNAUTHORIZED: "0" })
        const server = yield* scriptedServer([answer(200)], selfSigned(["127.0.0.1"]))
        const error = yield* failureOf(exportWhole(server.origin))
        assert.strictEqual(error.reason, "Untrusted")
        assert.match(error.detail, /DEPTH_ZERO_SELF_SIGNED_CERT.*NODE_EXTRA_CA_CERTS/)
        assert.isFalse(error.isTransient)
        assert.lengthOf(server.requests, 0)
      })
    )

    it.scoped.runIf(isLong)(
      "of one's own authority is trusted by NODE_EXTRA_CA_CERTS, also through a proxy",
      () =>
        Effect.gen(function* () {
          const day = 86_400_000
          const own = selfSigned(["127.0.0.1"])
          const expired = selfSigned(["127.0.0.1"], Date.now() - 2 * day, Date.now() - day)
          const other = selfSigned(["other.example"])
          const remote = selfSigned(["analytics.eu.amplitude.com"])
          const ownServer = yield* scriptedServer([answer(200, { body: "own" })], own)
          const expiredServer = yield* scriptedServer([answer(200, { body: "expired" })], expired)
          const otherServer = yield* scriptedServer([answer(200, { body: "other" })], other)
          const remoteServer = yield* scriptedServer([answer(200, { body: "remote" })], remote)
          const proxy = yield* scriptedServer([
            tunnelTo(remoteServer.port),
            tunnelTo(otherServer.port)
          ])
          const authorities = [own, expired, other, remote].map(({ cert }) => cert).join("")
          const results = yield* exportApart(authorities, proxy.origin, [
            ownServer.origin,
            expiredServer.origin,
            otherServer.origin,
            AmplitudeHttp.origins.eu,
            AmplitudeHttp.origins.us
          ])

          assert.strictEqual(results[0], "own")
          assert.match(results[1] ?? "", /^Untrusted: .*CERT_HAS_EXPIRED/)
          assert.match(results[2] ?? "", /^Untrusted: .*ERR_TLS_CERT_ALTNAME_INVALID/)
          assert.strictEqual(results[3], "remote")
          assert.match(results[4] ?? "", /^Untrusted: .*ERR_TLS_CERT_ALTNAME_INVALID/)
          assert.lengthOf([...expiredServer.requests, ...otherServer.requests], 0)
          assert.deepStrictEqual(
            proxy.requests.map(({ method, target }) => `${method} ${target}`),
            ["CONNECT analytics.eu.amplitude.com:443", "CONNECT amplitude.com:443"]
          )
          assert.isUndefined(proxy.requests[0]?.headers["authorization"])
        })
    )
  })

  describe("a proxy", () => {
    const password = "canary-password"
    const through = ({ port }: Pick<ScriptedServer, "port">, more = {}) =>
      withEnvironment({
        ...noProxies,
        HTTPS_PROXY: `http://user:${password}@127.0.0.1:${port}`,
        ...more
      })

    it.scoped("that refuses says so, and neither its password nor a key is named", () =>
      Effect.gen(function* () {
        for (const [status, reason] of [
          [407, "Rejected"],
          [403, "Rejected"],
          [502, "Unavailable"],
          [504, "Unavailable"]
        ] as const) {
          const proxy = yield* scriptedServer([answer(status)])
          yield* through(proxy)
          const error = yield* failureOf(exportWhole(AmplitudeHttp.origins.us))
          assert.strictEqual(error.reason, reason)
          assert.match(error.detail, new RegExp(`proxy .* amplitude\\.com \\(HTTP ${status}\\)`))
          assert.notInclude(inspect(error, { depth: 20, showHidden: true }), password)
          const [request] = proxy.requests
          assert.strictEqual(`${request?.method} ${request?.target}`, "CONNECT amplitude.com:443")
          assert.isUndefined(request?.headers["authorization"])
        }
      })
    )

    it.scoped("that is not there is hinted at", () =>
      Effect.gen(function* () {
        yield* through(yield* Effect.scoped(scriptedServer([])))
        const error = yield* failureOf(exportWhole(AmplitudeHttp.origins.us))
        assert.strictEqual(error.reason, "Unavailable")
        assert.match(error.detail, /refused the connection; a proxy is set/)
        assert.notInclude(inspect(error, { depth: 20, showHidden: true }), password)
      })
    )

    it.scoped("that cannot be one is refused before a byte is sent", () =>
      Effect.gen(function* () {
        for (const url of [
          `socks5://user:${password}@proxy:3128`,
          `http://${password}:x@[`,
          `http://user:%${password}%@proxy`
        ]) {
          yield* through({ port: 1 }, { HTTPS_PROXY: url })
          const error = yield* failureOf(exportWhole(AmplitudeHttp.origins.us))
          assert.strictEqual(error.reason, "Rejected")
          assert.match(error.detail, /HTTPS_PROXY/)
          assert.notInclude(inspect(error, { depth: 20, showHidden: true }), password)
        }
      })
    )

    it.scoped("changes nothing about whom to trust, and is not trusted more itself", () =>
      Effect.gen(function* () {
        const secure = selfSigned(["amplitude.com", "127.0.0.1"])
        const server = yield* scriptedServer([answer(200)], secure)
        const plain = yield* scriptedServer([tunnelTo(server.port)])
        const encrypted = yield* scriptedServer([tunnelTo(server.port)], secure)
        for (const { origin } of [plain, encrypted]) {
          const insecure = { NODE_TLS_REJECT_UNAUTHORIZED: "0" }
          yield* withEnvironment({ ...noProxies, ...insecure, HTTPS_PROXY: origin })
          const error = yield* failureOf(exportWhole(AmplitudeHttp.origins.us))
          assert.strictEqual(error.reason, "Untrusted")
          assert.match(error.detail, /DEPTH_ZERO_SELF_SIGNED_CERT/)
        }
        assert.lengthOf(plain.requests, 1)
        assert.lengthOf([...encrypted.requests, ...server.requests], 0)
      })
    )

    it.scoped("is passed by for the hosts of NO_PROXY", () =>
      Effect.gen(function* () {
        const proxy = yield* scriptedServer([])
        yield* through(proxy, { NO_PROXY: "nobody.invalid" })
        const error = yield* failureOf(exportWhole("https://nobody.invalid"))
        assert.match(error.detail, /nobody\.invalid (is unknown|cannot be resolved)/)
        assert.lengthOf(proxy.requests, 0)
      })
    )

    it.scoped("never sees a request to loopback", () =>
      Effect.gen(function* () {
        const proxy = yield* scriptedServer([])
        const server = yield* scriptedServer([answer(200, { body: "PK" })])
        yield* through(proxy, { HTTP_PROXY: proxy.origin })
        assert.strictEqual((yield* exportWhole(server.origin)).toString(), "PK")
        assert.lengthOf(proxy.requests, 0)
      })
    )
  })
})

/** Exports from each origin in a process that trusts some more authorities, in PEM, and goes through a proxy. */
const exportApart = Effect.fnUntraced(function* (
  authorities: string,
  proxy: string,
  origins: ReadonlyArray<string>
) {
  const folder = yield* Effect.acquireRelease(
    Effect.promise(() => mkdtemp(path.join(tmpdir(), "amplitude-http-"))),
    (folder) => Effect.promise(() => rm(folder, { recursive: true }))
  )
  const file = path.join(folder, "authorities.pem")
  yield* Effect.promise(() => writeFile(file, authorities))
  const vitest = createRequire(import.meta.url).resolve("vitest/package.json")
  const run = createRequire(vitest).resolve("vite-node/vite-node.mjs")
  const program = fileURLToPath(new URL("../../fixtures/archive/exportEach.ts", import.meta.url))
  const env = { ...process.env, NODE_EXTRA_CA_CERTS: file, HTTPS_PROXY: proxy }
  const output = yield* Effect.async<string>((resume) => {
    execFile(process.execPath, [run, program, ...origins], { env }, (error, stdout, stderr) =>
      resume(error === null ? Effect.succeed(stdout) : Effect.dieMessage(`${error}\n${stderr}`))
    )
  })
  return JSON.parse(output) as ReadonlyArray<string>
})

const synthetic = { seed: 7, eventsPerHour: 40, project: "100011471" }

function isEmpty(hour: Hour): boolean {
  return [...AmplitudeSynthetic.syntheticHour(synthetic, hour)].length === 0
}

/** Some hours of the synthetic Amplitude that begin and end with events, and one hour without any. */
function syntheticWindows() {
  const hours = new Window({ first: window.first, last: addHours(window.first, 200) }).hours
  const first = hours.find((hour) => !isEmpty(hour) && !isEmpty(addHours(hour, 3)))
  const empty = hours.find(isEmpty)
  assert.isDefined(first)
  assert.isDefined(empty)
  return {
    full: new Window({ first, last: addHours(first, 3) }),
    empty: new Window({ first: empty, last: empty })
  }
}

amplitudeContract(
  "AmplitudeHttp",
  Layer.unwrapScoped(
    Effect.gen(function* () {
      const keys = { apiKey: Redacted.make(apiKey), secretKey: Redacted.make(secretKey) }
      const server = yield* Layer.build(
        HttpServer.serve(exportApi(keys)).pipe(
          Layer.provide(AmplitudeSynthetic.layer(synthetic)),
          Layer.provideMerge(NodeHttpServer.layer(createServer, { port: 0, host: "127.0.0.1" }))
        )
      )
      const { address } = yield* Effect.provide(HttpServer.HttpServer, server)
      assert(address._tag === "TcpAddress")
      return AmplitudeHttp.layer({ origin: `http://127.0.0.1:${address.port}`, ...keys })
    })
  ),
  syntheticWindows()
)
