/**
 * Amplitude's Export API: raw events by the hour of their upload, as a zip of gzipped JSON lines.
 *
 * Source: https://amplitude.com/docs/apis/analytics/export
 *
 * @module
 */
import { Context, type Effect, type Option, Schema, type Scope, type Stream } from "effect"
import { Window } from "./Window.ts"

/** What Amplitude says about events besides the events: each a list, as it is now. */
export const ReferenceStream = Schema.Literal(
  /** The event types that Amplitude knows. */
  "events",
  /** The definitions of cohorts, without their members. */
  "cohorts",
  /** The notes on charts. */
  "annotations"
)
export type ReferenceStream = typeof ReferenceStream.Type

/** Where a list is, and the field of the answer that holds it. */
export const referenceStreams = {
  events: { path: "/api/2/events/list", field: "data" },
  cohorts: { path: "/api/3/cohorts", field: "cohorts" },
  annotations: { path: "/api/3/annotations", field: "data" }
} as const satisfies Record<ReferenceStream, { readonly path: string; readonly field: string }>

/** Why an export failed, and whether a retry could help. */
export class AmplitudeError extends Schema.TaggedError<AmplitudeError>()("AmplitudeError", {
  reason: Schema.Literal(
    /** 401: the keys are not valid here. */
    "Unauthorized",
    /** 403: the keys lack the permission, or belong to the other region. */
    "Forbidden",
    /** 413, or a 400 that says so: the window exceeds the API's limit of 4 GB. */
    "TooLarge",
    /** 504: the window took too long for the gateway. */
    "GatewayTimeout",
    /** 429. */
    "RateLimited",
    /** 408, 5xx, or a refused, reset or cut connection. */
    "Unavailable",
    /** No byte arrived within the idle timeout. */
    "Stalled",
    /** The server's certificate is not trusted. */
    "Untrusted",
    /** 3xx: not followed, so the keys stay with Amplitude. */
    "Redirected",
    /** Any other answer: the same request fails the same way. */
    "Rejected"
  ),
  /** What was exported; absent for a list. */
  window: Schema.optional(Window),
  /** The list that was requested. */
  stream: Schema.optional(ReferenceStream),
  /** The HTTP status, if there was an answer. */
  status: Schema.optional(Schema.Int),
  /** What Amplitude or the network reported, and what to do. Never contains headers or keys. */
  detail: Schema.String,
  /** Milliseconds that Amplitude asked the client to wait. */
  retryAfter: Schema.optional(Schema.Number)
}) {
  /** True if the same request may succeed later. */
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
    const what =
      this.stream === undefined ? `export "${this.window}"` : `request the list of ${this.stream}`
    return `Cannot ${what}: ${this.reason}${status}: ${this.detail}`
  }
}

export interface ExportAnswer {
  /** Amplitude's time in milliseconds since 1970, from the `Date` of its answer. */
  readonly date: Option.Option<number>
  /** `None` if Amplitude has, or reports, no events in the window (404). */
  readonly archive: Option.Option<{
    /** Size in bytes, if Amplitude sends it. */
    readonly size: Option.Option<number>
    /** The zip as it arrives. If the size is known, a short body fails. */
    readonly bytes: Stream.Stream<Uint8Array, AmplitudeError>
  }>
}

export class Amplitude extends Context.Tag("amplitude-lake/Amplitude")<
  Amplitude,
  {
    /**
     * Identifies the origin and the project's key. Safe in a file name; does not reveal the key.
     */
    readonly identity: string

    /** Requests a window once. The bytes can be read while the scope is open. */
    readonly export: (window: Window) => Effect.Effect<ExportAnswer, AmplitudeError, Scope.Scope>

    /** Requests a list once: Amplitude's answer as it arrives, of at most 64 MiB. Absent if there are none. */
    readonly reference?:
      | ((stream: ReferenceStream) => Effect.Effect<Uint8Array, AmplitudeError>)
      | undefined
  }
>() {}
