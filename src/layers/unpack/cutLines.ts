const NEWLINE = 10

/**
 * Returns a function that takes the next bytes, split anywhere, and returns those of the lines that
 * stay, in the same memory. Lines are numbered from 0, empty ones too; `numbers` ascend.
 */
export function cutLines(
  numbers: ReadonlyArray<number>
): (bytes: Uint8Array) => ReadonlyArray<Uint8Array> {
  let [number, next] = [0, 0]
  return (bytes) => {
    const pieces: Array<Uint8Array> = []
    const keep = (start: number, end: number) => {
      if (end > start) pieces.push(bytes.subarray(start, end))
    }
    let [kept, start] = [0, 0]
    for (;;) {
      const isCut = numbers[next] === number
      const end = bytes.indexOf(NEWLINE, start)
      if (isCut) keep(kept, start)
      if (end === -1) {
        if (!isCut) keep(kept, bytes.length)
        return pieces
      }
      if (isCut) {
        kept = end + 1
        next += 1
      }
      number += 1
      start = end + 1
    }
  }
}
