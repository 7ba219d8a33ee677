import { Effect } from "effect"
import { INTERRUPTED_ERROR } from "../../ending.ts"
import { exitCodeOfSignal } from "../../signals.ts"
import { noText, type Report } from "../Report.ts"

/** Keeps the report of what a command had done when a signal ended it. */
export function soFar<Own extends object>() {
  let kept: Report<Own> | undefined
  return {
    keep: (report: Report<Own>): Effect.Effect<void> =>
      Effect.sync(() => {
        kept = report
      }),
    interrupted: (): Report<Own> => ({
      text: noText,
      ...kept,
      exitCode: exitCodeOfSignal(),
      error: INTERRUPTED_ERROR
    })
  }
}
