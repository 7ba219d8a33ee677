import { Data } from "effect"

/**
 * A command could not do its work; the message says why and the exit code what that means to a
 * script.
 */
export class CommandError extends Data.TaggedError("CommandError")<{
  readonly message: string
  readonly exitCode: number
}> {}
