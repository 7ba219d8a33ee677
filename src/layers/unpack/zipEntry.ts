import type { Entry } from "yauzl"
import type { Read } from "./reader.ts"
import { refusal } from "./refusal.ts"

/** The most that an entry may expand; deflate itself reaches about 1032. */
const MAX_RATIO = 1100

/** An entry of the central directory; sizes and offset in bytes. */
export interface ZipEntry {
  readonly name: string
  readonly flags: number
  readonly method: 0 | 8
  readonly crc32: number
  readonly compressedSize: number
  readonly size: number
  readonly offset: number
}

/** Deflate levels, data descriptor and UTF-8; other flags are not supported. */
const KNOWN_FLAGS = 0x2 | 0x4 | 0x8 | 0x800

/**
 * An entry of the directory, refused if Amplitude does not send such. The caller checks its name.
 */
export function entryOf(raw: Entry, path: string): ZipEntry {
  const name = raw.fileName
  const refuse = refusal(path, name)
  if (raw.fileNameRaw.toString("latin1") !== name) {
    throw refuse("UnexpectedEntry", "Its name is not plain ASCII, or is given in two forms")
  }
  const method = raw.compressionMethod
  if (method !== 0 && method !== 8) {
    throw refuse("Unsupported", `Its compression method is ${method}, neither stored nor deflated`)
  }
  const flags = raw.generalPurposeBitFlag
  if ((flags & ~KNOWN_FLAGS) !== 0) {
    const what = (flags & 0x2041) === 0 ? `has the flags ${flags.toString(2)}` : "is encrypted"
    throw refuse("Unsupported", `It ${what}`)
  }
  const type = (raw.externalFileAttributes >>> 16) & 0o170000
  if (![0, 0o100000, name.endsWith("/") ? 0o040000 : 0].includes(type)) {
    throw refuse(
      "UnexpectedEntry",
      "Its attributes say that it is not a regular file, perhaps a link"
    )
  }
  if (raw.uncompressedSize > raw.compressedSize * MAX_RATIO) {
    throw refuse(
      "LimitExceeded",
      `${raw.compressedSize} bytes cannot hold the ${raw.uncompressedSize} that it claims`
    )
  }
  return {
    name,
    flags,
    method,
    crc32: raw.crc32,
    compressedSize: raw.compressedSize,
    size: raw.uncompressedSize,
    offset: raw.relativeOffsetOfLocalHeader
  }
}

/** A folder is empty; deflated, that is the two bytes `03 00`. */
export async function checkFolder(read: Read, entry: ZipEntry, dataStart: number, path: string) {
  const data = Buffer.from(await read(dataStart, Math.min(entry.compressedSize, 3)))
  const isEmpty = data.length === 0 || (entry.method === 8 && data.toString("hex") === "0300")
  if (/\p{C}/u.test(entry.name) || entry.size !== 0 || entry.crc32 !== 0 || !isEmpty) {
    throw refusal(path, entry.name)("UnexpectedEntry", "It is named like a folder, but has content")
  }
}
