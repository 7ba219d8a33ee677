/**
 * Writes a run's metrics to a file for Prometheus' node exporter.
 *
 * Source: https://github.com/prometheus/node_exporter#textfile-collector
 *
 * @module
 */
import { open, readFile, rename, rm } from "node:fs/promises"
import { basename, dirname, join } from "node:path"
import { Effect, type Exit } from "effect"
import { counted } from "../../programs/run/telemetry.ts"
import type { AnyExitCode } from "../../programs/run/exitCode.ts"
import type { CommandError } from "../CommandError.ts"
import { endingOf } from "../ending.ts"
import { RunId } from "../runId.ts"
import { isOfAnother, type MetricsLabels, metricsText } from "./metricsText.ts"
import { lakeName } from "../text/lakeName.ts"
import type { CommonSettings } from "../settings/settingsOf.ts"
import type { CommandName } from "../settings/table.ts"

/**
 * Writes the file when a command ends in any way, but not after a dry run. If it cannot be written,
 * a warning is logged, and the exit code stays the same.
 */
export function withMetricsFile(
  command: CommandName,
  { dryRun = false, metricsFile, store }: CommonSettings
) {
  return <R>(
    self: Effect.Effect<AnyExitCode, CommandError, R>
  ): Effect.Effect<AnyExitCode, CommandError, R> => {
    if (metricsFile === undefined || store === undefined || dryRun) return self
    const begun = Date.now()
    const labels = { command, store: lakeName(store) }
    return Effect.onExit(self, (exit) => write(metricsFile, labels, begun, exit))
  }
}

const write = Effect.fn("writeMetricsFile")(function* (
  path: string,
  labels: MetricsLabels,
  begun: number,
  exit: Exit.Exit<AnyExitCode, CommandError>
) {
  const { exitCode } = endingOf(exit)
  const numbers = yield* counted
  const runId = yield* RunId
  const before = yield* Effect.promise(() => readFile(path, "utf8").catch(() => ""))
  if (isOfAnother(before, labels)) {
    return yield* Effect.logWarning(
      `--metrics-file "${path}" holds the metrics of another command or lake, and is left as it is: name another file, or remove this one`
    )
  }
  yield* Effect.tryPromise({
    try: async () => {
      const run = { labels, exitCode, begun, ended: Date.now(), counted: numbers, before }
      await replaceFile(path, metricsText(run), runId)
    },
    catch: (error) => (error as NodeJS.ErrnoException).code ?? "unknown error"
  }).pipe(
    Effect.catchAll((code) =>
      Effect.logWarning(
        `--metrics-file "${path}" cannot be written (${code}): any contents are from an earlier run`
      )
    )
  )
})

/**
 * Replaces the file atomically: a reader sees the old text or the new one. Everybody may read it,
 * because the node exporter runs as another user.
 */
async function replaceFile(path: string, text: string, runId: string): Promise<void> {
  // The exporter ignores this name, because it does not end in .prom.
  const draft = join(dirname(path), `.${basename(path)}.${runId}`)
  try {
    const file = await open(draft, "wx")
    try {
      await file.chmod(0o644)
      await file.writeFile(text)
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(draft, path)
  } catch (error) {
    await rm(draft, { force: true })
    throw error
  }
}
