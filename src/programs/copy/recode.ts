import { Effect, Stream } from "effect"
import type { Format } from "../../services/HourKey.ts"

/** What a gzip stream is not. */
export class RecodeFailure {
  readonly _tag = "RecodeFailure"
  readonly isTransient = false
  readonly message: string
  constructor(cause: unknown) {
    this.message = cause instanceof Error ? cause.message : String(cause)
  }
}

/** The same lines in another format. A failure of the body is passed on as it is. */
export function recode<E>(
  body: Stream.Stream<Uint8Array, E>,
  from: Format,
  to: Format
): Stream.Stream<Uint8Array, E | RecodeFailure> {
  if (from === to) return body
  return Stream.suspend(() => {
    let failed: { readonly error: E } | undefined
    const watched = Stream.tapError(body, (error) =>
      Effect.sync(() => {
        failed = { error }
      })
    )
    // Copied, because a body may use its memory again.
    const source = Stream.toReadableStream(Stream.map(watched, (bytes) => new Uint8Array(bytes)))
    const coder = from === "jsonl" ? new CompressionStream("gzip") : new DecompressionStream("gzip")
    return Stream.fromReadableStream<Uint8Array, E | RecodeFailure>(
      () => source.pipeThrough(coder as unknown as ReadableWritablePair<Uint8Array, Uint8Array>),
      (cause) => (failed === undefined ? new RecodeFailure(cause) : failed.error)
    )
  })
}
