/**
 * A webhook over HTTP. Each post makes one request, and reads only the status of the answer.
 *
 * @module
 */
import { Config, type ConfigError, Duration, Effect, Layer } from "effect"
import { Webhook, WebhookError } from "../../services/Webhook.ts"
import { type OneRequestOptions, oneRequestTo } from "./oneRequest.ts"

export type WebhookHttpOptions = OneRequestOptions

function serviceOf(options: WebhookHttpOptions): Webhook["Type"] {
  const { host, send } = oneRequestTo(options)
  return Webhook.of({
    post: (body, timeout) =>
      send({ method: "POST", body, timeout: Duration.decode(timeout) }).pipe(
        Effect.mapError((refusal) => new WebhookError({ ...refusal, host })),
        Effect.withSpan("WebhookHttp.post")
      )
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
