import type { Read } from "./reader.ts"
import type { Refuse } from "./refusal.ts"

const END_SIZE = 22
const LOCATOR_SIZE = 20
const RECORD_SIZE = 56

/**
 * Position of the central directory in bytes from the start of the file, and its number of entries.
 */
export interface ZipEnd {
  readonly entries: number
  readonly directoryStart: number
  readonly directoryEnd: number
}

interface EndFields {
  readonly disks: ReadonlyArray<number>
  readonly entriesHere: number
  readonly entries: number
  readonly directorySize: number
  readonly directoryStart: number
}

/**
 * Reads the end record and, if present, the zip64 record and locator before it. They must agree,
 * directly follow the directory, and end the file.
 */
export async function readEnd(
  read: Read,
  size: number,
  commentLength: number,
  refuse: Refuse
): Promise<ZipEnd> {
  const at = size - END_SIZE - commentLength
  const tailStart = Math.max(0, at - LOCATOR_SIZE)
  const tail = viewOf(await read(tailStart, at + END_SIZE - tailStart))
  const end = at - tailStart
  const classic: EndFields = {
    disks: [tail.getUint16(end + 4, true), tail.getUint16(end + 6, true)],
    entriesHere: tail.getUint16(end + 8, true),
    entries: tail.getUint16(end + 10, true),
    directorySize: tail.getUint32(end + 12, true),
    directoryStart: tail.getUint32(end + 16, true)
  }
  if (end !== LOCATOR_SIZE || tail.getUint32(0, true) !== 0x07064b50) {
    return checked(classic, at, refuse)
  }

  if (tail.getUint32(4, true) !== 0 || tail.getUint32(16, true) > 1) throw multiDisk(refuse)
  const recordAt = uint64(tail, 8)
  if (recordAt + RECORD_SIZE > tailStart) {
    throw refuse("Corrupt", "Its zip64 end record is not before its locator")
  }
  const record = viewOf(await read(recordAt, RECORD_SIZE))
  if (record.getUint32(0, true) !== 0x06064b50 || recordAt + 12 + uint64(record, 4) !== tailStart) {
    throw refuse("Corrupt", "Its zip64 end record does not end where its locator begins")
  }
  const large: EndFields = {
    disks: [record.getUint32(16, true), record.getUint32(20, true)],
    entriesHere: uint64(record, 24),
    entries: uint64(record, 32),
    directorySize: uint64(record, 40),
    directoryStart: uint64(record, 48)
  }
  const agrees =
    classic.disks.every((disk, index) => disk === 0xffff || disk === large.disks[index]) &&
    [classic.entriesHere, classic.entries].every((n) => n === 0xffff || n === large.entries) &&
    [0xffff_ffff, large.directorySize].includes(classic.directorySize) &&
    [0xffff_ffff, large.directoryStart].includes(classic.directoryStart)
  if (!agrees) throw refuse("Corrupt", "Its end record and its zip64 end record disagree")
  return checked(large, recordAt, refuse)
}

function checked(fields: EndFields, directoryEnd: number, refuse: Refuse): ZipEnd {
  const { disks, entriesHere, entries, directorySize, directoryStart } = fields
  if (disks.some((disk) => disk !== 0)) throw multiDisk(refuse)
  if (entriesHere !== entries)
    throw refuse("Corrupt", "Its end record has two different counts of entries")
  if (directoryStart + directorySize !== directoryEnd) {
    throw refuse(
      "Corrupt",
      `Its directory should end at byte ${directoryStart + directorySize}, and ends at byte ${directoryEnd}`
    )
  }
  return { entries, directoryStart, directoryEnd }
}

function multiDisk(refuse: Refuse) {
  return refuse("Unsupported", "It is split over several disks")
}

export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

/** Exact up to 2^53, which no file size exceeds. Larger values never equal one. */
export function uint64(view: DataView, at: number): number {
  return Number(view.getBigUint64(at, true))
}
