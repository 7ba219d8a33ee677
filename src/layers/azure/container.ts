import type { ContainerListBlobFlatSegmentResponse } from "@azure/storage-blob"
import { Effect } from "effect"
import * as AzureClient from "./client.ts"
import type { StoreAttempt } from "../cloud/failure.ts"

export interface ObjectStorageAzureOptions extends AzureClient.AzureClientOptions {
  /** Prepended to every key. Defaults to none. */
  readonly prefix?: string | undefined
  /** Bytes of a block, more where there would be over 50,000. Four are in memory at most. Defaults to 8 MiB. */
  readonly partSize?: number | undefined
}

const ACTIONS = "Microsoft.Storage/storageAccounts/blobServices/containers/blobs"

/** An ETag as both headers and listings have it, which differ by the quotes. */
export function bareEtag(etag = ""): string {
  return etag.replace(/^"|"$/g, "")
}

/** The calls that reading and writing share, for the keys below one prefix. */
export const make = Effect.fnUntraced(function* (options: ObjectStorageAzureOptions) {
  const { account, container, prefix = "" } = options
  const call = yield* AzureClient.make(options)
  const place = `azure://${account}/${container}/${prefix}`

  const attemptTo = (
    method: StoreAttempt["method"],
    action: "read" | "write" | "delete",
    key: string
  ): StoreAttempt => ({
    method,
    path: place + key,
    permission: `${ACTIONS}/${action} on the container "${container}", or with a SAS token its like`
  })

  const listPage = (attempt: StoreAttempt, continuationToken?: string, maxPageSize?: number) =>
    call(attempt, async (client, abortSignal) => {
      const pages = client.listBlobsFlat({ prefix, includeMetadata: true, abortSignal }).byPage({
        ...(continuationToken === undefined ? {} : { continuationToken }),
        ...(maxPageSize === undefined ? {} : { maxPageSize })
      })
      const page = (await pages.next()).value as ContainerListBlobFlatSegmentResponse
      return { items: page.segment.blobItems, next: page.continuationToken || undefined }
    }).pipe(Effect.mapError(({ error }) => error))

  const headObject = (attempt: StoreAttempt, key: string) =>
    call(attempt, (client, abortSignal) =>
      client.getBlobClient(prefix + key).getProperties({ abortSignal })
    ).pipe(
      Effect.asSome,
      Effect.catchIf(
        ({ code, status }) => status === 404 && code !== "ContainerNotFound",
        () => Effect.succeedNone
      ),
      Effect.mapError(({ error }) => error)
    )

  return { place, prefix, call, attemptTo, listPage, headObject }
})

export type AzureContainer = Effect.Effect.Success<ReturnType<typeof make>>
