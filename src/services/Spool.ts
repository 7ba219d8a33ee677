/**
 * Where an archive is downloaded before it is verified. It waits there for the next run if not all
 * of its hours could be put.
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

/** The name of a spooled archive. */
export interface ArchiveName {
  /** `Amplitude.identity` of its source. */
  readonly identity: string
  readonly window: Window
  /** The time of the request, in milliseconds since 1970. */
  readonly askedAt: number
}

/** An archive that this run holds exclusively. */
export interface SpooledArchive extends ArchiveName {
  /** Its location, for messages. */
  readonly path: string
  /** In bytes. */
  readonly size: number
  /**
   * Reads `length` bytes from `position` on, fewer only at the end of the file: into the beginning
   * of `into`, which must have room, or into memory that the caller owns.
   */
  readonly read: (
    position: number,
    length: number,
    into?: Uint8Array
  ) => Effect.Effect<Uint8Array, SpoolError>
}

/** A file in the spool that no live run holds. */
export interface LeftFile {
  readonly path: string
  /** In bytes. */
  readonly size: number
}

export interface SpoolSurvey {
  /** Whole archives of every source, including those of dead runs. */
  readonly archives: ReadonlyArray<ArchiveName & LeftFile>
  /** Unfinished downloads and other scratch of dead runs, which are useless. */
  readonly halves: ReadonlyArray<LeftFile>
}

export class Spool extends Context.Tag("amplitude-lake/Spool")<
  Spool,
  {
    /**
     * Writes an archive and holds it; `flush` makes it durable. When the scope closes, an archive that
     * was not dropped is flushed and goes back for the next run. A body that fails leaves nothing
     * behind. If the `size` in bytes is known, checks the free space first.
     */
    readonly save: <E>(
      name: ArchiveName,
      bytes: Stream.Stream<Uint8Array, E>,
      size: Option.Option<number>
    ) => Effect.Effect<SpooledArchive, SpoolError | E, Scope.Scope>

    /**
     * Makes a held archive durable; it can be read meanwhile. Until this succeeds, a run that is
     * killed leaves a half, which is never listed. Later and concurrent calls end as the first one
     * did: after a failure the archive does not go back. A claimed archive is durable already.
     */
    readonly flush: (archive: SpooledArchive) => Effect.Effect<void, SpoolError>

    /**
     * Writes bytes that this run alone needs, without flushing them, and returns a body that can be
     * run again until the scope closes. Nothing of them outlives it; what a killed run leaves counts
     * as a half. A body that fails takes no room.
     */
    readonly scratch: <E>(
      bytes: Stream.Stream<Uint8Array, E>
    ) => Effect.Effect<Stream.Stream<Uint8Array, SpoolError>, SpoolError | E, Scope.Scope>

    /** Whole archives that no run holds, including those of dead runs; oldest window first. */
    readonly list: (identity: string) => Effect.Effect<ReadonlyArray<ArchiveName>, SpoolError>

    /**
     * Holds a listed archive until the scope closes; `None` if another run holds it. It must be
     * verified again.
     */
    readonly claim: (
      name: ArchiveName
    ) => Effect.Effect<Option.Option<SpooledArchive>, SpoolError, Scope.Scope>

    /** Removes an archive that this run holds, flushed or not. It cannot be flushed afterwards. */
    readonly drop: (archive: SpooledArchive) => Effect.Effect<void, SpoolError>

    /** Everything in the spool that no live run holds, from any source. Changes nothing. */
    readonly survey: Effect.Effect<SpoolSurvey, SpoolError>

    /** Removes unfinished downloads and other scratch of dead runs. Whole archives stay. */
    readonly prune: Effect.Effect<void, SpoolError>
  }
>() {}
