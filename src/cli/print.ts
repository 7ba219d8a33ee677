import { Effect } from "effect"

/** Writes a text and a newline to stdout, whole before it returns; a reader that left (`| head`) is no failure. */
export function print(text: string): Effect.Effect<void> {
  return text === ""
    ? Effect.void
    : Effect.async((resume) => {
        process.stdout.write(`${text}\n`, () => resume(Effect.void))
      })
}
