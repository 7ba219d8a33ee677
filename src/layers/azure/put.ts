import { createHash } from "node:crypto"
import type { BlockBlobUploadOptions } from "@azure/storage-blob"
import { Chunk, Effect, Option, Stream } from "effect"
import type { NewObject, ObjectStorageError } from "../../services/ObjectStorage.ts"
import { SETTLED, md5Of, putBlocks } from "./blocks.ts"
import { type AzureContainer, bareEtag, type ObjectStorageAzureOptions } from "./container.ts"
import { toAzureMetadata } from "./metadata.ts"
import { inParts, verified } from "../cloud/body.ts"
import { heldParts, makePartMemory, partSizeFor } from "../cloud/parts.ts"
import { failed, type StoreAttempt, type StoreFailure } from "../cloud/failure.ts"

const MIB = 1024 * 1024
const MOST_BLOCKS = 50_000

/** What the SDK sends with a single put as with a block, though its types have it for blocks only. */
function proven(
  bytes: Uint8Array,
  options: BlockBlobUploadOptions
): BlockBlobUploadOptions & { readonly transactionalContentMD5: Uint8Array } {
  return { ...options, transactionalContentMD5: md5Of(bytes) }
}

/** Puts an object below the prefix, by one request or in blocks; `method` is for the error's words. */
export function makePut(
  { prefix, attemptTo, call, headObject }: AzureContainer,
  options: ObjectStorageAzureOptions
) {
  const { partSize: leastPartSize = 8 * MIB } = options
  const memory = makePartMemory()

  /** The ETag of what stands there. */
  const look = (method: StoreAttempt["method"], key: string) =>
    Effect.map(headObject(attemptTo(method, "read", key), key), (found) =>
      Option.getOrUndefined(Option.map(found, ({ etag }) => bareEtag(etag)))
    )

  /** What a refused put means: `false` when there is an object, or not the one to be replaced. */
  const settle =
    (attempt: StoreAttempt, { key, size }: NewObject<unknown>, replacing: string | undefined) =>
    ({ code, error, status }: StoreFailure) =>
      Effect.gen(function* () {
        if (replacing !== undefined && (status === 412 || code === "BlobNotFound")) return false
        const isOpen =
          status === 409 ||
          status === 412 ||
          // Said to who may create and not overwrite, where there is an object.
          code === "UnauthorizedBlobOverwrite" ||
          SETTLED.includes(code) ||
          (error.isTransient && size > MIB)
        if (!isOpen) return yield* error
        // Another writer was at it, or the answer was lost, as it can be while much is being sent: the store knows.
        return (yield* look(attempt.method, key)) === replacing ? yield* error : false
      })

  return Effect.fn("ObjectStorageAzure.put")(function* <E>(
    method: "put" | "check",
    object: NewObject<E>,
    replacing?: string
  ): Effect.fn.Return<boolean, ObjectStorageError | E> {
    const { key, size } = object
    const attempt = attemptTo(method, "write", key)
    const name = prefix + key
    const put = {
      conditions: replacing === undefined ? { ifNoneMatch: "*" } : { ifMatch: `"${replacing}"` },
      metadata: toAzureMetadata(object.metadata)
    }
    const blobHTTPHeaders = {
      blobContentType: key.endsWith(".gz") ? "application/gzip" : "application/x-ndjson"
    }
    const partSize = partSizeFor(size, leastPartSize, MOST_BLOCKS)
    const held = heldParts(memory)
    const whole = createHash("md5")
    const parts = verified(attempt.path, object).pipe(
      Stream.tap((bytes) => Effect.sync(() => whole.update(bytes))),
      (body) => inParts(body, size, partSize, held.take)
    )
    const inBlocks = (stream: typeof parts) =>
      putBlocks({
        call,
        attempt,
        name,
        parts: stream,
        sending: held.sending,
        options: () => ({
          ...put,
          blobHTTPHeaders: { ...blobHTTPHeaders, blobContentMD5: whole.copy().digest() }
        }),
        settle: settle(attempt, object, replacing)
      })

    const atOnce = Effect.gen(function* () {
      const [part] = Chunk.toReadonlyArray(yield* Stream.runCollect(parts))
      const bytes = part?.bytes ?? new Uint8Array(0)
      const sent = yield* Effect.either(
        call(attempt, (client, abortSignal) =>
          client
            .getBlockBlobClient(name)
            .upload(bytes, bytes.length, proven(bytes, { ...put, blobHTTPHeaders, abortSignal }))
        )
      )
      if (sent._tag === "Right") {
        if (part !== undefined) held.keep(part.bytes)
        return true
      }
      const isTaken = sent.left.code === "BlobAlreadyExists" && replacing === undefined
      if (isTaken && (yield* look(method, key)) === undefined) {
        // Blocks of an upload that broke off hold the name without being an object: a list of blocks takes it over.
        // A copy, as the request that was refused may still be at the other.
        const again = part && { ...part, bytes: Uint8Array.from(part.bytes) }
        return yield* inBlocks(again === undefined ? Stream.empty : Stream.make(again))
      }
      return isTaken ? false : yield* settle(attempt, object, replacing)(sent.left)
    })

    if (size <= partSize) return yield* Effect.ensuring(atOnce, held.giveBackAll)
    // One look spares the sending of gigabytes that the last call would refuse.
    if ((yield* look(method, key)) !== replacing) return false
    if (!(yield* Effect.ensuring(inBlocks(parts), held.giveBackAll))) return false

    const landed = yield* headObject(attemptTo(method, "read", key), key)
    const md5 = whole.digest()
    const isWhole = Option.exists(
      landed,
      ({ contentLength, contentMD5 }) =>
        contentLength === size && (contentMD5 === undefined || md5.equals(contentMD5))
    )
    if (isWhole) return true
    const detail =
      "The store put the blocks together to another object than was sent: remove it and run again"
    return yield* failed(attempt, "Corrupt", detail)
  })
}
