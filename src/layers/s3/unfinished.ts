import type { MultipartUpload } from "@aws-sdk/client-s3"
import { Chunk, Effect, Option, Stream } from "effect"
import type {
  ObjectStorage,
  ObjectStorageError,
  UnfinishedUpload
} from "../../services/ObjectStorage.ts"
import type { S3Bucket } from "./bucket.ts"
import { errorOf, failed } from "../cloud/failure.ts"

/** Where a page of uploads starts. */
interface Marker {
  readonly key?: string | undefined
  readonly id?: string | undefined
}

/** The chunks of an upload that have arrived. */
interface Arrived {
  readonly size: number
  /** When the newest of them arrived, in milliseconds since 1970; 0 if there are none. */
  readonly newest: number
}

/**
 * Multipart uploads below the prefix that were neither completed nor aborted. S3 keeps their
 * chunks, and bills them.
 */
export function makeUnfinished(bucket: S3Bucket): NonNullable<ObjectStorage["Type"]["unfinished"]> {
  return {
    list: (since) =>
      Stream.paginateChunkEffect<Marker, MultipartUpload, ObjectStorageError, never>({}, (marker) =>
        uploadsFrom(bucket, marker)
      ).pipe(
        Stream.mapEffect((upload) => describe(bucket, upload, since)),
        Stream.filterMap((upload) => upload)
      ),
    abort: (upload) => abort(bucket, upload)
  }
}

/** A page of uploads, and where the next one starts. */
function uploadsFrom({ at, attemptBy, call, prefix }: S3Bucket, marker: Marker) {
  const attempt = attemptBy("list", "s3:ListBucketMultipartUploads", "")
  return call(attempt, (client, { ListMultipartUploadsCommand }, options) =>
    client.send(
      new ListMultipartUploadsCommand({
        Bucket: at("").Bucket,
        Prefix: prefix,
        KeyMarker: marker.key,
        UploadIdMarker: marker.id
      }),
      options
    )
  ).pipe(
    Effect.mapError(errorOf),
    Effect.flatMap((page) => {
      const key = page.NextKeyMarker
      const id = page.NextUploadIdMarker
      const isLast = page.IsTruncated !== true
      const isStuck = key === undefined || (key === marker.key && id === marker.id)
      if (!isLast && isStuck) {
        return failed(
          attempt,
          "Failed",
          "The listing of uploads is incomplete: it has more pages, but no marker for the next one"
        )
      }
      const next = isLast ? Option.none<Marker>() : Option.some<Marker>({ key, id })
      return Effect.succeed([Chunk.fromIterable(page.Uploads ?? []), next] as const)
    })
  )
}

/** `None` if the upload is gone. */
function chunksOf(
  { at, attemptBy, call, prefix }: S3Bucket,
  Key: string,
  UploadId: string
): Effect.Effect<Option.Option<Arrived>, ObjectStorageError> {
  const attempt = attemptBy("list", "s3:ListMultipartUploadParts", Key.slice(prefix.length))
  return Stream.paginateEffect(undefined, (marker: string | undefined) =>
    Effect.map(
      call(attempt, (client, { ListPartsCommand }, options) =>
        client.send(
          new ListPartsCommand({ Bucket: at("").Bucket, Key, UploadId, PartNumberMarker: marker }),
          options
        )
      ),
      ({ IsTruncated, NextPartNumberMarker, Parts = [] }) => [
        Parts,
        IsTruncated === true ? Option.fromNullable(NextPartNumberMarker) : Option.none()
      ]
    )
  ).pipe(
    Stream.mapConcat((chunks) => chunks),
    Stream.runFold({ size: 0, newest: 0 }, (sum, { LastModified, Size = 0 }) => ({
      size: sum.size + Size,
      newest: Math.max(sum.newest, LastModified?.getTime() ?? 0)
    })),
    Effect.asSome,
    Effect.catchIf(
      ({ code, status }) => code === "NoSuchUpload" || status === 404,
      () => Effect.succeedNone
    ),
    Effect.mapError(errorOf)
  )
}

const describe = Effect.fnUntraced(function* (
  bucket: S3Bucket,
  { Initiated, Key = "", UploadId: id = "" }: MultipartUpload,
  since: number
) {
  const { place, prefix } = bucket
  const begun = Initiated?.getTime()
  if (begun === undefined || begun >= since || !Key.startsWith(prefix)) return Option.none()
  const arrived = yield* chunksOf(bucket, Key, id)
  return Option.filterMap(arrived, ({ newest, size }) => {
    // An upload that still receives chunks belongs to a live run, however old it is.
    const touched = Math.max(begun, newest)
    const key = Key.slice(prefix.length)
    const path = place + key
    const upload: UnfinishedUpload = { id, key, path, touched, size, isOrphan: false }
    return touched < since ? Option.some(upload) : Option.none()
  })
})

const abort = Effect.fn("ObjectStorageS3.abort")(function* (
  { at, attemptBy, call }: S3Bucket,
  { id, key = "" }: UnfinishedUpload
) {
  const attempt = attemptBy("remove", "s3:AbortMultipartUpload", key)
  yield* call(attempt, (client, { AbortMultipartUploadCommand }, options) =>
    client.send(new AbortMultipartUploadCommand({ ...at(key), UploadId: id }), options)
  ).pipe(
    Effect.catchIf(
      ({ code }) => code === "NoSuchUpload",
      () => Effect.void
    ),
    Effect.mapError(errorOf)
  )
})
