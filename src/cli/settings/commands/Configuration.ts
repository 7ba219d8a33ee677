import { Schema } from "effect"

/** A value and the place where it is set. */
const Shown = Schema.Struct({
  /** The text as it is set; `null` if there is none. */
  value: Schema.NullOr(Schema.String),
  source: Schema.Literal("flag", "environment", "file", "connection", "default"),
  /** The flag or variable that sets it, or the connection of Snowflake's own tools; `null` for a default. */
  setBy: Schema.NullOr(Schema.String),
  /** The line of the env file. */
  line: Schema.NullOr(Schema.Int)
})
export type Shown = typeof Shown.Type

const ShownSetting = Schema.Struct({
  /** The flag; the variable of what has no flag. */
  name: Schema.String,
  /** The heading in the help. */
  group: Schema.String,
  /** Every variable that sets it, the one that is made from its flag first. */
  variables: Schema.Array(Schema.String),
  ...Shown.fields,
  /** What is set as well, but does not count. */
  unused: Schema.Array(Shown)
})
export type ShownSetting = typeof ShownSetting.Type

/** What `config` shows. */
export const Configuration = Schema.Struct({
  envFile: Schema.Struct({ path: Schema.String, isFound: Schema.Boolean }),
  settings: Schema.Array(ShownSetting),
  /** A sentence for each value that is needed and not set. */
  missing: Schema.Array(Schema.String),
  /** A sentence for all that is invalid. */
  problems: Schema.Array(Schema.String)
})
export type Configuration = typeof Configuration.Type
