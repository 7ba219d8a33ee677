import { Effect } from "effect"
import type { RunError } from "../../programs/run/failureKind.ts"
import type { Summary } from "../../programs/run/Summary.ts"
import { INTERRUPTED_ERROR } from "../ending.ts"
import type { Source } from "../settings/settingsOf.ts"
import { exitCodeOfSignal } from "../signals.ts"
import { advised } from "../text/advice.ts"
import { summaryText } from "../text/printed.ts"
import { emptySummary, noText, type Report } from "./Report.ts"

interface SummaryOptions {
  /** Where hours land. */
  readonly place: string
  /** Whether that is staging. Defaults to `false`. */
  readonly isStaged?: boolean | undefined
  readonly source?: Source | undefined
}

/** Reports what a run did, even if it failed as a whole. */
export const summarized = <R>(
  run: Effect.Effect<Summary, RunError, R>,
  { isStaged, place, source }: SummaryOptions
): Effect.Effect<Report, never, R> =>
  run.pipe(
    Effect.catchAll((error) => Effect.succeed(emptySummary({ error }))),
    Effect.map((summary) => summaryReport(withAdvice(summary, source), place, isStaged))
  )

function withAdvice(summary: Summary, source: Source | undefined): Summary {
  const { error, failed } = summary
  return {
    ...summary,
    failed: failed.map((hour) => advised(hour, source)),
    ...(error === undefined ? {} : { error: advised(error, source) })
  }
}

function summaryReport(summary: Summary, place: string, isStaged = false): Report {
  const { error, exitCode, window } = summary
  const hasHours = error === undefined || window !== null
  return {
    json: summary,
    text: hasHours ? () => summaryText(summary, place, isStaged) : noText,
    exitCode,
    error: error?.message
  }
}

/** The report of a run that a signal ended. It lists no hours: the next run finds what landed. */
export function interruptedReport(): Report {
  const exitCode = exitCodeOfSignal()
  return {
    json: { ...emptySummary(), exitCode, error: INTERRUPTED_ERROR },
    text: noText,
    exitCode
  }
}
