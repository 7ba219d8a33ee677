import { Effect, Stream } from "effect"

/** At most `length` bytes from `position` on, copied to the beginning of `into`, or to new memory. */
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

/** A stream's bytes as one array that nobody else holds. */
export function collectBytes<E>(body: Stream.Stream<Uint8Array, E>): Effect.Effect<Uint8Array, E> {
  return Stream.runFold(body, Array<Uint8Array>(), (chunks, chunk) => {
    // At once: a body may use its buffers again.
    chunks.push(chunk.slice())
    return chunks
  }).pipe(
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
