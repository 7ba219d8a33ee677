/**
 * Where the Export API is asked.
 *
 * @module
 */
import { createHmac } from "node:crypto"
import { Either } from "effect"

/** The hosts of the Export API. Source: https://amplitude.com/docs/apis/analytics/export */
export const origins = {
  eu: "https://analytics.eu.amplitude.com",
  us: "https://amplitude.com"
} as const

/** Whether a URL leads to this machine itself. */
export function isLoopback(url: URL): boolean {
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
