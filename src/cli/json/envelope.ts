/**
 * What every JSON object of this program begins and ends with.
 *
 * @module
 */
import { Schema } from "effect"
import { type AnyExitCode, EXIT } from "../../programs/run/exitCode.ts"
import { Failure } from "../../programs/run/Summary.ts"

/** A lake in JSON. */
export const Lake = Schema.Struct({
  store: Schema.String.annotations({
    description:
      "The full address of store and prefix, such as s3://bucket/prefix/: with a key appended, that of an object"
  }),
  prefix: Schema.String.annotations({ description: "The prefix alone" }),
  project: Schema.optional(
    Schema.String.annotations({ description: "The Amplitude project, if the command learned it" })
  )
}).annotations({ identifier: "Lake" })
export type Lake = typeof Lake.Type

const AnyExitCodes = Schema.Literal(...(Object.values(EXIT) as ReadonlyArray<AnyExitCode>))

/** What comes before the command's own fields. */
export function headOf<const Command extends string>(command: Command, schema: number) {
  return {
    schema: Schema.Literal(schema).annotations({
      description: "Rises when a field of this command is renamed or removed, or changes its type"
    }),
    command: Schema.Literal(command),
    run: Schema.String.annotations({ description: "The run's ID, as log lines have it" }),
    version: Schema.String.annotations({ description: "The program's version" }),
    lake: Schema.NullOr(Lake).annotations({
      description: "null if the settings that name the lake could not be read"
    })
  }
}

/** What comes after the command's own fields. */
export const tail = {
  exitCode: AnyExitCodes.annotations({ description: "The exit code of the process" }),
  error: Schema.optional(
    Failure.annotations({ description: "Why the command ended before it had finished" })
  )
}

/** The tail of a command that ended before it had anything to report. */
export const failedTail = { ...tail, error: Failure }

/** What a webhook's body has in addition. */
export const posted = {
  text: Schema.String.annotations({ description: "One sentence, which chat programs show" }),
  host: Schema.String.annotations({ description: "The machine" })
}
