/**
 * The connection to the Export API.
 *
 * @module
 */
import { Either } from "effect"
import { Agent, type Dispatcher, EnvHttpProxyAgent } from "undici"
import { isLoopback } from "../../services/SafeUrl.ts"
import type { Route } from "./networkError.ts"

/** A connection to an origin. Must be destroyed after use. */
export interface OpenRoute extends Route {
  readonly url: URL
  readonly dispatcher: Dispatcher
}

/**
 * Opens the connection to an origin, through the proxy in the environment if there is one. Loopback
 * is reached directly, because a proxy would read the keys over plain http. Disables all timeouts
 * of undici except for connecting.
 */
export function openRoute(url: URL): Either.Either<OpenRoute, string> {
  // Set here, so NODE_TLS_REJECT_UNAUTHORIZED=0 does not affect this connection.
  const tls = { rejectUnauthorized: true }
  const timeouts = { headersTimeout: 0, bodyTimeout: 0 }
  const proxied = !isLoopback(url) && hasProxy()
  return Either.try({
    try: () => ({
      url,
      host: url.host,
      proxied,
      dispatcher: proxied
        ? new EnvHttpProxyAgent({ ...timeouts, connect: tls, requestTls: tls, proxyTls: tls })
        : new Agent({ ...timeouts, connect: tls })
    }),
    // The original error contains the proxy's URL, which may contain a password.
    catch: () => "HTTPS_PROXY or HTTP_PROXY is not a URL such as http://proxy.example:3128"
  })
}

function hasProxy(): boolean {
  return ["HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy"].some(
    (name) => (process.env[name] ?? "") !== ""
  )
}
