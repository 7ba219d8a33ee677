/**
 * What a run did, and what a script may conclude from it.
 *
 * @module
 */
import { Schema } from "effect"
import { byHour, Hour } from "../../services/Hour.ts"
import type { Window } from "../../services/Window.ts"
import { failureKind, type RunError } from "./failureKind.ts"
import { ExitCode, exitCodeOf } from "./exitCode.ts"
import type { HourOutcome } from "./HourOutcome.ts"

const Hours = Schema.Array(Hour)

const Failure = Schema.Struct({ error: Schema.String, message: Schema.String })

/** Hours are listed oldest first. */
export class Summary extends Schema.Class<Summary>("Summary")({
  /**
   * `null` where the run ended before it knew its hours, or was about staged ones and there were
   * none.
   */
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
  exitCode: ExitCode,
  /** What ended the run before it was through with its hours. */
  error: Schema.optional(Failure),
  /** Of a plan: what would be asked of Amplitude. */
  requests: Schema.optional(Schema.Array(Schema.Struct({ first: Hour, last: Hour })))
}) {}

export interface SummaryOptions {
  readonly window: Window | null
  readonly outcomes: ReadonlyArray<HourOutcome>
  /** Whether an hour that is still open was asked for by date. */
  readonly isByDate: boolean
  /** What ended the run before it was through with its hours. */
  readonly error?: RunError | undefined
  readonly retries: number
  readonly durationMs: number
}

/** The summary of a run, also of one that ended early. */
export function summarize(options: SummaryOptions): Summary {
  const { window, outcomes, error, retries, durationMs } = options
  const sorted = outcomes.toSorted(byHour)
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
    exitCode: exitCodeOfRun(outcomes, options.isByDate, error),
    ...(error === undefined ? {} : { error: failureOf(error) })
  })
}

function failureOf(error: RunError): typeof Failure.Type {
  return { error: `${error._tag}.${error.reason}`, message: error.message }
}

/** The exit code of a run that ended with these outcomes, or early with an error. */
export function exitCodeOfRun(
  outcomes: ReadonlyArray<HourOutcome>,
  isByDate: boolean,
  error?: RunError
): ExitCode {
  const kinds = new Set(outcomes.filter((it) => it._tag === "Failed").map(({ kind }) => kind))
  if (error !== undefined) kinds.add(failureKind(error))
  return exitCodeOf({
    kinds,
    isDone: outcomes.some(({ _tag }) => _tag === "Landed" || _tag === "Empty"),
    isTouched: outcomes.length > 0,
    isIncomplete: isByDate && outcomes.some(({ _tag }) => _tag === "Open")
  })
}
