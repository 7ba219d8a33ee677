import { Config, type ConfigError, Effect, Layer, Option, Ref, type Scope } from "effect"
import { ObjectStorage } from "../../services/ObjectStorage.ts"
import * as S3Bucket from "./bucket.ts"
import { comparesHashes, makePut, toBase64 } from "./put.ts"
import { makeUnfinished } from "./unfinished.ts"
import type { HashedBy } from "../cloud/body.ts"
import { failed } from "../cloud/failure.ts"
import { checkBucket, listObjects, locationOf, readObject, removeObject } from "../cloud/store.ts"

export type { ObjectStorageS3Options } from "./bucket.ts"
export type { S3Credentials } from "./client.ts"

/**
 * An S3 bucket, or a bucket of an S3-compatible store. The SDK, `@aws-sdk/client-s3` version 3, is
 * an optional peer dependency and is loaded by the first call.
 *
 * A put of more than 1 MiB is hashed here until `check` has shown that the store compares uploads
 * with the announced SHA-256. From then on the store's own check is enough.
 *
 * A put of more than 1 MiB is hashed here until `check` has found that the store compares what it
 * is sent with the SHA-256 that was announced; from then on the store's own check is enough.
 */
export const make = Effect.fnUntraced(function* (
  options: S3Bucket.ObjectStorageS3Options
): Effect.fn.Return<ObjectStorage["Type"], never, Scope.Scope> {
  const bucket = yield* S3Bucket.make(options)
  const hashedBy = yield* Ref.make<HashedBy>("us")
  const putAs = makePut(bucket, options, hashedBy)

  const learn = Effect.flatMap(comparesHashes(bucket, options), (compares) =>
    Ref.set(hashedBy, compares ? "the store" : "us")
  )
  return ObjectStorage.of({
    place: bucket.place,
    location: locationOf(bucket.place),
    isDurable: true,
    check: checkBucket(bucket, putAs).pipe(
      Effect.zipRight(learn, { concurrent: true }),
      Effect.withSpan("ObjectStorageS3.check")
    ),
    list: listObjects(bucket),
    head: (key) => head(bucket, key),
    get: (key) => readObject(bucket, key),
    put: (object, putOptions) => putAs("put", object, putOptions?.replacing),
    remove: (key) => Effect.withSpan(removeObject(bucket, key), "ObjectStorageS3.remove"),
    unfinished: makeUnfinished(bucket)
  })
})

/**
 * An S3 bucket as the store. Needs `@aws-sdk/client-s3`.
 *
 * @example
 * ```ts
 * import { Config, Effect } from "effect"
 * import * as ObjectStorageS3 from "amplitude-lake/layers/ObjectStorageS3"
 * import { ObjectStorage } from "amplitude-lake"
 *
 * const program = Effect.flatMap(ObjectStorage, (store) => store.check)
 *
 * const store = ObjectStorageS3.layerConfig({
 *   bucket: Config.string("BUCKET"),
 *   prefix: Config.succeed("events/")
 * })
 *
 * Effect.runPromise(Effect.provide(program, store))
 * ```
 */
export function layer(options: S3Bucket.ObjectStorageS3Options): Layer.Layer<ObjectStorage> {
  return Layer.scoped(ObjectStorage, make(options))
}

/** `layer` with its options from `Config`. */
export function layerConfig(
  config: Config.Config.Wrap<S3Bucket.ObjectStorageS3Options>
): Layer.Layer<ObjectStorage, ConfigError.ConfigError> {
  return Layer.unwrapEffect(Effect.map(Config.unwrap(config), layer))
}

const head = Effect.fn("ObjectStorageS3.head")(function* (
  { attemptTo, headObject }: S3Bucket.S3Bucket,
  key: string
) {
  const attempt = attemptTo("head", "read", key)
  const found = yield* headObject(attempt, key)
  if (Option.isNone(found)) return Option.none()
  const { ChecksumSHA256, ChecksumType, ContentLength, ETag, Metadata = {} } = found.value
  const announced = Metadata["sha256"]
  const isWhole = ChecksumSHA256 !== undefined && ChecksumType !== "COMPOSITE"
  if (isWhole && announced !== undefined && toBase64(announced) !== ChecksumSHA256) {
    const detail = "The store's own SHA-256 of the object differs from its metadata"
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
