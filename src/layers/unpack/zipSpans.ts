import { parseExtraFields } from "yauzl"
import type { Read } from "./reader.ts"
import { type Refuse, refusal } from "./refusal.ts"
import { uint64, viewOf } from "./zipEnd.ts"
import type { ZipEntry } from "./zipEntry.ts"

/** General purpose bit 3: sizes and CRC follow the data. */
const DESCRIPTOR_FLAG = 0x8

/**
 * Where each entry's data starts, in order. Every local header and data descriptor must agree with
 * the directory, and together with the data they must cover all bytes before it exactly once:
 * nothing is hidden, shared or left over.
 */
export async function dataStarts(
  read: Read,
  path: string,
  entries: ReadonlyArray<ZipEntry>,
  directoryStart: number
): Promise<ReadonlyMap<ZipEntry, number>> {
  const starts = new Map<ZipEntry, number>()
  const sorted = [...entries].sort((one, other) => one.offset - other.offset)
  let end = 0
  for (const [index, entry] of sorted.entries()) {
    const refuse = refusal(path, entry.name)
    if (entry.offset !== end) {
      throw refuse("Corrupt", `It begins at byte ${entry.offset}, what precedes it ends at ${end}`)
    }
    const start = await checkLocalHeader(read, entry, refuse)
    const next = sorted[index + 1]?.offset ?? directoryStart
    starts.set(entry, start)
    end = start + entry.compressedSize
    if ((entry.flags & DESCRIPTOR_FLAG) !== 0) {
      await checkDescriptor(read, entry, end, next - end, refuse)
      end = next
    }
  }
  if (end !== directoryStart) {
    throw refusal(path)(
      "Corrupt",
      `Its directory begins at byte ${directoryStart}, what precedes it ends at ${end}`
    )
  }
  return starts
}

async function checkLocalHeader(read: Read, entry: ZipEntry, refuse: Refuse): Promise<number> {
  const header = viewOf(await read(entry.offset, 30))
  if (header.getUint32(0, true) !== 0x04034b50) {
    throw refuse("Corrupt", `There is no local header at byte ${entry.offset}`)
  }
  const nameLength = header.getUint16(26, true)
  const extraLength = header.getUint16(28, true)
  const rest = Buffer.from(await read(entry.offset + 30, nameLength + extraLength))
  const local = {
    name: rest.toString("latin1", 0, nameLength),
    flags: header.getUint16(6, true),
    method: header.getUint16(8, true)
  }
  for (const field of ["name", "flags", "method"] as const) {
    if (local[field] !== entry[field]) throw localDiffers(field, refuse)
  }
  if ((entry.flags & DESCRIPTOR_FLAG) === 0) {
    const sizes = localSizes(header, rest.subarray(nameLength), refuse)
    if (header.getUint32(14, true) !== entry.crc32) throw localDiffers("CRC-32", refuse)
    if (sizes.size !== entry.size || sizes.compressedSize !== entry.compressedSize) {
      throw localDiffers("size", refuse)
    }
  }
  return entry.offset + 30 + nameLength + extraLength
}

function localDiffers(field: string, refuse: Refuse) {
  return refuse("Corrupt", `Its local header and the directory disagree on its ${field}`)
}

/** The sizes in a local header, from its zip64 extra field if it has one. */
function localSizes(header: DataView, extra: Buffer, refuse: Refuse) {
  const short = { compressedSize: header.getUint32(18, true), size: header.getUint32(22, true) }
  if (short.compressedSize !== 0xffff_ffff && short.size !== 0xffff_ffff) return short
  const zip64 = extraFields(extra, refuse).find(({ id }) => id === 1)?.data
  if (zip64 === undefined || zip64.length < 16) return short
  const large = viewOf(zip64)
  // A local zip64 field has both sizes, in this order, even if only one needs it.
  return {
    size: short.size === 0xffff_ffff ? uint64(large, 0) : short.size,
    compressedSize: short.compressedSize === 0xffff_ffff ? uint64(large, 8) : short.compressedSize
  }
}

function extraFields(extra: Buffer, refuse: Refuse) {
  try {
    return parseExtraFields(extra)
  } catch {
    throw refuse("Corrupt", "The extra fields of its local header are longer than the header")
  }
}

/** With or without a signature, with sizes of 32 or 64 bits; the length tells which. */
async function checkDescriptor(
  read: Read,
  entry: ZipEntry,
  at: number,
  length: number,
  refuse: Refuse
): Promise<void> {
  if (![12, 16, 20, 24].includes(length)) {
    throw refuse("Corrupt", `${length} bytes follow its data where a data descriptor should`)
  }
  const descriptor = viewOf(await read(at, length))
  const fields = length === 16 || length === 24 ? 4 : 0
  const [compressedSize, size] =
    length < 20
      ? [descriptor.getUint32(fields + 4, true), descriptor.getUint32(fields + 8, true)]
      : [uint64(descriptor, fields + 4), uint64(descriptor, fields + 12)]
  const agrees =
    (fields === 0 || descriptor.getUint32(0, true) === 0x08074b50) &&
    descriptor.getUint32(fields, true) === entry.crc32 &&
    compressedSize === entry.compressedSize &&
    size === entry.size
  if (!agrees) throw refuse("Corrupt", "Its data descriptor and the directory disagree")
}
