import { createInflateRaw } from "node:zlib"
import { shiftCrc } from "./crcShift.ts"
import { gzipHeaderEnd, TRAILER } from "./gzipFrame.ts"
import { openEngine } from "./inflateHere.ts"
import type { Refuse } from "../refusal.ts"

/** In bytes. Amplitude's headers have 10. */
const LONGEST_HEADER = 1024 ** 2

/**
 * Inflates gzip members, one after the other. All chunks share one buffer, so each must be processed
 * before the next is requested.
 */
export type GunzipMembers = (
  source: AsyncIterable<Uint8Array>,
  refuse: Refuse,
  /** The CRC-32 of all chunks so far. */
  crcSoFar: () => number
) => AsyncGenerator<Uint8Array>

/**
 * Like `inflateHere` for gzip, but a member's CRC-32 is derived from those of the lines, which the caller
 * computes anyway: zlib's own would take a third of the time.
 */
export const gunzipHere: GunzipMembers = async function* (source, refuse, crcSoFar) {
  const pieces = source[Symbol.asyncIterator]()
  const corrupt = (detail: string) => refuse("Corrupt", `It does not inflate: ${detail}`)
  let rest: Buffer = Buffer.alloc(0)

  /** Adds the next bytes to the rest. */
  async function hasMore(): Promise<boolean> {
    // The source may use the memory of the last piece again.
    const held = Buffer.from(rest)
    for (;;) {
      const { done, value: piece } = await pieces.next()
      if (done === true) return false
      if (piece.length === 0) continue
      rest = Buffer.from(piece.buffer, piece.byteOffset, piece.length)
      if (held.length > 0) rest = Buffer.concat([held, rest])
      return true
    }
  }

  async function readMore(): Promise<void> {
    if (!(await hasMore())) throw corrupt("unexpected end of file")
  }

  try {
    do {
      let start = gzipHeaderEnd(rest, refuse)
      while (start === undefined) {
        if (rest.length > LONGEST_HEADER) throw corrupt("its header is longer than 1 MiB")
        await readMore()
        start = gzipHeaderEnd(rest, refuse)
      }
      rest = rest.subarray(start)

      const before = crcSoFar()
      let size = 0
      const engine = openEngine(createInflateRaw, refuse)
      try {
        do {
          if (rest.length === 0) await readMore()
          for (const chunk of engine.push(rest)) {
            size += chunk.length
            yield chunk
          }
          rest = rest.subarray(rest.length - engine.unread())
        } while (rest.length === 0)
      } finally {
        engine.close()
      }

      while (rest.length < TRAILER) await readMore()
      const crc = (crcSoFar() ^ shiftCrc(before, size)) >>> 0
      if (rest.readUInt32LE(0) !== crc) throw corrupt("incorrect data check")
      if (rest.readUInt32LE(4) !== size % 2 ** 32) throw corrupt("incorrect length check")
      rest = rest.subarray(TRAILER)
    } while (rest.length > 0 || (await hasMore()))
  } finally {
    await pieces.return?.()
  }
}
