import { Schema } from "effect"
import { Hour } from "../../services/Hour.ts"
import { OpenConflict } from "../resolve/OpenConflict.ts"
import { ExitCode } from "../run/exitCode.ts"
import { FailureKind } from "../run/HourOutcome.ts"

const Hours = Schema.Array(Hour)

const Version = Schema.Struct({ events: Schema.NonNegativeInt, lineset: Schema.String })

/** An hour that was replaced by what Amplitude returns now, or would be. */
export const RelandedHour = Schema.Struct({
  hour: Hour,
  /** Full address of its object. */
  object: Schema.String,
  /** Full address of the object that was there before; `null` if nothing was written. */
  replaced: Schema.NullOr(Schema.String),
  before: Version,
  after: Version
}).annotations({ identifier: "RelandedHour" })
export type RelandedHour = typeof RelandedHour.Type

/** What became of the hours between two dates. Hours are listed oldest first. */
export class RelandSummary extends Schema.Class<RelandSummary>("RelandSummary")({
  window: Schema.Struct({ first: Hour, last: Hour }),
  /** Whether nothing was written: `replaced` are the hours that would be. */
  dryRun: Schema.Boolean,
  replaced: Schema.Array(RelandedHour),
  /** Amplitude returns the same lines. */
  same: Hours,
  /** Amplitude returns what the hour held before a person's events were removed from it. */
  redacted: Hours,
  /** A person has chosen the store's version over what Amplitude returns. */
  decided: Hours,
  /** Not in the store, so that there is nothing to replace. */
  absent: Hours,
  /** Not closed when they were requested. */
  open: Hours,
  /** Not reached within the run's longest duration. */
  postponed: Hours,
  failed: Schema.Array(
    Schema.Struct({
      hour: Hour,
      kind: FailureKind,
      error: Schema.String,
      message: Schema.String
    })
  ),
  /** Conflicts of the lake that are still open. */
  conflicts: Schema.Array(OpenConflict),
  /** Lines of the hours that were replaced, as they are now. */
  events: Schema.NonNegativeInt,
  retries: Schema.NonNegativeInt,
  durationMs: Schema.NonNegativeInt,
  /** 8 if an hour was refused or a conflict is open, else 7, 3 or 5 as for a run. */
  exitCode: ExitCode
}) {}
