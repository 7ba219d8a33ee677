import assert from "node:assert/strict"
import { inspect } from "node:util"
import { describe, it } from "@effect/vitest"
import { Effect, Redacted } from "effect"
import * as WarehouseSnowflake from "../../../src/layers/snowflake/WarehouseSnowflake.ts"
import { withEnvironment } from "../../fixtures/process/environment.ts"
import { answer, scriptedServer, tunnelTo } from "../../fixtures/servers/scriptedServer.ts"
import { selfSigned } from "../../fixtures/servers/selfSigned.ts"
import { snowflakeAccount } from "../../fixtures/snowflake/account.ts"

const HOST = "myorg-lake.snowflakecomputing.com"
const PASSWORD = "canary-password"
const TOKEN = "canary-token"
const credentials = { token: Redacted.make(TOKEN) }

const noProxies = {
  ALL_PROXY: undefined,
  HTTP_PROXY: undefined,
  HTTPS_PROXY: undefined,
  NO_PROXY: undefined,
  all_proxy: undefined,
  http_proxy: undefined,
  https_proxy: undefined,
  no_proxy: undefined
}
const through = (url: string, more = {}) =>
  withEnvironment({ ...noProxies, HTTPS_PROXY: url, ...more })
const proxyUrl = (port: number) => `http://user:${PASSWORD}@127.0.0.1:${port}`

type Options = Partial<WarehouseSnowflake.WarehouseSnowflakeOptions>

/** Why the ledger cannot be read. The account's own host, unless another origin is given. */
const failed = (how: Options = {}) =>
  Effect.gen(function* () {
    const { options } = yield* snowflakeAccount({}, { credentials, ...how })
    const { origin: _, ...others } = options
    const warehouse = yield* WarehouseSnowflake.make({ ...others, ...how })
    const error = yield* Effect.flip(Effect.scoped(warehouse.open("read")))
    const text = inspect(error, { depth: 20, showHidden: true }) + error.message
    assert.doesNotMatch(text, new RegExp(`${PASSWORD}|${TOKEN}`))
    return error
  })

describe("WarehouseSnowflake's network", () => {
  it.scopedLive("trusts no certificate that nobody vouches for, and sends nothing", () =>
    Effect.gen(function* () {
      yield* withEnvironment({ ...noProxies, NODE_TLS_REJECT_UNAUTHORIZED: "0" })
      const { server } = yield* snowflakeAccount({ tls: selfSigned(["127.0.0.1"]) })
      const error = yield* failed({ origin: server.origin })
      assert.deepEqual([error.reason, error.isTransient], ["Misconfigured", false])
      assert.match(error.detail, /DEPTH_ZERO_SELF_SIGNED_CERT.*NODE_EXTRA_CA_CERTS/)
      assert.equal(server.requests.length, 0)
    })
  )

  it.scopedLive("trusts no more through a proxy", () =>
    Effect.gen(function* () {
      const tls = selfSigned(["other.example"])
      const { server } = yield* snowflakeAccount({ tls })
      const proxy = yield* scriptedServer([tunnelTo(Number(new URL(server.origin).port))])
      yield* through(proxyUrl(proxy.port), { NODE_TLS_REJECT_UNAUTHORIZED: "0" })
      const error = yield* failed()
      assert.equal(error.reason, "Misconfigured")
      assert.match(error.detail, /certificate/)
      assert.deepEqual([proxy.requests.length, server.requests.length], [1, 0])
    })
  )

  for (const [status, reason] of [
    [407, "Misconfigured"],
    [403, "Misconfigured"],
    [502, "Unavailable"],
    [504, "Unavailable"]
  ] as const) {
    it.scopedLive(`says that a proxy answered ${status}, which has seen no token`, () =>
      Effect.gen(function* () {
        const proxy = yield* scriptedServer([answer(status)])
        yield* through(proxyUrl(proxy.port))
        const error = yield* failed()
        assert.equal(error.reason, reason)
        assert.match(error.detail, new RegExp(`proxy .* ${HOST} \\(HTTP ${status}\\)`))
        const [request] = proxy.requests
        assert.equal(`${request?.method} ${request?.target}`, `CONNECT ${HOST}:443`)
        const basic = Buffer.from(`user:${PASSWORD}`).toString("base64")
        assert.equal(request?.headers["proxy-authorization"], `Basic ${basic}`)
        assert.equal(request?.headers["authorization"], undefined)
      })
    )
  }

  it.scopedLive("hints at a proxy that is not there, and may be tried again", () =>
    Effect.gen(function* () {
      const { port } = yield* Effect.scoped(scriptedServer([]))
      yield* through(proxyUrl(port))
      const error = yield* failed()
      assert.equal(error.reason, "Unavailable")
      assert.match(error.detail, /refused the connection; a proxy is set/)
    })
  )

  it.scopedLive("refuses a proxy that cannot be one before a byte is sent", () =>
    Effect.gen(function* () {
      yield* through(`socks5://user:${PASSWORD}@proxy:3128`)
      const error = yield* failed()
      assert.equal(error.reason, "Misconfigured")
      assert.match(error.detail, /HTTPS_PROXY/)
    })
  )

  it.scopedLive("passes a proxy by for the hosts of NO_PROXY, and for loopback", () =>
    Effect.gen(function* () {
      const proxy = yield* scriptedServer([])
      yield* through(proxyUrl(proxy.port), { NO_PROXY: "nobody.invalid", HTTP_PROXY: proxy.origin })
      const error = yield* failed({ origin: "https://nobody.invalid" })
      assert.match(error.detail, /nobody\.invalid (is unknown|cannot be resolved)/)
      const { warehouse } = yield* snowflakeAccount()
      yield* Effect.scoped(warehouse.open("load"))
      assert.equal(proxy.requests.length, 0)
    })
  )
})
