import { createHash } from "node:crypto"
import type { Writable } from "node:stream"
import { Effect, Stream } from "effect"
import { type NewObject, ObjectStorageError } from "../../services/ObjectStorage.ts"

/** Which side compares a body with its announced SHA-256. */
export type HashedBy = "us" | "the store"

/**
 * The object's body. Its last bytes are emitted only after its size and SHA-256 have been verified,
 * so nothing else can be sent completely. Fails as `Corrupt`. With `hashedBy` the store, only the
 * size is verified here.
 */
export function verified<E>(
  path: string,
  object: NewObject<E>,
  hashedBy: HashedBy = "us"
): Stream.Stream<Uint8Array, E | ObjectStorageError> {
  const corrupt = (detail: string): ObjectStorageError =>
    new ObjectStorageError({ reason: "Corrupt", method: "put", path, detail })
  return Stream.suspend(() => {
    const hash = createHash("sha256")
    let size = 0
    let held: Uint8Array | undefined
    const last = Stream.suspend(() => {
      if (size !== object.size) {
        return Stream.fail(
          corrupt(`The body has ${size} bytes instead of the announced ${object.size}`)
        )
      }
      return hashedBy === "the store" || hash.digest("hex") === object.sha256
        ? Stream.fromIterable(held === undefined ? [] : [held])
        : Stream.fail(corrupt("The body's SHA-256 differs from the announced one"))
    })
    return object.body.pipe(
      Stream.filter((bytes) => bytes.length > 0),
      Stream.mapEffect((bytes) => {
        size += bytes.length
        if (size > object.size) {
          return Effect.fail(corrupt(`The body has more than the announced ${object.size} bytes`))
        }
        if (hashedBy === "us") hash.update(bytes)
        const before = held
        held = bytes
        return Effect.succeed(before)
      }),
      Stream.filter((bytes) => bytes !== undefined),
      Stream.concat(last)
    )
  })
}

/**
 * Writes a body as fast as it is consumed, and then never ends: to be raced with the call that
 * consumes it.
 */
export function pour<E>(
  body: Stream.Stream<Uint8Array, E>,
  into: Writable
): Effect.Effect<never, E> {
  return Stream.runForEach(body, (bytes) =>
    Effect.async<void>((resume) => {
      if (into.write(bytes)) resume(Effect.void)
      else into.once("drain", () => resume(Effect.void))
    })
  ).pipe(Effect.zipRight(Effect.sync(() => into.end())), Effect.zipRight(Effect.never))
}

export interface UploadChunk {
  /** Starts at 1. */
  readonly number: number
  readonly bytes: Uint8Array
}

/**
 * Splits a body of `size` bytes into chunks of `chunkSize`, each in memory that `take` provides.
 */
export function inChunks<E>(
  body: Stream.Stream<Uint8Array, E>,
  size: number,
  chunkSize: number,
  take: (size: number) => Effect.Effect<Uint8Array>
): Stream.Stream<UploadChunk, E> {
  return Stream.suspend(() => {
    let cut = 0
    let filled = 0
    let chunk: Uint8Array = new Uint8Array(0)
    return body.pipe(
      Stream.mapConcat((bytes) => {
        const pieces: Array<Uint8Array> = []
        for (let from = 0; from < bytes.length;) {
          const piece = bytes.subarray(from, from + chunkSize - (cut % chunkSize))
          pieces.push(piece)
          from += piece.length
          cut += piece.length
        }
        return pieces
      }),
      Stream.mapEffect((piece) =>
        Effect.gen(function* () {
          const index = Math.floor(filled / chunkSize)
          const offset = filled % chunkSize
          if (offset === 0) chunk = yield* take(Math.min(chunkSize, size - filled))
          chunk.set(piece, offset)
          filled += piece.length
          return offset + piece.length === chunk.length
            ? { number: index + 1, bytes: chunk }
            : undefined
        })
      ),
      Stream.filter((chunk) => chunk !== undefined)
    )
  })
}
