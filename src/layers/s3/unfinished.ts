import type { MultipartUpload } from "@aws-sdk/client-s3"
import { Chunk, Effect, Option, Stream } from "effect"
import type {
  ObjectStorage,
  ObjectStorageError,
  UnfinishedUpload
} from "../../services/ObjectStorage.ts"
import type { S3Bucket } from "./bucket.ts"
import { failed } from "../cloud/failure.ts"

interface Parts {
  readonly size: number
  /** When the newest of them came, in milliseconds since 1970; 0 without parts. */
  readonly newest: number
}

/** Multipart uploads below the prefix that were neither completed nor aborted: S3 keeps their parts, and bills them. */
export function makeUnfinished({
  at,
  attemptTo,
  call,
  place,
  prefix
}: S3Bucket): NonNullable<ObjectStorage["Type"]["unfinished"]> {
  const listing = attemptTo("list", "s3:ListBucketMultipartUploads", "")
  const { Bucket } = at("")

  const page = (marker: { readonly key?: string | undefined; readonly id?: string | undefined }) =>
    call(listing, (client, { ListMultipartUploadsCommand }, options) =>
      client.send(
        new ListMultipartUploadsCommand({
          Bucket,
          Prefix: prefix,
          KeyMarker: marker.key,
          UploadIdMarker: marker.id
        }),
        options
      )
    ).pipe(
      Effect.mapError(({ error }) => error),
      Effect.flatMap((page) => {
        const [key, id] = [page.NextKeyMarker, page.NextUploadIdMarker]
        const isLast = page.IsTruncated !== true
        const isStuck = key === undefined || (key === marker.key && id === marker.id)
        if (!isLast && isStuck) {
          return failed(listing, "Failed", "The listing of uploads broke off: it has more pages")
        }
        const next = isLast ? Option.none() : Option.some({ key, id })
        return Effect.succeed([Chunk.fromIterable(page.Uploads ?? []), next] as const)
      })
    )

  /** `None` for an upload that is no more. */
  const partsOf = (
    Key: string,
    UploadId: string
  ): Effect.Effect<Option.Option<Parts>, ObjectStorageError> => {
    const attempt = attemptTo("list", "s3:ListMultipartUploadParts", Key.slice(prefix.length))
    return Stream.paginateEffect(undefined, (marker: string | undefined) =>
      Effect.map(
        call(attempt, (client, { ListPartsCommand }, options) =>
          client.send(
            new ListPartsCommand({ Bucket, Key, UploadId, PartNumberMarker: marker }),
            options
          )
        ),
        ({ IsTruncated, NextPartNumberMarker, Parts = [] }) => [
          Parts,
          IsTruncated === true ? Option.fromNullable(NextPartNumberMarker) : Option.none()
        ]
      )
    ).pipe(
      Stream.mapConcat((parts) => parts),
      Stream.runFold({ size: 0, newest: 0 }, (sum, part) => ({
        size: sum.size + (part.Size ?? 0),
        newest: Math.max(sum.newest, part.LastModified?.getTime() ?? 0)
      })),
      Effect.asSome,
      Effect.catchIf(
        ({ code, status }) => code === "NoSuchUpload" || status === 404,
        () => Effect.succeedNone
      ),
      Effect.mapError(({ error }) => error)
    )
  }

  const describe = Effect.fnUntraced(function* (
    { Initiated, Key = "", UploadId: id = "" }: MultipartUpload,
    since: number
  ) {
    const begun = Initiated?.getTime()
    if (begun === undefined || begun >= since || !Key.startsWith(prefix)) return Option.none()
    const parts = yield* partsOf(Key, id)
    return Option.filterMap(parts, ({ newest, size }) => {
      // One that still gets parts is a live run's, however long ago it was begun.
      const touched = Math.max(begun, newest)
      const key = Key.slice(prefix.length)
      const upload: UnfinishedUpload = {
        id,
        key,
        path: place + key,
        touched,
        size,
        isOrphan: false
      }
      return touched < since ? Option.some(upload) : Option.none()
    })
  })

  return {
    list: (since) =>
      Stream.paginateChunkEffect({}, page).pipe(
        Stream.mapEffect((upload) => describe(upload, since)),
        Stream.filterMap((upload) => upload)
      ),
    abort: Effect.fn("ObjectStorageS3.abort")(function* ({ id, key = "" }: UnfinishedUpload) {
      yield* call(
        attemptTo("remove", "s3:AbortMultipartUpload", key),
        (client, { AbortMultipartUploadCommand }, options) =>
          client.send(new AbortMultipartUploadCommand({ ...at(key), UploadId: id }), options)
      ).pipe(
        Effect.catchIf(
          ({ code }) => code === "NoSuchUpload",
          () => Effect.void
        ),
        Effect.mapError(({ error }) => error)
      )
    })
  }
}
