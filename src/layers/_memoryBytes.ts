import { Effect, Stream } from "effect"

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
