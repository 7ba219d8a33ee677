import { Stream } from "effect"
import type { Format } from "../../services/HourKey.ts"
import { SHA256_OF_NOTHING } from "../../services/ObjectStorage.ts"

/**
 * A gzip member (RFC 1952) without content: header, an empty final block, CRC-32 and length of
 * zero.
 */
const EMPTY_MEMBER = new Uint8Array([
  0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0
])

const EMPTY = {
  jsonl: {
    size: 0,
    sha256: SHA256_OF_NOTHING,
    body: Stream.empty
  },
  "jsonl.gz": {
    size: EMPTY_MEMBER.length,
    sha256: "59869db34853933b239f1e2219cf7d431da006aa919635478511fabbfc8849d2",
    body: Stream.make(EMPTY_MEMBER)
  }
} as const

/**
 * The object for an hour without events: no lines, which for `jsonl.gz` is one empty gzip member.
 */
export function emptyObject(format: Format): {
  readonly size: number
  readonly sha256: string
  readonly body: Stream.Stream<Uint8Array>
} {
  return EMPTY[format]
}

/** Whether an object of this size marks an hour without events. */
export function isEmptySize(format: Format, size: number): boolean {
  return EMPTY[format].size === size
}
