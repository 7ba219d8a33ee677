/**
 * The local folders that a run writes to, that of an export among them.
 *
 * @module
 */
import { Context, type Effect, type Option, Schema, type Scope } from "effect"

/** Why a folder cannot be used. */
export class FolderError extends Schema.TaggedError<FolderError>()("FolderError", {
  reason: Schema.Literal(
    "AccessDenied",
    "Misconfigured",
    /** It holds files of somebody else. */
    "Foreign",
    /** Another run writes to it. */
    "Busy",
    "NoSpace",
    "Failed"
  ),
  path: Schema.String,
  detail: Schema.String
}) {
  /** True if the same call may succeed later. */
  get isTransient(): boolean {
    return this.reason === "Busy"
  }
  override get message(): string {
    return `Cannot use the folder "${this.path}": ${this.reason}: ${this.detail}`
  }
}

export interface WorkingFolder {
  /** What it is for, in one word. */
  readonly name: string
  readonly path: string
  /**
   * Creates a file there durably, links it and removes it, and returns the free bytes. If the
   * folder does not exist yet, uses its nearest existing parent. Leaves nothing behind.
   */
  readonly tryOut: Effect.Effect<number, FolderError>
}

export class Folders extends Context.Tag("amplitude-lake/Folders")<
  Folders,
  { readonly all: ReadonlyArray<WorkingFolder> }
>() {}

/** A Parquet file of an export: the rows of a table, or those of one date. */
export const ExportedFile = Schema.Struct({
  table: Schema.String,
  /** `null` for all rows of a table without dates, and for rows without one. */
  date: Schema.NullOr(Schema.String),
  /** Below the folder, with `/`. */
  path: Schema.String,
  rows: Schema.NonNegativeInt,
  /** Of the rows in any order, by the warehouse's own hash. */
  digest: Schema.String,
  bytes: Schema.NonNegativeInt,
  /** Of the file's own bytes. */
  sha256: Schema.String
})
export type ExportedFile = typeof ExportedFile.Type

export const ExportedTable = Schema.Struct({
  name: Schema.String,
  /** The column whose UTC date is that of a file; `null` for a table in one file. */
  datedBy: Schema.NullOr(Schema.String),
  columns: Schema.Array(Schema.Struct({ name: Schema.String, type: Schema.String }))
})
export type ExportedTable = typeof ExportedTable.Type

/** What a folder holds: every file of the last export that was finished there. */
export class ExportManifest extends Schema.Class<ExportManifest>("ExportManifest")({
  producer: Schema.Literal("amplitude-lake"),
  format: Schema.Literal(1),
  /** The version of this program. */
  version: Schema.String,
  /** Amplitude's project, if the warehouse knows it. */
  project: Schema.NullOr(Schema.String),
  /** In ISO 8601. */
  exportedAt: Schema.String,
  tables: Schema.Array(ExportedTable),
  files: Schema.Array(ExportedFile)
}) {}

/** What an export's folder holds. */
export interface StandingExport {
  /** `None` before the first export. */
  readonly manifest: Option.Option<ExportManifest>
  /** Paths of its files that are gone, or have another size. */
  readonly damaged: ReadonlySet<string>
}

/** A folder that no other export changes. */
export interface OpenExport extends StandingExport {
  /** Where to write a file, given its path below the folder. No reader looks there. */
  readonly stage: (path: string) => Effect.Effect<string, FolderError>
  /** Makes a staged file durable, and reads its bytes. */
  readonly seal: (
    path: string
  ) => Effect.Effect<Pick<ExportedFile, "bytes" | "sha256">, FolderError>
  /**
   * Puts the staged files in place, each by a rename, removes those that the manifest no longer
   * names, and then replaces the manifest. Once begun, it is ended by the next run at the latest.
   */
  readonly publish: (manifest: ExportManifest) => Effect.Effect<void, FolderError>
}

/** The folder that tables are exported to. */
export class ExportFolder extends Context.Tag("amplitude-lake/ExportFolder")<
  ExportFolder,
  {
    /** The folder, for messages. */
    readonly place: string

    /** Looks at it and changes nothing. Fails with `Foreign` where it holds other files. */
    readonly look: Effect.Effect<StandingExport, FolderError>

    /**
     * Holds the folder until the scope closes, makes it if it does not exist, and ends what a killed
     * export had begun. `Busy` while another export has it; `Foreign` where it holds other files.
     */
    readonly open: Effect.Effect<OpenExport, FolderError, Scope.Scope>
  }
>() {}
