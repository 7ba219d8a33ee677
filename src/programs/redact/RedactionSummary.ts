import { Schema } from "effect"
import { Hour } from "../../services/Hour.ts"
import { ExitCode } from "../run/exitCode.ts"
import { FailureKind } from "../run/HourOutcome.ts"

/** A place that holds lines about these people, and what became of them. */
export const FoundLinesAt = Schema.Struct({
  place: Schema.Literal(
    /** An object of an hour in the store. */
    "store",
    /** What was replaced, and is kept below `.amplitude-lake-replaced/`. */
    "replaced",
    /** An hour in staging. */
    "staged",
    /** A copy of a refused hour below `failed_uploads/` in staging. */
    "refused",
    /** An archive in the spool. */
    "spooled",
    /** A kept archive. */
    "archive"
  ),
  /** Full address. */
  path: Schema.String,
  hour: Schema.optional(Hour),
  /** Lines about these people; 0 for an unfinished download, which cannot be searched. */
  lines: Schema.NonNegativeInt,
  /** `rewritten` without these lines; `removed` as a whole. */
  fate: Schema.Literal("found", "rewritten", "removed", "failed")
}).annotations({ identifier: "FoundLinesAt" })
export type FoundLinesAt = typeof FoundLinesAt.Type

const Named = { path: Schema.String, message: Schema.String }

/** What was found of people, and removed. */
export class RedactionSummary extends Schema.Class<RedactionSummary>("RedactionSummary")({
  /** Whether lines were removed: without it, they were only counted. */
  applied: Schema.Boolean,
  /** How many ids were searched for. */
  ids: Schema.NonNegativeInt,
  found: Schema.Array(FoundLinesAt),
  /** Everything that was read. */
  searched: Schema.Struct({
    /** Objects, staged files and archives. */
    objects: Schema.NonNegativeInt,
    lines: Schema.NonNegativeInt,
    /** Of the lines, uncompressed. */
    bytes: Schema.NonNegativeInt
  }),
  /**
   * Lines that stay because nothing tells whom they are about: without both braces, or holding the
   * text of an id in what is no JSON object. Other lines are not parsed, and not counted if broken.
   */
  unparsed: Schema.NonNegativeInt,
  /** What was not searched, and why. */
  unsearched: Schema.Array(Schema.Struct(Named)),
  /** Rewritten hours of other pipelines: they have no metadata by which a warehouse could follow. */
  unverified: Schema.Array(Hour),
  failed: Schema.Array(Schema.Struct({ ...Named, kind: FailureKind, error: Schema.String })),
  /** Objects, files and archives that were not reached within the run's longest duration. */
  postponed: Schema.NonNegativeInt,
  retries: Schema.NonNegativeInt,
  durationMs: Schema.NonNegativeInt,
  /** 3 while lines are left that were only counted, or not reached; 8, 7, 3 or 5 if something failed. */
  exitCode: ExitCode
}) {}
