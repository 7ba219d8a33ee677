import assert from "node:assert/strict"
import https from "node:https"
import type { TLSSocket } from "node:tls"
import { describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { makeProxyAgent } from "../../../src/layers/cloud/proxyAgent.ts"
import { withEnvironment } from "../../fixtures/process/environment.ts"
import {
  answer,
  scriptedServer,
  type Step,
  tunnelTo
} from "../../fixtures/servers/scriptedServer.ts"
import { selfSigned } from "../../fixtures/servers/selfSigned.ts"

/** Answers with the name that the client's TLS announced, or `false`. */
const announced: Step = (socket, request) =>
  answer(200, { body: String((socket as TLSSocket).servername) })(socket, request)

/** The body of an answer through the proxy, or the code and message of the failure. */
const getThrough = (proxy: string, url: string, ca: ReadonlyArray<string>) =>
  Effect.acquireUseRelease(
    Effect.sync(() =>
      makeProxyAgent({ rejectUnauthorized: true, ca: [...ca] }, { HTTPS_PROXY: proxy })
    ),
    (agent) =>
      Effect.async<string>((resume) => {
        const request = https.get(url, agent === undefined ? {} : { agent }, (response) => {
          response.setEncoding("utf8").on("data", (text) => resume(Effect.succeed(String(text))))
        })
        request.on("error", ({ code, message }: NodeJS.ErrnoException) =>
          resume(Effect.succeed(`${code}: ${message}`))
        )
      }),
    (agent) => Effect.sync(() => agent?.destroy())
  )

describe("makeProxyAgent()", () => {
  it.scoped("announces the name of a store, and none for a store or a proxy by address", () =>
    Effect.gen(function* () {
      for (const [url, host, name] of [
        ["https://s3.lake.test/", "s3.lake.test", "s3.lake.test"],
        ["https://192.0.2.10:9000/", "192.0.2.10", "false"]
      ] as const) {
        const [store, own] = [selfSigned([host]), selfSigned(["127.0.0.1"])]
        const server = yield* scriptedServer([announced, announced], store)
        const names: Array<unknown> = []
        const tunnel: Step = (socket, request) => {
          names.push((socket as TLSSocket).servername)
          return tunnelTo(server.port)(socket, request)
        }
        const plain = yield* scriptedServer([tunnel])
        const secure = yield* scriptedServer([tunnel], own)
        for (const { origin } of [plain, secure]) {
          assert.equal(yield* getThrough(origin, url, [store.cert, own.cert]), name)
        }
        assert.deepEqual(names, [undefined, false])
      }
    })
  )

  it.scoped("sends nothing to a proxy whose certificate is not its own or not trusted", () =>
    Effect.gen(function* () {
      const url = "https://s3.lake.test/"
      const ofStore = selfSigned(["s3.lake.test"])
      const proxy = yield* scriptedServer([], ofStore)
      yield* withEnvironment({ NODE_TLS_REJECT_UNAUTHORIZED: "0" })
      const foreign = yield* getThrough(proxy.origin, url, [ofStore.cert])
      assert.match(foreign, /^EPROXY: Cannot connect to the proxy in HTTPS_PROXY: .*altnames/)
      const unknown = yield* getThrough(proxy.origin, url, [])
      assert.match(unknown, /^EPROXY: Cannot connect to the proxy in HTTPS_PROXY: self.signed/)
      assert.equal(proxy.requests.length, 0)
    })
  )

  it.scoped("fails as unreachable if nothing listens at the proxy's address", () =>
    Effect.gen(function* () {
      const { origin } = yield* Effect.scoped(scriptedServer([]))
      const failed = yield* getThrough(origin, "https://s3.lake.test/", [])
      assert.match(failed, /^ECONNREFUSED: Cannot connect to the proxy in HTTPS_PROXY: /)
    })
  )
})
