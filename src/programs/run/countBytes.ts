import { Stream } from "effect"

/** Tells the bytes of each chunk that passes, without a step of its own for it. */
export function countBytes<E, R>(
  self: Stream.Stream<Uint8Array, E, R>,
  tell: (bytes: number) => void
): Stream.Stream<Uint8Array, E, R> {
  return Stream.mapChunks(self, (chunk) => {
    for (const { length } of chunk) tell(length)
    return chunk
  })
}
