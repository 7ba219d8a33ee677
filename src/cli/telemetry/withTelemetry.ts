/**
 * Exports a run to OpenTelemetry if the standard variables say so. Its modules are loaded only
 * then.
 *
 * @module
 */
import { Data, Effect, Either } from "effect"
import { TELEMETRY } from "../../programs/run/telemetry.ts"
import type { AnyExitCode } from "../../programs/run/exitCode.ts"
import type { CommandError } from "../CommandError.ts"
import { RunId } from "../runId.ts"
import { otlpOptions } from "./otlpVariables.ts"
import type { CommonSettings } from "../settings/settingsOf.ts"
import type { CommandName } from "../settings/table.ts"

/** A run whose exit code is not 0. Failing with it marks the run's span as failed. */
class NotAllIsThere extends Data.TaggedError("NotAllIsThere")<{ readonly exitCode: AnyExitCode }> {
  override get message(): string {
    return `exit code ${this.exitCode}`
  }
}

/**
 * Makes a command the root span of a trace. Spans and counters are sent while it runs, and for up to
 * 3 seconds at its end. If that fails, one warning is logged, and the exit code stays the same.
 */
export function withTelemetry(
  command: CommandName,
  { dryRun = false }: CommonSettings,
  variables: Readonly<Record<string, string | undefined>>
) {
  return <R>(
    self: Effect.Effect<AnyExitCode, CommandError, R>
  ): Effect.Effect<AnyExitCode, CommandError, R> => {
    const options = otlpOptions(variables)
    if (command === "simulate" || dryRun) return self
    if (Either.isLeft(options)) {
      return Effect.zipRight(Effect.logWarning(`No telemetry is sent: ${options.left}`), self)
    }
    const asked = options.right
    if (asked === undefined) return self
    const traced = (run: string) =>
      self.pipe(
        Effect.tap((exitCode) => Effect.annotateCurrentSpan("exit_code", exitCode)),
        Effect.filterOrFail(
          (exitCode) => exitCode === 0,
          (exitCode) => new NotAllIsThere({ exitCode })
        ),
        Effect.withSpan(`${TELEMETRY}run`, { root: true, attributes: { command, run } }),
        Effect.catchTag("NotAllIsThere", ({ exitCode }) => Effect.succeed(exitCode))
      )
    return Effect.flatMap(
      Effect.promise(() => import("./otlp.ts")),
      ({ withOtlp }) => withOtlp(asked)(Effect.flatMap(RunId, traced))
    )
  }
}
