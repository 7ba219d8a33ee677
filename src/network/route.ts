/**
 * A connection to an origin, for layers and entry points that make their own requests.
 *
 * @module
 */
import { isIP } from "node:net"
import { Either, Redacted } from "effect"
import { Agent, buildConnector, type Dispatcher, Pool, ProxyAgent } from "undici"
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

const connect = buildConnector(TLS)

/** Of a proxy that is given by address, undici passes the address as the TLS name. Node 26 refuses that. */
const connectToProxy: buildConnector.connector = (options, done) => {
  const { servername = "", ...others } = options
  connect(isIP(servername) === 0 ? options : others, done)
}

function throughProxy({ authorization, host, isSecure, port }: Proxy): Dispatcher {
  const name = host.includes(":") ? `[${host}]` : host
  return new ProxyAgent({
    ...TIMEOUTS,
    uri: `${isSecure ? "https" : "http"}://${name}:${port}`,
    ...(authorization === undefined ? {} : { token: Redacted.value(authorization) }),
    clientFactory: (origin) => new Pool(origin, { connect: connectToProxy }),
    requestTls: TLS
  })
}
