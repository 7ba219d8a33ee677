import { crc32 } from "node:zlib"
import type { PutObjectCommandInput } from "@aws-sdk/client-s3"
import { Chunk, Effect, Exit, Fiber, Stream } from "effect"
import { type NewObject, ObjectStorageError } from "../../services/ObjectStorage.ts"
import { inParts, type Part, verified } from "../cloud/body.ts"
import type { Call } from "./client.ts"
import { again, heldParts, type PartMemory, partSizeFor, SENT_AT_ONCE } from "../cloud/parts.ts"
import type { StoreAttempt, StoreFailure } from "../cloud/failure.ts"

const MOST_PARTS = 10_000

export interface MultipartPut<E> {
  readonly call: Call
  readonly attempt: StoreAttempt
  readonly object: NewObject<E>
  /** Bucket, key, metadata, encryption and condition, as for a single put. */
  readonly input: Omit<PutObjectCommandInput, "Body">
  readonly memory: PartMemory
  /** Bytes of a part, where the object is not too large for it. */
  readonly partSize: number
  /** What a refusal of the last call means: whether the object was put, or why that is not known. */
  readonly settle: (failure: StoreFailure) => Effect.Effect<boolean, ObjectStorageError>
}

function base64(crc: number): string {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(crc)
  return bytes.toString("base64")
}

const LOST = ["NoSuchUpload"]

const sent = <A>(call: Effect.Effect<A, StoreFailure>) => again(call, LOST)

function said({ error }: StoreFailure): ObjectStorageError {
  return error
}

/**
 * Puts an object in parts, each retried alone. The store compares the CRC-32 of the whole before the object is made, and
 * the object is looked at once more after. Whatever does not become the object is removed from the store.
 */
export const putMultipart = Effect.fn("ObjectStorageS3.putMultipart")(function* <E>({
  attempt,
  call,
  input,
  object,
  memory,
  partSize,
  settle
}: MultipartPut<E>): Effect.fn.Return<boolean, ObjectStorageError | E> {
  const { Bucket, Key, IfMatch, IfNoneMatch, ChecksumSHA256: _, ContentLength, ...rest } = input
  let crc = 0
  const { take, sending, giveBackAll } = heldParts(memory)

  const create = call(attempt, async (client, { CreateMultipartUploadCommand }, options) => {
    const command = new CreateMultipartUploadCommand({
      ...rest,
      Bucket,
      Key,
      ChecksumAlgorithm: "CRC32",
      ChecksumType: "FULL_OBJECT"
    })
    return (await client.send(command, options)).UploadId
  }).pipe(Effect.mapError(said))

  const upload = (UploadId: string | undefined, { bytes, number }: Part) => {
    const ChecksumCRC32 = base64(crc32(bytes))
    const named = { PartNumber: number, ChecksumCRC32 }
    const send = call(attempt, async (client, { UploadPartCommand }, options) => {
      const command = new UploadPartCommand({
        Bucket,
        Key,
        UploadId,
        Body: bytes,
        ChecksumAlgorithm: "CRC32",
        ...named
      })
      return { ...named, ETag: (await client.send(command, options)).ETag }
    })
    return Effect.mapError(sending(bytes, send, sent), said)
  }

  const complete = (
    UploadId: string | undefined,
    Parts: Array<{ PartNumber: number; ChecksumCRC32: string; ETag: string | undefined }>
  ) =>
    sent(
      call(attempt, (client, { CompleteMultipartUploadCommand }, options) => {
        const command = new CompleteMultipartUploadCommand({
          Bucket,
          Key,
          UploadId,
          IfMatch,
          IfNoneMatch,
          MultipartUpload: { Parts },
          ChecksumCRC32: base64(crc),
          ChecksumType: "FULL_OBJECT",
          MpuObjectSize: ContentLength
        })
        return client.send(command, options)
      })
    ).pipe(Effect.as(true), Effect.catchAll(settle))

  const abort = (UploadId: string | undefined) =>
    sent(
      call(attempt, (client, { AbortMultipartUploadCommand }, options) =>
        client.send(new AbortMultipartUploadCommand({ Bucket, Key, UploadId }), options)
      )
    ).pipe(
      // Whoever cleans up is not to be interrupted, but this has to be cut off all the same.
      Effect.interruptible,
      Effect.timeoutFail({
        duration: "5 seconds",
        onTimeout: () => ({ code: "TimeoutError", error: { detail: "it took too long" } })
      }),
      Effect.catchIf(
        ({ code }) => code === "NoSuchUpload" || code === "NoSuchKey",
        () => Effect.void
      ),
      Effect.catchAll(({ error }) =>
        Effect.logWarning(
          `Parts of an upload to "${attempt.path}" are left in the store, and paid for: ${error.detail}; ` +
            "a lifecycle rule with AbortIncompleteMultipartUpload removes them"
        )
      )
    )

  // Interrupted, it is waited for a little: an upload whose answer nobody heard is one that nobody aborts.
  const begin = Effect.flatMap(Effect.forkDaemon(Effect.interruptible(create)), (creating) =>
    Effect.onInterrupt(Effect.interruptible(Fiber.join(creating)), () =>
      Fiber.join(creating).pipe(
        Effect.interruptible,
        Effect.timeout("2 seconds"),
        Effect.flatMap(abort),
        Effect.ignore,
        Effect.zipRight(Fiber.interruptFork(creating))
      )
    )
  )

  const put = yield* Effect.acquireUseRelease(
    begin,
    (uploadId) =>
      verified(attempt.path, object).pipe(
        Stream.tap((bytes) => Effect.sync(() => (crc = crc32(bytes, crc)))),
        (body) => inParts(body, object.size, partSizeFor(object.size, partSize, MOST_PARTS), take),
        Stream.mapEffect((part) => upload(uploadId, part), { concurrency: SENT_AT_ONCE }),
        Stream.runCollect,
        Effect.flatMap((parts) => complete(uploadId, Chunk.toArray(parts)))
      ),
    (uploadId, exit) =>
      Effect.zipRight(
        giveBackAll,
        Exit.isSuccess(exit) && exit.value ? Effect.void : abort(uploadId)
      )
  )
  if (!put) return false

  const landed = yield* call(attempt, (client, { HeadObjectCommand }, options) =>
    client.send(new HeadObjectCommand({ Bucket, Key, ChecksumMode: "ENABLED" }), options)
  ).pipe(Effect.mapError(said))
  const sameChecksum =
    landed.ChecksumType === "COMPOSITE" ||
    landed.ChecksumCRC32 === undefined ||
    landed.ChecksumCRC32 === base64(crc)
  if (landed.ContentLength !== object.size || !sameChecksum) {
    return yield* new ObjectStorageError({
      reason: "Corrupt",
      method: attempt.method,
      path: attempt.path,
      detail:
        "The store put the parts together to another object than was sent: remove it and run again"
    })
  }
  return true
})
