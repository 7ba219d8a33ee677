import { Schema } from "effect"
import { Hour } from "../../services/Hour.ts"
import { OpenConflict } from "../resolve/OpenConflict.ts"
import { ExitCode } from "../run/exitCode.ts"
import { FailureKind } from "../run/HourOutcome.ts"

const Hours = Schema.Array(Hour)

/** What a copy of a lake did. Hours are listed oldest first. */
export class CopySummary extends Schema.Class<CopySummary>("CopySummary")({
  /** Full address of the target with its prefix. */
  target: Schema.String,
  /** Whether nothing was written: `copied` are the hours that would be. */
  dryRun: Schema.Boolean,
  copied: Hours,
  /** The target has them with the same lines, or in a newer version. */
  skipped: Hours,
  /** Copied hours of other pipelines, which have no metadata to compare with. */
  unverified: Hours,
  /** Not reached within the run's longest duration. */
  postponed: Hours,
  /** Hours that the target has with other lines, and those that could not be copied. */
  failed: Schema.Array(
    Schema.Struct({
      hour: Hour,
      kind: FailureKind,
      error: Schema.String,
      message: Schema.String
    })
  ),
  /** Conflicts of the source that nobody has resolved. */
  conflicts: Schema.Array(OpenConflict),
  /** Decisions of people, and versions that were replaced, that were not in the target before. */
  records: Schema.NonNegativeInt,
  /** Lines in the copied hours with metadata. */
  events: Schema.NonNegativeInt,
  /** Bytes of the copied objects in the target. */
  bytes: Schema.NonNegativeInt,
  retries: Schema.NonNegativeInt,
  durationMs: Schema.NonNegativeInt,
  /** 8 if an hour differs or a conflict is open, else 7, 3 or 5 as for a run. */
  exitCode: ExitCode
}) {}
