import { Schema } from "effect"
import { Hour } from "../../services/Hour.ts"

/** Staged hours that this lake leaves alone: those of one project, staged for one lake. */
export const StagedElsewhere = Schema.Struct({
  /** Location of the lake that they were staged for; empty for hours of version 0.1.0. */
  lake: Schema.String,
  /** Their Amplitude project; empty if nothing tells it. */
  project: Schema.String,
  hours: Schema.Int,
  first: Hour,
  last: Hour,
  /** Whether they may be of this lake's project, so that a person may upload them here. */
  isAdoptable: Schema.Boolean
}).annotations({ identifier: "StagedElsewhere" })
export type StagedElsewhere = typeof StagedElsewhere.Type
