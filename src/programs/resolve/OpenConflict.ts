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
  /**
   * The versions in the store, where it has several: `key` is what a person names to keep one, and
   * `object` the full address.
   */
  versions: Schema.optional(
    Schema.Array(Schema.Struct({ key: Schema.String, object: Schema.String, ...Version.fields }))
  ),
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
}).annotations({ identifier: "OpenConflict" })
export type OpenConflict = typeof OpenConflict.Type
