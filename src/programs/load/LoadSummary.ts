import { Schema } from "effect"
import { byHour, Hour } from "../../services/Hour.ts"
import type { LoadedHour } from "../../services/Warehouse.ts"
import type { Window } from "../../services/Window.ts"
import { GapCount } from "../plan/gaps.ts"
import type { Shard } from "../plan/Shard.ts"
import { OpenConflict } from "../resolve/OpenConflict.ts"
import { ExitCode, exitCodeOf } from "../run/exitCode.ts"
import { Failure } from "../run/Summary.ts"
import { errorName, failureKind, type RunError } from "../run/failureKind.ts"
import { type ListOutcome, ListSummary, summarizeLists } from "./ListSummary.ts"

const Hours = Schema.Array(Hour)
const Lines = Schema.Struct({ events: Schema.NonNegativeInt, lineset: Schema.String })

/** An hour of which store and warehouse have different lines. */
export const LoadConflict = Schema.Struct({
  hour: Hour,
  /** The store's objects, with the prefix. */
  keys: Schema.Array(Schema.String),
  /** Whether these are two objects between which nobody has chosen. */
  isUndecided: Schema.Boolean,
  /** Absent where the store has several objects, or one whose metadata are missing or wrong. */
  store: Schema.optional(Lines),
  /** How an object that was changed since it landed differs from its own metadata. */
  problems: Schema.optional(Schema.Array(Schema.String)),
  /** Absent where nothing is loaded. */
  warehouse: Schema.optional(Lines)
})
export type LoadConflict = typeof LoadConflict.Type

/** An hour of which the warehouse does not have the lines that its object announces. */
const Piped = {
  hour: Hour,
  /** The object, with the prefix; empty where neither store nor ledger has the hour. */
  key: Schema.String,
  /** Lines that were announced. */
  events: Schema.NonNegativeInt,
  /** Lines that are stored of the hour. */
  lines: Schema.NonNegativeInt
}

/** An hour that a pipe has not loaded, or not whole. */
export const PipedHole = Schema.Struct({
  ...Piped,
  /** What brings its lines: the pipe itself, a load, or a load in the place of what is there. */
  fix: Schema.Literal("refresh", "load", "replace")
})
export type PipedHole = typeof PipedHole.Type

/** An hour of which lines are there twice, or are those of another object. */
export const PipedDouble = Schema.Struct(Piped)
export type PipedDouble = typeof PipedDouble.Type

/** How what a pipe has loaded compares with the store. */
export const PipedSummary = Schema.Struct({
  /** Hours that agree, and that the ledger has from now on. */
  reconciled: Hours,
  holes: Schema.Array(PipedHole),
  doubles: Schema.Array(PipedDouble),
  /** The statement that lets the pipe try the holes again that it still can fill. */
  refresh: Schema.optional(Schema.String)
})
export type PipedSummary = typeof PipedSummary.Type

/** What a run loaded. Hours are listed oldest first. */
export class LoadSummary extends Schema.Class<LoadSummary>("LoadSummary")({
  /** `null` if nothing is in the store and nothing is loaded. */
  window: Schema.NullOr(Schema.Struct({ first: Hour, last: Hour })),
  /** The share of the days that the run was for, such as `3/16`; absent if it was for all. */
  shard: Schema.optional(Schema.String),
  loaded: Hours,
  /** Loaded in the place of what was loaded before. */
  replaced: Hours,
  /** Loaded before, from other objects with the same lines, which the ledger now names. */
  relabelled: Hours,
  /** Loaded before. */
  skipped: Hours,
  /** Loaded before, and no longer in the store. */
  kept: Hours,
  /** Landed by another pipeline, and not loaded. */
  unverified: Hours,
  /** Not reached within the run's longest duration. */
  postponed: Hours,
  failed: Schema.Array(Schema.Struct({ hour: Hour, ...Failure.fields })),
  /** Hours of which store and warehouse have different lines. Nothing was changed. */
  differing: Schema.Array(LoadConflict),
  /** Only of a run that reconciled. */
  piped: Schema.optional(PipedSummary),
  /** What Amplitude says about events; absent where the store has nothing of it. */
  lists: Schema.optional(ListSummary),
  /** Events loaded by this run. */
  events: Schema.NonNegativeInt,
  /** Uncompressed bytes of the loaded lines. */
  bytes: Schema.NonNegativeInt,
  retries: Schema.NonNegativeInt,
  durationMs: Schema.NonNegativeInt,
  /** Gaps after the lake's first landed hour, up to a window's end; `null` where there is none. They do not change the exit code. */
  olderGaps: Schema.NullOr(GapCount),
  /** Conflicts of the lake that nobody has resolved. */
  conflicts: Schema.Array(OpenConflict),
  exitCode: ExitCode,
  /** Why the run ended before it had finished its hours. */
  error: Schema.optional(Failure)
}) {}

/** What became of an hour. */
export type LoadOutcome =
  | { readonly _tag: "Loaded" | "Replaced"; readonly hour: Hour; readonly row: LoadedHour }
  | {
      readonly _tag: "Relabelled" | "Skipped" | "Kept" | "Unverified" | "Postponed" | "Reconciled"
      readonly hour: Hour
    }
  | ({ readonly _tag: "Hole" } & PipedHole)
  | ({ readonly _tag: "Double" } & PipedDouble)
  | { readonly _tag: "Differing"; readonly hour: Hour; readonly conflict: LoadConflict }
  | { readonly _tag: "Failed"; readonly hour: Hour; readonly error: RunError }

/** What is known of a run, also of one that ended early. */
export interface LoadResult {
  readonly window: Window | null
  readonly outcomes: ReadonlyArray<LoadOutcome>
  /** Defaults to none. */
  readonly lists?: ReadonlyArray<ListOutcome> | undefined
  readonly olderGaps: GapCount | null
  readonly conflicts: ReadonlyArray<OpenConflict>
  /** What ended the run before it was through with its hours and lists. */
  readonly error?: RunError | undefined
  /** Whether its time was over before the warehouse was open. Defaults to `false`. */
  readonly isOver?: boolean | undefined
}

export interface LoadSummaryOptions extends LoadResult {
  readonly shard?: Shard | undefined
  /** The statement that lets a pipe try an object again. Absent unless the run reconciled. */
  readonly refresh?: ((key: string) => string) | undefined
  /** Whether a person named dates, so that postponed hours are missing. */
  readonly isByDate: boolean
  readonly retries: number
  readonly durationMs: number
}

export function summarizeLoad(options: LoadSummaryOptions): LoadSummary {
  const { conflicts, durationMs, error, lists = [], olderGaps, retries, shard, window } = options
  const outcomes = options.outcomes.toSorted(byHour)
  const hoursOf = (tag: LoadOutcome["_tag"]) =>
    outcomes.filter(({ _tag }) => _tag === tag).map(({ hour }) => hour)
  const rows = outcomes.flatMap((it) => ("row" in it ? [it.row] : []))
  return new LoadSummary({
    window: window === null ? null : { first: window.first, last: window.last },
    loaded: hoursOf("Loaded"),
    replaced: hoursOf("Replaced"),
    relabelled: hoursOf("Relabelled"),
    skipped: hoursOf("Skipped"),
    kept: hoursOf("Kept"),
    unverified: hoursOf("Unverified"),
    postponed: hoursOf("Postponed"),
    failed: outcomes.flatMap((it) =>
      it._tag === "Failed" ? [{ hour: it.hour, ...failureOf(it.error) }] : []
    ),
    differing: outcomes.flatMap((it) => (it._tag === "Differing" ? [it.conflict] : [])),
    ...(options.refresh === undefined ? {} : { piped: pipedOf(outcomes, options.refresh) }),
    ...(lists.length === 0 ? {} : { lists: summarizeLists(lists) }),
    events: rows.reduce((sum, { events }) => sum + events, 0),
    bytes: rows.reduce((sum, { bytes }) => sum + bytes, 0),
    retries,
    durationMs,
    olderGaps,
    conflicts,
    exitCode: exitCodeOfLoad(options),
    ...(error === undefined ? {} : { error: failureOf(error) }),
    ...(shard === undefined ? {} : { shard: String(shard) })
  })
}

function pipedOf(
  outcomes: ReadonlyArray<LoadOutcome>,
  refresh: (key: string) => string
): PipedSummary {
  const holes = outcomes.flatMap((it) => (it._tag === "Hole" ? [withoutTag(it)] : []))
  const [first, ...more] = holes.flatMap(({ fix, key }) => (fix === "refresh" ? [key] : []))
  return {
    reconciled: outcomes.flatMap(({ _tag, hour }) => (_tag === "Reconciled" ? [hour] : [])),
    holes,
    doubles: outcomes.flatMap((it) => (it._tag === "Double" ? [withoutTag(it)] : [])),
    ...(first === undefined ? {} : { refresh: refresh(more.reduce(commonStart, first)) })
  }
}

function withoutTag<T extends { readonly _tag: string }>({ _tag, ...it }: T): Omit<T, "_tag"> {
  return it
}

function commonStart(one: string, other: string): string {
  let length = 0
  while (length < one.length && one[length] === other[length]) length++
  return one.slice(0, length)
}

function failureOf(error: RunError): Failure {
  return { error: errorName(error), message: error.message }
}

function exitCodeOfLoad({
  conflicts,
  error,
  isByDate,
  isOver = false,
  lists = [],
  outcomes
}: Pick<
  LoadSummaryOptions,
  "conflicts" | "error" | "isByDate" | "isOver" | "lists" | "outcomes"
>): ExitCode {
  const kinds = new Set(
    [...outcomes, ...lists].flatMap((it) => (it._tag === "Failed" ? [failureKind(it.error)] : []))
  )
  if (error !== undefined) kinds.add(failureKind(error))
  const isOne = (...tags: ReadonlyArray<LoadOutcome["_tag"]>) =>
    [...outcomes, ...lists].some(({ _tag }) => tags.includes(_tag))
  if (conflicts.length > 0 || isOne("Differing", "Double")) kinds.add("integrity")
  return exitCodeOf({
    kinds,
    isDone: isOne("Loaded", "Replaced", "Relabelled", "Reconciled"),
    isTouched: outcomes.length + lists.length > 0,
    isIncomplete: isOne("Unverified", "Hole") || (isByDate && (isOver || isOne("Postponed")))
  })
}
