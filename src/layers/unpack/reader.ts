import { Effect, Either, Option, Runtime, Stream } from "effect"
import type { SpooledArchive } from "../../services/Spool.ts"
import { UnpackerError } from "../../services/Unpacker.ts"
import { Refusal, refusal } from "./refusal.ts"

/** Exactly `length` bytes from `position` on, in `into` where the spool can read into it; rejects with a `Refusal` where there are fewer. */
export type Read = (position: number, length: number, into?: Uint8Array) => Promise<Uint8Array>

const failed = (error: unknown) =>
  error instanceof Refusal ? Effect.fail(new UnpackerError(error.refused)) : Effect.die(error)

/**
 * Work in promises, as an effect: it fails with the `Refusal` it rejects with, any other rejection is a defect.
 * When interrupted it aborts the signal and waits until the work has let go of everything.
 */
export function settle<A>(
  work: (signal: AbortSignal) => Promise<A>
): Effect.Effect<A, UnpackerError> {
  return Effect.async((resume, signal) => {
    const settled = work(signal).then(
      (value) => resume(Effect.succeed(value)),
      (error: unknown) => resume(failed(error))
    )
    return Effect.promise(() => settled)
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
      throw refuse("Corrupt", `It points to byte ${position + length}, behind its own end`)
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

/** Work over an archive's bytes; its next read rejects once the effect is interrupted. */
export function withReader<A>(
  archive: SpooledArchive,
  work: (read: Read) => Promise<A>
): Effect.Effect<A, UnpackerError> {
  return Effect.flatMap(Effect.runtime<never>(), (runtime) =>
    settle((signal) => work(readerOf(archive, runtime, signal)))
  )
}

/** One signal for all reads of a stream: what is read ahead outlives the pull that began it. */
function abortable() {
  const controller = new AbortController()
  return { reads: controller.signal, abort: () => controller.abort() }
}

/** What is made of an archive's bytes, anew at each run; closing the stream ends reading and lets go of everything. */
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
      const next = settle((signal) => {
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

/** Serves small reads that go forward from windows of 64 KiB. */
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
