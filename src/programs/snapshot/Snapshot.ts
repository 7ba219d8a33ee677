import { Schema } from "effect"
import { ReferenceStream } from "../../services/Amplitude.ts"
import { ExitCode } from "../run/exitCode.ts"

/** What became of a list. */
const List = Schema.Struct({
  stream: ReferenceStream,
  state: Schema.Literal(
    "stored",
    /** There already: the day has its snapshot. */
    "present",
    "failed"
  ),
  /** Below the prefix. */
  key: Schema.String,
  /** Entries in the list; absent if it failed. */
  records: Schema.optional(Schema.NonNegativeInt),
  size: Schema.optional(Schema.NonNegativeInt),
  /** Of the object's bytes, in hexadecimal. */
  sha256: Schema.optional(Schema.String),
  /** Class and reason, such as `AmplitudeError.Forbidden`. */
  error: Schema.optional(Schema.String),
  message: Schema.optional(Schema.String)
})
export type List = typeof List.Type

/** What Amplitude says about the events of a lake, as it was on a UTC day. */
export class Snapshot extends Schema.Class<Snapshot>("Snapshot")({
  /** Such as `2025-11-10`. */
  date: Schema.String,
  lists: Schema.Array(List),
  exitCode: ExitCode
}) {}
