import { createHash, randomBytes } from "node:crypto"
import type { BlockBlobCommitBlockListOptions, ContainerClient } from "@azure/storage-blob"
import { Chunk, Effect, Stream } from "effect"
import type { ObjectStorageError } from "../../services/ObjectStorage.ts"
import type { UploadChunk } from "../cloud/body.ts"
import { again, type HeldChunks, SENT_AT_ONCE } from "../cloud/chunks.ts"
import type { Call } from "../cloud/connect.ts"
import type { StoreAttempt, StoreFailure } from "../cloud/failure.ts"

/**
 * Errors that a retry cannot change: the object exists, or another writer created it and the blocks
 * are gone.
 */
export const FINAL = ["BlobAlreadyExists", "InvalidBlockList"]

export interface BlocksPut<E> {
  readonly call: Call<ContainerClient>
  readonly attempt: StoreAttempt
  /** Including the store's prefix. */
  readonly name: string
  readonly chunks: Stream.Stream<UploadChunk, E>
  readonly sending: HeldChunks["sending"]
  /** Conditions, metadata and type; called once all chunks are sent. */
  readonly options: () => BlockBlobCommitBlockListOptions
  /** Interprets a refusal of the last call: whether the object was put, or an error if unknown. */
  readonly afterRefusal: (failure: StoreFailure) => Effect.Effect<boolean, ObjectStorageError>
}

export function md5Of(bytes: Uint8Array): Buffer {
  return createHash("md5").update(bytes).digest()
}

/**
 * Puts an object in blocks, each sent with its MD5 and retried alone, and commits them in one call.
 * Uncommitted blocks are invisible, and Azure removes them after a week.
 */
export const putBlocks = Effect.fn("ObjectStorageAzure.putBlocks")(function* <E>({
  attempt,
  call,
  name,
  chunks,
  options,
  sending,
  afterRefusal
}: BlocksPut<E>): Effect.fn.Return<boolean, ObjectStorageError | E> {
  // Unique per upload: Azure keeps the uncommitted blocks of a name together, whoever sent them.
  const upload = randomBytes(19).toString("hex")
  const idOf = (number: number) =>
    Buffer.from(`${upload}${String(number).padStart(10, "0")}`).toString("base64")

  const stage = ({ bytes, number }: UploadChunk) => {
    const send = call(attempt, (client, abortSignal) =>
      client.getBlockBlobClient(name).stageBlock(idOf(number), bytes, bytes.length, {
        abortSignal,
        transactionalContentMD5: md5Of(bytes)
      })
    )
    return sending(bytes, send, (it) => again(it, FINAL)).pipe(
      Effect.as(idOf(number)),
      Effect.mapError(({ error }) => error)
    )
  }

  const ids = yield* chunks.pipe(
    Stream.mapEffect(stage, { concurrency: SENT_AT_ONCE }),
    Stream.runCollect
  )
  return yield* again(
    call(attempt, (client, abortSignal) =>
      client
        .getBlockBlobClient(name)
        .commitBlockList(Chunk.toArray(ids), { ...options(), abortSignal })
    ),
    FINAL
  ).pipe(Effect.as(true), Effect.catchAll(afterRefusal))
})
