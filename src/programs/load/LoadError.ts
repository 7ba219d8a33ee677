import { Schema } from "effect"

/** Why an hour was not loaded, or why no hour was. */
export class LoadError extends Schema.TaggedError<LoadError>()("LoadError", {
  reason: Schema.Literal(
    /** The warehouse holds another Amplitude project. */
    "OtherProject",
    /** The warehouse was loaded from another place, which has other lines. */
    "OtherPlace",
    /** The object is not what its metadata say. */
    "Differs",
    /** The hour whose load is to be replaced is not in the store. */
    "NotLanded",
    /** Only a load brings lines into the warehouse. */
    "NoPipe"
  ),
  detail: Schema.String
}) {
  /** Always `false`: a retry within the same run cannot help. */
  get isTransient(): boolean {
    return false
  }
  override get message(): string {
    return `Cannot load: ${this.reason}: ${this.detail}`
  }
}
