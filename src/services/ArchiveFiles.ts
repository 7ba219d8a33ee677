/**
 * Archive files that replace Amplitude as the source: kept by a run, or downloaded by hand.
 *
 * @module
 */
import { Context, type Effect, type Scope } from "effect"
import type { ArchiveError } from "./ArchiveFolder.ts"
import type { SpooledArchive } from "./Spool.ts"

/** What is known of a file before it is read. It still has to be verified. */
export interface ArchiveFile {
  /**
   * Its window is from its name, or all of time. `askedAt` is its modification time, which a copy
   * may have changed.
   */
  readonly archive: SpooledArchive
  /** Whether its name says that the window was requested, and every hour without lines was settled. */
  readonly isComplete: boolean
  /** Whether the window is from the name. */
  readonly isNamed: boolean
}

export class ArchiveFiles extends Context.Tag("amplitude-lake/ArchiveFiles")<
  ArchiveFiles,
  {
    /** Opens a file for reading until the scope closes. Never changes, moves or removes it. */
    readonly open: (file: string) => Effect.Effect<ArchiveFile, ArchiveError, Scope.Scope>
  }
>() {}
