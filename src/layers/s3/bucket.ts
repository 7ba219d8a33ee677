import { Effect } from "effect"
import * as S3Client from "./client.ts"
import type { StoreAttempt } from "../cloud/failure.ts"

export interface ObjectStorageS3Options extends S3Client.S3ClientOptions {
  /** Prepended to every key. Defaults to none. */
  readonly prefix?: string | undefined
  /** A KMS key that encrypts what is put. Defaults to the bucket's own encryption. */
  readonly sseKmsKeyId?: string | undefined
  /** Larger objects, in bytes, are put in parts. Defaults to 256 MiB: what a cut connection costs at most. */
  readonly multipartThreshold?: number | undefined
  /** Bytes of a part, more where there would be over 10,000. Four are in memory at most. Defaults to 8 MiB. */
  readonly partSize?: number | undefined
}

/** The calls that reading and writing share, for the keys below one prefix. */
export const make = Effect.fnUntraced(function* (options: ObjectStorageS3Options) {
  const { bucket, prefix = "" } = options
  const call = yield* S3Client.make(options)
  const place = `s3://${bucket}/${prefix}`

  const attemptTo = (
    method: StoreAttempt["method"],
    action: string,
    key: string
  ): StoreAttempt => ({
    method,
    path: place + key,
    permission: `${action} on arn:aws:s3:::${bucket}${action.startsWith("s3:ListBucket") ? "" : `/${prefix}*`}`
  })
  const at = (key: string) => ({ Bucket: bucket, Key: prefix + key })
  const listPage = (attempt: StoreAttempt, token?: string, maxKeys?: number) =>
    call(attempt, (client, { ListObjectsV2Command }, options) =>
      client.send(
        new ListObjectsV2Command({
          Bucket: bucket,
          Prefix: prefix,
          ContinuationToken: token,
          MaxKeys: maxKeys
        }),
        options
      )
    ).pipe(Effect.mapError(({ error }) => error))

  const headObject = (attempt: StoreAttempt, key: string) =>
    call(attempt, (client, { HeadObjectCommand }, options) =>
      client.send(new HeadObjectCommand({ ...at(key), ChecksumMode: "ENABLED" }), options)
    ).pipe(
      Effect.asSome,
      Effect.catchIf(
        ({ status }) => status === 404,
        () => Effect.succeedNone
      ),
      Effect.mapError(({ error }) => error)
    )

  return { place, prefix, call, attemptTo, at, listPage, headObject }
})

export type S3Bucket = Effect.Effect.Success<ReturnType<typeof make>>
