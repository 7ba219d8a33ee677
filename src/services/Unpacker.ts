/**
 * Opens spooled archives, and returns nothing of them until every check has passed.
 *
 * @module
 */
import { Context, type Effect, type Option, Schema, type Scope, type Stream } from "effect"
import type { Hour } from "./Hour.ts"
import type { Format } from "./HourKey.ts"
import type { LinesDigest } from "./LinesDigest.ts"
import type { SpooledArchive } from "./Spool.ts"

/** Why an archive, or an hour of it, was rejected: download it again. */
export class UnpackerError extends Schema.TaggedError<UnpackerError>()("UnpackerError", {
  reason: Schema.Literal(
    /** Not a zip; an error page, for example. */
    "NotZip",
    /** It ends earlier than its directory says. */
    "Truncated",
    /** Its directory, sizes, checksums or gzip members contradict each other. */
    "Corrupt",
    /** Encrypted, split over disks, or compressed by a method that Amplitude does not use. */
    "Unsupported",
    /** An entry that is not a part of the requested window and project, or occurs twice. */
    "UnexpectedEntry",
    /** Larger than anything that Amplitude sends; probably a zip bomb. */
    "LimitExceeded",
    /** A part whose first line does not begin with `{`. */
    "NotJsonLines",
    /** The spool could not be read. */
    "Unreadable"
  ),
  /** The file. */
  path: Schema.String,
  /** The entry of the archive, if the problem is in one. */
  entry: Schema.optional(Schema.String),
  detail: Schema.String
}) {
  /**
   * Always `false`: the same bytes fail the same way. Whether to download again is up to the
   * program.
   */
  get isTransient(): boolean {
    return false
  }
  override get message(): string {
    const entry = this.entry === undefined ? "" : `entry "${this.entry}" of `
    return `Cannot unpack ${entry}"${this.path}": ${this.reason}: ${this.detail}`
  }
}

/** An hour of a verified archive. */
export interface UnpackedHour extends LinesDigest {
  readonly hour: Hour
  readonly parts: number
  /** Size of its object in bytes. */
  readonly size: number
  /** SHA-256 of its object, in hexadecimal. */
  readonly sha256: string
  /**
   * The object's bytes: parts by number, each ending in a newline. Can be run again; fails if the
   * spooled file has changed.
   */
  readonly body: Stream.Stream<Uint8Array, UnpackerError>
  /** The same in memory that is used again, as `NewObject.lent` says. */
  readonly lent?: Stream.Stream<Uint8Array, UnpackerError> | undefined
  /** A file with the same bytes, flushed to disk. Absent if the unpacker wrote none. */
  readonly draft?: string | undefined
}

export interface UnpackedArchive {
  /** Amplitude's project; `None` if the archive has no parts. */
  readonly project: Option.Option<string>
  /** The hours with parts, oldest first. */
  readonly hours: ReadonlyMap<Hour, UnpackedHour>
  /** The hours of which a part was refused, and why; empty unless the archive was opened for salvage. */
  readonly broken: ReadonlyMap<Hour, UnpackerError>
}

export interface OpenOptions {
  /**
   * Whether a refused part costs only its hour. A bad directory still costs the whole archive.
   * Defaults to `false`.
   */
  readonly salvage?: boolean | undefined
  /**
   * Whether the archive may have been unpacked and packed again on a desktop: files that it added,
   * such as `__MACOSX/` and `.DS_Store`, are passed over with a warning. Defaults to `false`.
   */
  readonly repacked?: boolean | undefined
  /**
   * An empty file to which the hour's object may be written while it is verified; `None` for an hour
   * that needs none. The drafts of a refused archive are removed before it is refused.
   */
  readonly draftFor?:
    | ((hour: Hour) => Effect.Effect<Option.Option<string>, never, Scope.Scope>)
    | undefined
}

export interface DigestOptions<E = never, R = never> {
  /** Whether each line is parsed, too, which takes ten times as long. Defaults to `false`. */
  readonly parse?: boolean | undefined
  /** Receives the lines as they are counted, split anywhere, in memory that is used again. */
  readonly onLines?: ((lines: Uint8Array) => Effect.Effect<void, E, R>) | undefined
  /** Bytes of the object, if they are known: those of a large one may be read by another thread. */
  readonly size?: number | undefined
}

export interface ObjectDigest extends LinesDigest {
  readonly size: number
  readonly sha256: string
  /** Lines that are anything but one JSON object in UTF-8; only if they were parsed. */
  readonly invalid?: number
}

export class Unpacker extends Context.Tag("amplitude-lake/Unpacker")<
  Unpacker,
  {
    /**
     * Reads the whole archive once and verifies it: directory, names, sizes, CRCs, gzip trailers
     * and lines.
     */
    readonly open: (
      archive: SpooledArchive,
      format: Format,
      options?: OpenOptions
    ) => Effect.Effect<UnpackedArchive, UnpackerError, Scope.Scope>

    /**
     * The digest of the lines of a stored object, with its size in bytes and SHA-256. Fails with what
     * `onLines` fails with.
     */
    readonly digest: <E, E2 = never, R = never>(
      path: string,
      body: Stream.Stream<Uint8Array, E>,
      format: Format,
      options?: DigestOptions<E2, R>
    ) => Effect.Effect<ObjectDigest, UnpackerError | E | E2, R>

    /**
     * A stored object without the lines of these numbers, compressed as it was. Lines count from 0,
     * empty ones too, and the numbers ascend. Can be run again if the body can.
     */
    readonly cut: <E>(
      path: string,
      body: Stream.Stream<Uint8Array, E>,
      format: Format,
      numbers: ReadonlyArray<number>
    ) => Stream.Stream<Uint8Array, UnpackerError | E>

    /**
     * Whether archives are inflated by faster calls inside the runtime that it does not document.
     */
    readonly undocumentedCalls: Effect.Effect<"used" | "switched off" | "not available">
  }
>() {}
