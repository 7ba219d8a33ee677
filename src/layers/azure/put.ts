import { createHash, type Hash } from "node:crypto"
import type { BlockBlobCommitBlockListOptions, BlockBlobUploadOptions } from "@azure/storage-blob"
import { Chunk, Effect, Option, Stream } from "effect"
import type { NewObject, ObjectStorageError } from "../../services/ObjectStorage.ts"
import { md5Of, putBlocks } from "./blocks.ts"
import type { AzureContainer, ObjectStorageAzureOptions } from "./container.ts"
import { toAzureMetadata } from "./metadata.ts"
import { inChunks, type UploadChunk, verified } from "../cloud/body.ts"
import { chunkSizeFor, type HeldChunks, heldChunks, makeChunkMemory } from "../cloud/chunks.ts"
import { failed } from "../cloud/failure.ts"
import { otherProbe, PROBE, probe, provesParts } from "../cloud/probe.ts"
import { afterRefusedPut, type ObjectPut } from "../cloud/store.ts"

const MIB = 1024 * 1024
const MOST_BLOCKS = 50_000

interface BlobPut<E> extends ObjectPut<E> {
  /** Including the store's prefix. */
  readonly name: string
  /** Conditions, metadata and type. */
  readonly options: Pick<BlockBlobUploadOptions, "conditions" | "metadata" | "blobHTTPHeaders">
  readonly held: HeldChunks
  /** Of the bytes read so far. */
  readonly md5: Hash
}

/** Puts an object below the prefix, in one request or in blocks. */
export function makePut(container: AzureContainer, options: ObjectStorageAzureOptions) {
  const { blockSize: leastBlockSize = 8 * MIB } = options
  const memory = makeChunkMemory()
  const prepare = <E>(method: "put" | "check", object: NewObject<E>, replacing?: string) => {
    const { key, size } = object
    const held = heldChunks(memory)
    const put: BlobPut<E> = {
      attempt: container.attemptTo(method, "write", key),
      object,
      replacing,
      name: container.prefix + key,
      options: {
        conditions: replacing === undefined ? { ifNoneMatch: "*" } : { ifMatch: `"${replacing}"` },
        metadata: toAzureMetadata(object.metadata),
        blobHTTPHeaders: {
          blobContentType: key.endsWith(".gz") ? "application/gzip" : "application/x-ndjson"
        }
      },
      held,
      md5: createHash("md5")
    }
    const blockSize = chunkSizeFor(size, leastBlockSize, MOST_BLOCKS)
    const chunks = verified(put.attempt.path, object).pipe(
      Stream.tap((bytes) => Effect.sync(() => put.md5.update(bytes))),
      (body) => inChunks(body, size, blockSize, held.take)
    )
    const isLarge = size > blockSize
    return { put, isLarge, chunks, giveBack: Effect.ensuring(held.giveBackAll) }
  }
  const proveBlocks = provesParts({
    attempt: container.attemptTo("put", "write", PROBE),
    put: Effect.suspend(() => {
      const { chunks, giveBack, put } = prepare("put", probe)
      return giveBack(putAtOnce(container, put, chunks))
    }),
    putInParts: Effect.suspend(() => {
      const { chunks, giveBack, put } = prepare("put", otherProbe)
      return giveBack(putInBlocks(container, put, chunks))
    })
  })

  return Effect.fn("ObjectStorageAzure.put")(function* <E>(
    method: "put" | "check",
    object: NewObject<E>,
    replacing?: string
  ): Effect.fn.Return<boolean, ObjectStorageError | E> {
    const { chunks, giveBack, isLarge, put } = prepare(method, object, replacing)
    if (!isLarge) return yield* giveBack(putAtOnce(container, put, chunks))
    // Saves sending gigabytes that the last call would refuse.
    if ((yield* container.etagOf(method, object.key)) !== replacing) return false
    yield* proveBlocks
    const isPut = yield* giveBack(putInBlocks(container, put, chunks))
    if (!isPut) return false
    yield* compare(container, put)
    return true
  })
}

function putInBlocks<E, F>(
  container: AzureContainer,
  put: BlobPut<E>,
  chunks: Stream.Stream<UploadChunk, F>
): Effect.Effect<boolean, ObjectStorageError | F> {
  const { attempt, held, md5, name, options } = put
  return putBlocks({
    call: container.call,
    attempt,
    name,
    chunks,
    sending: held.sending,
    options: (): BlockBlobCommitBlockListOptions => ({
      ...options,
      blobHTTPHeaders: { ...options.blobHTTPHeaders, blobContentMD5: md5.copy().digest() }
    }),
    afterRefusal: afterRefusedPut(container, put)
  })
}

/** Puts an object of at most one chunk. */
const putAtOnce = Effect.fnUntraced(function* <E, F>(
  container: AzureContainer,
  put: BlobPut<E>,
  chunks: Stream.Stream<UploadChunk, F>
): Effect.fn.Return<boolean, ObjectStorageError | F> {
  const { attempt, held, name, object, options, replacing } = put
  const [chunk] = Chunk.toReadonlyArray(yield* Stream.runCollect(chunks))
  const bytes = chunk?.bytes ?? new Uint8Array(0)
  const sent = yield* Effect.either(
    container.call(attempt, (client, abortSignal) =>
      client
        .getBlockBlobClient(name)
        .upload(bytes, bytes.length, proven(bytes, { ...options, abortSignal }))
    )
  )
  if (sent._tag === "Right") {
    if (chunk !== undefined) held.keep(chunk.bytes)
    return true
  }
  const isTaken = sent.left.code === "BlobAlreadyExists" && replacing === undefined
  if (!isTaken) return yield* afterRefusedPut(container, put)(sent.left)
  if ((yield* container.etagOf(attempt.method, object.key)) !== undefined) return false
  // Blocks of an interrupted upload occupy the name without being an object; committing a list of
  // blocks takes it over. The bytes are copied because the refused request may still read the
  // original.
  const again = chunk && { ...chunk, bytes: Uint8Array.from(chunk.bytes) }
  return yield* putInBlocks(container, put, again === undefined ? Stream.empty : Stream.make(again))
})

/**
 * The SDK sends the MD5 with a single put as it does with a block, although its types only have it
 * for blocks.
 */
function proven(
  bytes: Uint8Array,
  options: BlockBlobUploadOptions
): BlockBlobUploadOptions & { readonly transactionalContentMD5: Uint8Array } {
  return { ...options, transactionalContentMD5: md5Of(bytes) }
}

/** Fails if the stored object differs from what was sent. */
const compare = Effect.fnUntraced(function* (
  { attemptTo, headObject }: AzureContainer,
  { attempt, md5, object }: BlobPut<unknown>
) {
  const landed = yield* headObject(attemptTo(attempt.method, "read", object.key), object.key)
  const sent = md5.digest()
  const isWhole = Option.exists(
    landed,
    ({ contentLength, contentMD5 }) =>
      contentLength === object.size && (contentMD5 === undefined || sent.equals(contentMD5))
  )
  if (isWhole) return
  const detail =
    "The store assembled the blocks to a different object than was sent; delete it and run again"
  return yield* failed(attempt, "Corrupt", detail)
})
