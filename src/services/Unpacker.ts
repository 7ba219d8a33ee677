/**
 * Opens a spooled archive, and believes nothing of it before every check has passed.
 *
 * @module
 */
import { Context, type Effect, type Option, Schema, type Scope, type Stream } from "effect"
import type { Hour } from "./Hour.ts"
import type { Format } from "./HourKey.ts"
import type { LinesDigest } from "./LinesDigest.ts"
import type { SpooledArchive } from "./Spool.ts"

/** What is wrong with an archive. None is ever partly believed: ask for it again. */
export class UnpackerError extends Schema.TaggedError<UnpackerError>()("UnpackerError", {
  reason: Schema.Literal(
    /** No zip at all: an error page, say. */
    "NotZip",
    /** It ends before its directory says. */
    "Truncated",
    /** Its directory, sizes, checksums or gzip members contradict each other. */
    "Corrupt",
    /** Encrypted, split over disks, or compressed by a method that Amplitude does not use. */
    "Unsupported",
    /** An entry that is no part of the asked window and project, or stands there twice. */
    "UnexpectedEntry",
    /** Larger than anything that Amplitude sends: a bomb, most likely. */
    "LimitExceeded",
    /** A part that does not begin with `{`. */
    "NotJsonLines",
    /** The spool could not be read. */
    "Unreadable"
  ),
  /** The file. */
  path: Schema.String,
  /** The entry of the archive, where it is about one. */
  entry: Schema.optional(Schema.String),
  detail: Schema.String
}) {
  /** Never: reading the same bytes again gives the same. Whether to fetch them again is the program's choice. */
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
  /** Bytes of the object to be. */
  readonly size: number
  /** SHA-256 of the object to be, in hexadecimal. */
  readonly sha256: string
  /** The object's bytes: parts by number, each ending in a newline. May be run again; fails if the spool's file changed. */
  readonly body: Stream.Stream<Uint8Array, UnpackerError>
}

export interface UnpackedArchive {
  /** Amplitude's project; `None` for an archive without parts. */
  readonly project: Option.Option<string>
  /** The hours that have parts, oldest first. */
  readonly hours: ReadonlyMap<Hour, UnpackedHour>
}

export class Unpacker extends Context.Tag("amplitude-lake/Unpacker")<
  Unpacker,
  {
    /** Reads the whole archive once and checks all of it: directory, names, sizes, CRCs, gzip trailers, lines. */
    readonly open: (
      archive: SpooledArchive,
      format: Format
    ) => Effect.Effect<UnpackedArchive, UnpackerError, Scope.Scope>

    /** The digest of an object's lines, its size in bytes and SHA-256, as read from a store. */
    readonly digest: <E>(
      path: string,
      body: Stream.Stream<Uint8Array, E>,
      format: Format
    ) => Effect.Effect<
      LinesDigest & { readonly size: number; readonly sha256: string },
      UnpackerError | E
    >
  }
>() {}
