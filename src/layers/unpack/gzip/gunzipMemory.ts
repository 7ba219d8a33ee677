import { Gunzip, gzipSync } from "fflate"
import { crc32 } from "node:zlib"
import type { Refuse } from "../refusal.ts"

const HEADER = Uint8Array.of(31, 139, 8, 0, 0, 0, 0, 0, 0, 255)
const TRAILER_SIZE = 8
const EMPTY_MEMBER = gzipSync(new Uint8Array(0))

/**
 * Inflates a whole raw deflate stream. Fails as `Corrupt` if it is incomplete or followed by more
 * bytes.
 */
export function inflateAll(deflated: Uint8Array, refuse: Refuse): Uint8Array {
  const member = Buffer.concat([HEADER, deflated, new Uint8Array(TRAILER_SIZE), EMPTY_MEMBER])
  const { bytes, size } = firstMember(member, refuse)
  if (size !== HEADER.length + deflated.length + TRAILER_SIZE) {
    throw refuse("Corrupt", "Bytes follow the end of its compressed data")
  }
  return bytes
}

/**
 * Gunzips all members of a file and checks what fflate does not: headers, CRC-32 and size of each,
 * and the end.
 */
export function gunzipAll(file: Uint8Array, refuse: Refuse): Uint8Array {
  if (file.length === 0) throw refuse("Corrupt", "It does not inflate: it is empty")
  // A member of our own follows the last one, so fflate reports where that ends.
  const members = Buffer.concat([file, EMPTY_MEMBER])
  const inflated: Array<Uint8Array> = []
  for (let at = 0; at < file.length;) {
    const rest = members.subarray(at)
    checkHeader(rest, refuse)
    const { bytes, size } = firstMember(rest, refuse)
    at += size
    if (at > file.length) throw refuse("Corrupt", "It does not inflate: it is incomplete")
    if (members.readUInt32LE(at - 8) !== crc32(bytes)) {
      throw refuse("Corrupt", "It does not inflate: the CRC-32 of a gzip member is wrong")
    }
    if (members.readUInt32LE(at - 4) !== bytes.length % 2 ** 32) {
      throw refuse("Corrupt", "It does not inflate: the size of a gzip member is wrong")
    }
    inflated.push(bytes)
  }
  return Buffer.concat(inflated)
}

/** The content of the first member and its length, known only if another member follows. */
function firstMember(members: Uint8Array, refuse: Refuse) {
  const chunks: Array<Uint8Array> = []
  const found: { size?: number } = {}
  const gunzip = new Gunzip((chunk) => {
    if (found.size === undefined) chunks.push(chunk)
  })
  const stop = new Error("The first member has ended")
  gunzip.onmember = (offset) => {
    found.size = offset
    throw stop
  }
  try {
    gunzip.push(members)
  } catch (error) {
    if (error !== stop) throw refuse("Corrupt", `It does not inflate: ${String(error)}`)
  }
  if (found.size === undefined) throw refuse("Corrupt", "It does not inflate: it is incomplete")
  return { bytes: Buffer.concat(chunks), size: found.size }
}

/** Reserved flags, and the header's CRC-16 if it has one. */
function checkHeader(member: Buffer, refuse: Refuse): void {
  const flags = member[3] ?? 0
  if ((flags & 0xe0) !== 0) throw refuse("Corrupt", "It does not inflate: unknown gzip flags")
  if ((flags & 2) === 0) return
  let end = 10
  if ((flags & 4) !== 0) end += 2 + (member[10] ?? 0) + 256 * (member[11] ?? 0)
  for (const text of [8, 16]) {
    if ((flags & text) !== 0) end = member.indexOf(0, end) + 1
  }
  if (end + 2 > member.length) throw refuse("Corrupt", "It does not inflate: it is incomplete")
  if (member.readUInt16LE(end) !== (crc32(member.subarray(0, end)) & 0xffff)) {
    throw refuse("Corrupt", "It does not inflate: the CRC-16 of a gzip header is wrong")
  }
}
