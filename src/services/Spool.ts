/**
 * Where an archive is downloaded before it is trusted, and waits for the next run when its hours could not all be put.
 *
 * @module
 */
import { Context, type Effect, type Option, Schema, type Scope, type Stream } from "effect"
import type { Window } from "./Window.ts"

/** Why the spool could not be read or written. */
export class SpoolError extends Schema.TaggedError<SpoolError>()("SpoolError", {
  reason: Schema.Literal("NoSpace", "AccessDenied", "Misconfigured", "Failed"),
  method: Schema.Literal("open", "save", "list", "claim", "read", "drop"),
  /** The file or folder. */
  path: Schema.String,
  detail: Schema.String
}) {
  /** True when the same call may succeed later, unchanged. */
  get isTransient(): boolean {
    return false
  }
  override get message(): string {
    return `Cannot ${this.method} "${this.path}" in the spool: ${this.reason}: ${this.detail}`
  }
}

/** What a spooled archive is named by. */
export interface ArchiveName {
  /** `Amplitude.identity` of the source that sent it. */
  readonly identity: string
  readonly window: Window
  /** When it was asked for, in milliseconds since 1970. */
  readonly askedAt: number
}

/** An archive that this run holds and nobody else touches. */
export interface SpooledArchive extends ArchiveName {
  /** Where it lies, for messages. */
  readonly path: string
  /** In bytes. */
  readonly size: number
  /**
   * The bytes from `position` on: `length` of them, fewer only at the end of the file. They lie at the beginning of `into`,
   * which has room for them, or else in memory that is the caller's own.
   */
  readonly read: (
    position: number,
    length: number,
    into?: Uint8Array
  ) => Effect.Effect<Uint8Array, SpoolError>
}

/** A file of the spool that no live run holds. */
export interface LeftFile {
  readonly path: string
  /** In bytes. */
  readonly size: number
}

export interface SpoolSurvey {
  /** Whole archives of every source, also those of runs that died. */
  readonly archives: ReadonlyArray<ArchiveName & LeftFile>
  /** Half-downloaded archives of runs that died: of no use to anyone. */
  readonly halves: ReadonlyArray<LeftFile>
}

export class Spool extends Context.Tag("amplitude-lake/Spool")<
  Spool,
  {
    /**
     * Writes an archive, durable once this returns, and holds it. When the scope closes it is put back for the next run,
     * unless it was dropped. A body that fails leaves nothing. `size` in bytes, where known, is looked for on the disk first.
     */
    readonly save: <E>(
      name: ArchiveName,
      bytes: Stream.Stream<Uint8Array, E>,
      size: Option.Option<number>
    ) => Effect.Effect<SpooledArchive, SpoolError | E, Scope.Scope>

    /** Whole archives that nobody holds, also those of runs that died; oldest window first. */
    readonly list: (identity: string) => Effect.Effect<ReadonlyArray<ArchiveName>, SpoolError>

    /** Holds a listed archive until the scope closes; `None` when another run was first. It has to be verified anew. */
    readonly claim: (
      name: ArchiveName
    ) => Effect.Effect<Option.Option<SpooledArchive>, SpoolError, Scope.Scope>

    /** Removes an archive that this run holds. */
    readonly drop: (archive: SpooledArchive) => Effect.Effect<void, SpoolError>

    /** What lies here that no live run holds, whoever's it is. Changes nothing. */
    readonly survey: Effect.Effect<SpoolSurvey, SpoolError>

    /** Removes the halves that dead runs left; their whole archives are kept. */
    readonly prune: Effect.Effect<void, SpoolError>
  }
>() {}
