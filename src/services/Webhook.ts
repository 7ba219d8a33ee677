/**
 * Posts a run's result to an HTTP endpoint.
 *
 * @module
 */
import { Context, type Duration, type Effect, Schema } from "effect"

/** Why a post failed. */
export class WebhookError extends Schema.TaggedError<WebhookError>()("WebhookError", {
  reason: Schema.Literal("Unavailable", "TimedOut", "Redirected", "Rejected"),
  /** Only the host of the URL, since the rest may be secret. */
  host: Schema.String,
  detail: Schema.String
}) {
  /** Whether the same post may succeed later. */
  get isTransient(): boolean {
    return this.reason === "Unavailable" || this.reason === "TimedOut"
  }

  override get message(): string {
    return `Cannot post to the webhook at ${this.host}: ${this.reason}: ${this.detail}`
  }
}

export class Webhook extends Context.Tag("amplitude-lake/Webhook")<
  Webhook,
  {
    /**
     * Posts a value as JSON, once. Does not follow redirects; fails as `TimedOut` after the
     * timeout.
     */
    readonly post: (
      body: unknown,
      timeout: Duration.DurationInput
    ) => Effect.Effect<void, WebhookError>
  }
>() {}
