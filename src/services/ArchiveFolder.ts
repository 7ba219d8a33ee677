/**
 * Where verified archives are kept once their hours are landed, each named by its window. A run that is given none keeps none.
 *
 * @module
 */
import { Context, type Effect, Schema } from "effect"
import type { SpooledArchive } from "./Spool.ts"

/** Why an archive could not be kept, opened or removed, or those of a folder not be listed. */
export class ArchiveError extends Schema.TaggedError<ArchiveError>()("ArchiveError", {
  reason: Schema.Literal("NotFound", "NoSpace", "AccessDenied", "Misconfigured", "Failed"),
  method: Schema.Literal("keep", "open", "list", "remove"),
  /** The file, or the folder that holds archives. */
  path: Schema.String,
  detail: Schema.String
}) {
  /** True when the same call may succeed later, unchanged. */
  get isTransient(): boolean {
    return false
  }
  override get message(): string {
    const what = this.method === "list" ? "archives in" : "archive"
    return `Cannot ${this.method} the ${what} "${this.path}": ${this.reason}: ${this.detail}`
  }
}

/** An archive that some run kept. */
export interface KeptArchive {
  readonly path: string
  /** In bytes. */
  readonly size: number
  /** When it was last written, in milliseconds since 1970: the time at which it was asked for, unless somebody touched it. */
  readonly written: number
}

export class ArchiveFolder extends Context.Tag("amplitude-lake/ArchiveFolder")<
  ArchiveFolder,
  {
    /**
     * Keeps a copy under the name of its window, durable once this returns, and says where. Nothing that stands there is
     * ever changed: where it is another archive of that window, ours gets its digest into its name. `isComplete` says that
     * every hour that it lacks had been settled when it was asked for; the name of any other says `pending`.
     */
    readonly keep: (
      archive: SpooledArchive,
      isComplete: boolean
    ) => Effect.Effect<string, ArchiveError>

    /** What bears a name that `keep` gives, by path; any other file is none. No folder has none. */
    readonly list: Effect.Effect<ReadonlyArray<KeptArchive>, ArchiveError>

    /** Removes a listed archive; nothing happens when it is gone. */
    readonly remove: (archive: KeptArchive) => Effect.Effect<void, ArchiveError>
  }
>() {}
