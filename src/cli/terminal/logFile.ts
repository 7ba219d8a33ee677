import { closeSync, mkdirSync, openSync, writeSync } from "node:fs"
import { join } from "node:path"
import { Data, Effect, type Scope } from "effect"
import { writeError } from "./live.ts"

/** The folder of the log files cannot be written to. */
export class LogFileError extends Data.TaggedError("LogFileError")<{ readonly message: string }> {}

/** Writes a line, given without its newline. Once it returns, the line survives a kill. */
export type LogFile = (line: string) => void

/**
 * Creates the log file of one run, `<folder>/2025-11-10T21-00-00Z_<command>_<run>.log`, readable
 * only by its owner. If a line cannot be written later, as on a full disk, one message on stderr
 * says so and the run continues.
 */
export const openLogFile = (
  folder: string,
  { command, run, now }: { readonly command: string; readonly run: string; readonly now: number }
): Effect.Effect<LogFile, LogFileError, Scope.Scope> => {
  const begun = new Date(now).toISOString().slice(0, 19).replaceAll(":", "-")
  const path = join(folder, `${begun}Z_${command}_${run}.log`)
  const open = Effect.try({
    try: () => {
      mkdirSync(folder, { recursive: true, mode: 0o700 })
      return openSync(path, "ax", 0o600)
    },
    catch: (error) =>
      new LogFileError({
        message: `--log-dir "${folder}" cannot be written to (${codeOf(error)}): choose another folder, or fix its permissions`
      })
  })
  return Effect.map(
    Effect.acquireRelease(open, (file) => Effect.sync(() => closeSync(file))),
    (file) => {
      let isBroken = false
      return (line) => {
        if (isBroken) return
        try {
          writeWhole(file, Buffer.from(`${line}\n`))
        } catch (error) {
          isBroken = true
          writeError(`Cannot write "${path}" (${codeOf(error)}); logging continues here only`)
        }
      }
    }
  )
}

function writeWhole(file: number, bytes: Uint8Array): void {
  for (let written = 0; written < bytes.length;) written += writeSync(file, bytes, written)
}

function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? "unknown error"
}
