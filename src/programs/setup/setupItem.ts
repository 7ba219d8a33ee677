import { Schema } from "effect"

/** What happened to one part of a setup. */
export const setupItemFields = {
  state: Schema.Literal("same", "would change", "changed", "cannot"),
  /** What it is or would be; for `cannot`, why and what to do. */
  message: Schema.String,
  /** What it was, if different. */
  from: Schema.optional(Schema.String),
  /** Class and reason of a failure, such as `BucketSetupError.AccessDenied`. */
  error: Schema.optional(Schema.String)
}
