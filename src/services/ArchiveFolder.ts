/**
 * Where verified archives are kept once their hours have landed, named by window. Without this
 * service, a run keeps none.
 *
 * @module
 */
import { Context, type Effect, Schema } from "effect"
import type { SpooledArchive } from "./Spool.ts"

/** Why an archive could not be kept, opened or removed, or a folder not be listed. */
export class ArchiveError extends Schema.TaggedError<ArchiveError>()("ArchiveError", {
  reason: Schema.Literal("NotFound", "NoSpace", "AccessDenied", "Misconfigured", "Failed"),
  method: Schema.Literal("keep", "open", "list", "remove"),
  /** The file, or the folder of archives. */
  path: Schema.String,
  detail: Schema.String
}) {
  /** True if the same call may succeed later. */
  get isTransient(): boolean {
    return false
  }
  override get message(): string {
    const what = this.method === "list" ? "archives in" : "archive"
    return `Cannot ${this.method} the ${what} "${this.path}": ${this.reason}: ${this.detail}`
  }
}

/** An archive that a run kept. */
export interface KeptArchive {
  readonly path: string
  /** In bytes. */
  readonly size: number
  /**
   * Modification time in milliseconds since 1970: the time of the request, unless the file was
   * touched.
   */
  readonly written: number
}

export class ArchiveFolder extends Context.Tag("amplitude-lake/ArchiveFolder")<
  ArchiveFolder,
  {
    /**
     * Keeps a copy named by its window, durable when this returns, and returns its path. Never
     * changes an existing file: if the name is taken by a different archive, the digest is added to
     * the name. `isComplete` means that every hour without lines was settled when it was requested;
     * otherwise the name says `pending`.
     */
    readonly keep: (
      archive: SpooledArchive,
      isComplete: boolean
    ) => Effect.Effect<string, ArchiveError>

    /** The files with a name that `keep` gives. Empty if there is no folder. */
    readonly list: Effect.Effect<ReadonlyArray<KeptArchive>, ArchiveError>

    /** Removes a listed archive. Does nothing if it is gone. */
    readonly remove: (archive: KeptArchive) => Effect.Effect<void, ArchiveError>
  }
>() {}
