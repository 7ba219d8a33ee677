import { Effect, type Exit, type Layer } from "effect"
import type { AnyExitCode } from "../../programs/run/exitCode.ts"
import type { RunError } from "../../programs/run/failureKind.ts"
import { emptySummary } from "../../programs/run/Summary.ts"
import type { CommandError } from "../CommandError.ts"
import { endingOf } from "../ending.ts"
import type { Reported } from "../json/output.ts"
import { advised } from "../text/advice.ts"

/** The result of a command. `Own` is what it reports in JSON. */
export interface Report<Own = object | undefined> extends Reported {
  readonly json?: (Own & object) | undefined
  /** Printed without `--json`; empty if there is nothing to print. */
  readonly text: (terminal: NodeJS.WriteStream) => string
}

export const noText = (): string => ""

/** Finishes a command while its layers are still open. */
type Finish<Own> = <R>(
  run: Effect.Effect<Report<Own>, RunError | CommandError, R>
) => Effect.Effect<AnyExitCode, CommandError, R>

/** A command with its settings, ready to run. */
export interface Work<Own> {
  readonly run: (finish: Finish<Own>) => Effect.Effect<AnyExitCode, CommandError>
  /** The report of work that a signal ended. If absent, nothing is reported. */
  readonly interrupted?: (() => Report<Own>) | undefined
}

interface WorkOptions<Own, R, Provided> extends Pick<Work<Own>, "interrupted"> {
  readonly layer: Layer.Layer<Provided>
  readonly run: Effect.Effect<Report<Own>, RunError | CommandError, R>
}

/** Work that uses the services of a layer. */
export function work<Own, R extends Provided, Provided = R>({
  interrupted,
  layer,
  run
}: WorkOptions<Own, R, Provided>): Work<Own> {
  return {
    run: (finish) => Effect.provide(finish<Provided>(run), layer),
    interrupted
  }
}

/** The report of a command that a signal or a defect ended. */
export function endedReport(exit: Exit.Exit<AnyExitCode, CommandError>): Report<never> {
  return { text: noText, ...endingOf(exit) }
}

/** The report of a command that could not read the store. */
export function failureReport(failed: RunError): Report<never> {
  const { error, exitCode } = emptySummary({ error: failed })
  return { text: noText, exitCode, error: error && advised(error) }
}
