import { Effect } from "effect"
import { EXIT } from "../../programs/run/exitCode.ts"
import { CommandError } from "../CommandError.ts"
import { pauseLive } from "./live.ts"

/**
 * Writes a text and a newline to stdout, and returns once all of it is written. A reader that has
 * gone away (`| head`) is not an error.
 */
export function print(text: string): Effect.Effect<void, CommandError> {
  if (text === "") return Effect.void
  return Effect.async((resume) => {
    pauseLive()
    process.stdout.write(`${text}\n`, (error) => {
      const code = (error as NodeJS.ErrnoException | null | undefined)?.code
      resume(
        error == null || code === "EPIPE"
          ? Effect.void
          : new CommandError({
              message: `Cannot write the result to stdout: ${code ?? error.message}`,
              exitCode: EXIT.temporary
            })
      )
    })
  })
}

/** The width of a terminal in columns; `undefined` if the stream is not a terminal. */
export function widthOf({ columns, isTTY }: NodeJS.WriteStream): number | undefined {
  return isTTY ? columns : undefined
}
