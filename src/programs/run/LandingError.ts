import { Schema } from "effect"

/** Why an exported hour did not land, or why the run stopped before it. */
export class LandingError extends Schema.TaggedError<LandingError>()("LandingError", {
  reason: Schema.Literal(
    /** The store has a different version of the hour. Nothing was overwritten. */
    "Conflict",
    /** The store has the hour in several versions, so it cannot be compared with any. */
    "Doubled",
    /**
     * What was read back after the put, in the store or from a copy in staging, differs from what
     * was put.
     */
    "NotVerified",
    /** The archive belongs to another Amplitude project than the hours already there. */
    "OtherProject",
    /** A staged file does not match its metadata. */
    "StagedFileChanged",
    /** A file of another program is in staging in place of the hour. */
    "ForeignFile",
    /** A file of another program is in a form that cannot be uploaded. */
    "ForeignForm",
    /** An hour of another lake is in staging in place of the hour. */
    "StagedForAnotherLake",
    /** The run's time limit expired. */
    "OutOfTime"
  ),
  detail: Schema.String,
  /**
   * Of a `Conflict`: whether the store has a mark of it, so that later runs name it without the
   * original.
   */
  isRecorded: Schema.optional(Schema.Boolean)
}) {
  /** Always `false`: a retry within the same run cannot help. */
  get isTransient(): boolean {
    return false
  }
  /** Whether the original may go: a copy is kept, and every later run names the conflict. */
  get isKeptConflict(): boolean {
    return this.reason === "Conflict" && this.isRecorded === true
  }
  override get message(): string {
    const what = this.reason === "OutOfTime" ? "Cannot finish" : "Cannot land the hour"
    return `${what}: ${this.reason}: ${this.detail}`
  }
}
