import { Schema } from "effect"

/** Why what a person decided about a lake could not be recorded. No hour was changed. */
export class ResolveError extends Schema.TaggedError<ResolveError>()("ResolveError", {
  reason: Schema.Literal(
    /** No gap lies between the dates. */
    "NoGap",
    /** No acceptance of this name counts. */
    "UnknownAcceptance",
    /** The hour has no open conflict. */
    "NoConflict",
    /** Our version is not on this machine, and Amplitude could not be asked. */
    "CopyElsewhere",
    /** Several versions were refused, so `ours` could be any of them. */
    "Ambiguous",
    /** The store's object is another one than when the conflict was found. */
    "ObjectChanged",
    /** The store holds the hour in several objects, which no single one can replace. */
    "SeveralObjects",
    /** The store has the hour in several versions, so only a key says which is meant. */
    "Doubled",
    /** The key is not that of an object of the hour. */
    "UnknownKey",
    /** A person has chosen another version of the hour. */
    "Decided",
    /** A person's events were removed from the object, and ours may contain them. */
    "Redacted",
    /** Amplitude returns other lines than those that were refused. */
    "OtherVersion",
    /** Amplitude returns no events for an hour that has some. */
    "Emptied"
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
