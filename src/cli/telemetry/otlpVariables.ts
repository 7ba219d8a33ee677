/**
 * Reads OpenTelemetry's standard variables.
 *
 * Source: https://opentelemetry.io/docs/specs/otel/protocol/exporter/
 *
 * @module
 */
import { Either, Redacted } from "effect"
import { isEncrypted } from "../../services/SafeUrl.ts"

/** Where to send telemetry, and how. */
export interface OtlpOptions {
  /** Ends in a slash; the paths of the signals are appended. */
  readonly endpoint: URL
  /** May contain secrets. */
  readonly headers: Redacted.Redacted<Readonly<Record<string, string>>>
  readonly protocol: "http/protobuf" | "http/json"
  readonly serviceName: string
  /** Attributes of the resource, except the service name. */
  readonly attributes: Readonly<Record<string, string>>
}

type Variables = Readonly<Record<string, string | undefined>>

const NAMES = [
  "OTEL_SDK_DISABLED",
  "OTEL_EXPORTER_OTLP_ENDPOINT",
  "OTEL_EXPORTER_OTLP_HEADERS",
  "OTEL_EXPORTER_OTLP_PROTOCOL",
  "OTEL_SERVICE_NAME",
  "OTEL_RESOURCE_ATTRIBUTES"
] as const

/** Each variable from the environment, or else from the env file. A blank one is not set. */
export function otlpVariables(environment: Variables, file: Variables): Variables {
  return Object.fromEntries(
    NAMES.map((name) => {
      const found = [environment[name], file[name]].find((text) => (text ?? "").trim() !== "")
      return [name, found?.trim()]
    })
  )
}

/**
 * The options, `undefined` if telemetry is off, or why the variables are invalid, without repeating
 * their values. They are often set for a whole machine, so they must not make a run fail.
 */
export function otlpOptions(variables: Variables): Either.Either<OtlpOptions | undefined, string> {
  const endpoint = variables["OTEL_EXPORTER_OTLP_ENDPOINT"]
  const isDisabled = variables["OTEL_SDK_DISABLED"]?.toLowerCase() === "true"
  if (endpoint === undefined || isDisabled) return Either.right(undefined)
  return Either.gen(function* () {
    const headers = yield* pairs("OTEL_EXPORTER_OTLP_HEADERS", variables)
    const attributes = yield* pairs("OTEL_RESOURCE_ATTRIBUTES", variables)
    const { "service.name": named, ...others } = attributes
    return {
      endpoint: yield* parseEndpoint(endpoint, Object.keys(headers).length > 0),
      headers: Redacted.make(headers),
      protocol: yield* parseProtocol(variables["OTEL_EXPORTER_OTLP_PROTOCOL"]),
      serviceName: variables["OTEL_SERVICE_NAME"] ?? named ?? "amplitude-lake",
      attributes: others
    }
  })
}

/** Requires https if there are headers, which may contain a token. Otherwise http is allowed. */
function parseEndpoint(text: string, hasHeaders: boolean): Either.Either<URL, string> {
  const name = "OTEL_EXPORTER_OTLP_ENDPOINT"
  if (!URL.canParse(text)) return Either.left(`${name} is not a URL such as http://localhost:4318`)
  const url = new URL(text)
  if (!/^https?:$/.test(url.protocol)) {
    return Either.left(`${name} must be https or http, such as http://localhost:4318`)
  }
  if (url.username !== "" || url.password !== "") {
    return Either.left(
      `${name} must not contain a user or password: use OTEL_EXPORTER_OTLP_HEADERS`
    )
  }
  if (hasHeaders && !isEncrypted(url)) {
    return Either.left(
      `${name} must be https if OTEL_EXPORTER_OTLP_HEADERS is set: plain http would expose the headers`
    )
  }
  url.search = ""
  url.hash = ""
  if (!url.pathname.endsWith("/")) url.pathname += "/"
  return Either.right(url)
}

function parseProtocol(text = "http/protobuf"): Either.Either<OtlpOptions["protocol"], string> {
  return text === "http/protobuf" || text === "http/json"
    ? Either.right(text)
    : Either.left(
        "OTEL_EXPORTER_OTLP_PROTOCOL must be http/protobuf or http/json: collectors listen for both on port 4318"
      )
}

/** Parses `name=value,name=value`, percent-encoded as in W3C Baggage. */
function pairs(
  variable: (typeof NAMES)[number],
  variables: Variables
): Either.Either<Record<string, string>, string> {
  return Either.try({
    try: () =>
      Object.fromEntries(
        (variables[variable] ?? "")
          .split(",")
          .filter((pair) => pair.trim() !== "")
          .map((pair) => {
            const [, name = "", value = ""] = /^\s*([^=\s]+)\s*=(.*)$/s.exec(pair) ?? []
            if (name === "") throw new Error("no name")
            return [decodeURIComponent(name), decodeURIComponent(value.trim())]
          })
      ),
    catch: () => `${variable} must be name=value,name=value, percent-encoded`
  })
}
