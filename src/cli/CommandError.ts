import { Data } from "effect"
import type { AnyExitCode } from "../programs/run/exitCode.ts"

/** A command could not do its work. The message says why; the exit code is for scripts. */
export class CommandError extends Data.TaggedError("CommandError")<{
  readonly message: string
  readonly exitCode: AnyExitCode
}> {}
