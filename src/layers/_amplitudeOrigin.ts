/**
 * Where the Export API is asked, and by which way.
 *
 * @module
 */
import { createHmac } from "node:crypto"
import { Either } from "effect"
import { Agent, type Dispatcher, EnvHttpProxyAgent } from "undici"
import type { Route } from "./_amplitudeNetwork.ts"

/** The hosts of the Export API. Source: https://amplitude.com/docs/apis/analytics/export */
export const origins = {
  eu: "https://analytics.eu.amplitude.com",
  us: "https://amplitude.com"
} as const

function isLoopback(url: URL): boolean {
  return /^(localhost|\[::1\]|127\.\d+\.\d+\.\d+)$/.test(url.hostname)
}

/**
 * Reads an origin such as `https://amplitude.com`: https, or plain http on loopback. A refusal says why, and never
 * repeats the text, which may hold a password.
 */
export function parseOrigin(text: string): Either.Either<URL, string> {
  if (!URL.canParse(text)) {
    return Either.left("the Amplitude URL is none: it looks like https://amplitude.com")
  }
  const url = new URL(text)
  if (url.username !== "" || url.password !== "") {
    return Either.left("the Amplitude URL must not hold a user or password")
  }
  if (url.protocol !== "https:" && !(url.protocol === "http:" && isLoopback(url))) {
    return Either.left("the Amplitude URL must be https, or plain http on loopback")
  }
  if (url.pathname !== "/" || url.search !== "" || url.hash !== "") {
    return Either.left("the Amplitude URL must end with its host, without a path or query")
  }
  return Either.right(url)
}

/** Names a host and a key, in letters, digits, dots and dashes; the key cannot be told from it. */
export function identityOf(host: string, apiKey: string, secretKey: string): string {
  const digest = createHmac("sha256", secretKey).update(apiKey).digest("hex").slice(0, 12)
  return `${host.replace(/[^A-Za-z0-9.-]/g, "-")}-${digest}`
}

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
