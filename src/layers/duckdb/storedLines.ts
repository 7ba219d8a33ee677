import { isUtf8 } from "node:buffer"
import { crc32 } from "node:zlib"

const NEWLINE = 10
const LINESET_MODULUS = 2 ** 48

/** Lines as they are stored: each as text, without its newline. */
export interface StoredLines {
  /** Takes the next bytes, split anywhere. */
  readonly update: (bytes: Uint8Array) => void
  /** Ends the last line. */
  readonly finish: () => {
    readonly events: number
    /** Of the lines as they came. */
    readonly lineset: string
    /** Of the lines as they are stored. */
    readonly storedLineset: string
  }
}

/**
 * Splits bytes into non-empty lines, and passes each one on as UTF-8, in memory that is used again
 * after `update`. Bytes that are not UTF-8 become U+FFFD.
 */
export function storeLines(store: (line: Buffer) => void): StoredLines {
  let events = 0
  let lineset = 0
  let storedLineset = 0
  /** Copies of the unfinished line's pieces. */
  let open: Array<Buffer> = []

  function add(line: Buffer, isText: boolean): void {
    if (line.length === 0) return
    const crc = crc32(line)
    const stored = isText ? line : Buffer.from(line.toString())
    events += 1
    lineset = (lineset + crc) % LINESET_MODULUS
    storedLineset = (storedLineset + (isText ? crc : crc32(stored))) % LINESET_MODULUS
    store(stored)
  }

  function closeOpen(): void {
    const [only] = open
    const line = open.length === 1 && only !== undefined ? only : Buffer.concat(open)
    open = []
    add(line, isUtf8(line))
  }

  return {
    update: (bytes) => {
      const chunk = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
      let end = chunk.indexOf(NEWLINE)
      let start = 0
      if (open.length > 0 && end !== -1) {
        open.push(chunk.subarray(0, end))
        closeOpen()
        start = end + 1
        end = chunk.indexOf(NEWLINE, start)
      }
      const last = chunk.lastIndexOf(NEWLINE)
      const isText = end === -1 || isUtf8(chunk.subarray(start, last))
      while (end !== -1) {
        const line = chunk.subarray(start, end)
        add(line, isText || isUtf8(line))
        start = end + 1
        end = chunk.indexOf(NEWLINE, start)
      }
      if (start < chunk.length) open.push(Buffer.from(chunk.subarray(start)))
    },
    finish: () => {
      if (open.length > 0) closeOpen()
      return { events, lineset: hex(lineset), storedLineset: hex(storedLineset) }
    }
  }
}

/** Sums the digests of stored lines, each without its newline. */
export function sumLines(): {
  readonly add: (line: Uint8Array) => void
  readonly finish: () => { readonly events: number; readonly lineset: string }
} {
  let events = 0
  let lineset = 0
  return {
    add: (line) => {
      events += 1
      lineset = (lineset + crc32(line)) % LINESET_MODULUS
    },
    finish: () => ({ events, lineset: hex(lineset) })
  }
}

function hex(lineset: number): string {
  return lineset.toString(16).padStart(12, "0")
}
