import * as fs from "node:fs/promises"
import { Effect } from "effect"
import { EXIT } from "../../programs/run/exitCode.ts"
import { CommandError } from "../CommandError.ts"

/** Pages, addresses and companies are for their owner, who may pass them on. */
const FILE_MODE = 0o600

/** Replaces a file at once, so that nobody reads half of it, and returns its bytes. */
export function writePage(file: string, page: string): Effect.Effect<number, CommandError> {
  const bytes = Buffer.from(page)
  const unfinished = `${file}.new-${process.pid}`
  return Effect.tryPromise({
    try: async () => {
      try {
        await fs.writeFile(unfinished, bytes, { mode: FILE_MODE, flush: true })
        await fs.rename(unfinished, file)
      } catch (cause) {
        await fs.rm(unfinished, { force: true })
        throw cause
      }
      return bytes.length
    },
    catch: (cause) =>
      new CommandError({
        message: `"${file}" cannot be written: ${cause instanceof Error ? cause.message : String(cause)}`,
        exitCode: EXIT.usage
      })
  }).pipe(Effect.uninterruptible)
}
