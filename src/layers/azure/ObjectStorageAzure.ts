import { createHash } from "node:crypto"
import { Readable } from "node:stream"
import type { BlobItem } from "@azure/storage-blob"
import { Chunk, Effect, Layer, Option, type Scope, Stream } from "effect"
import {
  type ObjectInfo,
  ObjectStorage,
  type ObjectStorageError
} from "../../services/ObjectStorage.ts"
import * as AzureContainer from "./container.ts"
import { toFailure } from "./errors.ts"
import { fromAzureMetadata } from "./metadata.ts"
import { makePut } from "./put.ts"
import { failed } from "../cloud/failure.ts"
import { PROBE, tryStore } from "../cloud/probe.ts"

export type { ObjectStorageAzureOptions } from "./container.ts"
export type { AzureCredentials } from "./client.ts"

/** A container of Azure Blob Storage. The SDK is loaded by the first call, and @azure/identity only where nothing else says who asks. */
export const make = Effect.fnUntraced(function* (
  options: AzureContainer.ObjectStorageAzureOptions
): Effect.fn.Return<ObjectStorage["Type"], never, Scope.Scope> {
  const container = yield* AzureContainer.make(options)
  const { attemptTo, call, headObject, listPage, place, prefix } = container
  const putAs = makePut(container, options)

  const head = Effect.fn("ObjectStorageAzure.head")(function* (key: string) {
    const found = yield* headObject(attemptTo("head", "read", key), key)
    return Option.map(found, ({ contentLength = 0, etag, metadata }) => ({
      key,
      size: contentLength,
      etag: AzureContainer.bareEtag(etag),
      hasMetadata: Object.keys(metadata ?? {}).length > 0,
      metadata: fromAzureMetadata(metadata)
    }))
  })

  const get = (key: string): Stream.Stream<Uint8Array, ObjectStorageError> => {
    const attempt = attemptTo("get", "read", key)
    const open = call(attempt, async (client, abortSignal) => {
      // The SDK would ask for the rest of a cut answer by itself.
      const answer = await client
        .getBlobClient(prefix + key)
        .download(0, undefined, { abortSignal, maxRetryRequests: 0 })
      const body = answer.readableStreamBody
      return { md5: answer.contentMD5, body: body instanceof Readable ? body : Readable.from([]) }
    }).pipe(Effect.mapError(({ error }) => error))
    return Stream.unwrapScoped(
      Effect.map(
        // The store may be long in answering: whoever is interrupted does not wait for it.
        Effect.uninterruptibleMask((restore) =>
          Effect.tap(restore(open), ({ body }) =>
            Effect.addFinalizer(() => Effect.sync(() => body.destroy()))
          )
        ),
        ({ body, md5 }) => {
          const hash = createHash("md5")
          const end = Stream.suspend(() => {
            if (md5 === undefined || hash.digest().equals(md5)) return Stream.empty
            const detail = "Other bytes were read than the store's own MD5 promises"
            return Stream.fail(failed(attempt, "Corrupt", detail))
          })
          return Stream.fromAsyncIterable(
            body as AsyncIterable<Uint8Array>,
            (cause) => toFailure(attempt, cause).error
          ).pipe(
            Stream.tap((bytes) => Effect.sync(() => hash.update(bytes))),
            Stream.concat(end)
          )
        }
      )
    )
  }

  const list = Stream.suspend(() => {
    const attempt = attemptTo("list", "read", "")
    return Stream.paginateChunkEffect(undefined, (token: string | undefined) =>
      Effect.map(
        listPage(attempt, token),
        ({ items, next }) =>
          [Chunk.filterMap(Chunk.fromIterable(items), toInfo), Option.fromNullable(next)] as const
      )
    )
  })

  const toInfo = ({ metadata = {}, name, properties }: BlobItem): Option.Option<ObjectInfo> => {
    const key = name.slice(prefix.length)
    // An account with a hierarchical namespace lists its folders, too.
    const isFolder = metadata["hdi_isfolder"] === "true"
    if (!name.startsWith(prefix) || key === "" || key.endsWith(PROBE) || isFolder) {
      return Option.none()
    }
    return Option.some({
      key,
      size: properties.contentLength ?? 0,
      etag: AzureContainer.bareEtag(properties.etag),
      hasMetadata: Object.keys(metadata).length > 0,
      metadata: fromAzureMetadata(metadata)
    })
  }

  const remove = Effect.fn("ObjectStorageAzure.remove")(function* (key: string) {
    yield* call(attemptTo("remove", "delete", key), (client, abortSignal) =>
      client.getBlobClient(prefix + key).delete({ abortSignal })
    ).pipe(
      Effect.catchIf(
        ({ code }) => code === "BlobNotFound",
        () => Effect.void
      ),
      Effect.mapError(({ error }) => error)
    )
  })

  const check = tryStore({
    attempt: attemptTo("check", "write", PROBE),
    list: listPage(attemptTo("check", "read", ""), undefined, 1),
    put: (probe) => putAs("check", probe),
    head: headObject(attemptTo("check", "read", PROBE), PROBE)
  }).pipe(Effect.withSpan("ObjectStorageAzure.check"))

  return ObjectStorage.of({
    place,
    isDurable: true,
    check,
    list,
    head,
    get,
    put: (object, putOptions) => putAs("put", object, putOptions?.replacing),
    remove
  })
})

export function layer(
  options: AzureContainer.ObjectStorageAzureOptions
): Layer.Layer<ObjectStorage> {
  return Layer.scoped(ObjectStorage, make(options))
}
