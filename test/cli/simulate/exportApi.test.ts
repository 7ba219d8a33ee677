import * as HttpServer from "@effect/platform/HttpServer"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import { describe, it } from "@effect/vitest"
import { Effect, Layer, Redacted } from "effect"
import { createServer } from "node:http"
import { assert } from "vitest"
import * as AmplitudeMemory from "../../../src/layers/memory/AmplitudeMemory.ts"
import * as AmplitudeSynthetic from "../../../src/layers/synthetic/AmplitudeSynthetic.ts"
import { exportApi, type ExportApiOptions } from "../../../src/cli/simulate/exportApi.ts"
import { Amplitude, AmplitudeError } from "../../../src/services/Amplitude.ts"
import { Hour } from "../../../src/services/Hour.ts"
import { Window } from "../../../src/services/Window.ts"
import { partsOf, readArchive } from "../../contracts/amplitude.ts"

const keys = { apiKey: Redacted.make("key-ä"), secretKey: Redacted.make("secret") }

const basic = (user: string, password: string) => ({
  authorization: `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`
})

const hours = {
  "2025-11-10T03": ['{"uuid":"a"}\n', '{"uuid":"b"}'],
  "2025-11-10T05": ['{"uuid":"d"}\n']
}
const range = "?start=20251110T03&end=20251110T05"

/** Serves until the scope closes, and asks as `fetch` does. */
const serve = Effect.fnUntraced(function* (
  amplitude: Layer.Layer<Amplitude>,
  options: Partial<ExportApiOptions> = {}
) {
  const server = createServer()
  const context = yield* Layer.build(
    HttpServer.serve(exportApi({ ...keys, ...options })).pipe(
      Layer.provide(amplitude),
      Layer.provideMerge(NodeHttpServer.layer(() => server, { port: 0, host: "127.0.0.1" }))
    )
  )
  // Or closing waits for connections that `fetch` keeps for later.
  yield* Effect.addFinalizer(() => Effect.sync(() => server.closeAllConnections()))
  const { address } = yield* Effect.provide(HttpServer.HttpServer, context)
  assert(address._tag === "TcpAddress")
  const origin = `http://127.0.0.1:${address.port}`
  const ask = (query: string, init?: RequestInit) =>
    Effect.promise(() =>
      fetch(`${origin}/api/2/export${query}`, { headers: basic("key-ä", "secret"), ...init })
    )
  return { origin, ask }
})

function limited(window: Window): AmplitudeError {
  return new AmplitudeError({ reason: "RateLimited", window, detail: "slow", retryAfter: 1500 })
}

/** Aborts when the scope closes. */
const signalOfScope = Effect.map(
  Effect.acquireRelease(
    Effect.sync(() => new AbortController()),
    (controller) => Effect.sync(() => controller.abort())
  ),
  ({ signal }) => signal
)

const jsonOf = (response: Response) =>
  Effect.promise(async () => {
    const { error } = (await response.json()) as {
      error: { http_code: number; type: string; message: string; metadata: { details: string } }
    }
    assert.strictEqual(error.http_code, response.status)
    assert.strictEqual(error.type, "invalid")
    return error
  })

const bytesOf = (response: Response) =>
  Effect.promise(async () => new Uint8Array(await response.arrayBuffer()))

describe("exportApi()", () => {
  it.scoped("streams the archive of a window, both hours included", () =>
    Effect.gen(function* () {
      const { ask } = yield* serve(AmplitudeMemory.layer({ hours }))
      const response = yield* ask(range)
      assert.strictEqual(response.status, 200)
      assert.strictEqual(response.headers.get("content-type"), "application/zip")
      assert.strictEqual(response.headers.get("content-length"), null)
      assert.strictEqual(response.headers.get("transfer-encoding"), "chunked")
      assert.isFinite(Date.parse(response.headers.get("date") ?? ""))
      const parts = yield* Effect.flatMap(bytesOf(response), (bytes) =>
        Effect.promise(() => readArchive(bytes))
      )
      assert.deepStrictEqual(
        parts.map(({ hour, text }) => [hour, text]),
        [
          ["2025-11-10T03", '{"uuid":"a"}\n'],
          ["2025-11-10T03", '{"uuid":"b"}'],
          ["2025-11-10T05", '{"uuid":"d"}\n']
        ]
      )
    })
  )

  it.scoped("streams the bytes of synthetic events unchanged", () =>
    Effect.gen(function* () {
      const amplitude = AmplitudeSynthetic.layer({ eventsPerHour: 500 })
      const { ask } = yield* serve(amplitude)
      const [first, last] = [Hour.make("2025-11-10T03"), Hour.make("2025-11-10T05")]
      const bytes = yield* Effect.flatMap(ask(range), bytesOf)
      const served = yield* Effect.promise(() => readArchive(bytes))
      const parts = yield* Effect.provide(partsOf(new Window({ first, last })), amplitude)
      assert.isTrue(JSON.stringify(served) === JSON.stringify(parts))
    })
  )

  it.scoped("requires keys, and refuses all except its own", () =>
    Effect.gen(function* () {
      const { ask } = yield* serve(AmplitudeMemory.layer({ hours }))
      for (const headers of [{}, { authorization: "Bearer abc" }, { authorization: "Basic" }]) {
        const response = yield* ask(range, { headers })
        assert.strictEqual(response.status, 401)
        assert.match(response.headers.get("www-authenticate") ?? "", /^Basic /)
      }
      for (const [user, password] of [
        ["key-ä", "secre"],
        ["key-ä", "secrett"],
        ["key-ä", "secretkey-ä:secret"],
        ["key-a", "secret"],
        ["secret", "key-ä"],
        ["", ""]
      ] as const) {
        const response = yield* ask(range, { headers: basic(user, password) })
        assert.strictEqual(response.status, 403)
        const error = yield* jsonOf(response)
        assert.strictEqual(error.metadata.details, "Invalid API Key")
      }
    })
  )

  it.scoped("refuses an invalid range of hours, without mentioning its size", () =>
    Effect.gen(function* () {
      const { service, requests } = yield* AmplitudeMemory.makeTest({ hours })
      const { ask } = yield* serve(Layer.succeed(Amplitude, service))
      for (const query of [
        "",
        "?start=20251110T03",
        "?end=20251110T03",
        "?start=&end=",
        "?start=2025-11-10T03&end=20251110T05",
        "?start=20251110&end=20251110T05",
        "?start=20251110T03&end=20251110T24",
        "?start=20250230T00&end=20251110T05",
        "?start=20251110T05&end=20251110T04",
        "?start=20240101T00&end=20241231T00"
      ]) {
        const response = yield* ask(query)
        assert.strictEqual(response.status, 400, query)
        const error = yield* jsonOf(response)
        assert.notMatch(error.message + error.metadata.details, /large|size|big|limit|GB/i)
      }
      assert.deepStrictEqual(yield* requests, [])
    })
  )

  it.scoped("accepts 365 days, and a single hour", () =>
    Effect.gen(function* () {
      const { ask } = yield* serve(AmplitudeMemory.layer({ hours }))
      for (const query of [
        "?start=20250101T00&end=20251231T23",
        "?start=20251110T03&end=20251110T03"
      ]) {
        const response = yield* ask(query)
        assert.strictEqual(response.status, 200)
        yield* bytesOf(response)
      }
    })
  )

  it.scoped("answers 404 without events and for other paths, 405 for other methods", () =>
    Effect.gen(function* () {
      const { ask, origin } = yield* serve(AmplitudeMemory.layer({ hours }))
      const none = yield* ask("?start=20251110T04&end=20251110T04")
      assert.strictEqual(none.status, 404)
      const other = yield* Effect.promise(() => fetch(`${origin}/api/2/events`))
      assert.strictEqual(other.status, 404)
      const post = yield* ask(range, { method: "POST" })
      assert.deepStrictEqual([post.status, post.headers.get("allow")], [405, "GET"])
    })
  )

  for (const [name, amplitude] of [
    ["known", AmplitudeMemory.layer({ hours })],
    ["unknown", AmplitudeSynthetic.layer({ eventsPerHour: 50 })]
  ] as const) {
    it.scoped(
      `refuses an archive of ${name} size above its limit, as Amplitude does above 4 GB`,
      () =>
        Effect.gen(function* () {
          const open = yield* serve(amplitude)
          const { length } = yield* Effect.flatMap(open.ask(range), bytesOf)

          const exact = yield* serve(amplitude, { maxBytes: length })
          const taken = yield* exact.ask(range)
          assert.strictEqual(taken.status, 200)
          assert.strictEqual((yield* bytesOf(taken)).length, length)

          const { ask } = yield* serve(amplitude, { maxBytes: length - 1 })
          const response = yield* ask(range)
          assert.strictEqual(response.status, 400)
          const { message } = yield* jsonOf(response)
          assert.match(message, /too large/)
          assert.match(message, /4GB/)
        })
    )
  }

  it.scoped("answers with the status of the error from its Amplitude", () =>
    Effect.gen(function* () {
      const cases = [
        ["Unauthorized", undefined, 401],
        ["Forbidden", undefined, 403],
        ["TooLarge", undefined, 400],
        ["TooLarge", 413, 413],
        ["GatewayTimeout", undefined, 504],
        ["RateLimited", undefined, 429],
        ["Unavailable", undefined, 503],
        ["Unavailable", 500, 500],
        ["Stalled", undefined, 503],
        ["Untrusted", undefined, 502],
        ["Redirected", 302, 502],
        ["Rejected", undefined, 400],
        ["Rejected", 422, 422]
      ] as const
      const plan = cases.map(
        ([reason, status]) =>
          (window: Window) =>
            new AmplitudeError({ reason, window, status, detail: "so it is" })
      )
      const { ask } = yield* serve(AmplitudeMemory.layer({ hours, plan }))
      for (const [reason, , status] of cases) {
        const response = yield* ask(range)
        assert.strictEqual(response.status, status, reason)
        assert.strictEqual(response.headers.get("retry-after"), null)
        const { message, metadata } = yield* jsonOf(response)
        assert.strictEqual(metadata.details, "so it is")
        assert.strictEqual(/too large/.test(message), reason === "TooLarge")
      }
    })
  )

  it.scoped("sends how many seconds to wait, rounded up", () =>
    Effect.gen(function* () {
      const { ask } = yield* serve(AmplitudeMemory.layer({ hours, plan: [limited] }))
      const response = yield* ask(range)
      assert.deepStrictEqual([response.status, response.headers.get("retry-after")], [429, "2"])
    })
  )

  it.scoped("passes on the date of its Amplitude, or sends its own", () =>
    Effect.gen(function* () {
      const [one, other] = [Date.UTC(2025, 10, 11, 1), Date.UTC(2025, 10, 11, 2)]
      const amplitude = AmplitudeMemory.layer({ hours, date: one, plan: ["ok", "none"] })
      for (const [date, expected] of [
        [undefined, one],
        [other, other]
      ] as const) {
        const { ask } = yield* serve(amplitude, { date })
        for (const status of [200, 404]) {
          const response = yield* ask(range)
          assert.strictEqual(response.status, status)
          assert.strictEqual(Date.parse(response.headers.get("date") ?? ""), expected)
          yield* bytesOf(response)
        }
      }
    })
  )

  it.scoped(
    "cuts the connection if the body fails, instead of ending it as if it were complete",
    () =>
      Effect.gen(function* () {
        const { ask } = yield* serve(AmplitudeMemory.layer({ hours, plan: [{ cutAfter: 100 }] }))
        const response = yield* ask(range)
        assert.strictEqual(response.status, 200)
        const body = yield* Effect.promise(() =>
          response.arrayBuffer().then(
            () => "whole",
            () => "cut"
          )
        )
        assert.strictEqual(body, "cut")
        const again = yield* ask(range)
        assert.strictEqual(again.status, 200)
        yield* bytesOf(again)
      })
  )

  it.scopedLive("drops a request whose client has left", () =>
    Effect.gen(function* () {
      const hang = { hangAfter: 100 }
      const plan = [hang, hang, hang, hang, hang]
      const { ask } = yield* serve(AmplitudeMemory.layer({ hours, plan }))
      const leaving = Effect.gen(function* () {
        const signal = yield* signalOfScope
        yield* Effect.replicateEffect(ask(range, { signal }), 5)
        const sixth = yield* ask(range)
        assert.strictEqual(sixth.status, 429)
        yield* bytesOf(sixth)
      })
      yield* Effect.scoped(leaving)
      // The server learns of it a little later, by the closing of its sockets.
      yield* ask(range).pipe(
        Effect.tap(bytesOf),
        Effect.repeat({ until: ({ status }) => status === 200 })
      )
    })
  )
})
