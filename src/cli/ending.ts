/**
 * How a run ended, in words.
 *
 * @module
 */
import { Cause, Effect, Exit } from "effect"
import { type AnyExitCode, EXIT } from "../programs/run/exitCode.ts"
import { CommandError } from "./CommandError.ts"
import { exitCodeOfSignal } from "./signals.ts"

export const INTERRUPTED_TEXT =
  "Interrupted. Partial work is cleaned up; run the same command again to continue."

/** The error of a run that a signal ended. */
export const INTERRUPTED_ERROR = {
  error: "Interrupted",
  message: "The run was interrupted by a signal: run it again"
} as const

/** A defect's message and stack. The thrown object is left out, because it may hold data. */
function defectText(cause: Cause.Cause<unknown>): string {
  const defects = [...Cause.defects(cause)]
  const texts = defects.map((defect) => (defect instanceof Error ? defect.stack : undefined))
  return `A defect in amplitude-lake, please report it: ${texts.join("\n") || "unknown"}`
}

/** The exit code of a run, and its error if it did not run to its end. */
export function endingOf(exit: Exit.Exit<AnyExitCode, CommandError>): {
  readonly exitCode: AnyExitCode
  readonly error?: { readonly error: string; readonly message: string }
} {
  if (Exit.isSuccess(exit)) return { exitCode: exit.value }
  if (Cause.isInterruptedOnly(exit.cause)) {
    return { exitCode: exitCodeOfSignal(), error: INTERRUPTED_ERROR }
  }
  for (const { exitCode, message } of Cause.failures(exit.cause)) {
    return { exitCode, error: { error: "CommandError", message } }
  }
  return { exitCode: EXIT.defect, error: { error: "Defect", message: defectText(exit.cause) } }
}

/** Logs how a run ended. */
export const logEnding = (exit: Exit.Exit<AnyExitCode, CommandError>): Effect.Effect<void> => {
  const { error, exitCode } = endingOf(exit)
  return error === undefined
    ? Effect.logInfo(`Ended with exit code ${exitCode}`)
    : Effect.logError(`Ended with exit code ${exitCode}: ${error.message}`)
}
