import { closeSync, mkdirSync, openSync, writeSync } from "node:fs"
import { join } from "node:path"
import { Data, Effect, type Scope } from "effect"
import { writeError } from "./live.ts"

/** The folder of the log files cannot be written to. */
export class LogFileError extends Data.TaggedError("LogFileError")<{ readonly message: string }> {}

/**
 * Takes a line without its newline. When it returns, the line outlives the process, however that
 * ends.
 */
export type LogFile = (line: string) => void

/**
 * Creates the file of one run: `<folder>/2025-11-10T21-00-00Z_<command>_<run>.log`, for its owner
 * alone. A line that cannot be written later, on a full disk for one, is said on stderr once, and
 * fails nothing.
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
        message: `--log-dir "${folder}" cannot be written to (${codeOf(error)}): name another folder, or mend its permissions`
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
          writeError(`The log goes on here only: "${path}" cannot be written (${codeOf(error)})`)
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
