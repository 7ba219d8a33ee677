import { Readable } from "node:stream"
import type { _Object as ListedObject } from "@aws-sdk/client-s3"
import { Chunk, Effect, Layer, Option, type Scope, Stream } from "effect"
import {
  type ObjectInfo,
  ObjectStorage,
  type ObjectStorageError
} from "../../services/ObjectStorage.ts"
import * as S3Bucket from "./bucket.ts"
import { toFailure } from "./errors.ts"
import { comparesHashes, makePut, toBase64 } from "./put.ts"
import { makeUnfinished } from "./unfinished.ts"
import { failed } from "../cloud/failure.ts"
import { PROBE, tryStore } from "../cloud/probe.ts"

export type { ObjectStorageS3Options } from "./bucket.ts"
export type { S3Credentials } from "./client.ts"

/** In Node the SDK hands out nothing else; an answer without a body is an empty object. */
function asReadable(body: unknown): Readable {
  return body instanceof Readable ? body : Readable.from([])
}

/** An S3 bucket, or one of another maker. The SDK is loaded by the first call. */
export const make = Effect.fnUntraced(function* (
  options: S3Bucket.ObjectStorageS3Options
): Effect.fn.Return<ObjectStorage["Type"], never, Scope.Scope> {
  const bucket = yield* S3Bucket.make(options)
  const { at, attemptTo, call, headObject, listPage, place, prefix } = bucket
  let isHashing = false
  const putAs = makePut(bucket, options, () => isHashing)

  const head = Effect.fn("ObjectStorageS3.head")(function* (key: string) {
    const attempt = attemptTo("head", "s3:GetObject", key)
    const found = yield* headObject(attempt, key)
    if (Option.isNone(found)) return Option.none()
    const { ChecksumSHA256, ChecksumType, ContentLength, ETag, Metadata = {} } = found.value
    const announced = Metadata["sha256"]
    const isWhole = ChecksumSHA256 !== undefined && ChecksumType !== "COMPOSITE"
    if (isWhole && announced !== undefined && toBase64(announced) !== ChecksumSHA256) {
      const detail = "The store's own SHA-256 of the object is another than its metadata says"
      return yield* failed(attempt, "Corrupt", detail)
    }
    return Option.some({
      key,
      size: ContentLength ?? 0,
      etag: ETag ?? "",
      hasMetadata: Object.keys(Metadata).length > 0,
      metadata: Metadata
    })
  })

  const get = (key: string): Stream.Stream<Uint8Array, ObjectStorageError> => {
    const attempt = attemptTo("get", "s3:GetObject", key)
    const open = call(attempt, (client, { GetObjectCommand }, options) =>
      client.send(new GetObjectCommand(at(key)), options)
    ).pipe(Effect.mapError(({ error }) => error))
    return Stream.unwrapScoped(
      Effect.map(
        // The store may be long in answering: whoever is interrupted does not wait for it.
        Effect.uninterruptibleMask((restore) =>
          Effect.tap(restore(open), ({ Body }) =>
            Effect.addFinalizer(() => Effect.sync(() => asReadable(Body).destroy()))
          )
        ),
        ({ Body }) =>
          Stream.fromAsyncIterable(
            asReadable(Body) as AsyncIterable<Uint8Array>,
            (cause) => toFailure(attempt, cause).error
          )
      )
    )
  }

  const list = Stream.suspend(() => {
    const attempt = attemptTo("list", "s3:ListBucket", "")
    return Stream.paginateChunkEffect(undefined, (token: string | undefined) =>
      Effect.gen(function* () {
        const page = yield* listPage(attempt, token)
        const next = page.NextContinuationToken
        // Half a listing would make gaps of hours that are there.
        if (page.IsTruncated === true && next === undefined) {
          return yield* failed(
            attempt,
            "Failed",
            "The listing broke off: it has more pages but does not say where"
          )
        }
        return [
          Chunk.filterMap(Chunk.fromIterable(page.Contents ?? []), toInfo),
          Option.fromNullable(next)
        ] as const
      })
    )
  })

  const toInfo = ({ ETag = "", Key = "", Size = 0 }: ListedObject): Option.Option<ObjectInfo> => {
    const key = Key.slice(prefix.length)
    return Key.startsWith(prefix) && key !== "" && !key.endsWith(PROBE)
      ? Option.some({ key, size: Size, etag: ETag })
      : Option.none()
  }

  const remove = Effect.fn("ObjectStorageS3.remove")(function* (key: string) {
    yield* call(
      attemptTo("remove", "s3:DeleteObject", key),
      (client, { DeleteObjectCommand }, options) =>
        client.send(new DeleteObjectCommand(at(key)), options)
    ).pipe(Effect.mapError(({ error }) => error))
  })

  const check = tryStore({
    attempt: attemptTo("check", "s3:PutObject", PROBE),
    list: listPage(attemptTo("check", "s3:ListBucket", ""), undefined, 1),
    put: (probe) => putAs("check", probe),
    head: headObject(attemptTo("check", "s3:GetObject", PROBE), PROBE)
  }).pipe(
    Effect.zipRight(comparesHashes(bucket), { concurrent: true }),
    Effect.map((compares) => void (isHashing = compares)),
    Effect.withSpan("ObjectStorageS3.check")
  )

  return ObjectStorage.of({
    place,
    isDurable: true,
    check,
    list,
    head,
    get,
    put: (object, putOptions) => putAs("put", object, putOptions?.replacing),
    remove,
    unfinished: makeUnfinished(bucket)
  })
})

export function layer(options: S3Bucket.ObjectStorageS3Options): Layer.Layer<ObjectStorage> {
  return Layer.scoped(ObjectStorage, make(options))
}
