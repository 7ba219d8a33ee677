/**
 * Tells a monitor that a run has ended, so that it can alert when runs no longer come.
 *
 * @module
 */
import { Context, type Duration, type Effect, Schema } from "effect"

/** Why a heartbeat failed. */
export class HeartbeatError extends Schema.TaggedError<HeartbeatError>()("HeartbeatError", {
  reason: Schema.Literal("Unavailable", "TimedOut", "Redirected", "Rejected"),
  /** Only the host of the URL, since the rest may be secret. */
  host: Schema.String,
  detail: Schema.String
}) {
  override get message(): string {
    return `Cannot send the heartbeat to ${this.host}: ${this.reason}: ${this.detail}`
  }
}

export class Heartbeat extends Context.Tag("amplitude-lake/Heartbeat")<
  Heartbeat,
  {
    /**
     * Reports a success or a failure, once. Does not follow redirects; fails as `TimedOut` after
     * the timeout.
     */
    readonly beat: (
      isSuccess: boolean,
      timeout: Duration.DurationInput
    ) => Effect.Effect<void, HeartbeatError>
  }
>() {}
