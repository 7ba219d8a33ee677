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
import type { CommandError } from "../CommandError.ts"
import { endingOf } from "../ending.ts"
import { runId } from "../terminal/logging.ts"
import { metricsText } from "./metricsText.ts"
import type { CommonSettings, Store } from "../settings/settingsOf.ts"
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
    self: Effect.Effect<number, CommandError, R>
  ): Effect.Effect<number, CommandError, R> => {
    if (metricsFile === undefined || store === undefined || dryRun) return self
    const begun = Date.now()
    const labels = { command, store: storeText(store) }
    return Effect.onExit(self, (exit) => write(metricsFile, labels, begun, exit))
  }
}

const write = Effect.fn("writeMetricsFile")(function* (
  path: string,
  labels: Readonly<Record<string, string>>,
  begun: number,
  exit: Exit.Exit<number, CommandError>
) {
  const { exitCode } = endingOf(exit)
  const numbers = yield* counted
  yield* Effect.tryPromise({
    try: async () => {
      const before = await readFile(path, "utf8").catch(() => "")
      const run = { labels, exitCode, begun, ended: Date.now(), counted: numbers, before }
      await replaceFile(path, metricsText(run))
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
async function replaceFile(path: string, text: string): Promise<void> {
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

/** The store's name as a label, so that the metrics of two lakes in one directory differ. */
function storeText(store: Store): string {
  switch (store._tag) {
    case "S3":
      return `s3://${store.bucket}/${store.prefix}`
    case "Azure":
      return `azure://${store.account}/${store.container}/${store.prefix}`
    case "Local":
      return join(store.folder, store.prefix)
    case "Memory":
      return `memory:${store.prefix}`
  }
}
