/**
 * Archives that were kept after their hours had landed, each in a file named by its window.
 *
 * @module
 */
import { Context, type Effect, Schema } from "effect"

/** Why kept archives could not be listed or removed. */
export class KeptArchivesError extends Schema.TaggedError<KeptArchivesError>()(
  "KeptArchivesError",
  {
    reason: Schema.Literal("AccessDenied", "Misconfigured", "Failed"),
    method: Schema.Literal("list", "remove"),
    /** The file or folder. */
    path: Schema.String,
    detail: Schema.String
  }
) {
  /** True when the same call may succeed later, unchanged. */
  get isTransient(): boolean {
    return false
  }
  override get message(): string {
    return `Cannot ${this.method} kept archives in "${this.path}": ${this.reason}: ${this.detail}`
  }
}

export interface KeptArchive {
  readonly path: string
  /** In bytes. */
  readonly size: number
  /** When it was written, in milliseconds since 1970. */
  readonly written: number
}

export class KeptArchives extends Context.Tag("amplitude-lake/KeptArchives")<
  KeptArchives,
  {
    /** Every archive that is named by a window; other files are none of them. */
    readonly list: Effect.Effect<ReadonlyArray<KeptArchive>, KeptArchivesError>

    /** Removes a listed archive; nothing happens when it is gone. */
    readonly remove: (archive: KeptArchive) => Effect.Effect<void, KeptArchivesError>
  }
>() {}
