/**
 * What a script can conclude from a run: every exit code, its meaning, and which one a run ends
 * with.
 *
 * @module
 */
import { Schema } from "effect"
import type { FailureKind } from "./HourOutcome.ts"

/** Every exit code of the program, by name. */
export const EXIT = {
  done: 0,
  defect: 1,
  usage: 2,
  incomplete: 3,
  temporary: 5,
  refused: 7,
  integrity: 8,
  interrupted: 130,
  terminated: 143
} as const

export type AnyExitCode = (typeof EXIT)[keyof typeof EXIT]

/** Every exit code and its meaning, as in help, README and webhook. */
export const exitCodes = {
  0: "complete: no hour is missing, and no conflict is open",
  1: "a defect in this program",
  2: "usage or configuration; nothing was changed",
  3: "hours failed, are gaps, or were requested by date while still open",
  5: "temporary: try again later",
  7: "refused: keys or permissions",
  8: "integrity or conflict: needs a person",
  130: "interrupted",
  143: "terminated"
} as const satisfies Readonly<Record<AnyExitCode, string>>

/** The meaning of an exit code. */
export function meaningOf(exitCode: number): string {
  return (exitCodes as Readonly<Record<number, string>>)[exitCode] ?? "unknown"
}

/** The exit code in a report. */
export const ExitCode = Schema.Literal(0, 2, 3, 5, 7, 8)
export type ExitCode = typeof ExitCode.Type

export interface ExitCodeOptions {
  /** The kinds of all failures. */
  readonly kinds: ReadonlySet<FailureKind>
  /** Whether something was achieved, so a temporary failure affected only some hours. */
  readonly isDone: boolean
  /** Whether anything was attempted: a permanent failure before that is a configuration error. */
  readonly isTouched: boolean
  /** Whether something is missing although nothing failed. Defaults to `false`. */
  readonly isIncomplete?: boolean | undefined
}

/** The first of 8, 7, 3 or 2, 5 that applies, otherwise 0. */
export function exitCodeOf(options: ExitCodeOptions): ExitCode {
  const { kinds, isDone, isTouched, isIncomplete = false } = options
  if (kinds.has("integrity")) return EXIT.integrity
  if (kinds.has("refused")) return EXIT.refused
  if (kinds.has("permanent")) return isTouched ? EXIT.incomplete : EXIT.usage
  if (kinds.has("temporary")) return isDone || isIncomplete ? EXIT.incomplete : EXIT.temporary
  return isIncomplete ? EXIT.incomplete : EXIT.done
}

/** Exit codes of a run, the worst first. */
const WORST_FIRST: ReadonlyArray<ExitCode> = [
  EXIT.integrity,
  EXIT.refused,
  EXIT.incomplete,
  EXIT.usage,
  EXIT.temporary,
  EXIT.done
]

/**
 * The exit code of a run of two parts: the worse of both. Where a part achieved something, a failure
 * of the other one as a whole left the run incomplete.
 */
export function exitCodeOfBoth(one: ExitCode, other: ExitCode, isDone: boolean): ExitCode {
  const worse = WORST_FIRST.find((it) => it === one || it === other) ?? EXIT.done
  const isPartial = isDone && (worse === EXIT.temporary || worse === EXIT.usage)
  return isPartial ? EXIT.incomplete : worse
}
