import { Schema } from "effect"

/** A file that a model is to be made of cannot be used. Nothing was changed. */
export class ModelError extends Schema.TaggedError<ModelError>()("ModelError", {
  reason: Schema.Literal(
    /** Some lines are wrong. */
    "BadLines",
    /** There is no model of that name. */
    "UnknownModel"
  ),
  /** What is wrong, line by line. */
  detail: Schema.String
}) {
  /** Always `false`: a retry within the same run cannot help. */
  get isTransient(): boolean {
    return false
  }
  override get message(): string {
    return `Cannot build the models: ${this.reason}: ${this.detail}`
  }
}
