import { crc32 } from "node:zlib"
import type { CompletedPart, PutObjectCommandInput } from "@aws-sdk/client-s3"
import { Chunk, Effect, Exit, Fiber, Stream } from "effect"
import type { NewObject, ObjectStorageError } from "../../services/ObjectStorage.ts"
import { inChunks, type UploadChunk, verified } from "../cloud/body.ts"
import {
  again,
  type ChunkMemory,
  chunkSizeFor,
  type HeldChunks,
  heldChunks,
  SENT_AT_ONCE
} from "../cloud/chunks.ts"
import { errorOf, failed, type StoreAttempt, type StoreFailure } from "../cloud/failure.ts"
import type { Call } from "./client.ts"

const MOST_CHUNKS = 10_000

export interface MultipartPut<E> {
  readonly call: Call
  readonly attempt: StoreAttempt
  readonly object: NewObject<E>
  /** Bucket, key, metadata, encryption and condition, as for a single put. */
  readonly input: Omit<PutObjectCommandInput, "Body">
  readonly memory: ChunkMemory
  /** In bytes; larger if the object would have too many chunks. */
  readonly chunkSize: number
  /** Interprets a refusal of the last call: whether the object was put, or an error if unknown. */
  readonly afterRefusal: (failure: StoreFailure) => Effect.Effect<boolean, ObjectStorageError>
}

type UploadId = string | undefined

/**
 * Puts an object in chunks, each retried alone. The store verifies the CRC-32 of the whole before
 * it creates the object, which is looked up once more afterwards. An upload that fails is aborted.
 */
export const putMultipart = Effect.fn("ObjectStorageS3.putMultipart")(function* <E>(
  put: MultipartPut<E>
): Effect.fn.Return<boolean, ObjectStorageError | E> {
  const { attempt, memory, object } = put
  const { giveBackAll, sending, take } = heldChunks(memory)
  const chunkSize = chunkSizeFor(object.size, put.chunkSize, MOST_CHUNKS)
  let crc = 0
  const isPut = yield* Effect.acquireUseRelease(
    begin(put),
    (uploadId) =>
      verified(attempt.path, object).pipe(
        Stream.tap((bytes) => Effect.sync(() => (crc = crc32(bytes, crc)))),
        (body) => inChunks(body, object.size, chunkSize, take),
        Stream.mapEffect((chunk) => sendChunk(put, uploadId, chunk, sending), {
          concurrency: SENT_AT_ONCE
        }),
        Stream.runCollect,
        Effect.flatMap((sent) => complete(put, uploadId, Chunk.toArray(sent), base64(crc)))
      ),
    (uploadId, exit) =>
      Effect.zipRight(
        giveBackAll,
        Exit.isSuccess(exit) && exit.value ? Effect.void : abort(put, uploadId)
      )
  )
  if (!isPut) return false
  yield* compare(put, base64(crc))
  return true
})

function base64(crc: number): string {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(crc)
  return bytes.toString("base64")
}

const LOST = ["NoSuchUpload"]

function retried<A>(call: Effect.Effect<A, StoreFailure>): Effect.Effect<A, StoreFailure> {
  return again(call, LOST)
}

/** Starts an upload. An upload whose answer is lost cannot be aborted. */
function begin(put: MultipartPut<unknown>): Effect.Effect<UploadId, ObjectStorageError> {
  // Interrupted, it waits a little for the answer.
  return Effect.flatMap(Effect.forkDaemon(Effect.interruptible(create(put))), (creating) =>
    Effect.onInterrupt(Effect.interruptible(Fiber.join(creating)), () =>
      Fiber.join(creating).pipe(
        Effect.interruptible,
        Effect.timeout("2 seconds"),
        Effect.flatMap((uploadId) => abort(put, uploadId)),
        Effect.ignore,
        Effect.zipRight(Fiber.interruptFork(creating))
      )
    )
  )
}

function create({
  attempt,
  call,
  input
}: MultipartPut<unknown>): Effect.Effect<UploadId, ObjectStorageError> {
  const { ChecksumSHA256: _, ContentLength: _1, IfMatch: _2, IfNoneMatch: _3, ...rest } = input
  return call(attempt, async (client, { CreateMultipartUploadCommand }, options) => {
    const command = new CreateMultipartUploadCommand({
      ...rest,
      ChecksumAlgorithm: "CRC32",
      ChecksumType: "FULL_OBJECT"
    })
    return (await client.send(command, options)).UploadId
  }).pipe(Effect.mapError(errorOf))
}

function sendChunk(
  { attempt, call, input: { Bucket, Key } }: MultipartPut<unknown>,
  UploadId: UploadId,
  { bytes, number }: UploadChunk,
  sending: HeldChunks["sending"]
): Effect.Effect<CompletedPart, ObjectStorageError> {
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
  return Effect.mapError(sending(bytes, send, retried), errorOf)
}

/** Creates the object from its chunks, under the condition of the put. */
function complete(
  { afterRefusal, attempt, call, input }: MultipartPut<unknown>,
  UploadId: UploadId,
  Parts: Array<CompletedPart>,
  ChecksumCRC32: string
): Effect.Effect<boolean, ObjectStorageError> {
  const { Bucket, ContentLength, IfMatch, IfNoneMatch, Key } = input
  const send = call(attempt, (client, { CompleteMultipartUploadCommand }, options) => {
    const command = new CompleteMultipartUploadCommand({
      Bucket,
      Key,
      UploadId,
      IfMatch,
      IfNoneMatch,
      MultipartUpload: { Parts },
      ChecksumCRC32,
      ChecksumType: "FULL_OBJECT",
      MpuObjectSize: ContentLength
    })
    return client.send(command, options)
  })
  return retried(send).pipe(Effect.as(true), Effect.catchAll(afterRefusal))
}

/** Aborts an upload. A failure is only logged. */
function abort(
  { attempt, call, input: { Bucket, Key } }: MultipartPut<unknown>,
  UploadId: UploadId
): Effect.Effect<void> {
  const send = call(attempt, (client, { AbortMultipartUploadCommand }, options) =>
    client.send(new AbortMultipartUploadCommand({ Bucket, Key, UploadId }), options)
  )
  return retried(send).pipe(
    Effect.asVoid,
    // Cleanup must not be interrupted, but it still needs a timeout.
    Effect.interruptible,
    Effect.timeoutFail({
      duration: "5 seconds",
      onTimeout: () => ({ code: "TimeoutError", error: { detail: "it timed out" } })
    }),
    Effect.catchIf(
      ({ code }) => code === "NoSuchUpload" || code === "NoSuchKey",
      () => Effect.void
    ),
    Effect.catchAll(({ error }) =>
      Effect.logWarning(
        `Chunks of an upload to "${attempt.path}" are left in the store, and billed: ${error.detail}; ` +
          "a lifecycle rule with AbortIncompleteMultipartUpload removes them"
      )
    )
  )
}

/** Fails if the stored object differs from what was sent. */
const compare = Effect.fnUntraced(function* (
  { attempt, call, input: { Bucket, Key }, object }: MultipartPut<unknown>,
  crc: string
) {
  const landed = yield* call(attempt, (client, { HeadObjectCommand }, options) =>
    client.send(new HeadObjectCommand({ Bucket, Key, ChecksumMode: "ENABLED" }), options)
  ).pipe(Effect.mapError(errorOf))
  const sameChecksum =
    landed.ChecksumType === "COMPOSITE" ||
    landed.ChecksumCRC32 === undefined ||
    landed.ChecksumCRC32 === crc
  if (landed.ContentLength === object.size && sameChecksum) return
  const detail =
    "The store assembled the chunks to a different object than was sent; delete it and run again"
  return yield* failed(attempt, "Corrupt", detail)
})
