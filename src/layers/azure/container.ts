import { Readable } from "node:stream"
import type { BlobItem, ContainerListBlobFlatSegmentResponse } from "@azure/storage-blob"
import { Effect, Option } from "effect"
import type { ObjectInfo } from "../../services/ObjectStorage.ts"
import { FINAL } from "./blocks.ts"
import * as AzureClient from "./client.ts"
import { toFailure } from "./errors.ts"
import { fromAzureMetadata } from "./metadata.ts"
import { errorOf, type StoreAttempt, type StoreFailure } from "../cloud/failure.ts"
import type { Access, CloudBucket, ObjectPut, PutRefusal } from "../cloud/store.ts"

export interface ObjectStorageAzureOptions extends AzureClient.AzureClientOptions {
  /** Prepended to every key. Defaults to none. */
  readonly prefix?: string | undefined
  /**
   * Bytes of a block, more if there would be over 50,000. At most four are in memory. Defaults to 8
   * MiB.
   */
  readonly blockSize?: number | undefined
}

const MIB = 1024 * 1024

const ACTIONS: Readonly<Record<Access, string>> = {
  list: "read",
  read: "read",
  write: "write",
  delete: "delete"
}

/** An ETag without quotes: headers have them, listings do not. */
export function bareEtag(etag = ""): string {
  return etag.replace(/^"|"$/g, "")
}

/** The calls for the keys below one prefix, used for reading and writing. */
export const make = Effect.fnUntraced(function* (options: ObjectStorageAzureOptions) {
  const { account, container, prefix = "" } = options
  const call = yield* AzureClient.make(options)
  const place = `azure://${account}/${container}/${prefix}`

  const attemptTo: CloudBucket["attemptTo"] = (method, access, key) => {
    const action = `Microsoft.Storage/storageAccounts/blobServices/containers/blobs/${ACTIONS[access]}`
    return {
      method,
      path: place + key,
      permission: `${action} on the container "${container}", or its equivalent in a SAS token`
    }
  }

  const page: CloudBucket["page"] = (attempt, continuationToken, maxPageSize) =>
    call(attempt, async (client, abortSignal) => {
      const pages = client.listBlobsFlat({ prefix, includeMetadata: true, abortSignal }).byPage({
        ...(continuationToken === undefined ? {} : { continuationToken }),
        ...(maxPageSize === undefined ? {} : { maxPageSize })
      })
      const page = (await pages.next()).value as ContainerListBlobFlatSegmentResponse
      const next = page.continuationToken || undefined
      return { objects: page.segment.blobItems.flatMap(toInfo), isLast: next === undefined, next }
    }).pipe(Effect.mapError(errorOf))

  const headObject = (attempt: StoreAttempt, key: string) =>
    call(attempt, (client, abortSignal) =>
      client.getBlobClient(prefix + key).getProperties({ abortSignal })
    ).pipe(
      Effect.asSome,
      Effect.catchIf(
        ({ code, status }) => status === 404 && code !== "ContainerNotFound",
        () => Effect.succeedNone
      ),
      Effect.mapError(errorOf)
    )
  const etagOf: CloudBucket["etagOf"] = (method, key) =>
    Effect.map(headObject(attemptTo(method, "read", key), key), (found) =>
      Option.getOrUndefined(Option.map(found, ({ etag }) => bareEtag(etag)))
    )

  const open: CloudBucket["open"] = (attempt, key) =>
    call(attempt, async (client, abortSignal) => {
      // The SDK would request the rest of an interrupted answer by itself.
      const answer = await client
        .getBlobClient(prefix + key)
        .download(0, undefined, { abortSignal, maxRetryRequests: 0 })
      const body = answer.readableStreamBody
      return { md5: answer.contentMD5, body: body instanceof Readable ? body : Readable.from([]) }
    }).pipe(Effect.mapError(errorOf))

  const remove: CloudBucket["delete"] = (attempt, key) =>
    call(attempt, (client, abortSignal) =>
      client.getBlobClient(prefix + key).delete({ abortSignal })
    ).pipe(
      Effect.catchIf(
        ({ code }) => code === "BlobNotFound",
        () => Effect.void
      ),
      Effect.mapError(errorOf)
    )

  return {
    place,
    prefix,
    call,
    attemptTo,
    page,
    headObject,
    etagOf,
    open,
    delete: remove,
    readRefusal,
    toFailure
  }
})

export type AzureContainer = Effect.Effect.Success<ReturnType<typeof make>>

function toInfo({ metadata = {}, name, properties }: BlobItem): ReadonlyArray<ObjectInfo> {
  // An account with a hierarchical namespace lists folders, too.
  if (metadata["hdi_isfolder"] === "true") return []
  const info: ObjectInfo = {
    key: name,
    size: properties.contentLength ?? 0,
    etag: bareEtag(properties.etag),
    hasMetadata: Object.keys(metadata).length > 0,
    metadata: fromAzureMetadata(metadata)
  }
  return [info]
}

function readRefusal(
  { code, error, status }: StoreFailure,
  { object, replacing }: ObjectPut<unknown>
): PutRefusal {
  if (replacing !== undefined && (status === 412 || code === "BlobNotFound")) return "Taken"
  const isUnclear =
    status === 409 ||
    status === 412 ||
    // Azure's answer if the object exists and the caller may create but not overwrite.
    code === "UnauthorizedBlobOverwrite" ||
    FINAL.includes(code) ||
    (error.isTransient && object.size > MIB)
  return isUnclear ? "Unclear" : "Failed"
}
