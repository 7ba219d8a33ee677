import { isUtf8 } from "node:buffer"

const NEWLINE = 10

export interface JsonLines {
  /** Takes the next bytes, split anywhere. Holds the unfinished line. */
  readonly update: (bytes: Uint8Array) => void
  /** How many non-empty lines are anything but one JSON object in UTF-8. */
  readonly finish: () => number
}

/** Parses every line. This takes ten times as long as to count and digest it. */
export function parseLines(): JsonLines {
  let invalid = 0
  let open: Array<Uint8Array> = []

  function close(end: Uint8Array): void {
    const line =
      open.length === 0
        ? Buffer.from(end.buffer, end.byteOffset, end.length)
        : Buffer.concat([...open, end])
    open = []
    if (line.length > 0 && !isJsonObject(line)) invalid += 1
  }

  return {
    update: (bytes) => {
      let start = 0
      for (;;) {
        const end = bytes.indexOf(NEWLINE, start)
        if (end === -1) break
        close(bytes.subarray(start, end))
        start = end + 1
      }
      // Copied, because the memory of a chunk may be used again.
      if (start < bytes.length) open.push(new Uint8Array(bytes.subarray(start)))
    },
    finish: () => {
      close(new Uint8Array(0))
      return invalid
    }
  }
}

function isJsonObject(line: Buffer): boolean {
  if (!isUtf8(line)) return false
  try {
    const value: unknown = JSON.parse(line.toString())
    return typeof value === "object" && value !== null && !Array.isArray(value)
  } catch {
    return false
  }
}
