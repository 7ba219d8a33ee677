import { Effect, type Layer } from "effect"
import type { RunError } from "../../programs/run/failureKind.ts"
import { summarize, type Summary } from "../../programs/run/Summary.ts"
import type { CommandError } from "../CommandError.ts"
import { advised } from "../text/advice.ts"

/** The result of a command. */
export interface Report {
  /** Printed by `--json`. */
  readonly json: object
  /** Printed without `--json`; empty if there is nothing to print. */
  readonly text: (terminal: NodeJS.WriteStream) => string
  readonly exitCode: number
  /** Sent to the webhook. Defaults to `json`. */
  readonly told?: object
  /** The error that ended the command early, for the log. */
  readonly error?: string | undefined
}

export const noText = (): string => ""

/** Finishes a command while its layers are still open. */
type Finish = <R>(
  run: Effect.Effect<Report, RunError | CommandError, R>
) => Effect.Effect<number, CommandError, R>

/** A command with its settings, ready to run. */
export interface Work {
  readonly run: (finish: Finish) => Effect.Effect<number, CommandError>
  /** The report of work that a signal ended. If absent, nothing is reported. */
  readonly interrupted?: (() => Report) | undefined
}

interface WorkOptions<R, Provided> extends Pick<Work, "interrupted"> {
  readonly layer: Layer.Layer<Provided>
  readonly run: Effect.Effect<Report, RunError | CommandError, R>
}

/** Work that uses the services of a layer. */
export function work<R extends Provided, Provided = R>({
  interrupted,
  layer,
  run
}: WorkOptions<R, Provided>): Work {
  return {
    run: (finish) => Effect.provide(finish<Provided>(run), layer),
    interrupted
  }
}

const NOTHING = { window: null, outcomes: [], isByDate: false, retries: 0, durationMs: 0 } as const

/** The summary of a run that ended before it came to its hours. */
export function emptySummary(
  options: Partial<Pick<Parameters<typeof summarize>[0], "error" | "window">> = {}
): Summary {
  return summarize({ ...NOTHING, ...options })
}

/** The report of a command that could not read the store. */
export function failureReport(failed: RunError): Report {
  const { error: told, exitCode } = emptySummary({ error: failed })
  const error = told && advised(told)
  return { json: { error, exitCode }, text: noText, exitCode, error: error?.message }
}
