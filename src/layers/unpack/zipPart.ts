import { crc32, createInflateRaw } from "node:zlib"
import type { Inflate } from "./gzip/inflater.ts"
import type { Read } from "./reader.ts"
import type { Refuse } from "./refusal.ts"
import type { ZipPart } from "./zipDirectory.ts"

/** Bytes per read. Each read has a fixed cost, especially from another thread. */
export const PIECE = 512 * 1024

/**
 * The part as gzipped by Amplitude. Its size and CRC-32 are compared with the directory as its last
 * byte passes.
 */
export async function* gzipBytes(
  inflate: Inflate,
  read: Read,
  part: ZipPart,
  refuse: Refuse,
  onBytes?: (bytes: Uint8Array) => void
): AsyncGenerator<Uint8Array> {
  const stored = pieces(read, part)
  let crc = 0
  let size = 0
  for await (const bytes of part.method === 0
    ? stored
    : inflate(createInflateRaw, stored, refuse)) {
    crc = crc32(bytes, crc)
    size += bytes.length
    if (size > part.size) throw refuse("Corrupt", `It is longer than ${part.size} bytes`)
    onBytes?.(bytes)
    yield bytes
  }
  if (size !== part.size) throw refuse("Corrupt", `It has ${size} bytes instead of ${part.size}`)
  if (crc !== part.crc32) throw refuse("Corrupt", "Its CRC-32 differs from the directory")
}

/** Reads the next piece while the consumer works on the last one. */
async function* pieces(read: Read, part: ZipPart): AsyncGenerator<Uint8Array> {
  const from = (at: number) => {
    const piece = read(part.dataStart + at, Math.min(PIECE, part.compressedSize - at))
    // The consumer may never ask for it.
    piece.catch(() => {})
    return piece
  }
  let next = from(0)
  try {
    for (let at = 0; at < part.compressedSize; at += PIECE) {
      const piece = await next
      if (at + PIECE < part.compressedSize) next = from(at + PIECE)
      yield piece
    }
  } finally {
    await next.catch(() => {})
  }
}
