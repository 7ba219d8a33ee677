/**
 * What is wrong with a connection, without the texts of errors, which may contain secrets.
 *
 * @module
 */
import type { Route } from "../../network/route.ts"

const CERTIFICATE =
  /^(?!ERR_SSL_).*(CERT|CRL|ISSUER|LEAF_SIGNATURE|INVALID_CA|INVALID_PURPOSE|PATH_LENGTH|HOSTNAME_MISMATCH)/

/** Connections that Deno, Node's permission model or a local firewall refuse. */
const FORBIDDEN = /^(EPERM|EACCES|ERR_ACCESS_DENIED)$/

const SAYINGS: Readonly<Record<string, (host: string) => string>> = {
  ECONNREFUSED: (host) => `${host} refused the connection`,
  ENOTFOUND: (host) => `the host name of ${host} is unknown; check the network or the proxy`,
  EAI_AGAIN: (host) => `the host name of ${host} cannot be resolved; check the network`,
  ECONNRESET: (host) => `the connection to ${host} was lost`,
  EPIPE: (host) => `the connection to ${host} was lost`,
  UND_ERR_SOCKET: (host) => `the connection to ${host} was lost`,
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: (host) => `the connection to ${host} was lost`,
  ETIMEDOUT: (host) => `${host} did not answer; check the network or the proxy`,
  UND_ERR_CONNECT_TIMEOUT: (host) => `${host} did not answer; check the network or the proxy`,
  EHOSTUNREACH: (host) => `there is no route to ${host}; check the network`,
  ENETUNREACH: (host) => `there is no route to ${host}; check the network`
}

/** What is wrong with a connection. Only `Unavailable` may be over later. */
export interface NetworkProblem {
  readonly reason: "Untrusted" | "Rejected" | "Unavailable"
  readonly detail: string
}

/**
 * The codes of an error and its causes, outermost first. Messages are not used, because they may
 * contain secrets.
 */
function codesOf(error: unknown): ReadonlyArray<string> {
  if (!(error instanceof Error)) return []
  const code = "code" in error && /^[A-Z0-9_]+$/.test(String(error.code)) ? [`${error.code}`] : []
  return [...code, ...codesOf(error.cause)]
}

function proxyStatus(error: unknown): number | undefined {
  const match = error instanceof Error ? /^Proxy response \((\d{3})\)/.exec(error.message) : null
  return match === null ? undefined : Number(match[1])
}

/** Of a failed connection; `after` tells how much of the answer had arrived. */
export function networkProblem(
  { host, proxied }: Route,
  error: unknown,
  after = ""
): NetworkProblem {
  const codes = codesOf(error)
  const untrusted = codes.find((code) => CERTIFICATE.test(code))
  if (untrusted !== undefined) {
    const detail = `the certificate of ${host} is not trusted (${untrusted}); if you use a private CA, set NODE_EXTRA_CA_CERTS`
    return { reason: "Untrusted", detail }
  }
  const refusal = proxyStatus(error)
  if (refusal !== undefined) {
    const advice = refusal === 407 ? "set the user and password in HTTPS_PROXY" : "check it"
    const detail = `the proxy in the environment refused to connect to ${host} (HTTP ${refusal}); ${advice}`
    return { reason: refusal >= 500 ? "Unavailable" : "Rejected", detail }
  }
  const forbidden = codes.find((code) => FORBIDDEN.test(code))
  if (forbidden !== undefined) {
    const detail = `a connection to ${host} is not permitted here (${forbidden}); grant it, for example with --allow-net, or check the firewall`
    return { reason: "Rejected", detail }
  }
  const code = codes[0] ?? "unknown"
  const said = SAYINGS[code]?.(host) ?? `the connection to ${host} failed (${code})`
  const hint = proxied ? "; a proxy is set in the environment, check that too" : ""
  return { reason: "Unavailable", detail: `${said}${after}${hint}` }
}
