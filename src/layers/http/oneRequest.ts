/**
 * One request to a URL that may be secret: no redirect, no retry, and only the status is read.
 *
 * @module
 */
import { Duration, Effect, Either, Redacted } from "effect"
import { request } from "undici"
import { parseSafeUrl, unsafeUrlText } from "../../services/SafeUrl.ts"
import { openRoute } from "../../network/route.ts"

export interface OneRequestOptions {
  /** https, or plain http on loopback, without a user or password. */
  readonly url: Redacted.Redacted<string>
  /** Program version, for the `User-Agent`. */
  readonly version?: string | undefined
}

/** Why a request failed. `Unavailable` and `TimedOut` may succeed later. */
export interface Refusal {
  readonly reason: "Unavailable" | "TimedOut" | "Redirected" | "Rejected"
  readonly detail: string
}

interface Sent {
  readonly method: "GET" | "POST"
  /** Follows the URL's own path. */
  readonly path?: string
  /** Sent as JSON. */
  readonly body?: unknown
  readonly timeout: Duration.Duration
}

export interface OneRequest {
  /** Of the URL, for messages: the rest may be secret. */
  readonly host: string
  readonly send: (sent: Sent) => Effect.Effect<void, Refusal>
}

/** If the URL is not safe, every request fails as `Rejected`, and nothing is sent. */
export function oneRequestTo({ url, version = "" }: OneRequestOptions): OneRequest {
  const parsed = Either.mapLeft(
    parseSafeUrl(Redacted.value(url)),
    (problem) => `its URL ${unsafeUrlText(problem)}`
  )
  const opened = Effect.mapError(Either.flatMap(parsed, openRoute), (detail): Refusal => ({
    reason: "Rejected",
    detail
  }))
  const route = Effect.acquireRelease(opened, ({ dispatcher }) =>
    Effect.promise(() => dispatcher.destroy())
  )
  const send = Effect.fn("oneRequest")(function* ({ body, method, path = "", timeout }: Sent) {
    const { dispatcher, url } = yield* route
    const status = yield* Effect.tryPromise({
      try: async () => {
        const answer = await request(below(url, path), {
          dispatcher,
          method,
          signal: AbortSignal.timeout(Duration.toMillis(timeout)),
          headers: {
            ...(body === undefined ? {} : { "content-type": "application/json" }),
            "user-agent": `amplitude-lake/${version}`
          },
          body: body === undefined ? null : JSON.stringify(body)
        })
        return answer.statusCode
      },
      catch: (error) => failureOf(error, timeout)
    })
    if (status >= 300) return yield* Effect.fail(refusalOf(status))
  })
  return {
    host: Either.match(parsed, { onLeft: () => "nowhere", onRight: ({ host }) => host }),
    send: (sent) => Effect.scoped(send(sent))
  }
}

function below(url: URL, path: string): URL {
  const whole = new URL(url)
  if (path !== "") whole.pathname = `${url.pathname.replace(/\/+$/, "")}/${path}`
  return whole
}

function refusalOf(status: number): Refusal {
  if (status < 400) {
    const detail = `it answered HTTP ${status}, and redirects are not followed; use the URL that it redirects to`
    return { reason: "Redirected", detail }
  }
  if (status === 429 || status >= 500) {
    return { reason: "Unavailable", detail: `it answered HTTP ${status}` }
  }
  return { reason: "Rejected", detail: `it answered HTTP ${status}; check the URL and its token` }
}

function failureOf(error: unknown, timeout: Duration.Duration): Refusal {
  if (error instanceof Error && error.name === "TimeoutError") {
    const detail = `no answer within ${Duration.toSeconds(timeout)} seconds`
    return { reason: "TimedOut", detail }
  }
  // The message is not shown, because it may contain secrets.
  const code = (error as { readonly code?: unknown }).code
  return {
    reason: "Unavailable",
    detail: `the connection failed (${String(code ?? "unknown error")})`
  }
}
