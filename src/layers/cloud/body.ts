import { createHash } from "node:crypto"
import { Readable } from "node:stream"
import { Deferred, Effect, FiberId, Stream } from "effect"
import { type NewObject, ObjectStorageError } from "../../services/ObjectStorage.ts"

/** Which side compares a body with its announced SHA-256. */
export type HashedBy = "us" | "the store"

/**
 * The object's body. Its last byte is emitted only after its size and SHA-256 have been verified, so
 * nothing else can be sent completely. Fails as `Corrupt`. With `hashedBy` the store, only the size is
 * verified here. Each piece may only be used until the next one is pulled.
 */
export function verified<E>(
  path: string,
  { body, lent = body, sha256, size: announced }: NewObject<E>,
  hashedBy: HashedBy = "us"
): Stream.Stream<Uint8Array, E | ObjectStorageError> {
  const corrupt = (detail: string): ObjectStorageError =>
    new ObjectStorageError({ reason: "Corrupt", method: "put", path, detail })
  return Stream.suspend(() => {
    const hash = createHash("sha256")
    let size = 0
    let last = new Uint8Array(0)
    const end = Stream.suspend(() => {
      if (size !== announced) {
        return Stream.fail(
          corrupt(`The body has ${size} bytes instead of the announced ${announced}`)
        )
      }
      return hashedBy === "the store" || hash.digest("hex") === sha256
        ? Stream.make(last)
        : Stream.fail(corrupt("The body's SHA-256 differs from the announced one"))
    })
    return lent.pipe(
      Stream.mapEffect((bytes) => {
        size += bytes.length
        if (size > announced) {
          return Effect.fail(corrupt(`The body has more than the announced ${announced} bytes`))
        }
        if (hashedBy === "us") hash.update(bytes)
        if (size < announced || bytes.length === 0) return Effect.succeed(bytes)
        last = Uint8Array.from(bytes.subarray(-1))
        return Effect.succeed(bytes.subarray(0, -1))
      }),
      Stream.concat(end),
      Stream.filter((bytes) => bytes.length > 0)
    )
  })
}

/** Where the pieces of a body go, one at a time. */
interface Sink {
  /** Calls back once it is done with the piece. */
  readonly write: (piece: Uint8Array, done: () => void) => void
  readonly end: () => void
}

/**
 * What an SDK pipes into its request. Pieces go straight to the request, which tells when it is done with
 * each of them. An SDK that reads instead gets copies.
 */
class Pipe extends Readable {
  readonly sink = Deferred.unsafeMake<Sink>(FiberId.none)
  private wanted = () => {}

  private open(sink: Sink): void {
    Deferred.unsafeDone(this.sink, Effect.succeed(sink))
  }

  override pipe<T extends NodeJS.WritableStream>(request: T): T {
    this.open({
      write: (piece, done) => {
        request.write(piece, (error) => {
          // The call that makes the request fails with it.
          if (error === undefined || error === null) done()
        })
      },
      end: () => request.end()
    })
    return request
  }

  override _read(): void {
    this.wanted()
    this.open({
      write: (piece, done) => {
        this.wanted = done
        this.push(Uint8Array.from(piece))
      },
      end: () => this.push(null)
    })
  }
}

/** Sends a body by a call of an SDK. A piece is pulled when the request is done with the one before it. */
export function sendBody<A, E, E2>(
  body: Stream.Stream<Uint8Array, E>,
  call: (body: Readable) => Effect.Effect<A, E2>
): Effect.Effect<A, E | E2> {
  return Effect.suspend(() => {
    const pipe = new Pipe()
    const pour = Effect.flatMap(Deferred.await(pipe.sink), ({ end, write }) =>
      Stream.runForEach(body, (piece) =>
        Effect.async<void>((resume) => {
          write(piece, () => resume(Effect.void))
        })
      ).pipe(Effect.zipRight(Effect.sync(end)), Effect.zipRight(Effect.never))
    )
    return Effect.raceFirst(call(pipe), pour)
  })
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
