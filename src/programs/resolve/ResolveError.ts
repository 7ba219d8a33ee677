import { Schema } from "effect"

/** Why what a person decided about a lake could not be recorded. Nothing was changed. */
export class ResolveError extends Schema.TaggedError<ResolveError>()("ResolveError", {
  reason: Schema.Literal(
    /** No gap lies between the dates. */
    "NoGap",
    /** No acceptance of this name counts. */
    "UnknownAcceptance"
  ),
  detail: Schema.String
}) {
  /** Never: the same decision fails the same way. */
  get isTransient(): boolean {
    return false
  }
  override get message(): string {
    return `Cannot record the decision: ${this.reason}: ${this.detail}`
  }
}
