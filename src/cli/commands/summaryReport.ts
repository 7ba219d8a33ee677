import { Effect } from "effect"
import type { RunError } from "../../programs/run/failureKind.ts"
import type { Summary } from "../../programs/run/Summary.ts"
import { INTERRUPTED_ERROR } from "../ending.ts"
import { exitCodeOfSignal } from "../signals.ts"
import { summaryText } from "../text/printed.ts"
import { emptySummary, noText, type Report } from "./Report.ts"

/** What a run did, also where it failed as a whole. */
export const summarized = <R>(
  run: Effect.Effect<Summary, RunError, R>,
  place: string
): Effect.Effect<Report, never, R> =>
  run.pipe(
    Effect.catchAll((error) => Effect.succeed(emptySummary({ error }))),
    Effect.map((summary) => summaryReport(summary, place))
  )

function summaryReport(summary: Summary, place: string): Report {
  const { error, exitCode, window } = summary
  const hasHours = error === undefined || window !== null
  return {
    json: summary,
    text: hasHours ? () => summaryText(summary, place) : noText,
    exitCode,
    error: error?.message
  }
}

/** What is reported of a run that a signal ended: which hours it landed, the next one finds. */
export function interruptedReport(): Report {
  const exitCode = exitCodeOfSignal()
  return {
    json: { ...emptySummary(), exitCode, error: INTERRUPTED_ERROR },
    text: noText,
    exitCode
  }
}
