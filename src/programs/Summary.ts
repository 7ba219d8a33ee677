/**
 * What a run did, as `--json` prints it, and what a script may conclude from it.
 *
 * @module
 */
import { Schema } from "effect"
import { Hour } from "../services/Hour.ts"
import type { Window } from "../services/Window.ts"
import type { HourOutcome } from "./HourOutcome.ts"

const Hours = Schema.Array(Hour)

const Failure = Schema.Struct({ error: Schema.String, message: Schema.String })

/** Hours are listed oldest first. */
export class Summary extends Schema.Class<Summary>("Summary")({
  /** `null` where the run ended before it knew its hours, or was about staged ones and there were none. */
  window: Schema.NullOr(Schema.Struct({ first: Hour, last: Hour })),
  landed: Hours,
  empty: Hours,
  skipped: Hours,
  pending: Hours,
  open: Hours,
  failed: Schema.Array(Schema.Struct({ hour: Hour, ...Failure.fields })),
  /** Landed by this run. */
  events: Schema.NonNegativeInt,
  /** Of the landed lines, uncompressed. */
  bytes: Schema.NonNegativeInt,
  retries: Schema.NonNegativeInt,
  durationMs: Schema.NonNegativeInt,
  exitCode: Schema.NonNegativeInt,
  /** What ended the whole run before its hours could be looked at. */
  error: Schema.optional(Failure),
  /** With `--dry-run`: what would be asked of Amplitude. */
  requests: Schema.optional(Schema.Array(Schema.Struct({ first: Hour, last: Hour })))
}) {}

export interface SummaryOptions {
  readonly window: Window | null
  readonly outcomes: ReadonlyArray<HourOutcome>
  /** Whether an hour that is still open was asked for by date. */
  readonly isByDate: boolean
  readonly retries: number
  readonly durationMs: number
}

/** The summary of a run that went through its hours. */
export function summarize(options: SummaryOptions): Summary {
  const { window, outcomes, retries, durationMs } = options
  const sorted = outcomes.toSorted((one, other) => (one.hour < other.hour ? -1 : 1))
  const hoursOf = (tag: HourOutcome["_tag"]) =>
    sorted.filter(({ _tag }) => _tag === tag).map(({ hour }) => hour)
  const landed = sorted.filter((it) => it._tag === "Landed")
  return new Summary({
    window: window === null ? null : { first: window.first, last: window.last },
    landed: hoursOf("Landed"),
    empty: hoursOf("Empty"),
    skipped: hoursOf("Skipped"),
    pending: hoursOf("Pending"),
    open: hoursOf("Open"),
    failed: sorted
      .filter((it) => it._tag === "Failed")
      .map(({ hour, error, message }) => ({ hour, error, message })),
    events: landed.reduce((sum, { events }) => sum + events, 0),
    bytes: landed.reduce((sum, { bytes }) => sum + bytes, 0),
    retries,
    durationMs,
    exitCode: exitCodeOf(outcomes, options.isByDate)
  })
}

/**
 * 0 all there, 3 some hours failed or are open though asked for by date, 5 nothing could be done but may be later,
 * 7 refused, 8 a person must look; the first of 8, 7, 3, 5 that applies.
 */
export function exitCodeOf(outcomes: ReadonlyArray<HourOutcome>, isByDate: boolean): number {
  const failures = outcomes.filter((it) => it._tag === "Failed")
  const has = (kind: (typeof failures)[number]["kind"]) => failures.some((it) => it.kind === kind)
  const isOpen = isByDate && outcomes.some(({ _tag }) => _tag === "Open")
  if (has("integrity")) return 8
  if (has("refused")) return 7
  if (failures.length === 0) return isOpen ? 3 : 0
  const isDone = outcomes.some(({ _tag }) => _tag === "Landed" || _tag === "Empty")
  return isDone || isOpen || has("permanent") ? 3 : 5
}
