import { Effect, Schedule } from "effect"
import type { StoreFailure } from "./failure.ts"

/** Chunks of one upload that are sent in parallel. */
export const SENT_AT_ONCE = 4
/**
 * For all uploads of a store together. An upload needs one to proceed, and returns it when its
 * chunk is sent.
 */
const CHUNKS_IN_MEMORY = 4

const MIB = 1024 * 1024

/**
 * The chunks that all uploads of a store may have in memory, being filled or sent, and the buffers
 * that are free.
 */
export interface ChunkMemory {
  readonly permits: Effect.Semaphore
  readonly spare: Array<Uint8Array>
}

export function makeChunkMemory(): ChunkMemory {
  return { permits: Effect.unsafeMakeSemaphore(CHUNKS_IN_MEMORY), spare: [] }
}

/**
 * Chunk size for an object of `size` bytes: `least`, or more if there would be over `most` chunks.
 */
export function chunkSizeFor(size: number, least: number, most: number): number {
  return Math.max(least, Math.ceil(size / most))
}

// About 3 seconds in total. Longer outages are retried by the program.
const fewTries = Schedule.exponential("200 millis").pipe(
  Schedule.jittered,
  Schedule.intersect(Schedule.recurs(4))
)

/**
 * Retries a chunk alone, since the program would have to resend all of them. Does not retry the
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
  // A chunk that is still being filled when its body fails is never sent, so its permit must be
  // returned at the end.
  let held = 0
  const giveBack = (count: number) =>
    Effect.zipRight(
      Effect.sync(() => (held -= count)),
      permits.release(count)
    )
  /** A buffer of `size` bytes with arbitrary content. */
  const roomFor = (size: number): Uint8Array => {
    const found = spare.findIndex(({ length }) => length >= size)
    const [used] = found === -1 ? [] : spare.splice(found, 1)
    if (used !== undefined) return used.subarray(0, size)
    // Spare and held buffers together never exceed the permits.
    spare.shift()
    return new Uint8Array(Math.ceil(size / MIB) * MIB).subarray(0, size)
  }
  /** Keeps the buffer of a chunk that was sent and is no longer used. */
  const keep = ({ buffer }: Uint8Array): void => {
    spare.push(new Uint8Array(buffer))
  }
  return {
    /** Waits until another chunk is allowed. */
    take: (size: number): Effect.Effect<Uint8Array> =>
      Effect.uninterruptibleMask((restore) =>
        Effect.map(restore(permits.take(1)), () => {
          held += 1
          return roomFor(size)
        })
      ),
    keep,
    /**
     * Sends a chunk with `retried` and returns its permit. The buffer is reused only if the first
     * attempt succeeded, because a failed call may still be reading it.
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
