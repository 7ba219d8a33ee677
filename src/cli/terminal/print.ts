import { Effect } from "effect"
import { EXIT } from "../../programs/run/exitCode.ts"
import { CommandError } from "../CommandError.ts"
import { pauseLive } from "./live.ts"

/**
 * Writes a text and a newline to stdout, and returns once all of it is written. A reader that has
 * gone away (`| head`) is not an error.
 */
export function print(text: string): Effect.Effect<void, CommandError> {
  return text === "" ? Effect.void : Effect.asVoid(write(`${text}\n`))
}

/** Writes a text to stdout, and returns once all of it is written: `false` if its reader has gone away. */
export function write(text: string): Effect.Effect<boolean, CommandError> {
  return Effect.async((resume) => {
    pauseLive()
    process.stdout.write(text, (error) => {
      const code = (error as NodeJS.ErrnoException | null | undefined)?.code
      resume(
        error == null || code === "EPIPE"
          ? Effect.succeed(error == null)
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
