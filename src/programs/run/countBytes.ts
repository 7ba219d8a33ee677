import { Stream } from "effect"

/** Reports the bytes of every chunk without adding a stage to the stream. */
export function countBytes<E, R>(
  self: Stream.Stream<Uint8Array, E, R>,
  tell: (bytes: number) => void
): Stream.Stream<Uint8Array, E, R> {
  return Stream.mapChunks(self, (chunk) => {
    for (const { length } of chunk) tell(length)
    return chunk
  })
}
