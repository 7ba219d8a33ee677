import { Effect, type Layer } from "effect"
import type { RunError } from "../../programs/run/failureKind.ts"
import { summarize, type Summary } from "../../programs/run/Summary.ts"
import type { CommandError } from "../CommandError.ts"
import { advised } from "../text/advice.ts"

/** What a command answers. */
export interface Report {
  /** What `--json` prints. */
  readonly json: object
  /** What a person reads; empty where there is nothing to print. */
  readonly text: (terminal: NodeJS.WriteStream) => string
  readonly exitCode: number
  /** What a webhook is told of it. Defaults to what `--json` prints. */
  readonly told?: object
  /** What ended it early, for the log. */
  readonly error?: string | undefined
}

export const noText = (): string => ""

/** What becomes of a command's effect where its layers are still there. */
type Finish = <R>(
  run: Effect.Effect<Report, RunError | CommandError, R>
) => Effect.Effect<number, CommandError, R>

/** A command with its settings, ready to run. */
export interface Work {
  readonly run: (finish: Finish) => Effect.Effect<number, CommandError>
  /** What there is to report of work that a signal ended; nothing where absent. */
  readonly interrupted?: (() => Report) | undefined
}

interface WorkOptions<R, Provided> extends Pick<Work, "interrupted"> {
  readonly layer: Layer.Layer<Provided>
  readonly run: Effect.Effect<Report, RunError | CommandError, R>
}

/** Work over what a layer provides. */
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

/** The summary of a run that ended before it could go through its hours. */
export function emptySummary(
  options: Partial<Pick<Parameters<typeof summarize>[0], "error" | "window">> = {}
): Summary {
  return summarize({ ...NOTHING, ...options })
}

/** Why a command that looks at the store could not. */
export function failureReport(failed: RunError): Report {
  const { error: told, exitCode } = emptySummary({ error: failed })
  const error = told && advised(told)
  return { json: { error, exitCode }, text: noText, exitCode, error: error?.message }
}
