/**
 * Whom a run tells how it went, where that is an address of HTTP.
 *
 * @module
 */
import { Context, type Effect, Schema } from "effect"

/** Why nobody was told. */
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
    /** Posts a value as JSON, once; no redirect is followed, and no longer waited than so many milliseconds. */
    readonly post: (body: unknown, timeout: number) => Effect.Effect<void, WebhookError>
  }
>() {}
