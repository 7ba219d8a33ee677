/**
 * What a failed connection means: an error of the network in, `AmplitudeError` out.
 *
 * @module
 */
import { AmplitudeError } from "../../services/Amplitude.ts"
import type { Window } from "../../services/Window.ts"

/** Where the connection was to lead. */
export interface Route {
  /** Name and port. */
  readonly host: string
  /** Whether the environment names a proxy that may stand in between. */
  readonly proxied: boolean
}

const CERTIFICATE =
  /^(?!ERR_SSL_).*(CERT|CRL|ISSUER|LEAF_SIGNATURE|INVALID_CA|INVALID_PURPOSE|PATH_LENGTH|HOSTNAME_MISMATCH)/

/** What Deno, Node's permission model and firewalls of this machine say of a connection that they do not grant. */
const FORBIDDEN = /^(EPERM|EACCES|ERR_ACCESS_DENIED)$/

const SAYINGS: Readonly<Record<string, (host: string) => string>> = {
  ECONNREFUSED: (host) => `${host} refuses the connection`,
  ENOTFOUND: (host) => `the host name of ${host} is unknown here: check the network or the proxy`,
  EAI_AGAIN: (host) => `the host name of ${host} cannot be looked up: check the network`,
  ECONNRESET: (host) => `the connection to ${host} was cut`,
  EPIPE: (host) => `the connection to ${host} was cut`,
  UND_ERR_SOCKET: (host) => `the connection to ${host} was cut`,
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: (host) => `the connection to ${host} was cut`,
  ETIMEDOUT: (host) => `${host} does not answer: check the network or the proxy`,
  UND_ERR_CONNECT_TIMEOUT: (host) => `${host} does not answer: check the network or the proxy`,
  EHOSTUNREACH: (host) => `there is no way to ${host}: check the network`,
  ENETUNREACH: (host) => `there is no way to ${host}: check the network`
}

/** The codes of an error and of what caused it, outermost first. Messages are left alone: they may hold anything. */
function codesOf(error: unknown): ReadonlyArray<string> {
  if (!(error instanceof Error)) return []
  const code = "code" in error && /^[A-Z0-9_]+$/.test(String(error.code)) ? [`${error.code}`] : []
  return [...code, ...codesOf(error.cause)]
}

function proxyStatus(error: unknown): number | undefined {
  const match = error instanceof Error ? /^Proxy response \((\d{3})\)/.exec(error.message) : null
  return match === null ? undefined : Number(match[1])
}

/** The error that a failed connection means; `after` says how far the answer had come. */
export function networkError(
  window: Window,
  { host, proxied }: Route,
  error: unknown,
  after = ""
): AmplitudeError {
  const codes = codesOf(error)
  const untrusted = codes.find((code) => CERTIFICATE.test(code))
  if (untrusted !== undefined) {
    const detail = `the certificate of ${host} is not to be trusted (${untrusted}): name the file of your own authority in NODE_EXTRA_CA_CERTS if there is one`
    return new AmplitudeError({ reason: "Untrusted", window, detail })
  }
  const refusal = proxyStatus(error)
  if (refusal !== undefined) {
    const advice = refusal === 407 ? "it wants the user and password in HTTPS_PROXY" : "check it"
    const detail = `the proxy of the environment does not connect to ${host} (HTTP ${refusal}): ${advice}`
    return new AmplitudeError({
      reason: refusal >= 500 ? "Unavailable" : "Rejected",
      window,
      detail
    })
  }
  const forbidden = codes.find((code) => FORBIDDEN.test(code))
  if (forbidden !== undefined) {
    const detail = `a connection to ${host} is not permitted here (${forbidden}): grant it, as by --allow-net, or ask the firewall`
    return new AmplitudeError({ reason: "Rejected", window, detail })
  }
  const code = codes[0] ?? "unknown"
  const said = SAYINGS[code]?.(host) ?? `the connection to ${host} failed (${code})`
  const hint = proxied ? "; a proxy is set in the environment: check that too" : ""
  return new AmplitudeError({ reason: "Unavailable", window, detail: `${said}${after}${hint}` })
}
