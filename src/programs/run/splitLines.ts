const NEWLINE = 10

export interface LineSplitter<A> {
  /** Takes the next bytes, split anywhere. Ends at the first line of which there is something to tell, and returns that. */
  readonly update: (bytes: Uint8Array) => A | undefined
  /** Ends the last line. */
  readonly finish: () => A | undefined
}

/** Splits bytes at `\n` and passes on each line, empty ones included. Holds the unfinished line. */
export function splitLines<A>(onLine: (line: Uint8Array) => A | undefined): LineSplitter<A> {
  let open: Array<Uint8Array> = []

  function close(end: Uint8Array): A | undefined {
    const line = open.length === 0 ? end : joinBytes([...open, end])
    open = []
    return onLine(line)
  }

  return {
    update: (bytes) => {
      let start = 0
      for (;;) {
        const end = bytes.indexOf(NEWLINE, start)
        if (end === -1) break
        const told = close(bytes.subarray(start, end))
        if (told !== undefined) return told
        start = end + 1
      }
      // Copied, because the memory of a chunk may be used again; `slice` of a Buffer copies nothing.
      if (start < bytes.length) open.push(new Uint8Array(bytes.subarray(start)))
      return undefined
    },
    finish: () => close(new Uint8Array(0))
  }
}

/** A copy of the pieces, one after the other. */
export function joinBytes(pieces: ReadonlyArray<Uint8Array>): Uint8Array {
  const all = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const piece of pieces) {
    all.set(piece, at)
    at += piece.length
  }
  return all
}
