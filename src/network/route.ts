/**
 * A connection to an origin, for layers and entry points that make their own requests.
 *
 * @module
 */
import { Either, Redacted } from "effect"
import { Agent, type Dispatcher, ProxyAgent } from "undici"
import { type Proxy, proxyFor } from "../services/ProxyRules.ts"
import { CONNECTING } from "./connecting.ts"

/** How an origin is reached. */
export interface Route {
  /** Name and port. */
  readonly host: string
  /** Whether the environment sets a proxy that is used. */
  readonly proxied: boolean
}

/** A connection to an origin. Must be destroyed after use. */
export interface OpenRoute extends Route {
  readonly url: URL
  readonly dispatcher: Dispatcher
}

/** Disables all timeouts of undici except for connecting. */
const TIMEOUTS = { headersTimeout: 0, bodyTimeout: 0 }

// Set here, so NODE_TLS_REJECT_UNAUTHORIZED=0 does not affect these connections.
const TLS = { rejectUnauthorized: true, ...CONNECTING }

/** Opens the connection to an origin, through the proxy in the environment if that applies. */
export function openRoute(url: URL): Either.Either<OpenRoute, string> {
  return Either.map(proxyFor(url, process.env), (proxy) => ({
    url,
    host: url.host,
    proxied: proxy !== undefined,
    dispatcher: proxy === undefined ? new Agent({ ...TIMEOUTS, connect: TLS }) : throughProxy(proxy)
  }))
}

function throughProxy({ authorization, host, isSecure, port }: Proxy): Dispatcher {
  const name = host.includes(":") ? `[${host}]` : host
  return new ProxyAgent({
    ...TIMEOUTS,
    uri: `${isSecure ? "https" : "http"}://${name}:${port}`,
    ...(authorization === undefined ? {} : { token: Redacted.value(authorization) }),
    connect: CONNECTING,
    requestTls: TLS,
    proxyTls: TLS
  })
}
