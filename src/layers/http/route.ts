/**
 * By which way the Export API is asked.
 *
 * @module
 */
import { Either } from "effect"
import { Agent, type Dispatcher, EnvHttpProxyAgent } from "undici"
import { isLoopback } from "../../services/SafeUrl.ts"
import type { Route } from "./networkError.ts"

/** A way to an origin. To be destroyed after use. */
export interface OpenRoute extends Route {
  readonly url: URL
  readonly dispatcher: Dispatcher
}

/**
 * Opens the way to an origin, through the proxy of the environment if there is one. Loopback is reached directly:
 * over plain http a proxy would read the keys. No timeout of undici's own is set but that for connecting.
 */
export function openRoute(url: URL): Either.Either<OpenRoute, string> {
  // Set here, so that NODE_TLS_REJECT_UNAUTHORIZED=0 does not reach this connection.
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
    // The error itself holds the proxy's URL, and that may hold a password.
    catch: () => "HTTPS_PROXY or HTTP_PROXY is no URL such as http://proxy.example:3128"
  })
}

function hasProxy(): boolean {
  return ["HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy"].some(
    (name) => (process.env[name] ?? "") !== ""
  )
}
