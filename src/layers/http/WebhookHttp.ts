/**
 * A webhook over HTTP. Each post makes one request, and reads only the status of the answer.
 *
 * @module
 */
import { Config, type ConfigError, Duration, Effect, Either, Layer, Redacted } from "effect"
import { request } from "undici"
import { parseSafeUrl, unsafeUrlText } from "../../services/SafeUrl.ts"
import { Webhook, WebhookError } from "../../services/Webhook.ts"
import { openRoute } from "../../network/route.ts"

export interface WebhookHttpOptions {
  /** https, or plain http on loopback, without a user or password. */
  readonly url: Redacted.Redacted<string>
  /** Program version, for the `User-Agent`. */
  readonly version?: string | undefined
}

function serviceOf({ url, version = "" }: WebhookHttpOptions): Webhook["Type"] {
  const parsed = Either.mapLeft(
    parseSafeUrl(Redacted.value(url)),
    (problem) => `its URL ${unsafeUrlText(problem)}`
  )
  const host = Either.match(parsed, { onLeft: () => "nowhere", onRight: (url) => url.host })
  const refused = (reason: WebhookError["reason"], detail: string) =>
    new WebhookError({ reason, host, detail })
  const opened = Effect.mapError(Either.flatMap(parsed, openRoute), (why) =>
    refused("Rejected", why)
  )
  const route = Effect.acquireRelease(opened, ({ dispatcher }) =>
    Effect.promise(() => dispatcher.destroy())
  )

  const post = Effect.fn("WebhookHttp.post")(function* (body: unknown, timeout: Duration.Duration) {
    const { dispatcher, url } = yield* route
    const status = yield* Effect.tryPromise({
      try: async () => {
        const answer = await request(url, {
          dispatcher,
          method: "POST",
          signal: AbortSignal.timeout(Duration.toMillis(timeout)),
          headers: {
            "content-type": "application/json",
            "user-agent": `amplitude-lake/${version}`
          },
          body: JSON.stringify(body)
        })
        return answer.statusCode
      },
      catch: (error) => failureOf(error, timeout, refused)
    })
    if (status >= 300 && status < 400) {
      const detail = `it answered HTTP ${status}, and redirects are not followed; use the URL that it redirects to`
      return yield* refused("Redirected", detail)
    }
    if (status >= 300) {
      return yield* refused("Rejected", `it answered HTTP ${status}; check the URL and its token`)
    }
  })
  return Webhook.of({
    post: (body, timeout) => Effect.scoped(post(body, Duration.decode(timeout)))
  })
}

/**
 * Posts to one URL. If the URL is not safe, every post fails as `Rejected` without sending
 * anything.
 */
export function make(options: WebhookHttpOptions): Effect.Effect<Webhook["Type"]> {
  return Effect.sync(() => serviceOf(options))
}

/**
 * @example
 * ```ts
 * import { Config } from "effect"
 * import * as WebhookHttp from "amplitude-lake/layers/WebhookHttp"
 *
 * export const webhook = WebhookHttp.layerConfig({ url: Config.redacted("NOTIFY_WEBHOOK_URL") })
 * ```
 */
export function layer(options: WebhookHttpOptions): Layer.Layer<Webhook> {
  return Layer.effect(Webhook, make(options))
}

/** `layer` with its options from `Config`. */
export function layerConfig(
  config: Config.Config.Wrap<WebhookHttpOptions>
): Layer.Layer<Webhook, ConfigError.ConfigError> {
  return Layer.unwrapEffect(Effect.map(Config.unwrap(config), layer))
}

function failureOf(
  error: unknown,
  timeout: Duration.Duration,
  refused: (reason: WebhookError["reason"], detail: string) => WebhookError
): WebhookError {
  if (error instanceof Error && error.name === "TimeoutError") {
    return refused("TimedOut", `no answer within ${Duration.toSeconds(timeout)} seconds`)
  }
  // The message is not shown, because it may contain secrets.
  const code = (error as { readonly code?: unknown }).code
  return refused("Unavailable", `the connection failed (${String(code ?? "unknown error")})`)
}
