/**
 * Posts a run's result to an HTTP endpoint.
 *
 * @module
 */
import { Context, type Duration, type Effect, Schema } from "effect"

/** Why a post failed. */
export class WebhookError extends Schema.TaggedError<WebhookError>()("WebhookError", {
  reason: Schema.Literal("Unavailable", "TimedOut", "Redirected", "Rejected"),
  /** Of the address only its host: what follows may be a secret. */
  host: Schema.String,
  detail: Schema.String
}) {
  override get message(): string {
    return `Cannot post to the webhook at ${this.host}: ${this.reason}: ${this.detail}`
  }
}

export class Webhook extends Context.Tag("amplitude-lake/Webhook")<
  Webhook,
  {
    /** Posts a value as JSON, once. Follows no redirect; fails as `TimedOut` after the timeout. */
    readonly post: (
      body: unknown,
      timeout: Duration.DurationInput
    ) => Effect.Effect<void, WebhookError>
  }
>() {}
