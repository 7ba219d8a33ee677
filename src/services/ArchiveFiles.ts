/**
 * Files that stand in for Amplitude: archives that were kept, or downloaded by hand.
 *
 * @module
 */
import { Context, type Effect, type Scope } from "effect"
import type { ArchiveError } from "./ArchiveFolder.ts"
import type { SpooledArchive } from "./Spool.ts"

/** What is known of a file before it is read; it has to be verified as any other archive. */
export interface ArchiveFile {
  /** Its window is the name's, or all of time; `askedAt` is when the file was last written, which a copy may have made later. */
  readonly archive: SpooledArchive
  /** Whether the name says that its window was asked for, and all that it lacks settled. */
  readonly isComplete: boolean
  /** Whether the window is the name's. */
  readonly isNamed: boolean
}

export class ArchiveFiles extends Context.Tag("amplitude-lake/ArchiveFiles")<
  ArchiveFiles,
  {
    /** Opens a file for reading until the scope closes. It is never changed, moved or removed. */
    readonly open: (file: string) => Effect.Effect<ArchiveFile, ArchiveError, Scope.Scope>
  }
>() {}
