/**
 * What a run did, and what a script can conclude from it.
 *
 * @module
 */
import { Schema } from "effect"
import { byHour, Hour } from "../../services/Hour.ts"
import type { Window } from "../../services/Window.ts"
import { Adoption } from "./Adoption.ts"
import { errorName, failureKind, type RunError } from "./failureKind.ts"
import { GapCount } from "../plan/gaps.ts"
import type { Shard } from "../plan/Shard.ts"
import { StagedElsewhere } from "../plan/stagedElsewhere.ts"
import { OpenConflict } from "../resolve/OpenConflict.ts"
import { ExitCode, exitCodeOf } from "./exitCode.ts"
import type { HourOutcome } from "./HourOutcome.ts"

const Hours = Schema.Array(Hour)

/** An error: its class and reason, such as `AmplitudeError.Forbidden`, and what to do about it. */
export const Failure = Schema.Struct({
  error: Schema.String,
  message: Schema.String
}).annotations({ identifier: "Failure" })
export type Failure = typeof Failure.Type

/** Hours are listed oldest first. */
export class Summary extends Schema.Class<Summary>("Summary")({
  /** `null` if the run ended before its hours were known, or there was nothing staged to move. */
  window: Schema.NullOr(Schema.Struct({ first: Hour, last: Hour })),
  /** The share of the days that the run was for, such as `3/16`; absent if it was for all. */
  shard: Schema.optional(Schema.String),
  landed: Hours,
  empty: Hours,
  skipped: Hours,
  pending: Hours,
  open: Hours,
  /** Gaps that a person has accepted. */
  accepted: Hours,
  /** Not reached within the run's longest duration. */
  postponed: Hours,
  failed: Schema.Array(Schema.Struct({ hour: Hour, ...Failure.fields })),
  /** Events landed by this run. */
  events: Schema.NonNegativeInt,
  /** Uncompressed bytes of the landed lines. */
  bytes: Schema.NonNegativeInt,
  retries: Schema.NonNegativeInt,
  durationMs: Schema.NonNegativeInt,
  /** Gaps after the lake's first landed hour and before the window; `null` where there is none. */
  olderGaps: Schema.NullOr(GapCount),
  /**
   * Gaps between the window and what was the lake's first landed hour, where this run landed older
   * ones; `null` where there is none.
   */
  newerGaps: Schema.NullOr(GapCount),
  /** Conflicts that were open when the run was planned. */
  conflicts: Schema.Array(OpenConflict),
  /** Staged hours that are not this lake's, and stay where they are. */
  stagedElsewhere: Schema.Array(StagedElsewhere),
  /** Files of other programs; absent unless a person let the run adopt them. */
  adoption: Schema.optional(Adoption),
  exitCode: ExitCode,
  /** Why the run ended before it had finished its hours. */
  error: Schema.optional(Failure),
  /** The lake's Amplitude project, if the run learned it. */
  project: Schema.optional(Schema.String)
}) {}

export interface SummaryOptions {
  readonly window: Window | null
  readonly shard?: Shard | undefined
  readonly outcomes: ReadonlyArray<HourOutcome>
  /** Whether a person named dates, so that hours that are still open or were postponed are missing. */
  readonly isByDate: boolean
  readonly lake?: LakeFindings | undefined
  /** What ended the run before it was through with its hours. */
  readonly error?: RunError | undefined
  readonly project?: string | undefined
  readonly adoption?: Adoption | undefined
  readonly retries: number
  readonly durationMs: number
}

/** What a run found out about the lake beyond its own hours. */
export interface LakeFindings {
  readonly olderGaps: GapCount | null
  readonly newerGaps: GapCount | null
  readonly conflicts: ReadonlyArray<OpenConflict>
  readonly stagedElsewhere?: ReadonlyArray<StagedElsewhere> | undefined
  /** Whether the run answers for gaps: one that only moves hours does not. */
  readonly answersForGaps: boolean
  /** Whether an hour is settled, so that it is a gap where it has no object. */
  readonly isSettled: (hour: Hour) => boolean
}

/** The summary of a run, also of one that ended early. */
export function summarize(options: SummaryOptions): Summary {
  const { adoption, window, shard, outcomes, error, lake, project, retries, durationMs } = options
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
    accepted: hoursOf("Accepted"),
    postponed: hoursOf("Postponed"),
    failed: sorted
      .filter((it) => it._tag === "Failed")
      .map(({ hour, error, message }) => ({ hour, error, message })),
    events: landed.reduce((sum, { events }) => sum + events, 0),
    bytes: landed.reduce((sum, { bytes }) => sum + bytes, 0),
    retries,
    durationMs,
    olderGaps: lake?.olderGaps ?? null,
    newerGaps: lake?.newerGaps ?? null,
    conflicts: lake?.conflicts ?? [],
    stagedElsewhere: lake?.stagedElsewhere ?? [],
    exitCode: exitCodeOfRun(options),
    ...(adoption === undefined ? {} : { adoption }),
    ...(error === undefined ? {} : { error: failureOf(error) }),
    ...(shard === undefined ? {} : { shard: String(shard) }),
    ...(project === undefined ? {} : { project })
  })
}

function failureOf(error: RunError): Failure {
  return { error: errorName(error), message: error.message }
}

const NOTHING = { window: null, outcomes: [], isByDate: false, retries: 0, durationMs: 0 } as const

/** The summary of a run that ended before it came to its hours. */
export function emptySummary(options: Pick<SummaryOptions, "error"> = {}): Summary {
  return summarize({ ...NOTHING, ...options })
}

/** The exit code of a run that ended with these outcomes, or early with an error. */
export function exitCodeOfRun({
  adoption,
  error,
  isByDate,
  lake,
  outcomes
}: Pick<SummaryOptions, "adoption" | "error" | "isByDate" | "lake" | "outcomes">): ExitCode {
  const kinds = new Set(outcomes.filter((it) => it._tag === "Failed").map(({ kind }) => kind))
  if (error !== undefined) kinds.add(failureKind(error))
  if (lake !== undefined && lake.conflicts.length > 0) kinds.add("integrity")
  const isGap = (hour: Hour) => lake?.answersForGaps === true && lake.isSettled(hour)
  const isMissing = ({ _tag, hour }: HourOutcome) => {
    if (_tag === "Open" || _tag === "Postponed") return isByDate || isGap(hour)
    return _tag === "Pending" && isGap(hour)
  }
  return exitCodeOf({
    kinds,
    isDone: outcomes.some(({ _tag }) => _tag === "Landed" || _tag === "Empty"),
    isTouched: outcomes.length > 0,
    isIncomplete:
      outcomes.some(isMissing) ||
      (adoption !== undefined && adoption.refused.length > 0) ||
      (lake?.answersForGaps === true && lake.olderGaps !== null)
  })
}
