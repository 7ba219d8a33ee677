import assert from "node:assert/strict"
import { Either, Redacted } from "effect"
import * as fc from "fast-check"
import { describe, it } from "vitest"
import { proxyFor, readProxy } from "../../src/services/ProxyRules.ts"

const proxyOf = (text: string) =>
  Either.map(
    readProxy({ HTTPS_PROXY: text }),
    (proxy) =>
      proxy && {
        at: `${proxy.isSecure ? "https" : "http"} ${proxy.host} ${proxy.port}`,
        authorization: proxy.authorization && Redacted.value(proxy.authorization)
      }
  )
const basic = (user: string) => `Basic ${Buffer.from(user).toString("base64")}`

describe("readProxy()", () => {
  const right: ReadonlyArray<readonly [string, string, string | undefined]> = [
    ["http://proxy.example:3128", "http proxy.example 3128", undefined],
    ["http://proxy.example", "http proxy.example 80", undefined],
    ["https://proxy.example/", "https proxy.example 443", undefined],
    ["HTTP://proxy.example:3128", "http proxy.example 3128", undefined],
    ["proxy.corp.example:3128", "http proxy.corp.example 3128", undefined],
    ["192.0.2.1:8080", "http 192.0.2.1 8080", undefined],
    ["http://[2001:db8::1]:3128", "http 2001:db8::1 3128", undefined],
    ["http://me:p%40ss@proxy.example:3128", "http proxy.example 3128", basic("me:p@ss")],
    ["me:secret@proxy.example:3128", "http proxy.example 3128", basic("me:secret")],
    ["http://m%C3%BC:x@proxy.example", "http proxy.example 80", basic("mü:x")]
  ]
  for (const [text, at, authorization] of right) {
    it(`reads ${text}`, () => assert.deepEqual(proxyOf(text), Either.right({ at, authorization })))
  }

  for (const [text, why] of [
    ["socks5://geheim:geheim@proxy.example", /must begin with http:\/\/ or https:\/\/$/],
    ["http://", /is not a URL$/],
    ["http://me:gehe%im@proxy.example:3128", /must be percent-encoded$/],
    ["http://geheim proxy:3128", /is not a URL$/]
  ] as const) {
    it(`refuses ${text.split(":")[0]} (${why.source}), without its text`, () => {
      const message = Either.getOrThrow(Either.flip(proxyOf(text)))
      assert.match(message, why)
      assert.match(message, /^HTTPS_PROXY is not a proxy such as/)
      assert.doesNotMatch(message, /gehe/)
    })
  }

  it("prefers lower case, and takes blank text for none", () => {
    const environment = { HTTPS_PROXY: "http://one", https_proxy: "http://other" }
    assert.equal(Either.getOrThrow(readProxy(environment))?.host, "other")
    assert.equal(Either.getOrThrow(readProxy({ HTTPS_PROXY: " " })), undefined)
    assert.equal(Either.getOrThrow(readProxy({ HTTP_PROXY: "http://one" })), undefined)
  })

  it("never throws, whatever the variable holds", () => {
    fc.assert(
      fc.property(fc.string(), (text) => void readProxy({ HTTPS_PROXY: text })),
      { seed: 17, numRuns: 500 }
    )
  })
})

const isDirect = (url: string, names: string) =>
  Either.getOrThrow(
    proxyFor(new URL(url), { HTTPS_PROXY: "http://proxy.example", NO_PROXY: names })
  ) === undefined

describe("proxyFor()", () => {
  const rules: ReadonlyArray<
    readonly [names: string, direct: ReadonlyArray<string>, proxied: ReadonlyArray<string>]
  > = [
    ["", ["localhost", "127.0.0.1:9000", "[::1]"], ["s3.example", "192.0.2.10"]],
    ["*", ["s3.example"], []],
    ["corp.example", ["corp.example", "minio.corp.example", "CORP.example."], ["mycorp.example"]],
    [".corp.example", ["minio.corp.example", "corp.example"], ["mycorp.example"]],
    ["*.corp.example", ["minio.corp.example"], ["example"]],
    [".CORP.example", ["minio.corp.example"], []],
    ["a.example, b.example", ["a.example", "b.example"], ["c.example"]],
    ["minio.example:9001", ["minio.example:9001"], ["minio.example:9000", "minio.example"]],
    ["minio.example:443", ["minio.example"], ["minio.example:9000"]],
    ["192.0.2.10", ["192.0.2.10:9000"], ["192.0.2.11", "192.0.2.10.example"]],
    ["192.0.2.0/24", ["192.0.2.10:9000"], ["192.0.3.10", "a.example"]],
    ["2001:db8::/32", ["[2001:db8::5]:9000"], ["[2001:db9::5]"]],
    ["2001:db8::5", ["[2001:db8:0::5]"], ["[2001:db8::6]"]],
    ["[2001:db8::5]:9000", ["[2001:db8::5]:9000"], ["[2001:db8::5]:9001"]],
    ["192.0.2.0/99", [], ["192.0.2.10"]]
  ]
  for (const [names, direct, proxied] of rules) {
    it(`reads NO_PROXY=${names}`, () => {
      for (const host of direct) assert.ok(isDirect(`https://${host}/`, names), host)
      for (const host of proxied) assert.ok(!isDirect(`https://${host}/`, names), host)
    })
  }

  it("takes no proxy for plain http, which is on this machine only", () => {
    assert.ok(isDirect("http://127.0.0.1:9000", ""))
  })

  it("never throws, whatever NO_PROXY holds", () => {
    fc.assert(
      fc.property(fc.string(), (names) => void isDirect("https://[2001:db8::5]:9000", names)),
      { seed: 17, numRuns: 500 }
    )
  })
})
