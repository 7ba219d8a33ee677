import { crc32 } from "node:zlib"
import type { Refuse } from "../refusal.ts"

const FIXED = 10
/** The flags that a header may have: a checksum of itself, extra fields, a name and a comment. */
const FHCRC = 2
const FEXTRA = 4
const FNAME = 8
const FCOMMENT = 16
const RESERVED = 0xe0

/** A gzip member ends with the CRC-32 and the size of its content. */
export const TRAILER = 8

/**
 * Where the header of a gzip member ends; `undefined` if there is more of it to come. Refuses what zlib
 * refuses.
 *
 * Source: RFC 1952, https://www.rfc-editor.org/rfc/rfc1952
 */
export function gzipHeaderEnd(member: Buffer, refuse: Refuse): number | undefined {
  const corrupt = (detail: string) => refuse("Corrupt", `It does not inflate: ${detail}`)
  const [first = 0x1f, second = 0x8b, method = 8, flags = 0] = member
  if (first !== 0x1f || second !== 0x8b) throw corrupt("incorrect header check")
  if (method !== 8) throw corrupt("unknown compression method")
  if ((flags & RESERVED) !== 0) throw corrupt("unknown header flags set")
  let end = FIXED
  if ((flags & FEXTRA) !== 0) {
    if (member.length < end + 2) return undefined
    end += 2 + member.readUInt16LE(end)
  }
  for (const text of [FNAME, FCOMMENT]) {
    if ((flags & text) === 0) continue
    const zero = member.indexOf(0, end)
    if (zero === -1) return undefined
    end = zero + 1
  }
  const hasChecksum = (flags & FHCRC) !== 0
  if (member.length < end + (hasChecksum ? 2 : 0)) return undefined
  if (!hasChecksum) return end
  if (member.readUInt16LE(end) !== (crc32(member.subarray(0, end)) & 0xffff)) {
    throw corrupt("header crc mismatch")
  }
  return end + 2
}
