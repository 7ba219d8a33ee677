/**
 * Where verified archives are kept once their hours are landed. A run that is given none keeps none.
 *
 * @module
 */
import { Context, type Effect, Schema } from "effect"
import type { SpooledArchive } from "./Spool.ts"

/** Why an archive could not be kept, or a file not be opened as one. */
export class ArchiveError extends Schema.TaggedError<ArchiveError>()("ArchiveError", {
  reason: Schema.Literal("NotFound", "NoSpace", "AccessDenied", "Misconfigured", "Failed"),
  method: Schema.Literal("keep", "open"),
  /** The file. */
  path: Schema.String,
  detail: Schema.String
}) {
  /** True when the same call may succeed later, unchanged. */
  get isTransient(): boolean {
    return false
  }
  override get message(): string {
    return `Cannot ${this.method} the archive "${this.path}": ${this.reason}: ${this.detail}`
  }
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
  }
>() {}
