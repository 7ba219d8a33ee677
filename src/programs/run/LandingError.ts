import { Schema } from "effect"

/** Why an hour that could be had was not landed, or why a run stopped short of it. */
export class LandingError extends Schema.TaggedError<LandingError>()("LandingError", {
  reason: Schema.Literal(
    /** Another object stands for the hour, with other lines. Nothing was overwritten. */
    "Conflict",
    /** What lies there after the put, in the store or as a copy in staging, is not what was put. */
    "NotVerified",
    /** The archive is of another Amplitude project than the hours that stand here. */
    "OtherProject",
    /** A staged file is not what its metadata says. */
    "StagedFileChanged",
    /** A file of another program stands in staging in the hour's place. */
    "ForeignFile",
    /** The run's longest duration was over. */
    "OutOfTime"
  ),
  detail: Schema.String
}) {
  /** Never within this run. */
  get isTransient(): boolean {
    return false
  }
  override get message(): string {
    return `Cannot land the hour: ${this.reason}: ${this.detail}`
  }
}
