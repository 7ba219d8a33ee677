import { Effect, Option, Runtime } from "effect"
import { fromRandomAccessReaderPromise, RandomAccessReader, type ZipFile } from "yauzl"
import type { SpooledArchive } from "../../services/Spool.ts"
import type { OpenOptions, UnpackerError } from "../../services/Unpacker.ts"
import { type Read, windowed, withReader } from "./reader.ts"
import { type PartName, parsePartName } from "./partName.ts"
import { printable, Refusal, type Refuse, refusal } from "./refusal.ts"
import { readEnd } from "./zipEnd.ts"
import { checkFolder, entryOf, type ZipEntry } from "./zipEntry.ts"
import { dataStarts } from "./zipSpans.ts"

/** Bytes of the central directory. */
const MAX_DIRECTORY_BYTES = 256 * 1024 ** 2
/** Entries of one archive: a year of hours in 20 parts each. */
const MAX_ENTRIES = 200_000

/**
 * A part on which the directory, its local header and the archive's window agree. Its data has not
 * been read yet.
 */
export interface ZipPart extends ZipEntry, PartName {
  /** Start of its data, in bytes from the start of the archive. */
  readonly dataStart: number
}

/**
 * The parts of an archive in the order of their data, after every check that does not need the
 * data, by https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT. An archive that two tools
 * could read differently is refused.
 */
export const readDirectory = Effect.fn("readDirectory")(function* (
  archive: SpooledArchive,
  { repacked = false }: Pick<OpenOptions, "repacked"> = {}
) {
  const { found, passedOver } = yield* withReader(archive, (read) =>
    directoryOf(archive, read, repacked)
  )
  if (passedOver.size > 0) {
    yield* Effect.logWarning(
      `"${archive.path}" was packed again: passed over ${passedOver.size} files that are not Amplitude's`
    )
  }
  return found
})

/** Files that desktops add to folders and archives. */
const OF_DESKTOPS = /^__MACOSX\/|(^|\/)(\._[^/]*|\.DS_Store|Thumbs\.db|desktop\.ini)$/

async function directoryOf(archive: SpooledArchive, read: Read, repacked: boolean) {
  const refuse = refusal(archive.path)
  if (archive.size === 0) throw refuse("NotZip", "It is empty")
  const near = windowed(read, archive.size)
  const zip = await openZip(near, archive, refuse)
  const end = await readEnd(near, archive.size, zip.comment.length, refuse)
  if (end.entries > MAX_ENTRIES || end.directoryEnd - end.directoryStart > MAX_DIRECTORY_BYTES) {
    throw refuse(
      "LimitExceeded",
      `Its directory has ${end.entries} entries in ${end.directoryEnd - end.directoryStart} bytes`
    )
  }

  const entries: Array<ZipEntry> = []
  const parts = new Map<ZipEntry, PartName>()
  const passedOver = new Set<ZipEntry>()
  const seen = new Set<string>()
  let cursor = end.directoryStart
  try {
    for await (const raw of zip.eachEntry()) {
      const entry = entryOf(raw, archive.path)
      const refuseEntry = refusal(archive.path, entry.name)
      // yauzl does not pass this field on.
      const disk = Buffer.from(await near(cursor + 34, 2)).readUInt16LE()
      if (disk !== 0 && disk !== 0xffff) throw refuseEntry("Unsupported", "It is on another disk")
      cursor += 46 + raw.fileNameLength + raw.extraFieldLength + raw.fileCommentLength
      if (repacked && OF_DESKTOPS.test(entry.name)) passedOver.add(entry)
      const part =
        entry.name.endsWith("/") || passedOver.has(entry)
          ? undefined
          : partOf(entry, archive, refuseEntry, repacked)
      const identity =
        part === undefined ? entry.name : `${part.project}/${part.hour}#${part.number}`
      if (seen.has(identity)) throw refuseEntry("UnexpectedEntry", "It occurs twice")
      seen.add(identity)
      entries.push(entry)
      if (part !== undefined) parts.set(entry, part)
    }
  } catch (error) {
    throw meaningOf(error, refuse)
  }
  if (cursor !== end.directoryEnd) {
    throw refuse("Corrupt", `Its ${end.entries} entries do not fill its directory`)
  }
  const projects = new Set([...parts.values()].map(({ project }) => project))
  if (projects.size > 1) {
    throw refuse(
      "UnexpectedEntry",
      `It holds several projects: ${printable([...projects].join(", "))}`
    )
  }

  const found: Array<ZipPart> = []
  for (const [entry, dataStart] of await dataStarts(
    near,
    archive.path,
    entries,
    end.directoryStart
  )) {
    const part = parts.get(entry)
    if (passedOver.has(entry)) continue
    if (part === undefined) await checkFolder(near, entry, dataStart, archive.path)
    else found.push({ ...entry, ...part, dataStart })
  }
  return { found, passedOver }
}

async function openZip(read: Read, archive: SpooledArchive, refuse: Refuse): Promise<ZipFile> {
  try {
    return await fromRandomAccessReaderPromise(new ArchiveReader(read), archive.size, {
      autoClose: false,
      strictFileNames: true,
      // yauzl's message would hide that an entry is encrypted.
      validateEntrySizes: false
    })
  } catch (error) {
    if (!(error instanceof Error) || !error.message.startsWith("End of central directory")) {
      throw meaningOf(error, refuse)
    }
    const head = Buffer.from(await read(0, Math.min(archive.size, SHOWN_OF)))
    if (head.indexOf("PK\u0003\u0004".slice(0, head.length), 0, "latin1") === 0) {
      throw refuse("Truncated", "It begins as a zip and has no end record")
    }
    throw refuse("NotZip", `It begins with "${printable(withoutKeys(head))}"`)
  }
}

/** Bytes at the beginning of a file that is not a zip, from which a message quotes. */
const SHOWN_OF = 240

/**
 * An error page may repeat the keys of the request. No word is shown that is as long as a key, or
 * cut off.
 */
function withoutKeys(head: Buffer): string {
  const text = head.toString("utf8").replace(/[^\s<>"']{16,}/g, "***")
  return head.length < SHOWN_OF ? text : text.replace(/[^\s<>"']+$/, "")
}

/** Lets yauzl read; it requests headers only, never a stream. */
class ArchiveReader extends RandomAccessReader {
  readonly #read: Read
  constructor(read: Read) {
    super()
    this.#read = read
  }
  override read(
    buffer: Buffer,
    offset: number,
    length: number,
    position: number,
    callback: (error: Error | null, bytesRead: number) => void
  ): void {
    this.#read(position, length).then(
      (bytes) => {
        buffer.set(bytes, offset)
        callback(null, length)
      },
      (error: Error) => callback(error, 0)
    )
  }
}

function partOf(
  entry: ZipEntry,
  archive: SpooledArchive,
  refuse: Refuse,
  repacked: boolean
): PartName {
  const part = Option.getOrUndefined(parsePartName(entry.name))
  if (part === undefined) {
    throw refuse(
      "UnexpectedEntry",
      "It is not named like a part, {project}/{project}_{yyyy-MM-dd}_{H}#{n}.json.gz" +
        (repacked ? "; if the archive was packed again, use it as it was downloaded" : "")
    )
  }
  if (!archive.window.includes(part.hour)) {
    throw refuse("UnexpectedEntry", `Its hour lies outside of ${archive.window}`)
  }
  return part
}

/** The meaning of yauzl's messages. */
const MEANINGS: ReadonlyArray<readonly [RegExp, UnpackerError["reason"]]> = [
  [/multi-disk|strong encryption/, "Unsupported"],
  [/fileName|absolute path|relative path/, "UnexpectedEntry"]
]

function meaningOf(error: unknown, refuse: Refuse): unknown {
  // Not an error of yauzl: the read failed or was interrupted.
  if (error instanceof Refusal || Runtime.isFiberFailure(error)) return error
  const message = error instanceof Error ? error.message : String(error)
  const reason = MEANINGS.find(([pattern]) => pattern.test(message))?.[1] ?? "Corrupt"
  return refuse(reason, printable(message))
}
