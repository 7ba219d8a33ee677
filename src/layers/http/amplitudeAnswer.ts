/**
 * Converts an answer without an archive (status, headers and text) into an `AmplitudeError`.
 *
 * @module
 */
import { STATUS_CODES } from "node:http"
import { Option } from "effect"
import { AmplitudeError } from "../../services/Amplitude.ts"
import type { Window } from "../../services/Window.ts"

/** Headers by lower-case name, as in undici. */
export type Headers = Readonly<Record<string, string | ReadonlyArray<string> | undefined>>

/** An answer without an archive, and the context to interpret it. */
export interface RefusedAnswer {
  readonly window: Window | undefined
  /** The origin of the request. */
  readonly origin: string
  readonly status: number
  readonly headers: Headers
  /** The body as text; empty if there was none or it could not be read. */
  readonly body: string
  /**
   * This machine's clock in milliseconds since 1970, used for `Retry-After` if there is no `Date`.
   */
  readonly now: number
  /** Removes the keys from a text. */
  readonly hide: (text: string) => string
}

const LONGEST_MESSAGE = 300

const WEEKDAY = /^(Mon|Tues?|Wed(nes)?|Thu(rs)?|Fri|Sat(ur)?|Sun)(day)?,? /

const TOO_LARGE = [
  /\btoo (large|big)\b/i,
  /\b4 ?gb\b/i,
  /\bsize\b.{0,80}\b(exceed|limit|maximum)/i,
  /\bexceed.{0,80}\bsize\b/i,
  /\b(smaller|shorter|narrower) (time |date )?(range|window|period|interval)\b/i
]

const ENTITIES: Readonly<Record<string, string>> = { amp: "&", lt: "<", gt: ">", quot: '"' }

/** About the request rather than the events, so a smaller window would not help. */
const ABOUT_REQUEST = /\b(headers?|cookies?|ur[il])\b/i

/** The first value of a header. */
export function header(headers: Headers, name: string): string | undefined {
  const value = headers[name]
  return typeof value === "string" ? value : value?.[0]
}

/**
 * Milliseconds since 1970 of an HTTP date in any of its three formats; `None` for anything else.
 */
export function httpDate(text: string | undefined): Option.Option<number> {
  if (text === undefined || !WEEKDAY.test(text)) return Option.none()
  const millis = Date.parse(text.endsWith("GMT") ? text : `${text} GMT`)
  return Number.isNaN(millis) ? Option.none() : Option.some(millis)
}

/**
 * Milliseconds to wait by `Retry-After` (seconds or an HTTP date), never negative. `now` in
 * milliseconds since 1970.
 */
export function retryAfter(headers: Headers, now: number): number | undefined {
  const text = header(headers, "retry-after")?.trim()
  if (text === undefined) return undefined
  if (/^-?\d+(\.\d+)?$/.test(text)) return Math.max(0, Number(text) * 1000)
  const reference = Option.getOrElse(httpDate(header(headers, "date")), () => now)
  return Option.getOrUndefined(
    Option.map(httpDate(text), (until) => Math.max(0, until - reference))
  )
}

/**
 * Amplitude's message from a body of JSON, HTML or plain text, on one line; empty if there is none.
 */
export function messageOf(body: string): string {
  return oneLine(jsonMessage(body) ?? htmlMessage(body) ?? body)
}

function jsonMessage(body: string): string | undefined {
  const parsed = parseJson(body)
  if (parsed === undefined) return undefined
  const root = asRecord(parsed)
  const error = asRecord(root["error"])
  const said = [
    error["message"] ?? root["message"] ?? root["error"],
    asRecord(error["metadata"])["details"] ?? root["details"]
  ].flatMap((value) => (typeof value === "string" ? [value] : []))
  // Unknown JSON is serialized again, so no key can hide behind an escape.
  return said.length === 0 ? JSON.stringify(parsed) : [...new Set(said)].join(": ")
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function asRecord(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? { ...value } : {}
}

function htmlMessage(body: string): string | undefined {
  if (!/<(!doctype|html|head|body|title|h1|p|pre|div)\b/i.test(body)) return undefined
  const title = /<title\b[^>]*>([^<]*)/i.exec(body)?.[1]?.trim()
  const text =
    title || body.replace(/<(script|style)\b.*?<\/\1\s*>/gis, " ").replace(/<[^>]*>/g, " ")
  return text.replace(/&(amp|lt|gt|quot|#\d{1,5}|#x[0-9a-f]{1,4});/gi, (_, name: string) =>
    name.startsWith("#")
      ? String.fromCodePoint(Number(name.replace("#", "").replace(/^x/i, "0x")))
      : (ENTITIES[name.toLowerCase()] ?? "")
  )
}

function oneLine(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\s]+/gu, " ").trim()
}

function reasonOf(status: number, message: string): AmplitudeError["reason"] {
  if (status >= 300 && status < 400) return "Redirected"
  if (status === 400) {
    const isTooLarge = TOO_LARGE.some((pattern) => pattern.test(message))
    return isTooLarge && !ABOUT_REQUEST.test(message) ? "TooLarge" : "Rejected"
  }
  if (status === 401) return "Unauthorized"
  if (status === 403) return "Forbidden"
  if (status === 413) return "TooLarge"
  if (status === 429) return "RateLimited"
  if (status === 504) return "GatewayTimeout"
  return status === 408 || status === 425 || status >= 500 ? "Unavailable" : "Rejected"
}

/** Removes secrets from a text, in every form in which a server might echo them. */
export function hider(secrets: ReadonlyArray<string>): (text: string) => string {
  const forms = secrets.flatMap((secret) => {
    const escaped = JSON.stringify(secret).slice(1, -1)
    // Base64 is often written without its padding.
    const bare = secret.replace(/=+$/, "")
    return [
      secret,
      encodeURIComponent(secret),
      escaped,
      escaped.replaceAll("/", "\\/"),
      bare,
      encodeURIComponent(bare)
    ]
  })
  return (text) =>
    forms.reduce((rest, form) => (form === "" ? rest : rest.replaceAll(form, "***")), text)
}

function redirectDetail(location: string | undefined, origin: string): string {
  const to =
    location !== undefined && URL.canParse(location, origin)
      ? new URL(location, origin).origin
      : "nowhere"
  return `redirected to ${to}, which was not followed to keep the keys with Amplitude; check the region and the URL`
}

/** The error for an answer. Its detail contains Amplitude's message, cut to 300 characters. */
export function answerError(answer: RefusedAnswer): AmplitudeError {
  const { headers, origin, status, window } = answer
  const message = messageOf(answer.body)
  const reason = reasonOf(status, message)
  const said =
    Array.from(answer.hide(message)).slice(0, LONGEST_MESSAGE).join("") ||
    STATUS_CODES[status] ||
    "no reason given"
  const detail =
    reason === "Redirected"
      ? answer.hide(redirectDetail(header(headers, "location"), origin))
      : said
  const error = { reason, window, status, detail }
  const wait = retryAfter(headers, answer.now)
  return new AmplitudeError(wait === undefined ? error : { ...error, retryAfter: wait })
}
