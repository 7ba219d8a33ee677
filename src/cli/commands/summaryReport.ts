import { Effect } from "effect"
import { EXIT } from "../../programs/run/exitCode.ts"
import type { RunError } from "../../programs/run/failureKind.ts"
import type { RunOptions } from "../../programs/runPipeline.ts"
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

/** Reports what a run did, even if it failed as a whole or a signal ends it. */
export function summarized<R>(
  run: (options: Required<Pick<RunOptions, "onInterrupt">>) => Effect.Effect<Summary, RunError, R>,
  options: Effect.Effect<SummaryOptions, never, R>
) {
  let kept: Report<Summary> | undefined
  return {
    run: Effect.flatMap(options, ({ isStaged, place, source }) => {
      const reportOf = (summary: Summary) =>
        summaryReport(withAdvice(summary, source), place, isStaged)
      const keep = (summary: Summary) =>
        Effect.sync(() => {
          kept = reportOf(summary)
        })
      return run({ onInterrupt: keep }).pipe(
        Effect.catchAll((error) => Effect.succeed(emptySummary({ error }))),
        // A signal may come before this is reported.
        Effect.tap(keep),
        Effect.map(reportOf)
      )
    }),
    interrupted: () => reportSoFar(kept)
  }
}

function withAdvice(summary: Summary, source: Source | undefined): Summary {
  const { error, failed } = summary
  return {
    ...summary,
    failed: failed.map((hour) => advised(hour, source)),
    ...(error === undefined ? {} : { error: advised(error, source) })
  }
}

function summaryReport(summary: Summary, place: string, isStaged = false): Report<Summary> {
  const { error, exitCode, project, window } = summary
  const hasHours = error === undefined || window !== null
  return {
    json: summary,
    text: hasHours ? () => summaryText(summary, place, isStaged) : noText,
    exitCode,
    error,
    project
  }
}

/** The report of a run that a signal ended; it lists nothing if the run had not begun. */
function reportSoFar(
  kept: Report<Summary> = { json: emptySummary(), text: noText, exitCode: EXIT.done }
): Report<Summary> {
  return { ...kept, exitCode: exitCodeOfSignal(), error: INTERRUPTED_ERROR }
}
