import { Readable } from "node:stream"
import type { ListObjectsV2CommandOutput } from "@aws-sdk/client-s3"
import { Effect, Option } from "effect"
import * as S3Client from "./client.ts"
import { toFailure } from "./errors.ts"
import { errorOf, type StoreAttempt, type StoreFailure } from "../cloud/failure.ts"
import type { Access, CloudBucket, ObjectPut, Page, PutRefusal } from "../cloud/store.ts"

export interface ObjectStorageS3Options extends S3Client.S3ClientOptions {
  /** Prepended to every key. Defaults to none. */
  readonly prefix?: string | undefined
  /** Encryption that every put requests. Defaults to the bucket's own. */
  readonly sse?: "AES256" | "aws:kms" | undefined
  /** A KMS key for new objects; implies `aws:kms`. Defaults to the account's own key. */
  readonly sseKmsKeyId?: string | undefined
  /**
   * Larger objects, in bytes, use a multipart upload. Defaults to 256 MiB, the most that a lost
   * connection can cost.
   */
  readonly multipartThreshold?: number | undefined
  /**
   * Bytes of a chunk of such an upload, more if there would be over 10,000. At most four are in
   * memory. Defaults to 8 MiB.
   */
  readonly chunkSize?: number | undefined
}

const MIB = 1024 * 1024

const ACTIONS: Readonly<Record<Access, string>> = {
  list: "s3:ListBucket",
  read: "s3:GetObject",
  write: "s3:PutObject",
  delete: "s3:DeleteObject"
}

/** The calls for the keys below one prefix, used for reading and writing. */
export const make = Effect.fnUntraced(function* (options: ObjectStorageS3Options) {
  const { bucket, prefix = "" } = options
  const call = yield* S3Client.make(options)
  const place = `s3://${bucket}/${prefix}`

  /** Describes a call by S3's own name for its permission. */
  const attemptBy = (
    method: StoreAttempt["method"],
    action: string,
    key: string
  ): StoreAttempt => ({
    method,
    path: place + key,
    permission: `${action} on arn:aws:s3:::${bucket}${action.startsWith("s3:ListBucket") ? "" : `/${prefix}*`}`
  })
  const attemptTo: CloudBucket["attemptTo"] = (method, access, key) =>
    attemptBy(method, ACTIONS[access], key)
  const at = (key: string) => ({ Bucket: bucket, Key: prefix + key })

  const page: CloudBucket["page"] = (attempt, token, limit) =>
    call(attempt, (client, { ListObjectsV2Command }, options) =>
      client.send(
        new ListObjectsV2Command({
          Bucket: bucket,
          Prefix: prefix,
          ContinuationToken: token,
          MaxKeys: limit
        }),
        options
      )
    ).pipe(Effect.mapBoth({ onSuccess: toPage, onFailure: errorOf }))

  const headObject = (attempt: StoreAttempt, key: string) =>
    call(attempt, (client, { HeadObjectCommand }, options) =>
      client.send(new HeadObjectCommand({ ...at(key), ChecksumMode: "ENABLED" }), options)
    ).pipe(
      Effect.asSome,
      Effect.catchIf(
        ({ status }) => status === 404,
        () => Effect.succeedNone
      ),
      Effect.mapError(errorOf)
    )
  const etagOf: CloudBucket["etagOf"] = (method, key) =>
    Effect.map(
      headObject(attemptTo(method, "read", key), key),
      (found) => Option.getOrUndefined(found)?.ETag
    )

  const open: CloudBucket["open"] = (attempt, key) =>
    call(attempt, (client, { GetObjectCommand }, options) =>
      client.send(new GetObjectCommand(at(key)), options)
    ).pipe(
      Effect.mapBoth({
        onSuccess: ({ Body }) => ({ body: asReadable(Body) }),
        onFailure: errorOf
      })
    )

  const remove: CloudBucket["delete"] = (attempt, key) =>
    call(attempt, (client, { DeleteObjectCommand }, options) =>
      client.send(new DeleteObjectCommand(at(key)), options)
    ).pipe(Effect.mapError(errorOf))

  return {
    place,
    prefix,
    call,
    attemptBy,
    attemptTo,
    at,
    page,
    headObject,
    etagOf,
    open,
    delete: remove,
    readRefusal,
    toFailure
  }
})

export type S3Bucket = Effect.Effect.Success<ReturnType<typeof make>>

/** In Node the SDK's body is always a `Readable`. An answer without a body is an empty object. */
function asReadable(body: unknown): Readable {
  return body instanceof Readable ? body : Readable.from([])
}

function toPage({
  Contents,
  IsTruncated,
  NextContinuationToken
}: ListObjectsV2CommandOutput): Page {
  return {
    objects: (Contents ?? []).map(({ ETag = "", Key = "", Size = 0 }) => ({
      key: Key,
      size: Size,
      etag: ETag
    })),
    isLast: IsTruncated !== true,
    next: NextContinuationToken
  }
}

function readRefusal(
  { code, error, status }: StoreFailure,
  { object, replacing }: ObjectPut<unknown>
): PutRefusal {
  if (status === 412 || (replacing !== undefined && code === "NoSuchKey")) return "Taken"
  return status === 409 || (error.isTransient && object.size > MIB) ? "Unclear" : "Failed"
}
