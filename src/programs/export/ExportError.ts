import { Schema } from "effect"

/** Tables cannot be exported. Nothing was changed in the folder. */
export class ExportError extends Schema.TaggedError<ExportError>()("ExportError", {
  reason: Schema.Literal(
    /** The models were never built. */
    "NotModelled",
    /** The warehouse can write no files. */
    "NoFiles",
    /** The folder holds the tables of another Amplitude project. */
    "OtherProject",
    /** A file that was read back does not hold the rows of its table. */
    "Differs"
  ),
  detail: Schema.String
}) {
  /** Always `false`: a retry within the same run cannot help. */
  get isTransient(): boolean {
    return false
  }
  override get message(): string {
    return `Cannot export the tables: ${this.reason}: ${this.detail}`
  }
}
