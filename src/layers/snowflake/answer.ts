/**
 * Converts an answer of Snowflake's SQL API that is no result into a `WarehouseError`.
 *
 * @module
 */
import { STATUS_CODES } from "node:http"
import { WarehouseError } from "../../services/Warehouse.ts"
import { type Headers, messageOf, retryAfter } from "../http/amplitudeAnswer.ts"

type Reason = WarehouseError["reason"]

/** What a caller attempted, for messages. */
export interface Attempt {
  readonly method: WarehouseError["method"]
  /** The warehouse, as its users name it. */
  readonly path: string
}

export interface Refusal extends Attempt {
  readonly status: number
  readonly headers: Headers
  readonly body: string
  /** In milliseconds since 1970. */
  readonly now: number
  /** Removes secrets from a text. */
  readonly hide: (text: string) => string
}

const LONGEST_MESSAGE = 1000

/** How a statement of a load names why it failed: the text that it tries to read as a number. */
export const MARKS = {
  Changed: "AMPLITUDE_LAKE CHANGED",
  Differs: "AMPLITUDE_LAKE DIFFERS"
} as const

/**
 * Codes of statements that failed. Source: the messages of Snowflake's drivers and documentation;
 * none was seen on a live account.
 */
const BY_CODE: Readonly<Record<string, Reason>> = {
  // Does not exist, or is hidden from the role.
  "002003": "NotFound",
  "002043": "NotFound",
  "090105": "Misconfigured",
  "090106": "Misconfigured",
  "000606": "Misconfigured",
  "003001": "AccessDenied",
  // Waited too long for the lock of another transaction.
  "000625": "Busy",
  // The statement was canceled after the longest time that it, or its warehouse, has.
  "000630": "TimedOut",
  // The compute warehouse is suspended and cannot be resumed.
  "090073": "Unavailable",
  "000607": "Unavailable"
}

/** Data of files: a file that is missing or damaged, a value that does not fit. */
const OF_FILES = /^(0910|100)\d+$/

const ADVICE: Readonly<Partial<Record<Reason, string>>> = {
  NotFound: "; it may also be hidden from the role",
  TimedOut: "; a larger compute warehouse takes less time"
}

interface Said {
  readonly code: string
  readonly message: string
}

export function said(body: string): Said {
  try {
    const parsed: unknown = JSON.parse(body)
    const { code, message } = parsed as { readonly code?: unknown; readonly message?: unknown }
    return {
      code: typeof code === "string" ? code : "",
      message: typeof message === "string" ? message.replace(/\s+/g, " ").trim() : messageOf(body)
    }
  } catch {
    return { code: "", message: messageOf(body) }
  }
}

/** The error of an answer. */
export function refusalError(refusal: Refusal): WarehouseError {
  const { headers, hide, method, now, path, status } = refusal
  const told = said(refusal.body)
  const reason = reasonOf(status, told, method)
  const text = markedText(told.message) ?? told.message
  const shown = Array.from(hide(text)).slice(0, LONGEST_MESSAGE).join("")
  const code = told.code === "" || markedText(told.message) !== undefined ? "" : ` (${told.code})`
  const detail = `${shown || STATUS_CODES[status] || "no reason given"}${code}${ADVICE[reason] ?? ""}`
  const wait = reason === "Unavailable" ? retryAfter(headers, now) : undefined
  return new WarehouseError({
    reason,
    method,
    path,
    detail: status === 422 || reason === "TimedOut" ? detail : `HTTP ${status}: ${detail}`,
    ...(wait === undefined ? {} : { retryAfter: wait })
  })
}

function reasonOf(status: number, { code, message }: Said, method: Attempt["method"]): Reason {
  if (status === 401 || status === 403) return "AccessDenied"
  if (status === 408) return "TimedOut"
  if (status === 404) return "Misconfigured"
  if (status === 429 || status >= 500) return "Unavailable"
  if (status >= 300 && status < 400) return "Misconfigured"
  if (status !== 422) return "Failed"
  for (const [reason, mark] of Object.entries(MARKS)) {
    if (message.includes(mark)) return reason as keyof typeof MARKS
  }
  return BY_CODE[code] ?? (method === "load" && OF_FILES.test(code) ? "Unreadable" : "Failed")
}

/** The text between a mark and the end of the value that is no number. */
function markedText(message: string): string | undefined {
  for (const mark of Object.values(MARKS)) {
    const at = message.indexOf(mark)
    if (at >= 0)
      return message
        .slice(at + mark.length)
        .replace(/'[^']*$/, "")
        .trim()
  }
  return undefined
}
