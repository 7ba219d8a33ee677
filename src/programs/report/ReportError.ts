import { Schema } from "effect"

/** A report cannot be made of what the warehouse holds. */
export class ReportError extends Schema.TaggedError<ReportError>()("ReportError", {
  reason: Schema.Literal(
    /** The models were never built, or an older version built them. */
    "NotModelled"
  ),
  detail: Schema.String
}) {
  /** Always `false`: a retry within the same run cannot help. */
  get isTransient(): boolean {
    return false
  }
  override get message(): string {
    return `Cannot make a report: ${this.reason}: ${this.detail}`
  }
}
