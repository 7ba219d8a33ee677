/**
 * Amplitude's Export API: raw events by the hour of their upload, as a zip of gzipped JSON lines.
 *
 * Source: https://amplitude.com/docs/apis/analytics/export
 *
 * @module
 */
import { Context, type Effect, type Option, Schema, type Scope, type Stream } from "effect"
import { Window } from "./Window.ts"

/** Why Amplitude gave no archive, and whether asking again could help. */
export class AmplitudeError extends Schema.TaggedError<AmplitudeError>()("AmplitudeError", {
  reason: Schema.Literal(
    /** 401: no such keys here. */
    "Unauthorized",
    /** 403: the keys may not do this, or belong to the other region. */
    "Forbidden",
    /** 400 whose body says so, or 413: the window holds more than the API exports at once (4 GB). */
    "TooLarge",
    /** 504: the window took the gateway too long. */
    "GatewayTimeout",
    /** 429. */
    "RateLimited",
    /** 408, 5xx, a refused, reset or cut connection. */
    "Unavailable",
    /** No byte came for too long. */
    "Stalled",
    /** The server's certificate is not to be trusted. */
    "Untrusted",
    /** 3xx: followed nowhere, so that the keys stay with Amplitude. */
    "Redirected",
    /** Any other answer: asking the same again gives the same. */
    "Rejected"
  ),
  window: Window,
  /** The HTTP status, where there was one. */
  status: Schema.optional(Schema.Int),
  /** What Amplitude or the network said, and what to do about it: never a header, never a key. */
  detail: Schema.String,
  /** Milliseconds that Amplitude asked to be left alone for. */
  retryAfter: Schema.optional(Schema.Number)
}) {
  /** True when the same request may succeed later, unchanged. */
  get isTransient(): boolean {
    return (
      this.reason === "GatewayTimeout" ||
      this.reason === "RateLimited" ||
      this.reason === "Unavailable" ||
      this.reason === "Stalled"
    )
  }
  override get message(): string {
    const status = this.status === undefined ? "" : ` (HTTP ${this.status})`
    return `Cannot export "${this.window}": ${this.reason}${status}: ${this.detail}`
  }
}

export interface ExportAnswer {
  /** Amplitude's own time, in milliseconds since 1970, from the `Date` of its answer. */
  readonly date: Option.Option<number>
  /** `None` where Amplitude has no events in the window, or says so (404). */
  readonly archive: Option.Option<{
    /** Bytes to come, where Amplitude says. */
    readonly size: Option.Option<number>
    /** The zip as it arrives; fails rather than ends early where the size is known. */
    readonly bytes: Stream.Stream<Uint8Array, AmplitudeError>
  }>
}

export class Amplitude extends Context.Tag("amplitude-lake/Amplitude")<
  Amplitude,
  {
    /** Names the origin and the project's key, safe in a file name: the key cannot be told from it. */
    readonly identity: string

    /** Asks once for a window, both of its hours included. The answer's bytes flow while the scope is open. */
    readonly export: (window: Window) => Effect.Effect<ExportAnswer, AmplitudeError, Scope.Scope>
  }
>() {}
