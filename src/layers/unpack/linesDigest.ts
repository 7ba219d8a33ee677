import { crc32 } from "node:zlib"
import type { LinesDigest } from "../../services/LinesDigest.ts"
import { crcOfLines, shiftCrc } from "./gzip/crcShift.ts"
import type { Refuse } from "./refusal.ts"

/** Bytes of one line. */
const MAX_LINE_BYTES = 64 * 1024 ** 2

const NEWLINE = 10
const OPENING = 123
const CLOSING = 125
const NONE = -1
const LINESET_MODULUS = 2 ** 48

export interface LinesCounter {
  /** Takes the next bytes, split anywhere. Throws what `refuse` returns if a rule is broken. */
  readonly update: (bytes: Uint8Array) => void
  /** The digest of all bytes, and whether the last line lacks its newline. */
  readonly finish: () => { readonly digest: LinesDigest; readonly isOpen: boolean }
  /** The CRC-32 of all bytes so far, also of those between the lines. */
  readonly crcSoFar: () => number
}

function isBlank(byte: number | undefined): boolean {
  return byte === 32 || byte === 9 || byte === 13
}

/**
 * Counts lines regardless of chunks. Lines are separated by `\n`, so `\r` belongs to the line. With
 * `isPart`, the first byte that is not blank must be `{`.
 */
export function countLines(refuse: Refuse, isPart: boolean): LinesCounter {
  let events = 0
  let malformed = 0
  let total = 0
  let lineset = 0
  // The unfinished line of the last chunk: not its bytes, only what is known of it.
  let open = { length: 0, crc: 0, first: NONE, last: NONE }
  // Of all bytes before that line.
  const before = crcOfLines()

  function add(crc: number, isObject: boolean): void {
    events += 1
    if (!isObject) malformed += 1
    lineset += crc
    if (lineset >= LINESET_MODULUS) lineset -= LINESET_MODULUS
  }

  function checkLength(length: number): void {
    if (length <= MAX_LINE_BYTES) return
    throw refuse("LimitExceeded", `Line ${events + 1} is longer than ${MAX_LINE_BYTES} bytes`)
  }

  function extendOpen(chunk: Buffer, start: number, end: number): void {
    checkLength(open.length + end - start)
    const [first, last] = ends(chunk, start, end)
    open = {
      length: open.length + end - start,
      crc: crc32(chunk.subarray(start, end), open.crc),
      first: open.first === NONE ? first : open.first,
      last: last === NONE ? open.last : last
    }
  }

  function closeOpen(): void {
    before.add(open.crc, open.length)
    add(open.crc, open.first === OPENING && open.last === CLOSING)
    open = { length: 0, crc: 0, first: NONE, last: NONE }
  }

  let isBegun = !isPart
  function checkFirst(chunk: Buffer): void {
    if (isBegun) return
    const byte = chunk.find((it) => it !== NEWLINE && !isBlank(it))
    if (byte === undefined) return
    isBegun = true
    if (byte === OPENING) return
    throw refuse("NotJsonLines", `It begins with the byte 0x${byte.toString(16)}, not with "{"`)
  }

  return {
    update: (bytes) => {
      const chunk = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
      checkFirst(chunk)
      total += chunk.length
      let start = 0
      for (;;) {
        const end = chunk.indexOf(NEWLINE, start)
        if (end === -1) break
        if (open.length > 0) {
          extendOpen(chunk, start, end)
          closeOpen()
        } else if (end > start) {
          checkLength(end - start)
          const crc = crc32(chunk.subarray(start, end))
          before.add(crc, end - start)
          add(crc, isObject(chunk, start, end))
        }
        before.newline()
        start = end + 1
      }
      if (start < chunk.length) extendOpen(chunk, start, chunk.length)
    },
    finish: () => {
      const isOpen = open.length > 0
      if (isOpen) closeOpen()
      const digest = {
        events,
        bytes: total,
        lineset: lineset.toString(16).padStart(12, "0"),
        malformed
      }
      return { digest, isOpen }
    },
    crcSoFar: () => (shiftCrc(before.soFar(), open.length) ^ open.crc) >>> 0
  }
}

function isObject(chunk: Buffer, start: number, end: number): boolean {
  if (chunk[start] === OPENING && chunk[end - 1] === CLOSING) return true
  const [first, last] = ends(chunk, start, end)
  return first === OPENING && last === CLOSING
}

/** The first and the last byte that is not a space, tab or carriage return. */
function ends(chunk: Buffer, start: number, end: number): readonly [number, number] {
  let first = start
  while (first < end && isBlank(chunk[first])) first += 1
  let last = end - 1
  while (last > first && isBlank(chunk[last])) last -= 1
  return [first < end ? (chunk[first] ?? NONE) : NONE, first < end ? (chunk[last] ?? NONE) : NONE]
}
