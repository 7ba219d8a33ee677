import { Effect, Schedule } from "effect"
import type { StoreFailure } from "./_storeFailure.ts"

/** Parts of one upload that are sent at once. */
export const SENT_AT_ONCE = 4
/** Of all uploads of a store together: an upload needs one to go on, and gives it back once its part is sent. */
export const PARTS_IN_MEMORY = 4

/** Bytes of a part of an object of `size` bytes: `least`, or larger where there would be more than `most` parts. */
export function partSizeFor(size: number, least: number, most: number): number {
  return Math.max(least, Math.ceil(size / most))
}

// About 3 seconds in all; what lasts longer is for the program, which can wait longer.
const fewTries = Schedule.exponential("200 millis").pipe(
  Schedule.jittered,
  Schedule.intersect(Schedule.recurs(4))
)

/** Sends a part alone again, since a program would have to send all of them; never after one of the codes in `lost`. */
export function again<A>(
  call: Effect.Effect<A, StoreFailure>,
  lost: ReadonlyArray<string>
): Effect.Effect<A, StoreFailure> {
  return Effect.retry(call, {
    schedule: fewTries,
    while: ({ code, error }) => error.isTransient && !lost.includes(code)
  })
}

/** The permits that one upload holds, each for a part in memory. */
export function heldParts(permits: Effect.Semaphore) {
  // A part that is still being filled when its body fails is never sent, so that its permit has to be given back at the end.
  let held = 0
  const giveBack = (count: number) =>
    Effect.zipRight(
      Effect.sync(() => (held -= count)),
      permits.release(count)
    )
  return {
    take: Effect.uninterruptibleMask((restore) =>
      Effect.tap(restore(permits.take(1)), () => Effect.sync(() => (held += 1)))
    ),
    giveBackOne: giveBack(1),
    giveBackAll: Effect.suspend(() => giveBack(held))
  }
}
