/**
 * What became of an hour in a run.
 *
 * @module
 */
import { Schema } from "effect"
import { Hour } from "../../services/Hour.ts"

/** The hour's object is in the store: created by this run, or found to be the same. */
export class Landed extends Schema.TaggedClass<Landed>()("Landed", {
  hour: Hour,
  events: Schema.NonNegativeInt,
  /** Bytes of the lines, uncompressed. */
  bytes: Schema.NonNegativeInt
}) {}

/** Settled without events, and recorded by an object without lines. */
export class Empty extends Schema.TaggedClass<Empty>()("Empty", { hour: Hour }) {}

/** Present before this run. */
export class Skipped extends Schema.TaggedClass<Skipped>()("Skipped", { hour: Hour }) {}

/** Closed and without events so far, but not settled. */
export class Pending extends Schema.TaggedClass<Pending>()("Pending", { hour: Hour }) {}

/** Not closed: requested too early. */
export class Open extends Schema.TaggedClass<Open>()("Open", { hour: Hour }) {}

/** A gap that a person has declared final. */
export class Accepted extends Schema.TaggedClass<Accepted>()("Accepted", { hour: Hour }) {}

/** Not reached within the run's longest duration: left for the next run. */
export class Postponed extends Schema.TaggedClass<Postponed>()("Postponed", { hour: Hour }) {}

/** What a failure asks of whoever runs the program. */
export const FailureKind = Schema.Literal(
  /** Data, projects or landed hours contradict each other: a person must look. */
  "integrity",
  /** Keys or permissions. */
  "refused",
  /** Run again later. */
  "temporary",
  /** Running again fails the same way. */
  "permanent"
)
export type FailureKind = typeof FailureKind.Type

/** Not landed, for the reason given. */
export class Failed extends Schema.TaggedClass<Failed>()("Failed", {
  hour: Hour,
  kind: FailureKind,
  /** Whether landing the same archive again would fail the same way. */
  isFinal: Schema.Boolean,
  /** Class and reason, such as `AmplitudeError.Forbidden`. */
  error: Schema.String,
  message: Schema.String
}) {}

export type HourOutcome = Landed | Empty | Skipped | Pending | Open | Accepted | Postponed | Failed

/** Whether the hour's object is where the run put or found it. */
export function isInStore({ _tag }: HourOutcome): boolean {
  return _tag === "Landed" || _tag === "Empty" || _tag === "Skipped"
}
