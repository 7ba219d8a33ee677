import { Config, type ConfigError, Effect, Layer, Option, type Scope } from "effect"
import { ObjectStorage } from "../../services/ObjectStorage.ts"
import * as AzureContainer from "./container.ts"
import { fromAzureMetadata } from "./metadata.ts"
import { makePut } from "./put.ts"
import { checkBucket, listObjects, locationOf, readObject, removeObject } from "../cloud/store.ts"

export type { ObjectStorageAzureOptions } from "./container.ts"
export type { AzureCredentials } from "./client.ts"

/**
 * A container of Azure Blob Storage. The SDK, `@azure/storage-blob` version 12, is an optional peer
 * dependency and is loaded by the first call. So is `@azure/identity` version 4, which is needed
 * only without an account key or SAS token.
 */
export const make = Effect.fnUntraced(function* (
  options: AzureContainer.ObjectStorageAzureOptions
): Effect.fn.Return<ObjectStorage["Type"], never, Scope.Scope> {
  const container = yield* AzureContainer.make(options)
  const putAs = makePut(container, options)
  return ObjectStorage.of({
    place: container.place,
    location: locationOf(container.place),
    isDurable: true,
    check: Effect.withSpan(checkBucket(container, putAs), "ObjectStorageAzure.check"),
    list: listObjects(container),
    head: (key) => head(container, key),
    get: (key) => readObject(container, key),
    put: (object, putOptions) => putAs("put", object, putOptions?.replacing),
    remove: (key) => Effect.withSpan(removeObject(container, key), "ObjectStorageAzure.remove")
  })
})

/**
 * An Azure container as the store. Needs `@azure/storage-blob`, and `@azure/identity` if no
 * credentials are given.
 *
 * @example
 * ```ts
 * import { Config, Effect } from "effect"
 * import * as ObjectStorageAzure from "amplitude-lake/layers/ObjectStorageAzure"
 * import { ObjectStorage } from "amplitude-lake"
 *
 * const program = Effect.flatMap(ObjectStorage, (store) => store.check)
 *
 * const store = ObjectStorageAzure.layerConfig({
 *   account: Config.string("ACCOUNT"),
 *   container: Config.string("CONTAINER"),
 *   credentials: Config.map(Config.redacted("ACCOUNT_KEY"), (accountKey) => ({ accountKey }))
 * })
 *
 * Effect.runPromise(Effect.provide(program, store))
 * ```
 */
export function layer(
  options: AzureContainer.ObjectStorageAzureOptions
): Layer.Layer<ObjectStorage> {
  return Layer.scoped(ObjectStorage, make(options))
}

/** `layer` with its options from `Config`. */
export function layerConfig(
  config: Config.Config.Wrap<AzureContainer.ObjectStorageAzureOptions>
): Layer.Layer<ObjectStorage, ConfigError.ConfigError> {
  return Layer.unwrapEffect(Effect.map(Config.unwrap(config), layer))
}

const head = Effect.fn("ObjectStorageAzure.head")(function* (
  { attemptTo, headObject }: AzureContainer.AzureContainer,
  key: string
) {
  const found = yield* headObject(attemptTo("head", "read", key), key)
  return Option.map(found, ({ contentLength = 0, etag, metadata }) => ({
    key,
    size: contentLength,
    etag: AzureContainer.bareEtag(etag),
    hasMetadata: Object.keys(metadata ?? {}).length > 0,
    metadata: fromAzureMetadata(metadata)
  }))
})
