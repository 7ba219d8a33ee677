/**
 * The stores that the faults are tried on, each behind the same interface: its requests, its faults, its objects.
 *
 * @module
 */
import assert from "node:assert/strict"
import { Effect, Layer, Redacted, type Scope } from "effect"
import * as ObjectStorageAzure from "../../src/layers/azure/ObjectStorageAzure.ts"
import type { ObjectStorage } from "../../src/services/ObjectStorage.ts"
import * as AzureServer from "../fixtures/servers/azureServer.ts"
import * as S3Server from "../fixtures/s3/s3Server.ts"
import { assertGentle, BUCKET, objectsIn, s3Layer } from "./_lake.ts"

export const PREFIX = "python-import/"
const KIB = 1024

/** `put`: an object at once; `part` and `complete`: one in parts, or blocks. */
export type Call = "list" | "head" | "get" | "put" | "part" | "complete" | "other"

export interface StoreRequest {
  readonly call: Call
  /** With the prefix. */
  readonly key: string
  /** Of requests of this call for this key, from 1 on. */
  readonly count: number
  /** Whether it asks for a further page of a listing. */
  readonly isNextPage: boolean
}

/** What a store says no with: each store has its own status and code for it. */
export type Refusal = "denied" | "busy" | "broken" | "slow" | "conflict" | "otherBytes" | "expired"

/** What goes wrong with one request. */
export type Fault =
  | { readonly do: "refuse"; readonly as: Refusal }
  | { readonly do: "reset"; readonly after: number }
  | { readonly do: "storeThenDrop" }
  | { readonly do: "ignoreConditions" }

export type Plan = (request: StoreRequest) => Fault | undefined | Promise<Fault | undefined>

export interface FaultyStoreOptions {
  readonly plan?: Plan | undefined
  /** Whether there is the bucket or container. Defaults to true. */
  readonly exists?: boolean | undefined
  /** Objects a page of a listing. */
  readonly pageSize?: number | undefined
}

export interface FaultyStoreLayerOptions {
  /** Every hour of more than half a megabyte goes in parts of that. */
  readonly inParts?: boolean | undefined
  /** Of whoever asks, read when a run begins. Defaults to the right one. */
  readonly secret?: (() => string) | undefined
}

export interface FaultyStore {
  readonly layer: (options?: FaultyStoreLayerOptions) => Layer.Layer<ObjectStorage>
  readonly requests: () => ReadonlyArray<StoreRequest>
  /** Replaces what goes wrong from now on. */
  readonly setPlan: (plan: Plan) => void
  /** Takes a permission away. */
  readonly deny: (permission: string) => void
  /** The landed hours, by key below the prefix. */
  readonly objects: Effect.Effect<Map<string, string>>
  readonly etags: Effect.Effect<ReadonlyArray<string>>
  /** Puts an object without metadata, as another program does, under a whole name. */
  readonly write: (name: string, text: string) => Effect.Effect<void>
  readonly remove: (key: string) => Effect.Effect<void>
  /** Leaves 20 bytes of an object under its metadata, where it is there. */
  readonly cut: (key: string) => Promise<void>
  /** Takes all objects away; what it answers brings them back as they were. */
  readonly hide: Effect.Effect<() => Promise<void>>
  /** Uploads in parts that nobody ended, where the store keeps them. */
  readonly leftUploads: () => number
  /** Nothing was removed, or made without asking for its absence first. */
  readonly assertGentle: () => void
}

export interface StoreKind {
  /** What may be missing, and what the error then says to allow. */
  readonly permissions: ReadonlyArray<readonly [permission: string, words: string]>
  /** What the error says where credentials ran out. */
  readonly expired: RegExp
  readonly secret: string
  readonly make: (options?: FaultyStoreOptions) => Effect.Effect<FaultyStore, never, Scope.Scope>
}

type Answers = Readonly<Record<Refusal, readonly [status: number, code: string]>>

const s3Answers: Answers = {
  denied: [403, "AccessDenied"],
  busy: [503, "SlowDown"],
  broken: [500, "InternalError"],
  slow: [400, "RequestTimeout"],
  conflict: [409, "ConditionalRequestConflict"],
  otherBytes: [400, "BadDigest"],
  expired: [400, "ExpiredToken"]
}

const azureAnswers: Answers = {
  denied: [403, "AuthorizationPermissionMismatch"],
  busy: [503, "ServerBusy"],
  broken: [500, "InternalError"],
  slow: [500, "OperationTimedOut"],
  conflict: [409, "SystemInUse"],
  otherBytes: [400, "Md5Mismatch"],
  expired: [403, "AuthenticationFailed"]
}

/** A fault as both servers have it. */
function toServer(answers: Answers, fault: Fault | undefined) {
  if (fault?.do !== "refuse") return fault
  const [status, code] = answers[fault.as]
  return { do: "answer" as const, status, code }
}

const S3_CALLS: Readonly<Record<string, Call>> = {
  ListObjectsV2: "list",
  HeadObject: "head",
  GetObject: "get",
  PutObject: "put",
  UploadPart: "part",
  CompleteMultipartUpload: "complete"
}

const AZURE_CALLS: Readonly<Record<string, Call>> = {
  "List Blobs": "list",
  "Get Blob Properties": "head",
  "Get Blob": "get",
  "Put Blob": "put",
  "Put Block": "part",
  "Put Block List": "complete"
}

const fromS3 = ({ count, key, operation, query }: S3Server.S3Request): StoreRequest => ({
  call: S3_CALLS[operation] ?? "other",
  key,
  count,
  isNextPage: query.has("continuation-token")
})

/** What another program puts. */
const plain = (text: string) => ({
  bytes: Buffer.from(text),
  etag: `"${text.length}"`,
  headers: {},
  checksum: undefined
})

const s3Plan = (plan: Plan) => async (request: S3Server.S3Request) =>
  toServer(s3Answers, await plan(fromS3(request)))

const s3: StoreKind = {
  permissions: ["s3:ListBucket", "s3:PutObject", "s3:GetObject"].map(
    (action) => [action, `Allow ${action} on arn:aws:s3:::${BUCKET}`] as const
  ),
  expired: /credentials have expired/,
  secret: "SKTEST",
  make: Effect.fnUntraced(function* ({ exists = true, pageSize, plan }: FaultyStoreOptions = {}) {
    const denied: Array<string> = []
    const server = yield* S3Server.make({
      users: { AKTEST: { secret: s3.secret, denied } },
      buckets: exists ? { [BUCKET]: "us-east-1" } : {},
      leastPart: KIB,
      ...(pageSize === undefined ? {} : { pageSize }),
      ...(plan === undefined ? {} : { plan: s3Plan(plan) })
    })
    const bucket = server.buckets.get(BUCKET)
    const objects = bucket?.objects ?? new Map<string, never>()
    return {
      layer: ({ inParts = false, secret = () => s3.secret } = {}) =>
        s3Layer(server, {
          ...(inParts ? { multipartThreshold: 512 * KIB, chunkSize: 512 * KIB } : {}),
          credentials: () =>
            Promise.resolve({ accessKeyId: "AKTEST", secretAccessKey: Redacted.make(secret()) })
        }),
      requests: () => server.requests.map(fromS3),
      setPlan: (next) => server.setPlan(s3Plan(next)),
      deny: (permission) => denied.push(permission),
      objects: Effect.sync(() => objectsIn(server)),
      etags: Effect.sync(() => [...objects.values()].map(({ etag }) => etag)),
      write: (name, text) => Effect.sync(() => bucket?.objects.set(name, plain(text))),
      remove: (key) => Effect.sync(() => objects.delete(PREFIX + key)),
      cut: async (key) => {
        const object = objects.get(PREFIX + key)
        if (object === undefined) return
        const cut = { ...object, bytes: object.bytes.subarray(0, 20), checksum: undefined }
        bucket?.objects.set(PREFIX + key, cut)
      },
      hide: Effect.sync(() => {
        const hidden = new Map(objects)
        objects.clear()
        return async () => {
          for (const [name, object] of hidden) bucket?.objects.set(name, object)
        }
      }),
      leftUploads: () => bucket?.uploads.size ?? 0,
      assertGentle: () => assertGentle(server)
    } satisfies FaultyStore
  })
}

const fromAzure = (request: AzureServer.AzureRequest): StoreRequest => ({
  call: AZURE_CALLS[request.operation] ?? "other",
  key: request.key,
  count: request.count,
  isNextPage: request.query.has("marker")
})

const azurePlan =
  (plan: Plan): AzureServer.Plan =>
  async (request) =>
    toServer(azureAnswers, await plan(fromAzure(request)))

const azure: StoreKind = {
  permissions: ["read", "write"].map((action) => {
    const name = `Microsoft.Storage/storageAccounts/blobServices/containers/blobs/${action}`
    return [name, `Allow ${name} on the container "${BUCKET}"`] as const
  }),
  expired: /its key, or the SAS token and its expiry/,
  secret: AzureServer.ACCOUNT_KEY,
  make: Effect.fnUntraced(function* ({ exists = true, pageSize, plan }: FaultyStoreOptions = {}) {
    const denied: Array<string> = []
    const server = yield* AzureServer.make({
      container: exists ? BUCKET : "",
      denied,
      ...(pageSize === undefined ? {} : { pageSize }),
      ...(plan === undefined ? {} : { plan: azurePlan(plan) })
    })
    const { client } = server
    const blobs = async () => {
      const found = []
      for await (const blob of client.listBlobsFlat({ includeMetadata: true })) found.push(blob)
      return found
    }
    return {
      layer: ({ inParts = false, secret = () => azure.secret } = {}) =>
        Layer.suspend(() =>
          ObjectStorageAzure.layer({
            account: AzureServer.ACCOUNT,
            container: BUCKET,
            prefix: PREFIX,
            endpoint: server.url,
            credentials: { accountKey: Redacted.make(secret()) },
            ...(inParts ? { blockSize: 512 * KIB } : {})
          })
        ),
      requests: () => server.requests.map(fromAzure),
      setPlan: (next) => server.setPlan(azurePlan(next)),
      deny: (permission) => denied.push(permission),
      objects: Effect.promise(async () => {
        const found = new Map<string, string>()
        if (!exists) return found
        for (const { name } of await blobs()) {
          if (name.endsWith(".amplitude-lake-probe")) continue
          const bytes = await client.getBlobClient(name).downloadToBuffer()
          found.set(name.slice(PREFIX.length), String(bytes))
        }
        return found
      }),
      etags: Effect.promise(async () => (await blobs()).map(({ properties }) => properties.etag)),
      write: (name, text) =>
        Effect.promise(() => client.getBlockBlobClient(name).upload(text, Buffer.byteLength(text))),
      remove: (key) => Effect.promise(() => client.getBlobClient(PREFIX + key).delete()),
      cut: async (key) => {
        const blob = client.getBlockBlobClient(PREFIX + key)
        const before = await blob.getProperties().catch(() => undefined)
        if (before === undefined) return
        const bytes = (await blob.downloadToBuffer()).subarray(0, 20)
        await blob.upload(bytes, bytes.length, { metadata: before.metadata ?? {} })
      },
      hide: Effect.promise(async () => {
        const hidden = await Promise.all(
          (await blobs()).map(async ({ metadata = {}, name }) => {
            const bytes = await client.getBlobClient(name).downloadToBuffer()
            await client.getBlobClient(name).delete()
            return { bytes, metadata, name }
          })
        )
        return async () => {
          for (const { bytes, metadata, name } of hidden) {
            await client.getBlockBlobClient(name).upload(bytes, bytes.length, { metadata })
          }
        }
      }),
      leftUploads: () => 0,
      assertGentle: () => {
        for (const { headers, key, operation } of server.requests) {
          assert.notEqual(operation, "Delete Blob", key)
          assert.doesNotMatch(AzureServer.dataActionOf(operation), /unknown/, key)
          if (operation === "Put Blob" || operation === "Put Block List") {
            assert.equal(headers["if-none-match"], "*", `${operation} ${key}`)
          }
        }
      }
    } satisfies FaultyStore
  })
}

/** Every store that the same faults are tried on; Azure only if Azurite is installed. */
export const stores: Readonly<Record<string, StoreKind>> = {
  S3: s3,
  ...(AzureServer.isInstalled ? { Azure: azure } : {})
}

/** How often a call was made for hours, the probe left out. */
export function callsOf(store: FaultyStore, call: Call, key = ""): number {
  return store
    .requests()
    .filter((it) => it.call === call && it.key.includes(key) && !it.key.includes("probe")).length
}
