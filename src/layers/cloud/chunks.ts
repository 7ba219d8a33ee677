import { Effect, Schedule } from "effect"
import type { StoreFailure } from "./failure.ts"

/** Chunks of one upload that are sent at once. */
export const SENT_AT_ONCE = 4
/**
 * Of all uploads of a store together: an upload needs one to go on, and gives it back once its
 * chunk is sent.
 */
const CHUNKS_IN_MEMORY = 4

const MIB = 1024 * 1024

/**
 * The chunks that all uploads of a store may have in memory, whether being filled or being sent,
 * and what memory is free.
 */
export interface ChunkMemory {
  readonly permits: Effect.Semaphore
  readonly spare: Array<Uint8Array>
}

export function makeChunkMemory(): ChunkMemory {
  return { permits: Effect.unsafeMakeSemaphore(CHUNKS_IN_MEMORY), spare: [] }
}

/**
 * Bytes of a chunk of an object of `size` bytes: `least`, or larger where there would be more than
 * `most` chunks.
 */
export function chunkSizeFor(size: number, least: number, most: number): number {
  return Math.max(least, Math.ceil(size / most))
}

// About 3 seconds in all; what lasts longer is for the program, which can wait longer.
const fewTries = Schedule.exponential("200 millis").pipe(
  Schedule.jittered,
  Schedule.intersect(Schedule.recurs(4))
)

/**
 * Sends a chunk alone again, since a program would have to send all of them; never after one of the
 * codes in `lost`.
 */
export function again<A>(
  call: Effect.Effect<A, StoreFailure>,
  lost: ReadonlyArray<string>
): Effect.Effect<A, StoreFailure> {
  return Effect.retry(call, {
    schedule: fewTries,
    while: ({ code, error }) => error.isTransient && !lost.includes(code)
  })
}

/** The chunks that one upload holds. */
export function heldChunks({ permits, spare }: ChunkMemory) {
  // A chunk that is still being filled when its body fails is never sent, so that its permit has to
  // be given back at the end.
  let held = 0
  const giveBack = (count: number) =>
    Effect.zipRight(
      Effect.sync(() => (held -= count)),
      permits.release(count)
    )
  /** Room of `size` bytes, whatever they are. */
  const roomFor = (size: number): Uint8Array => {
    const found = spare.findIndex(({ length }) => length >= size)
    const [used] = found === -1 ? [] : spare.splice(found, 1)
    if (used !== undefined) return used.subarray(0, size)
    // What is spare and what is held are never more together than there are permits.
    spare.shift()
    return new Uint8Array(Math.ceil(size / MIB) * MIB).subarray(0, size)
  }
  /** Of a chunk that was sent, and that nobody is at any more. */
  const keep = ({ buffer }: Uint8Array): void => {
    spare.push(new Uint8Array(buffer))
  }
  return {
    /** Waits until there may be one more. */
    take: (size: number): Effect.Effect<Uint8Array> =>
      Effect.uninterruptibleMask((restore) =>
        Effect.map(restore(permits.take(1)), () => {
          held += 1
          return roomFor(size)
        })
      ),
    keep,
    /**
     * Sends a chunk, as often as `retried` does it, and gives it back. Its memory is kept where the
     * first call went well: a call that failed may still be at it.
     */
    sending: <A, E>(
      bytes: Uint8Array,
      call: Effect.Effect<A, E>,
      retried: (call: Effect.Effect<A, E>) => Effect.Effect<A, E>
    ): Effect.Effect<A, E> => {
      let calls = 0
      const counted = Effect.suspend(() => {
        calls += 1
        return call
      })
      return retried(counted).pipe(
        Effect.tap(() => Effect.sync(() => (calls === 1 ? keep(bytes) : undefined))),
        Effect.ensuring(giveBack(1))
      )
    },
    giveBackAll: Effect.suspend(() => giveBack(held))
  }
}

export type HeldChunks = ReturnType<typeof heldChunks>
