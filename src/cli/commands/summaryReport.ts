import { Effect } from "effect"
import { EXIT } from "../../programs/run/exitCode.ts"
import type { RunError } from "../../programs/run/failureKind.ts"
import { emptySummary } from "../../programs/run/Summary.ts"
import type { LandedAndLoaded } from "../../programs/load/landAndLoad.ts"
import { INTERRUPTED_ERROR } from "../ending.ts"
import type { Source } from "../settings/settingsOf.ts"
import { exitCodeOfSignal } from "../signals.ts"
import { advised, advisedLoad } from "../text/advice.ts"
import { loadedPart } from "../text/loadText.ts"
import { summaryText } from "../text/printed.ts"
import { noText, type Report } from "./Report.ts"

export interface SummaryOptions {
  /** Where hours land. */
  readonly place: string
  /** Whether that is staging. Defaults to `false`. */
  readonly isStaged?: boolean | undefined
  readonly source?: Source | undefined
  /** Where landed hours are loaded. */
  readonly warehouse?: string | undefined
}

interface ReportSoFar {
  readonly onInterrupt: (soFar: LandedAndLoaded) => Effect.Effect<void>
}

/** Reports what a run did, even if it failed as a whole or a signal ends it. */
export function summarized<R>(
  run: (options: ReportSoFar) => Effect.Effect<LandedAndLoaded, RunError, R>,
  options: Effect.Effect<SummaryOptions, never, R>
) {
  let kept: Report<LandedAndLoaded> | undefined
  return {
    run: Effect.flatMap(options, (about) => {
      const reportOf = (summary: LandedAndLoaded) =>
        summaryReport(withAdvice(summary, about.source), about)
      const keep = (summary: LandedAndLoaded) =>
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

/** A summary with what to type after each failure. */
export function withAdvice(summary: LandedAndLoaded, source: Source | undefined): LandedAndLoaded {
  const { error, failed, load } = summary
  return {
    ...summary,
    failed: failed.map((hour) => advised(hour, source)),
    ...(error === undefined ? {} : { error: advised(error, source) }),
    ...(load === undefined ? {} : { load: advisedLoad(load) })
  }
}

function summaryReport(
  summary: LandedAndLoaded,
  { isStaged = false, place, warehouse = "" }: SummaryOptions
): Report<LandedAndLoaded> {
  const { error, exitCode, load, project, window } = summary
  const hasHours = error === undefined || window !== null || load !== undefined
  const loaded = load && loadedPart(load, warehouse)
  return {
    json: summary,
    text: hasHours ? () => summaryText(summary, place, { isStaged, loaded }) : noText,
    exitCode,
    error,
    project
  }
}

/** The report of a run that a signal ended; it lists nothing if the run had not begun. */
function reportSoFar(
  kept: Report<LandedAndLoaded> = { json: emptySummary(), text: noText, exitCode: EXIT.done }
): Report<LandedAndLoaded> {
  return { ...kept, exitCode: exitCodeOfSignal(), error: INTERRUPTED_ERROR }
}
