import type { Readable } from "node:stream"
import type { PutObjectCommandInput } from "@aws-sdk/client-s3"
import { Chunk, Effect, Ref, Stream } from "effect"
import {
  type NewObject,
  type ObjectStorageError,
  SHA256_OF_NOTHING
} from "../../services/ObjectStorage.ts"
import { type HashedBy, sendBody, verified } from "../cloud/body.ts"
import { makeChunkMemory } from "../cloud/chunks.ts"
import type { ObjectStorageS3Options, S3Bucket } from "./bucket.ts"
import { otherProbe, PROBE, probe, provesParts } from "../cloud/probe.ts"
import { afterRefusedPut, type ObjectPut } from "../cloud/store.ts"
import { putMultipart } from "./multipart.ts"

const MIB = 1024 * 1024

/** Converts a hexadecimal digest to base64, as S3 writes it. */
export function toBase64(hex: string): string {
  return Buffer.from(hex, "hex").toString("base64")
}

function gather<E>(body: Stream.Stream<Uint8Array, E>): Effect.Effect<Uint8Array, E> {
  const pieces = Stream.runCollect(Stream.map(body, (piece) => Uint8Array.from(piece)))
  return Effect.map(pieces, (chunks) => Buffer.concat(Chunk.toArray(chunks)))
}

/** Key of the probe with a wrong hash; listings hide it, too. */
const OTHER_PROBE = `other${PROBE}`

/**
 * Whether the store compares an upload with its announced SHA-256: it must refuse one byte that was
 * announced as none. A store that accepts it keeps that byte, and is recognized by it next time.
 */
export function comparesHashes(
  { at, attemptTo, call }: S3Bucket,
  options: ObjectStorageS3Options
): Effect.Effect<boolean> {
  const encryption = encryptionOf(options)
  return call(attemptTo("check", "write", OTHER_PROBE), (client, { PutObjectCommand }, options) =>
    client.send(
      new PutObjectCommand({
        ...at(OTHER_PROBE),
        ...encryption,
        IfNoneMatch: "*",
        ContentLength: 1,
        ChecksumAlgorithm: "SHA256",
        ChecksumSHA256: toBase64(SHA256_OF_NOTHING),
        Body: "x"
      }),
      options
    )
  ).pipe(
    // Any other refusal proves nothing about hashes.
    Effect.match({ onSuccess: () => false, onFailure: ({ error }) => error.reason === "Corrupt" })
  )
}

interface Single<E> extends ObjectPut<E> {
  readonly input: PutObjectCommandInput
}

/** Puts an object below the prefix, in one request or as a multipart upload. */
export function makePut(
  bucket: S3Bucket,
  options: ObjectStorageS3Options,
  hashedBy: Ref.Ref<HashedBy>
) {
  const { multipartThreshold = 256 * MIB, chunkSize = 8 * MIB } = options
  const memory = makeChunkMemory()
  const inputOf = ({ object, replacing }: ObjectPut<unknown>): PutObjectCommandInput => ({
    ...bucket.at(object.key),
    ...(replacing === undefined ? { IfNoneMatch: "*" } : { IfMatch: replacing }),
    ContentLength: object.size,
    ContentType: object.key.endsWith(".gz") ? "application/gzip" : "application/x-ndjson",
    // Ceph compares the checksum only if the algorithm is given, too.
    ChecksumAlgorithm: "SHA256",
    ChecksumSHA256: toBase64(object.sha256),
    Metadata: { ...object.metadata },
    ...encryptionOf(options)
  })
  const atOnce = <E>(put: ObjectPut<E>) =>
    putSingle(bucket, { ...put, input: inputOf(put) }, hashedBy)
  const inParts = <E>(put: ObjectPut<E>) =>
    putMultipart({
      call: bucket.call,
      attempt: put.attempt,
      object: put.object,
      input: inputOf(put),
      chunkSize,
      memory,
      afterRefusal: afterRefusedPut(bucket, put)
    })
  const proving = { attempt: bucket.attemptTo("put", "write", PROBE), replacing: undefined }
  const proveParts = provesParts({
    attempt: proving.attempt,
    put: atOnce({ ...proving, object: probe }),
    putInParts: inParts({ ...proving, object: otherProbe })
  })

  return Effect.fn("ObjectStorageS3.put")(function* <E>(
    method: "put" | "check",
    object: NewObject<E>,
    replacing?: string
  ): Effect.fn.Return<boolean, ObjectStorageError | E> {
    const attempt = {
      ...bucket.attemptTo(method, "write", object.key),
      replaces: replacing !== undefined
    }
    const put = { attempt, object, replacing }
    if (object.size <= multipartThreshold) return yield* atOnce(put)
    // Saves sending gigabytes that the last call would refuse.
    if ((yield* bucket.etagOf(method, object.key)) !== replacing) return false
    yield* proveParts
    return yield* inParts(put)
  })
}

function putSingle<E>(
  bucket: S3Bucket,
  { input, ...put }: Single<E>,
  hashedBy: Ref.Ref<HashedBy>
): Effect.Effect<boolean, ObjectStorageError | E> {
  const { attempt, object } = put
  const send = (body: Readable | Uint8Array) =>
    bucket
      .call(attempt, (client, { PutObjectCommand }, options) =>
        client.send(new PutObjectCommand({ ...input, Body: body }), options)
      )
      .pipe(Effect.as(true), Effect.catchAll(afterRefusedPut(bucket, put)))
  // A small body is verified before anything is sent, which an empty one needs.
  if (object.size <= MIB) return Effect.flatMap(gather(verified(attempt.path, object)), send)
  return Effect.flatMap(Ref.get(hashedBy), (hashing) =>
    sendBody(verified(attempt.path, object, hashing), send)
  )
}

function encryptionOf({
  sse,
  sseKmsKeyId
}: ObjectStorageS3Options): Pick<PutObjectCommandInput, "ServerSideEncryption" | "SSEKMSKeyId"> {
  if (sseKmsKeyId !== undefined) {
    return { ServerSideEncryption: "aws:kms", SSEKMSKeyId: sseKmsKeyId }
  }
  return sse === undefined ? {} : { ServerSideEncryption: sse }
}
