import assert from "node:assert/strict"
import { Either, Redacted } from "effect"
import { describe, it } from "vitest"
import { otlpOptions, otlpVariables } from "../../../src/cli/telemetry/otlpVariables.ts"

const HEADERS = { OTEL_EXPORTER_OTLP_HEADERS: "authorization=Basic%20s3cr3t" }

/** What is done by some variables of the environment; why it is not, where it is not. */
function read(endpoint: string | undefined, more: Readonly<Record<string, string>> = {}) {
  const variables = { OTEL_EXPORTER_OTLP_ENDPOINT: endpoint, ...more }
  return Either.merge(otlpOptions(otlpVariables(variables, {})))
}

function refused(endpoint: string, more?: Readonly<Record<string, string>>): string {
  const why = read(endpoint, more)
  assert.ok(typeof why === "string", "it was not refused")
  assert.ok(!why.includes("s3cr3t"), why)
  return why
}

function told(endpoint: string, more?: Readonly<Record<string, string>>) {
  const options = read(endpoint, more)
  assert.ok(options !== undefined && typeof options !== "string", String(options))
  return { ...options, endpoint: options.endpoint.href, headers: Redacted.value(options.headers) }
}

describe("OpenTelemetry's variables", () => {
  it("turn nothing on without an endpoint, or if telemetry is disabled", () => {
    assert.equal(read(undefined), undefined)
    assert.equal(read("  "), undefined)
    assert.equal(read("http://localhost:4318", { OTEL_SDK_DISABLED: "TRUE" }), undefined)
  })

  it("are read as specified, from the environment first", () => {
    assert.deepEqual(told("http://localhost:4318"), {
      endpoint: "http://localhost:4318/",
      headers: {},
      protocol: "http/protobuf",
      serviceName: "amplitude-lake",
      attributes: {}
    })
    const more = {
      ...HEADERS,
      OTEL_EXPORTER_OTLP_PROTOCOL: "http/json",
      OTEL_RESOURCE_ATTRIBUTES: " service.name = lake , team=a%2Cb "
    }
    assert.deepEqual(told("https://otel.test/in?x=1", more), {
      endpoint: "https://otel.test/in/",
      headers: { authorization: "Basic s3cr3t" },
      protocol: "http/json",
      serviceName: "lake",
      attributes: { team: "a,b" }
    })
    const both = otlpVariables({ OTEL_SERVICE_NAME: "one" }, { OTEL_SERVICE_NAME: "other" })
    assert.equal(both["OTEL_SERVICE_NAME"], "one")
  })

  it("allow headers over https or on loopback only, and plain http without headers", () => {
    assert.equal(told("http://collector:4318").endpoint, "http://collector:4318/")
    assert.equal(told("http://127.0.0.1:4318", HEADERS).headers["authorization"], "Basic s3cr3t")
    assert.match(refused("http://collector:4318", HEADERS), /must be https if .*_HEADERS is set/)
  })

  it("are refused without repeating their values", () => {
    assert.match(refused("s3cr3t"), /is not a URL such as/)
    assert.match(refused("ftp://s3cr3t"), /must be https or http/)
    assert.match(refused("https://s3cr3t:x@otel.test"), /user or password/)
    const broken = { OTEL_EXPORTER_OTLP_HEADERS: "s3cr3t" }
    assert.match(refused("https://otel.test", broken), /_HEADERS must be name=value/)
    const escaped = { OTEL_EXPORTER_OTLP_HEADERS: "a=s3cr3t%" }
    assert.match(refused("https://otel.test", escaped), /_HEADERS must be name=value/)
    assert.match(refused("http://a.test", { OTEL_EXPORTER_OTLP_PROTOCOL: "grpc" }), /4318/)
  })
})
