import { describe, it } from "@effect/vitest"
import { Chunk, Deferred, Effect, Fiber, Layer, Option, Redacted, Schedule, Stream } from "effect"
import { assert } from "vitest"
import * as ObjectStorageAzure from "../../../src/layers/azure/ObjectStorageAzure.ts"
import { ObjectStorage, type ObjectStorageError } from "../../../src/services/ObjectStorage.ts"
import { objectStorageContract } from "../../contracts/objectStorage.ts"
import * as AzureServer from "../../fixtures/servers/azureServer.ts"
import { isLong } from "../../fixtures/long.ts"
import { objectOf } from "../../fixtures/newObject.ts"

const MIB = 1024 * 1024
const KEY = "2025-11-10_21.jsonl"
const SMALL = objectOf(KEY, "one\ntwo\n")
/** Three blocks. */
const BIG = objectOf(KEY, Buffer.alloc(5 * MIB, "amplitude"))

const optionsFor = ({ url }: AzureServer.AzureServer) => ({
  account: AzureServer.ACCOUNT,
  container: "lake",
  prefix: "python-import/",
  endpoint: url,
  credentials: { accountKey: Redacted.make(AzureServer.ACCOUNT_KEY) },
  blockSize: 2 * MIB
})

objectStorageContract(
  "ObjectStorageAzure",
  Layer.unwrapScoped(
    Effect.map(AzureServer.make({ pageSize: 20 }), (server) =>
      ObjectStorageAzure.layer({ ...optionsFor(server), blockSize: 4 * MIB })
    )
  ),
  50
)

/** Whether a request only proves that lists of blocks are conditional. */
function isProof({ key, operation }: AzureServer.AzureRequest): boolean {
  return key === PROBE && operation.startsWith("Put Block")
}

const PROBE = "python-import/.amplitude-lake-probe"

/** A store on a server of its own, with a container "lake". */
const setUp = Effect.fnUntraced(function* (
  plan?: AzureServer.Plan,
  more: Partial<ObjectStorageAzure.ObjectStorageAzureOptions> = {},
  serverOptions: AzureServer.AzureServerOptions = {}
) {
  const server = yield* AzureServer.make({
    ...serverOptions,
    ...(plan === undefined ? {} : { plan })
  })
  const store = yield* ObjectStorageAzure.make({ ...optionsFor(server), ...more })
  const sent = (operation: AzureServer.AzureOperation) =>
    server.requests.filter((request) => request.operation === operation && !isProof(request))
  return { server, store, sent }
})

/** Fails the first requests of an operation so. */
function first(
  operation: AzureServer.AzureOperation,
  fault: AzureServer.AzureFault,
  times = 1
): AzureServer.Plan {
  return (request) =>
    request.operation === operation && request.count <= times && !isProof(request)
      ? fault
      : undefined
}

const always = (operation: AzureServer.AzureOperation, fault: AzureServer.AzureFault) =>
  first(operation, fault, Infinity)

const answer = (status: number, code: string, message = code): AzureServer.AzureFault => ({
  do: "answer",
  status,
  code,
  message
})

/** The first page of a listing can be had, and no other. */
const brokenListing: AzureServer.Plan = ({ operation, query }) =>
  operation === "List Blobs" && query.has("marker") ? answer(500, "InternalError") : undefined

const drain = (stream: Stream.Stream<unknown, ObjectStorageError>) => Stream.runDrain(stream)

const keysOf = (store: ObjectStorage["Type"]) =>
  Effect.map(Stream.runCollect(store.list), (infos) => Chunk.toArray(infos).map(({ key }) => key))

/** The objects in the container: sizes by name. */
const landed = ({ client }: AzureServer.AzureServer) =>
  Effect.promise(async () => {
    const found: Record<string, number> = {}
    for await (const { name, properties } of client.listBlobsFlat()) {
      if (name !== PROBE) found[name] = properties.contentLength ?? 0
    }
    return found
  })

describe("ObjectStorageAzure, refused", () => {
  for (const [action, method, run] of [
    ["write", "put", (store: ObjectStorage["Type"]) => store.put(SMALL)],
    ["write", "put", (store: ObjectStorage["Type"]) => store.put(BIG)],
    ["read", "head", (store: ObjectStorage["Type"]) => store.head(KEY)],
    ["read", "get", (store: ObjectStorage["Type"]) => drain(store.get(KEY))],
    ["read", "list", (store: ObjectStorage["Type"]) => drain(store.list)]
  ] as const) {
    it.scoped(`names the permission that ${method} lacks: blobs/${action}`, () =>
      Effect.gen(function* () {
        const needed = `Microsoft.Storage/storageAccounts/blobServices/containers/blobs/${action}`
        const { store } = yield* setUp(undefined, {}, { denied: [needed] })
        const error = yield* Effect.flip<unknown, ObjectStorageError, never>(run(store))
        assert.deepStrictEqual([error.reason, error.method], ["AccessDenied", method])
        assert.include(error.detail, `Allow ${needed} on the container "lake"`)
      })
    )
  }

  for (const [status, code, reason] of [
    [403, "AuthenticationFailed", "AccessDenied"],
    [403, "KeyBasedAuthenticationNotPermitted", "AccessDenied"],
    [401, "NoAuthenticationInformation", "AccessDenied"],
    [404, "ContainerNotFound", "NotFound"],
    [409, "ContainerBeingDeleted", "Unavailable"],
    [409, "SystemInUse", "Unavailable"],
    [400, "InvalidHeaderValue", "Misconfigured"],
    [307, "TemporaryRedirect", "Misconfigured"],
    [500, "InternalError", "Unavailable"],
    [500, "OperationTimedOut", "Unavailable"],
    [503, "ServerBusy", "Unavailable"],
    [502, "BadGateway", "Unavailable"],
    [507, "Full", "NoSpace"],
    [400, "Md5Mismatch", "Corrupt"],
    [400, "InvalidInput", "Failed"]
  ] as const) {
    it.scoped(`takes ${code} (${status}) for ${reason}`, () =>
      Effect.gen(function* () {
        const { store, sent } = yield* setUp(always("Put Blob", answer(status, code)))
        const error = yield* Effect.flip(store.put(SMALL))
        assert.strictEqual(error.reason, reason, error.message)
        assert.strictEqual(error.path, `azure://devstoreaccount1/lake/python-import/${KEY}`)
        assert.strictEqual(sent("Put Blob").length, 1, "the SDK tries once")
      })
    )
  }

  it.scoped("says what to check if the key or the signature is wrong", () =>
    Effect.gen(function* () {
      for (const credentials of [
        { accountKey: Redacted.make(Buffer.alloc(64, "other").toString("base64")) },
        {
          sasToken: Redacted.make("sv=2024-11-04&ss=b&srt=sco&sp=rwl&se=2099-01-01&sig=b3RoZXI%3D")
        }
      ]) {
        const { store } = yield* setUp(undefined, { credentials })
        const error = yield* Effect.flip(store.check)
        assert.strictEqual(error.reason, "AccessDenied")
        assert.match(error.detail, /its key, or the SAS token/)
      }
    })
  )

  it.scoped("says that there is no such container", () =>
    Effect.gen(function* () {
      const { store, sent } = yield* setUp(undefined, {}, { container: "" })
      for (const run of [store.check, store.head(KEY), store.put(SMALL)]) {
        const error = yield* Effect.flip<unknown, ObjectStorageError, never>(run)
        assert.strictEqual(error.reason, "NotFound")
        assert.match(error.detail, /ContainerNotFound.*create the container/)
      }
      // One of them was the check's.
      assert.strictEqual(sent("Put Blob").length, 2)
    })
  )
})

describe("ObjectStorageAzure, on a bad line", () => {
  for (const [title, object, operation] of [
    ["a small put", SMALL, "Put Blob"],
    ["a block", BIG, "Put Block"],
    ["a list of blocks", BIG, "Put Block List"]
  ] as const) {
    it.scopedLive(`sends ${title} again that was cut off or refused for now`, () =>
      Effect.gen(function* () {
        for (const fault of [{ do: "reset", after: 5 } as const, answer(503, "ServerBusy")]) {
          const { server, store, sent } = yield* setUp(first(operation, fault))
          if (operation === "Put Blob") {
            assert.strictEqual((yield* Effect.flip(store.put(object))).reason, "Unavailable")
            assert.deepStrictEqual(yield* landed(server), {})
          }
          assert.isTrue(yield* store.put(object))
          assert.isAtLeast(sent(operation).length, 2)
          assert.deepStrictEqual(yield* landed(server), { [`python-import/${KEY}`]: object.size })
        }
      })
    )

    it.scopedLive(`makes one object if the answer to ${title} was lost`, () =>
      Effect.gen(function* () {
        const { server, store } = yield* setUp(first(operation, { do: "storeThenDrop" }))
        if (operation === "Put Blob") {
          assert.strictEqual((yield* Effect.flip(store.put(object))).reason, "Unavailable")
        }
        assert.strictEqual(yield* store.put(object), operation === "Put Block")
        assert.deepStrictEqual(yield* landed(server), { [`python-import/${KEY}`]: object.size })
      })
    )
  }

  it.scopedLive("stops before the first list of blocks that would overwrite", () =>
    Effect.gen(function* () {
      const { server, store, sent } = yield* setUp(({ operation }) =>
        operation === "Put Block List" ? { do: "ignoreConditions" } : undefined
      )
      const error = yield* Effect.flip(store.put(BIG))
      assert.deepStrictEqual([error.reason, error.method], ["Misconfigured", "put"])
      assert.include(error.detail, "If-None-Match")
      assert.strictEqual(sent("Put Block").length, 0)
      assert.deepStrictEqual(yield* landed(server), {})
    })
  )

  it.scopedLive("gives up a block that keeps failing", () =>
    Effect.gen(function* () {
      const { server, store, sent } = yield* setUp(always("Put Block", { do: "flipByte" }))
      assert.strictEqual((yield* Effect.flip(store.put(BIG))).reason, "Corrupt")
      assert.strictEqual(sent("Put Block List").length, 0)
      assert.deepStrictEqual(yield* landed(server), {})
      server.setPlan(() => undefined)
      assert.isTrue(yield* store.put(SMALL), "what was sent does not hold the name")
    })
  )

  it.scoped("refuses bytes that changed on their way", () =>
    Effect.gen(function* () {
      const { server, store } = yield* setUp(always("Put Blob", { do: "flipByte" }))
      assert.strictEqual((yield* Effect.flip(store.put(SMALL))).reason, "Corrupt")
      assert.deepStrictEqual(yield* landed(server), {})
    })
  )

  it.scopedLive("keeps its blocks apart from those of a second upload of the same name", () =>
    Effect.gen(function* () {
      const { server, store } = yield* setUp()
      const other = objectOf(KEY, Buffer.alloc(5 * MIB, "other"))
      const areStaged = (blocks: number) =>
        Effect.suspend(() =>
          server.answered.filter(({ operation }) => operation === "Put Block").length < blocks
            ? Effect.fail("not yet")
            : Effect.void
        ).pipe(Effect.retry(Schedule.spaced("5 millis")))
      const broken = Stream.concat(
        Stream.take(other.body, 70),
        Stream.fromEffect(Effect.zipRight(areStaged(4), Effect.fail("broken")))
      )
      const meanwhile = Effect.flip(store.put({ ...other, body: broken }))
      const body = Stream.concat(
        Stream.take(BIG.body, 70),
        Stream.concat(
          Stream.drain(Stream.fromEffect(Effect.zipRight(areStaged(2), meanwhile))),
          Stream.drop(BIG.body, 70)
        )
      )
      assert.isTrue(yield* store.put({ ...BIG, body: Stream.orDie(body) }))
      const bytes = yield* Effect.promise(() =>
        server.client.getBlobClient(`python-import/${KEY}`).downloadToBuffer()
      )
      assert.isTrue(bytes.equals(Buffer.alloc(5 * MIB, "amplitude")))
    })
  )

  for (const code of ["BlobAlreadyExists", "SystemInUse", "LeaseIdMissing"]) {
    it.scoped(`looks up the object after ${code}`, () =>
      Effect.gen(function* () {
        const status = code === "LeaseIdMissing" ? 412 : 409
        const stored = first("Put Blob", { do: "storeThenAnswer", status, code })
        assert.isFalse(yield* (yield* setUp(stored)).store.put(SMALL))
        const absent = yield* setUp(first("Put Blob", answer(status, code)))
        const put = yield* Effect.either(absent.store.put(SMALL))
        assert.strictEqual(put._tag, code === "BlobAlreadyExists" ? "Right" : "Left")
      })
    )
  }

  it.scoped("takes who may create and not overwrite", () =>
    Effect.gen(function* () {
      const { server, store } = yield* setUp()
      yield* store.put(SMALL)
      server.setPlan(always("Put Blob", answer(403, "UnauthorizedBlobOverwrite")))
      assert.isFalse(yield* store.put(SMALL))
    })
  )

  it.scoped("takes silence for Unavailable", () =>
    Effect.gen(function* () {
      for (const operation of ["Put Blob", "List Blobs"] as const) {
        const { store } = yield* setUp(always(operation, { do: "stall" }), { idleTimeout: 200 })
        const run = operation === "Put Blob" ? store.put(SMALL) : drain(store.list)
        const error = yield* Effect.flip<unknown, ObjectStorageError, never>(run)
        assert.strictEqual(error.reason, "Unavailable")
      }
    })
  )

  it.scoped("stops reading at once when interrupted, even if the store is silent", () =>
    Effect.gen(function* () {
      const asked = yield* Deferred.make<void>()
      const { store } = yield* setUp(({ operation }) => {
        if (operation !== "Get Blob") return undefined
        Deferred.unsafeDone(asked, Effect.void)
        return { do: "stall" }
      })
      const fiber = yield* Effect.fork(drain(store.get(KEY)))
      yield* Deferred.await(asked)
      yield* Fiber.interrupt(fiber)
    })
  )

  it.scoped("reads an object to its end or fails, in blocks or not", () =>
    Effect.gen(function* () {
      for (const object of [SMALL, BIG]) {
        const { store, server, sent } = yield* setUp()
        yield* store.put(object)
        server.setPlan(always("Get Blob", { do: "reset", after: 5 }))
        assert.strictEqual((yield* Effect.flip(drain(store.get(KEY)))).reason, "Unavailable")
        assert.strictEqual(sent("Get Blob").length, 1, "the SDK asks for no rest")
        server.setPlan(always("Get Blob", { do: "flipByte" }))
        assert.strictEqual((yield* Effect.flip(drain(store.get(KEY)))).reason, "Corrupt")
      }
    })
  )

  it.scoped("refuses an object that the store put together wrongly", () =>
    Effect.gen(function* () {
      const { server, store } = yield* setUp()
      server.setPlan(async ({ count, key, operation }) => {
        if (operation === "Get Blob Properties" && count === 2) {
          await server.client.getBlockBlobClient(key).upload("cut", 3)
        }
        return undefined
      })
      assert.strictEqual((yield* Effect.flip(store.put(BIG))).reason, "Corrupt")
    })
  )

  it.scopedLive.runIf(isLong)("goes on after many bodies that failed midway", () =>
    Effect.gen(function* () {
      const { store } = yield* setUp()
      const failing = Stream.concat(Stream.take(BIG.body, 50), Stream.fail("source" as const))
      for (let time = 0; time < 6; time++) {
        const put = store.put({ ...BIG, body: failing })
        assert.strictEqual(yield* Effect.flip(put), "source")
      }
      assert.isTrue(yield* store.put(BIG))
    })
  )

  it.scopedLive.runIf(isLong)("holds four blocks at most, whatever the size", () =>
    Effect.gen(function* () {
      const { sent, store } = yield* setUp(undefined, { blockSize: MIB })
      const size = 40 * MIB
      const { sha256 } = objectOf(KEY, Buffer.alloc(size, "bounded!"))
      const chunk = Buffer.alloc(MIB / 4, "bounded!")
      let made = 0
      let most = 0
      const body = Stream.range(1, size / chunk.length).pipe(
        Stream.rechunk(1),
        Stream.map(() => {
          made += chunk.length
          most = Math.max(most, made - sent("Put Block").length * MIB)
          return chunk
        })
      )
      assert.isTrue(yield* store.put({ ...SMALL, size, sha256, body }))
      assert.isAtLeast(most, MIB)
      assert.isAtMost(most, 4 * MIB + MIB)
    })
  )
})

describe("ObjectStorageAzure, listing", () => {
  it.scoped("reads every page with whose objects they are, and nothing beside its prefix", () =>
    Effect.gen(function* () {
      const { server, sent, store } = yield* setUp(undefined, {}, { pageSize: 2 })
      const names = ["a", "b", "c", ".amplitude-lake-probe"].map((key) => `python-import/${key}`)
      yield* Effect.promise(async () => {
        for (const name of [...names, "python-import-old/a", "python-import/"]) {
          await server.client.getBlockBlobClient(name).upload("x", 1)
        }
        const metadata = { hdi_isfolder: "true" }
        await server.client.getBlockBlobClient("python-import/dt=1").upload("", 0, { metadata })
      })
      assert.deepStrictEqual(yield* keysOf(store), ["a", "b", "c"])
      assert.strictEqual(sent("List Blobs").length, 3)
      yield* store.put(SMALL)
      const all = Chunk.toReadonlyArray(yield* Stream.runCollect(store.list))
      const own = all.filter(({ hasMetadata }) => hasMetadata)
      assert.deepStrictEqual(
        own.map(({ key, metadata }) => [key, metadata]),
        [[KEY, SMALL.metadata]]
      )
    })
  )

  it.scoped("fails rather than end early when a page cannot be had", () =>
    Effect.gen(function* () {
      const { store } = yield* setUp(brokenListing, {}, { pageSize: 2 })
      for (const key of ["a", "b", "c"]) yield* store.put({ ...SMALL, key })
      assert.strictEqual((yield* Effect.flip(drain(store.list))).reason, "Unavailable")
    })
  )
})

describe("ObjectStorageAzure, checked before anything is downloaded", () => {
  it.scoped("refuses a store that overwrites", () =>
    Effect.gen(function* () {
      const { store } = yield* setUp(() => ({ do: "ignoreConditions" }))
      const error = yield* Effect.flip(store.check)
      assert.deepStrictEqual([error.reason, error.method], ["Misconfigured", "check"])
      assert.include(error.detail, "If-None-Match")
    })
  )

  it.scoped("makes two puts of an empty object, or one if it exists already", () =>
    Effect.gen(function* () {
      const { server, sent, store } = yield* setUp()
      yield* store.check
      assert.strictEqual(sent("Put Blob").length, 2)
      yield* store.check
      assert.strictEqual(sent("Put Blob").length, 3)
      assert.isTrue(yield* Effect.promise(() => server.client.getBlobClient(PROBE).exists()))
    })
  )

  for (const action of ["read", "write"]) {
    it.scoped(`says that blobs/${action} is missing`, () =>
      Effect.gen(function* () {
        const needed = `Microsoft.Storage/storageAccounts/blobServices/containers/blobs/${action}`
        const { store } = yield* setUp(undefined, {}, { denied: [needed] })
        const error = yield* Effect.flip(store.check)
        assert.deepStrictEqual([error.reason, error.method], ["AccessDenied", "check"])
        assert.include(error.detail, needed)
      })
    )
  }
})

describe("ObjectStorageAzure, checked without several permissions", () => {
  it.scoped("names all permissions at once", () =>
    Effect.gen(function* () {
      const blobs = "Microsoft.Storage/storageAccounts/blobServices/containers/blobs"
      const denied = [`${blobs}/read`, `${blobs}/write`]
      const { store } = yield* setUp(undefined, {}, { denied })
      const error = yield* Effect.flip(store.check)
      assert.strictEqual(error.reason, "AccessDenied")
      for (const action of denied) assert.include(error.detail, `Allow ${action} on`)
    })
  )
})

describe("ObjectStorageAzure, on record", () => {
  it.scopedLive("needs only permission to read and write blobs, and never overwrites", () =>
    Effect.gen(function* () {
      const { server, store } = yield* setUp()
      yield* store.check
      yield* drain(store.list)
      yield* store.put(SMALL)
      yield* store.put({ ...BIG, key: "big.jsonl" })
      yield* Effect.flip(store.put({ ...BIG, key: "broken.jsonl", sha256: "0".repeat(64) }))
      yield* store.head(KEY)
      yield* drain(store.get(KEY))
      const asked = new Set(server.requests.map((it) => AzureServer.dataActionOf(it.operation)))
      assert.deepStrictEqual([...asked].sort(), [
        "Microsoft.Storage/storageAccounts/blobServices/containers/blobs/read",
        "Microsoft.Storage/storageAccounts/blobServices/containers/blobs/write"
      ])
      for (const { headers, operation } of server.requests) {
        if (operation === "Put Blob" || operation === "Put Block List") {
          assert.strictEqual(headers["if-none-match"], "*", operation)
        }
        if (operation === "Put Blob" || operation === "Put Block") {
          assert.isDefined(headers["content-md5"], operation)
        }
      }
    })
  )

  it.scopedLive("sends type, MD5 and metadata with an object, in blocks or not", () =>
    Effect.gen(function* () {
      const { server, store } = yield* setUp()
      const metadata = { ...SMALL.metadata, "a-b": "1", "9_x": "2", A_b: "3" }
      for (const object of [SMALL, BIG]) {
        const key = `${object.size}.jsonl.gz`
        yield* store.put({ ...object, key, metadata })
        const found = yield* Effect.promise(() =>
          server.client.getBlobClient(`python-import/${key}`).getProperties()
        )
        assert.strictEqual(found.contentType, "application/gzip")
        assert.isDefined(found.contentMD5)
        assert.strictEqual(found.metadata?.["a_x002d_b"], "1")
        const head = Option.getOrThrow(yield* store.head(key))
        assert.deepStrictEqual(head.metadata, metadata)
      }
    })
  )

  it.effect("names its place without asking anyone", () =>
    Effect.gen(function* () {
      const { place } = yield* ObjectStorage
      assert.strictEqual(place, "azure://account/lake/python-import/")
    }).pipe(
      Effect.provide(
        ObjectStorageAzure.layer({
          account: "account",
          container: "lake",
          prefix: "python-import/"
        })
      )
    )
  )
})
