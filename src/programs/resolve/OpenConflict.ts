import { Schema } from "effect"
import { Hour } from "../../services/Hour.ts"

const Version = Schema.Struct({
  /** Absent for an object that cannot be read. */
  events: Schema.optional(Schema.NonNegativeInt),
  lineset: Schema.optional(Schema.String)
})

/** A conflict that nobody has resolved, with what its mark says. */
export const OpenConflict = Schema.Struct({
  hour: Hour,
  name: Schema.String,
  /** The full address of the store's object. */
  object: Schema.optional(Schema.String),
  /** The store's version. */
  store: Schema.optional(Version),
  /** The version that was refused. */
  ours: Schema.optional(Version),
  /** The full address of the copy of our version; absent where no copy was kept. */
  copy: Schema.optional(Schema.String),
  /** The machine that the copy lies on. */
  host: Schema.optional(Schema.String),
  /** When the conflict was found. */
  time: Schema.optional(Schema.String)
})
export type OpenConflict = typeof OpenConflict.Type
