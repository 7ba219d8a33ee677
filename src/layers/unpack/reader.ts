import { Effect, Either, Option, Runtime, Stream } from "effect"
import type { SpooledArchive } from "../../services/Spool.ts"
import { UnpackerError } from "../../services/Unpacker.ts"
import { Refusal, refusal } from "./refusal.ts"

/**
 * Reads exactly `length` bytes from `position` on, into `into` if the spool can. Rejects with a
 * `Refusal` if there are fewer.
 */
export type Read = (position: number, length: number, into?: Uint8Array) => Promise<Uint8Array>

const failed = (error: unknown) =>
  error instanceof Refusal ? Effect.fail(new UnpackerError(error.refused)) : Effect.die(error)

/**
 * Turns a promise into an effect. Fails with the `Refusal` that it rejects with; any other
 * rejection is a defect. Interruption aborts the signal and waits until the work has released
 * everything.
 */
export function fromPromise<A>(
  work: (signal: AbortSignal) => Promise<A>
): Effect.Effect<A, UnpackerError> {
  return Effect.async((resume, signal) => {
    const ended = work(signal).then(
      (value) => resume(Effect.succeed(value)),
      (error: unknown) => resume(failed(error))
    )
    return Effect.promise(() => ended)
  })
}

/** Does work in this turn. Fails with the `Refusal` that it throws; anything else is a defect. */
export function fromSync<A>(work: () => A): Effect.Effect<A, UnpackerError> {
  return Effect.suspend(() => {
    try {
      return Effect.succeed(work())
    } catch (error) {
      return failed(error)
    }
  })
}

function readerOf(
  archive: SpooledArchive,
  runtime: Runtime.Runtime<never>,
  signal: AbortSignal
): Read {
  const refuse = refusal(archive.path)
  const run = Runtime.runPromise(runtime)
  return async (position, length, into) => {
    signal.throwIfAborted()
    if (length === 0) return new Uint8Array(0)
    if (position + length > archive.size) {
      throw refuse("Corrupt", `It points to byte ${position + length}, beyond its own end`)
    }
    const bytes = await run(Effect.either(archive.read(position, length, into)), { signal })
    if (Either.isLeft(bytes)) throw refuse("Unreadable", bytes.left.message)
    if (bytes.right.length !== length) {
      throw refuse(
        "Truncated",
        `It ended at byte ${position + bytes.right.length} although it has ${archive.size} bytes`
      )
    }
    return bytes.right
  }
}

/** Work on an archive's bytes. Its next read rejects once the effect is interrupted. */
export function withReader<A>(
  archive: SpooledArchive,
  work: (read: Read) => Promise<A>
): Effect.Effect<A, UnpackerError> {
  return Effect.flatMap(Effect.runtime<never>(), (runtime) =>
    fromPromise((signal) => work(readerOf(archive, runtime, signal)))
  )
}

/**
 * One signal for all reads of a stream, because reading ahead outlives the pull that started it.
 */
function abortable() {
  const controller = new AbortController()
  return { reads: controller.signal, abort: () => controller.abort() }
}

/**
 * A stream made from an archive's bytes, from the start at each run. Closing it stops reading and
 * releases everything.
 */
export function streamWithReader(
  archive: SpooledArchive,
  make: (read: Read) => AsyncGenerator<Uint8Array>
): Stream.Stream<Uint8Array, UnpackerError> {
  return Stream.unwrapScoped(
    Effect.gen(function* () {
      const runtime = yield* Effect.runtime<never>()
      const { abort, reads } = abortable()
      const bytes = yield* Effect.acquireRelease(
        Effect.sync(() => make(readerOf(archive, runtime, reads))),
        (generator) =>
          Effect.promise(() => {
            abort()
            return generator.return(undefined)
          })
      )
      const next = fromPromise((signal) => {
        signal.addEventListener("abort", abort)
        return bytes.next()
      })
      return Stream.repeatEffectOption(
        Effect.flatMap(Effect.mapError(next, Option.some), ({ done, value }) =>
          done === true ? Effect.fail(Option.none()) : Effect.succeed(value)
        )
      )
    })
  )
}

/** Reads into two rooms in turn: what is read is valid until the next read but one begins. */
export function intoRooms(read: Read): Read {
  const rooms = [new Uint8Array(0), new Uint8Array(0)]
  return (position, length) => {
    let room = rooms.shift()
    if (room === undefined || room.length < length) room = new Uint8Array(length)
    rooms.push(room)
    return read(position, length, room.subarray(0, length))
  }
}

/** Serves small sequential reads from windows of 64 KiB. */
export function windowed(read: Read, size: number): Read {
  let start = 0
  let window: Uint8Array = new Uint8Array(0)
  return async (position, length) => {
    if (position < start || position + length > start + window.length) {
      window = await read(position, Math.max(length, Math.min(65_536, size - position)))
      start = position
    }
    return window.subarray(position - start, position - start + length)
  }
}
