/**
 * Posts telemetry to a collector.
 *
 * @module
 */
import { HttpClient, type HttpClientRequest, HttpClientResponse } from "@effect/platform"
import { Effect, Either, Redacted } from "effect"
import { request } from "undici"
import { openRoute } from "../../network/route.ts"
import type { OtlpOptions } from "./otlpVariables.ts"
import { version } from "../../programs/run/version.ts"

interface OtlpPost {
  /**
   * Never fails, so that an exporter neither retries nor logs what it sent. The first failure is
   * logged as a warning here.
   */
  readonly client: HttpClient.HttpClient
  /** Logs a warning at the first call only. */
  readonly warn: (why: string) => Effect.Effect<void>
  /** Cuts the remaining connections. */
  readonly end: Effect.Effect<void>
}

/** In milliseconds. */
const TIMEOUT = 10_000

/**
 * A client for the collector. It adds the headers only when it sends, so that no request object
 * contains them.
 */
export const makeOtlpPost = ({ endpoint, headers }: OtlpOptions): Effect.Effect<OtlpPost> =>
  Effect.sync(() => {
    const route = openRoute(endpoint)
    let isWarned = false
    const warn = (why: string) =>
      Effect.suspend(() => {
        if (isWarned) return Effect.void
        isWarned = true
        return Effect.logWarning(
          `Cannot send telemetry to ${endpoint.host}: ${why}; the run continues`
        )
      })

    const send = Effect.fnUntraced(function* ({ body, url }: HttpClientRequest.HttpClientRequest) {
      const { dispatcher } = yield* route
      if (body._tag !== "Uint8Array") return
      const status = yield* Effect.tryPromise({
        try: async (signal) => {
          const answer = await request(url, {
            dispatcher,
            method: "POST",
            signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT)]),
            headers: {
              ...Redacted.value(headers),
              "content-type": body.contentType,
              "user-agent": `amplitude-lake/${version}`
            },
            body: body.body
          })
          await answer.body.dump()
          return answer.statusCode
        },
        catch: whyOf
      })
      if (status >= 300) return yield* Effect.fail(`it answered HTTP ${status}`)
    })

    const client = HttpClient.make((outgoing) =>
      send(outgoing).pipe(
        Effect.catchAll(warn),
        Effect.as(HttpClientResponse.fromWeb(outgoing, new Response(null, { status: 200 })))
      )
    )
    const end = Effect.sync(() => {
      if (Either.isRight(route)) void route.right.dispatcher.destroy()
    })
    return { client, warn, end }
  })

/** Never the error's message, which may contain a header. */
function whyOf(error: unknown): string {
  if (error instanceof Error && error.name === "TimeoutError") return "no answer within 10 seconds"
  const code = (error as { readonly code?: unknown }).code
  return `the connection failed (${String(code ?? "unknown error")})`
}
