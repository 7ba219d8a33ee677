import { Schema } from "effect"
import { ExitCode } from "../run/exitCode.ts"

const Count = Schema.NonNegativeInt

const TableSummary = Schema.Struct({
  name: Schema.String,
  rows: Count,
  /** Files that it has now. */
  files: Count,
  /** Those among them that are new or changed. */
  written: Count,
  /** Files of dates that the table no longer has. */
  removed: Count
})

/** What an export of tables did. */
export class ExportSummary extends Schema.Class<ExportSummary>("ExportSummary")({
  /** Full path of the folder. */
  folder: Schema.String,
  /** Whether nothing was written: `written` and `removed` are what would be. */
  dryRun: Schema.Boolean,
  /** Every table in the folder, and those that are gone from it, by name. */
  tables: Schema.Array(TableSummary),
  rows: Count,
  files: Count,
  written: Count,
  removed: Count,
  /** Bytes of the written files; 0 with `dryRun`. */
  bytes: Count,
  /** Loaded hours that the tables do not hold as they were loaded last, or hold and the ledger does not. */
  notModelled: Count,
  retries: Count,
  durationMs: Count,
  /** 3 if hours are not modelled. */
  exitCode: ExitCode
}) {}
