/**
 * Which proxy a connection takes, by the variables `HTTPS_PROXY` and `NO_PROXY`, as curl and Go read them. The same for
 * Amplitude, the stores, the webhook and telemetry.
 *
 * @module
 */
import { Either, Redacted } from "effect"
import ipaddr from "ipaddr.js"
import { isLoopbackHost } from "./SafeUrl.ts"

export interface Proxy {
  /** Whether the connection to the proxy itself is encrypted. */
  readonly isSecure: boolean
  /** A name or an address, without brackets. */
  readonly host: string
  readonly port: number
  /** The value of `Proxy-Authorization`, if the variable has a user. */
  readonly authorization: Redacted.Redacted | undefined
}

type Environment = Readonly<Record<string, string | undefined>>

const VARIABLE = "HTTPS_PROXY"

/** Lower case wins, as with curl. */
function read(environment: Environment, name: string): string {
  return (environment[name.toLowerCase()]?.trim() || environment[name]?.trim()) ?? ""
}

/** The proxy in `HTTPS_PROXY`; a refusal never repeats the variable, which may hold a password. */
export function readProxy(environment: Environment): Either.Either<Proxy | undefined, string> {
  const text = read(environment, VARIABLE)
  if (text === "") return Either.right(undefined)
  const refused = (why: string) =>
    Either.left(`${VARIABLE} is not a proxy such as http://proxy.example:3128: ${why}`)
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(text)?.[1]?.toLowerCase()
  if (scheme !== undefined && scheme !== "http" && scheme !== "https") {
    return refused("it must begin with http:// or https://")
  }
  const full = scheme === undefined ? `http://${text}` : text
  if (!URL.canParse(full)) return refused("it is not a URL")
  const { hostname, password, port, protocol, username } = new URL(full)
  const isSecure = protocol === "https:"
  try {
    const user = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`
    return Either.right({
      isSecure,
      host: hostname.replace(/^\[|\]$/g, ""),
      port: port === "" ? (isSecure ? 443 : 80) : Number(port),
      authorization: user === ":" ? undefined : Redacted.make(`Basic ${base64(user)}`)
    })
  } catch {
    return refused("its user and password must be percent-encoded")
  }
}

/** The proxy of a connection; none for this machine, for what `NO_PROXY` names, and for plain http. */
export function proxyFor(
  url: URL,
  environment: Environment
): Either.Either<Proxy | undefined, string> {
  return url.protocol === "https:" && !isDirect(url, read(environment, "NO_PROXY"))
    ? readProxy(environment)
    : Either.right(undefined)
}

/** Whether `NO_PROXY` names a URL's host: by name, parent domain, address or network, with or without port. */
function isDirect(url: URL, names: string): boolean {
  const host = url.hostname
    .replace(/^\[|\]$/g, "")
    .replace(/\.$/, "")
    .toLowerCase()
  const port = url.port === "" ? "443" : url.port
  return (
    isLoopbackHost(host) ||
    names
      .toLowerCase()
      .split(/[\s,]+/)
      .some((name) => name === "*" || (name !== "" && matches(name, host, port)))
  )
}

function matches(name: string, host: string, port: string): boolean {
  if (name.includes("/")) return isInNetwork(host, name)
  // An IPv6 address without brackets has no port.
  const parts = ipaddr.isValid(name) ? null : /^(?:\[([^\]]+)\]|([^:]*))(?::(\d+))?$/.exec(name)
  const [, bracketed, plain, own] = parts ?? []
  if (own !== undefined && own !== port) return false
  const text = (bracketed ?? plain ?? name).replace(/^\*?\./, "").replace(/\.$/, "")
  if (ipaddr.isValid(host)) {
    return (
      ipaddr.isValid(text) && ipaddr.process(host).toString() === ipaddr.process(text).toString()
    )
  }
  return text !== "" && (host === text || host.endsWith(`.${text}`))
}

function isInNetwork(host: string, network: string): boolean {
  if (!ipaddr.isValid(host) || !ipaddr.isValidCIDR(network)) return false
  const address = ipaddr.process(host)
  const [base, bits] = ipaddr.parseCIDR(network)
  return address.kind() === base.kind() && address.match([base, bits])
}

function base64(text: string): string {
  return btoa(String.fromCodePoint(...new TextEncoder().encode(text)))
}
