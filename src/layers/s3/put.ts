import { PassThrough } from "node:stream"
import type { PutObjectCommandInput } from "@aws-sdk/client-s3"
import { Chunk, Effect, Option, Stream } from "effect"
import type { NewObject, ObjectStorageError } from "../../services/ObjectStorage.ts"
import { pour, verified } from "../cloud/body.ts"
import { makePartMemory } from "../cloud/parts.ts"
import type { ObjectStorageS3Options, S3Bucket } from "./bucket.ts"
import type { StoreAttempt, StoreFailure } from "../cloud/failure.ts"
import { PROBE, SHA256_OF_NOTHING } from "../cloud/probe.ts"
import { putMultipart } from "./multipart.ts"

const MIB = 1024 * 1024

/** A digest in hexadecimal, as S3 writes it. */
export function toBase64(hex: string): string {
  return Buffer.from(hex, "hex").toString("base64")
}

function gather<E>(body: Stream.Stream<Uint8Array, E>): Effect.Effect<Uint8Array, E> {
  return Effect.map(Stream.runCollect(body), (chunks) => Buffer.concat(Chunk.toArray(chunks)))
}

/** The key of a probe's body that a store must not take; no listing shows it either. */
const OTHER_PROBE = `other${PROBE}`

/**
 * Whether the store compares what a request brings with the SHA-256 that it announces: whether it refuses one byte that was
 * announced as none. A store that takes it keeps that byte, and is known by it the next time.
 */
export function comparesHashes({ at, attemptTo, call }: S3Bucket): Effect.Effect<boolean> {
  return call(
    attemptTo("check", "s3:PutObject", OTHER_PROBE),
    (client, { PutObjectCommand }, options) =>
      client.send(
        new PutObjectCommand({
          ...at(OTHER_PROBE),
          IfNoneMatch: "*",
          ContentLength: 1,
          ChecksumAlgorithm: "SHA256",
          ChecksumSHA256: toBase64(SHA256_OF_NOTHING),
          Body: "x"
        }),
        options
      )
  ).pipe(
    // Any other refusal says nothing of hashes.
    Effect.match({ onSuccess: () => false, onFailure: ({ error }) => error.reason === "Corrupt" })
  )
}

/**
 * Puts an object below the prefix, by one request or in parts; `method` is for the error's words. Where `isHashing`, the
 * store is known to compare what one request brings with the announced SHA-256, and it is not hashed here as well.
 */
export function makePut(
  { at, attemptTo, call, headObject }: S3Bucket,
  options: ObjectStorageS3Options,
  isHashing: () => boolean
) {
  const { multipartThreshold = 256 * MIB, partSize = 8 * MIB } = options
  const memory = makePartMemory()

  /** What a refused put means: `false` when there is an object, or not the one to be replaced. */
  const settle =
    (attempt: StoreAttempt, object: NewObject<unknown>, replacing: string | undefined) =>
    (failure: StoreFailure) =>
      Effect.gen(function* () {
        const { code, error, status } = failure
        if (status === 412 || (replacing !== undefined && code === "NoSuchKey")) return false
        const isOpen = status === 409 || (error.isTransient && object.size > MIB)
        if (!isOpen) return yield* error
        // Another writer was at it, or the answer was lost, as it can be while much is being sent: the store knows.
        const looking = attemptTo(attempt.method, "s3:GetObject", object.key)
        const found = yield* headObject(looking, object.key)
        return Option.getOrUndefined(found)?.ETag === replacing ? yield* error : false
      })

  const putSingle = <E>(
    attempt: StoreAttempt,
    input: PutObjectCommandInput,
    object: NewObject<E>,
    refused: (failure: StoreFailure) => Effect.Effect<boolean, ObjectStorageError>
  ): Effect.Effect<boolean, ObjectStorageError | E> => {
    const send = (body: PassThrough | Uint8Array) =>
      call(attempt, (client, { PutObjectCommand }, options) =>
        client.send(new PutObjectCommand({ ...input, Body: body }), options)
      ).pipe(Effect.as(true), Effect.catchAll(refused))
    // What is small is known to be right before anything is sent; it must be so for no bytes at all.
    if (object.size <= MIB) return Effect.flatMap(gather(verified(attempt.path, object)), send)
    return Effect.suspend(() => {
      const through = new PassThrough()
      const body = verified(attempt.path, object, isHashing() ? "the store" : "us")
      return Effect.raceFirst(send(through), pour(body, through))
    })
  }

  return Effect.fn("ObjectStorageS3.put")(function* <E>(
    method: "put" | "check",
    object: NewObject<E>,
    replacing?: string
  ): Effect.fn.Return<boolean, ObjectStorageError | E> {
    const attempt = attemptTo(method, "s3:PutObject", object.key)
    const refused = settle(attempt, object, replacing)
    const input: PutObjectCommandInput = {
      ...at(object.key),
      ...(replacing === undefined ? { IfNoneMatch: "*" } : { IfMatch: replacing }),
      ContentLength: object.size,
      ContentType: object.key.endsWith(".gz") ? "application/gzip" : "application/x-ndjson",
      // Ceph looks at the checksum only where the algorithm is named too.
      ChecksumAlgorithm: "SHA256",
      ChecksumSHA256: toBase64(object.sha256),
      Metadata: { ...object.metadata },
      ...(options.sseKmsKeyId === undefined
        ? {}
        : { ServerSideEncryption: "aws:kms" as const, SSEKMSKeyId: options.sseKmsKeyId })
    }
    if (object.size <= multipartThreshold) return yield* putSingle(attempt, input, object, refused)
    // One look spares the sending of gigabytes that the last call would refuse.
    const found = yield* headObject(attemptTo(method, "s3:GetObject", object.key), object.key)
    const etag = Option.getOrUndefined(found)?.ETag
    if (etag !== replacing) return false
    return yield* putMultipart({ call, attempt, object, input, partSize, memory, settle: refused })
  })
}
