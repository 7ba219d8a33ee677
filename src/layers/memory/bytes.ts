import { Effect, Stream } from "effect"

/** Copies at most `length` bytes from `position` on, into the beginning of `into` or new memory. */
export function copyBytes(
  from: Uint8Array,
  position: number,
  length: number,
  into?: Uint8Array
): Uint8Array {
  const bytes = from.subarray(position, position + length)
  const copy = into?.subarray(0, bytes.length) ?? new Uint8Array(bytes.length)
  copy.set(bytes)
  return copy
}

/** A stream's bytes as one new array. */
export function collectBytes<E>(body: Stream.Stream<Uint8Array, E>): Effect.Effect<Uint8Array, E> {
  return Effect.suspend(() =>
    Stream.runFold(body, Array<Uint8Array>(), (chunks, chunk) => {
      // Copied at once, because a body may reuse its buffers.
      chunks.push(new Uint8Array(chunk))
      return chunks
    })
  ).pipe(
    Effect.map((chunks) => {
      const bytes = new Uint8Array(chunks.reduce((sum, { length }) => sum + length, 0))
      let position = 0
      for (const chunk of chunks) {
        bytes.set(chunk, position)
        position += chunk.length
      }
      return bytes
    })
  )
}
