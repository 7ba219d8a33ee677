import { describe, it } from "@effect/vitest"
import {
  Chunk,
  Config,
  ConfigProvider,
  Deferred,
  Effect,
  Fiber,
  Layer,
  Logger,
  Option,
  Redacted,
  Stream,
  TestClock
} from "effect"
import { assert } from "vitest"
import * as ObjectStorageS3 from "../../../src/layers/s3/ObjectStorageS3.ts"
import { ObjectStorage, type ObjectStorageError } from "../../../src/services/ObjectStorage.ts"
import { isLong } from "../../fixtures/long.ts"
import * as S3Server from "../../fixtures/s3/s3Server.ts"
import { createUpload, uploadOf } from "../../fixtures/s3/_s3Buckets.ts"
import { objectOf } from "../../fixtures/newObject.ts"

const MIB = 1024 * 1024
const KEY = "2025-11-10_21.jsonl"
const SMALL = objectOf(KEY, "one\ntwo\n")
/** One request, and a stream. */
const STREAMED = objectOf(KEY, Buffer.alloc(3 * MIB, "lake"))
const BIG = objectOf(KEY, Buffer.alloc(11 * MIB, "amplitude"))
const SECRET = "a-canary-for-a-secret"

type Plan = (request: S3Server.S3Request) => S3Server.S3Fault | undefined

/** Whether a request only proves that uploads in parts are conditional. */
function isProof({ key, operation }: S3Server.S3Request): boolean {
  return key === PROBE && /Multipart|Part$/.test(operation)
}

const PROBE = "python-import/.amplitude-lake-probe"

/** A store on a server of its own, with a bucket "lake". */
const setUp = Effect.fnUntraced(function* (
  plan?: Plan,
  more: Partial<ObjectStorageS3.ObjectStorageS3Options> = {},
  serverOptions: S3Server.S3ServerOptions = {}
) {
  const server = yield* S3Server.make({
    users: { AKTEST: { secret: SECRET } },
    buckets: { lake: "us-east-1" },
    ...serverOptions,
    ...(plan === undefined ? {} : { plan })
  })
  const store = yield* ObjectStorageS3.make({
    bucket: "lake",
    prefix: "python-import/",
    region: "us-east-1",
    endpoint: server.url,
    credentials: { accessKeyId: "AKTEST", secretAccessKey: Redacted.make(SECRET) },
    multipartThreshold: 6 * MIB,
    chunkSize: 5 * MIB,
    ...more
  })
  const lake = server.buckets.get("lake")
  assert.isDefined(lake)
  const sent = (operation: S3Server.S3Operation) =>
    server.requests.filter((request) => request.operation === operation && !isProof(request))
  return { server, store, lake, sent }
})

/** What S3 refuses in a bucket with Object Lock: a write without a checksum, and a delete. */
const locked: Plan = ({ headers, operation }) => {
  const isWritten = operation === "PutObject" || operation === "UploadPart"
  const isHashed = Object.keys(headers).some((it) => /^(content-md5|x-amz-checksum-)/.test(it))
  const message = "Content-MD5 OR x-amz-checksum- HTTP header is required"
  if (isWritten && !isHashed) return { do: "answer", status: 400, code: "InvalidRequest", message }
  const isDeleted = operation.startsWith("Delete")
  return isDeleted ? { do: "answer", status: 403, code: "AccessDenied" } : undefined
}

/** Fails the first requests of an operation so. */
function first(operation: S3Server.S3Operation, fault: S3Server.S3Fault, times = 1): Plan {
  return (request) =>
    request.operation === operation && request.count <= times && !isProof(request)
      ? fault
      : undefined
}

const always = (operation: S3Server.S3Operation, fault: S3Server.S3Fault): Plan =>
  first(operation, fault, Infinity)

const answer = (status: number, code: string): S3Server.S3Fault => ({ do: "answer", status, code })

/** The first page of a listing can be had, and no other. */
const brokenListing: Plan = ({ operation, query }) =>
  operation === "ListObjectsV2" && query.has("continuation-token")
    ? answer(500, "InternalError")
    : undefined

const drain = (stream: Stream.Stream<unknown, ObjectStorageError>) => Stream.runDrain(stream)

const keysOf = (store: ObjectStorage["Type"]) =>
  Effect.map(Stream.runCollect(store.list), (infos) => Chunk.toArray(infos).map(({ key }) => key))

const denying = (...denied: ReadonlyArray<string>) => ({
  users: { AKTEST: { secret: SECRET, denied } }
})

describe("ObjectStorageS3, refused", () => {
  for (const [action, method, run] of [
    ["s3:PutObject", "put", (store: ObjectStorage["Type"]) => store.put(SMALL)],
    ["s3:PutObject", "put", (store: ObjectStorage["Type"]) => store.put(STREAMED)],
    ["s3:PutObject", "put", (store: ObjectStorage["Type"]) => store.put(BIG)],
    ["s3:GetObject", "head", (store: ObjectStorage["Type"]) => store.head(KEY)],
    ["s3:GetObject", "get", (store: ObjectStorage["Type"]) => drain(store.get(KEY))],
    ["s3:ListBucket", "list", (store: ObjectStorage["Type"]) => drain(store.list)]
  ] as const) {
    it.scoped(`names the permission that ${method} lacks: ${action}`, () =>
      Effect.gen(function* () {
        const { store } = yield* setUp(undefined, {}, denying(action))
        const error = yield* Effect.flip<unknown, ObjectStorageError, never>(run(store))
        assert.strictEqual(error.reason, "AccessDenied")
        assert.strictEqual(error.method, method)
        assert.include(error.detail, `${action} on arn:aws:s3:::lake`)
      })
    )
  }

  for (const [status, code, reason] of [
    [403, "InvalidAccessKeyId", "AccessDenied"],
    [403, "SignatureDoesNotMatch", "AccessDenied"],
    [400, "ExpiredToken", "AccessDenied"],
    [403, "RequestTimeTooSkewed", "Misconfigured"],
    [404, "NoSuchBucket", "NotFound"],
    [301, "PermanentRedirect", "Misconfigured"],
    [400, "AuthorizationHeaderMalformed", "Misconfigured"],
    [400, "KMS.NotFoundException", "Misconfigured"],
    [501, "NotImplemented", "Misconfigured"],
    [403, "QuotaExceeded", "NoSpace"],
    [500, "InternalError", "Unavailable"],
    [503, "SlowDown", "Unavailable"],
    [400, "RequestTimeout", "Unavailable"],
    [502, "BadGateway", "Unavailable"],
    [400, "BadDigest", "Corrupt"],
    [400, "XAmzContentSHA256Mismatch", "Corrupt"],
    [400, "InvalidArgument", "Failed"]
  ] as const) {
    it.scoped(`takes ${code} (${status}) for ${reason}`, () =>
      Effect.gen(function* () {
        const { store, sent } = yield* setUp(always("PutObject", answer(status, code)))
        for (const object of [SMALL, STREAMED]) {
          const error = yield* Effect.flip(store.put(object))
          assert.strictEqual(error.reason, reason, error.message)
          assert.strictEqual(error.path, `s3://lake/python-import/${KEY}`)
          assert.strictEqual(error.isTransient, reason === "Unavailable")
          assert.notInclude(JSON.stringify(error) + String(error.stack), SECRET)
        }
        assert.strictEqual(sent("PutObject").length, 2, "the SDK tries once")
      })
    )
  }

  it.scoped("goes on with the credentials that it has after a refusal", () =>
    Effect.gen(function* () {
      let asked = 0
      const credentials = () => {
        asked++
        const secretAccessKey = Redacted.make(SECRET)
        return Promise.resolve({ accessKeyId: "AKTEST", secretAccessKey })
      }
      const plan = first("PutObject", answer(400, "ExpiredToken"))
      const { store } = yield* setUp(plan, { credentials })
      assert.strictEqual((yield* Effect.flip(store.put(SMALL))).reason, "AccessDenied")
      assert.isTrue(yield* store.put(SMALL))
      assert.strictEqual(asked, 1, "credentials without an expiry are requested once")
    })
  )

  it.scoped(
    "distinguishes a role that may not be assumed from a bucket that may not be listed",
    () =>
      Effect.gen(function* () {
        const refused = Object.assign(new Error("not authorized to perform: sts:AssumeRole"), {
          name: "AccessDenied"
        })
        const { store } = yield* setUp(undefined, { credentials: () => Promise.reject(refused) })
        const error = yield* Effect.flip(store.check)
        assert.strictEqual(error.reason, "AccessDenied")
        assert.match(error.detail, /^Could not obtain AWS credentials .*sts:AssumeRole/)
        assert.notInclude(error.detail, "s3:ListBucket")
      })
  )

  it.scoped(
    "says where it looked when there are no credentials, and nothing that was found there",
    () =>
      Effect.gen(function* () {
        const credentials = () =>
          Promise.reject(
            Object.assign(new Error(`ran: ${SECRET}`), { name: "CredentialsProviderError" })
          )
        const { store } = yield* setUp(undefined, { credentials })
        const error = yield* Effect.flip(drain(store.list))
        assert.strictEqual(error.reason, "AccessDenied")
        assert.include(error.detail, "AWS_ACCESS_KEY_ID")
        assert.notInclude(JSON.stringify(error), SECRET)
      })
  )
})

describe("ObjectStorageS3, on a bad line", () => {
  for (const after of [0, 1, 200_000, 3 * MIB - 1]) {
    it.scoped(
      `leaves nothing when it is cut off after ${after} bytes, and can be tried again`,
      () =>
        Effect.gen(function* () {
          const { store, lake } = yield* setUp(first("PutObject", { do: "reset", after }))
          assert.strictEqual((yield* Effect.flip(store.put(STREAMED))).reason, "Unavailable")
          assert.strictEqual(lake.objects.size, 0)
          assert.isTrue(yield* store.put(STREAMED))
        })
    )
  }

  it.scoped("finds its own object if the answer was lost", () =>
    Effect.gen(function* () {
      const small = yield* setUp(first("PutObject", { do: "storeThenDrop" }))
      assert.strictEqual((yield* Effect.flip(small.store.put(SMALL))).reason, "Unavailable")
      assert.isFalse(yield* small.store.put(SMALL))
      const streamed = yield* setUp(first("PutObject", { do: "storeThenDrop" }))
      assert.isFalse(yield* streamed.store.put(STREAMED))
      assert.strictEqual(streamed.sent("PutObject").length, 1)
    })
  )

  it.scoped("looks when another write was under way (409)", () =>
    Effect.gen(function* () {
      const conflict = answer(409, "ConditionalRequestConflict")
      const absent = yield* setUp(first("PutObject", conflict))
      assert.strictEqual((yield* Effect.flip(absent.store.put(SMALL))).reason, "Unavailable")
      assert.isTrue(yield* absent.store.put(SMALL))
      const present = yield* setUp(
        first("PutObject", {
          do: "storeThenAnswer",
          status: 409,
          code: "ConditionalRequestConflict"
        })
      )
      assert.isFalse(yield* present.store.put(SMALL))
    })
  )

  it.scoped("looks when another replacement was under way (409)", () =>
    Effect.gen(function* () {
      const { server, store } = yield* setUp()
      yield* store.put(objectOf(KEY, ""))
      const { etag: replacing } = Option.getOrThrow(yield* store.head(KEY))
      const code = "ConcurrentModification"
      server.setPlan(first("PutObject", answer(409, code), 2))
      const undone = yield* Effect.flip(store.put(SMALL, { replacing }))
      assert.strictEqual(undone.reason, "Unavailable")
      server.setPlan(first("PutObject", { do: "storeThenAnswer", status: 409, code }, 3))
      assert.isFalse(yield* store.put(SMALL, { replacing }))
    })
  )

  for (const [title, plan] of [
    ["lets a store that compares hashes refuse a wrong one", undefined],
    [
      "refuses a body with a wrong hash if the store compares none",
      always("PutObject", { do: "ignoreHashes" })
    ]
  ] as const) {
    it.scoped(title, () =>
      Effect.gen(function* () {
        const { lake, store } = yield* setUp(plan)
        yield* store.check
        const probes = lake.objects.size
        const error = yield* Effect.flip(store.put({ ...STREAMED, sha256: "0".repeat(64) }))
        assert.strictEqual(error.reason, "Corrupt")
        const isOurs = error.detail === "The body's SHA-256 differs from the announced one"
        assert.strictEqual(isOurs, plan !== undefined)
        const cut = yield* Effect.flip(store.put({ ...STREAMED, size: STREAMED.size - 1 }))
        assert.strictEqual(cut.reason, "Corrupt")
        assert.strictEqual(lake.objects.size, probes)
        yield* store.check
        assert.deepStrictEqual(yield* keysOf(store), [])
      })
    )
  }

  it.scoped("takes silence for Unavailable", () =>
    Effect.gen(function* () {
      for (const operation of ["PutObject", "ListObjectsV2"] as const) {
        const { store } = yield* setUp(always(operation, { do: "stall" }), { idleTimeout: 200 })
        const run = operation === "PutObject" ? store.put(SMALL) : drain(store.list)
        const error = yield* Effect.flip<unknown, ObjectStorageError, never>(run)
        assert.strictEqual(error.reason, "Unavailable")
      }
    })
  )

  it.scoped("reads an object to its end or fails", () =>
    Effect.gen(function* () {
      const { store, server } = yield* setUp()
      yield* store.put(STREAMED)
      server.setPlan(always("GetObject", { do: "reset", after: 1_000_000 }))
      assert.strictEqual((yield* Effect.flip(drain(store.get(KEY)))).reason, "Unavailable")
      server.setPlan(always("GetObject", { do: "flipByte" }))
      assert.strictEqual((yield* Effect.flip(drain(store.get(KEY)))).reason, "Corrupt")
    })
  )

  it.scoped("finds an object whose bytes are not those of its metadata", () =>
    Effect.gen(function* () {
      const { store, lake } = yield* setUp()
      yield* store.put(SMALL)
      const [[name, object] = []] = lake.objects
      assert.isDefined(object)
      const headers = { ...object.headers, "x-amz-meta-sha256": "0".repeat(64) }
      lake.objects.set(String(name), { ...object, headers })
      assert.strictEqual((yield* Effect.flip(store.head(KEY))).reason, "Corrupt")
    })
  )
})

describe("ObjectStorageS3, in parts", () => {
  for (const [title, plan] of [
    ["is refused", first("UploadPart", answer(503, "SlowDown"), 2)],
    ["is cut off", first("UploadPart", { do: "reset", after: 100_000 })],
    ["arrives but is not confirmed", first("UploadPart", { do: "storeThenDrop" })]
  ] as const) {
    it.scopedLive(`sends a part alone again that ${title}`, () =>
      Effect.gen(function* () {
        const { store, sent, lake } = yield* setUp(plan)
        assert.isTrue(yield* store.put(BIG))
        assert.isAtLeast(sent("UploadPart").length, 4)
        assert.strictEqual(sent("CreateMultipartUpload").length, 1)
        assert.strictEqual(lake.objects.get(`python-import/${KEY}`)?.bytes.length, BIG.size)
      })
    )
  }

  it.scopedLive("proves once that the store refuses to complete an upload of a taken key", () =>
    Effect.gen(function* () {
      const { server, store, lake } = yield* setUp()
      const others = ["2025-11-10_01.jsonl", "2025-11-10_02.jsonl"]
      const puts = others.map((key) => store.put({ ...BIG, key }))
      assert.deepStrictEqual(yield* Effect.all(puts, { concurrency: 2 }), [true, true])
      assert.isTrue(yield* store.put(BIG))
      const proofs = server.requests.filter(isProof).map(({ operation }) => operation)
      assert.deepStrictEqual(proofs, [
        "CreateMultipartUpload",
        "UploadPart",
        "CompleteMultipartUpload",
        "AbortMultipartUpload"
      ])
      assert.strictEqual(lake.uploads.size, 0)
      assert.strictEqual(lake.objects.get(PROBE)?.bytes.length, 0)
      assert.notInclude(
        [...(yield* Stream.runCollect(store.list))].map(({ key }) => key).join(),
        "probe"
      )
    })
  )

  it.scopedLive("stops before the first upload in parts that would overwrite", () =>
    Effect.gen(function* () {
      const { store, sent, lake } = yield* setUp(({ operation }) =>
        operation === "CompleteMultipartUpload" ? { do: "ignoreConditions" } : undefined
      )
      yield* store.check
      assert.isTrue(yield* store.put(SMALL), "no upload in parts, so nothing to prove")
      for (const _ of [1, 2]) {
        const error = yield* Effect.flip(store.put({ ...BIG, key: "2025-11-10_01.jsonl" }))
        assert.deepStrictEqual([error.reason, error.method], ["Misconfigured", "put"])
        assert.include(error.detail, "If-None-Match")
        assert.include(error.detail, "parts")
      }
      assert.strictEqual(sent("CreateMultipartUpload").length, 0)
      assert.deepStrictEqual([...lake.objects.keys()].sort(), [PROBE, `python-import/${KEY}`])
    })
  )

  it.scopedLive("gives up a part that keeps failing, and leaves no part behind", () =>
    Effect.gen(function* () {
      const { store, sent, lake } = yield* setUp(always("UploadPart", answer(400, "BadDigest")))
      assert.strictEqual((yield* Effect.flip(store.put(BIG))).reason, "Corrupt")
      assert.strictEqual(sent("AbortMultipartUpload").length, 1)
      assert.strictEqual(lake.uploads.size, 0)
    })
  )

  it.scopedLive("retries the completion, also if a 200 contains an error", () =>
    Effect.gen(function* () {
      const plan = first("CompleteMultipartUpload", { do: "errorInOk", code: "InternalError" })
      const { store, sent } = yield* setUp(plan)
      assert.isTrue(yield* store.put(BIG))
      assert.strictEqual(sent("UploadPart").length, 3)
      assert.strictEqual(sent("CompleteMultipartUpload").length, 2)
    })
  )

  it.scopedLive("finds the object when the answer to its completion was lost", () =>
    Effect.gen(function* () {
      const { store, sent, lake } = yield* setUp(
        first("CompleteMultipartUpload", { do: "storeThenDrop" })
      )
      assert.isFalse(yield* store.put(BIG))
      assert.isTrue(lake.objects.has(`python-import/${KEY}`))
      assert.strictEqual(sent("UploadPart").length, 3)
    })
  )

  it.scopedLive("yields to an object that came while it was sending", () =>
    Effect.gen(function* () {
      const { store, server, lake } = yield* setUp()
      const key = `python-import/${KEY}`
      server.setPlan(({ operation }) => {
        if (operation !== "CompleteMultipartUpload") return undefined
        const bytes = Buffer.from("theirs")
        lake.objects.set(key, { bytes, etag: '"theirs"', headers: {}, checksum: undefined })
        return undefined
      })
      assert.isFalse(yield* store.put(BIG))
      assert.strictEqual(lake.objects.get(key)?.bytes.toString(), "theirs")
      assert.strictEqual(lake.uploads.size, 0)
    })
  )

  it.scopedLive("refuses an object that the store put together wrongly", () =>
    Effect.gen(function* () {
      const { store, server, lake } = yield* setUp()
      server.setPlan(({ operation, count, key }) => {
        const object = lake.objects.get(key)
        if (operation === "HeadObject" && count === 2 && object !== undefined) {
          lake.objects.set(key, { ...object, bytes: object.bytes.subarray(1) })
        }
        return undefined
      })
      assert.strictEqual((yield* Effect.flip(store.put(BIG))).reason, "Corrupt")
    })
  )

  it.scopedLive("warns of parts that it could not remove, and fails with its own error", () =>
    Effect.gen(function* () {
      const lines: Array<string> = []
      const logger = Logger.make(({ message }) => lines.push(String(message)))
      const { store } = yield* setUp(
        always("UploadPart", answer(400, "InvalidArgument")),
        {},
        denying("s3:AbortMultipartUpload")
      )
      const error = yield* Effect.flip(store.put(BIG)).pipe(
        Effect.provide(Logger.replace(Logger.defaultLogger, logger))
      )
      assert.strictEqual(error.reason, "Failed")
      assert.include(lines.join(), "AbortIncompleteMultipartUpload")
    })
  )

  it.scoped.runIf(isLong)("goes on after many bodies that failed midway", () =>
    Effect.gen(function* () {
      const { store, lake } = yield* setUp()
      const bytes = Buffer.alloc(11 * MIB, "midway")
      const object = objectOf("large.jsonl", bytes)
      const failing = Stream.concat(
        Stream.make(bytes.subarray(0, 3 * MIB), bytes.subarray(3 * MIB, 8 * MIB), bytes),
        Stream.fail("source" as const)
      )
      for (let time = 0; time < 6; time++) {
        const put = store.put({ ...object, body: failing, size: 30 * MIB })
        assert.strictEqual(yield* Effect.flip(put), "source")
      }
      assert.strictEqual(lake.uploads.size, 0)
      assert.isTrue(yield* store.put(object))
    })
  )

  it.scopedLive.runIf(isLong)(
    "holds four parts at most, whatever the size",
    () =>
      Effect.gen(function* () {
        const { store, lake } = yield* setUp()
        const chunk = Buffer.alloc(MIB, "bounded")
        const whole = objectOf("large.jsonl", "")
        const hash = yield* Effect.sync(() => objectOf("", Buffer.alloc(80 * MIB, chunk)).sha256)
        let made = 0
        let most = 0
        const body = Stream.range(1, 80).pipe(
          Stream.rechunk(1),
          Stream.map(() => {
            const stored = [...lake.uploads.values()].flatMap(({ parts }) => [...parts.values()])
            made += chunk.length
            most = Math.max(most, made - stored.reduce((sum, { bytes }) => sum + bytes.length, 0))
            return chunk
          })
        )
        assert.isTrue(yield* store.put({ ...whole, size: 80 * MIB, sha256: hash, body }))
        assert.isAtLeast(most, 5 * MIB)
        assert.isAtMost(most, 4 * 5 * MIB + 4 * MIB)
      }),
    60_000
  )
})

describe("ObjectStorageS3, interrupted", () => {
  /** A store that goes silent at a request for one of these, and the requests that reached it. */
  const silentAt = Effect.fnUntraced(function* (...operations: Array<S3Server.S3Operation>) {
    const reached = yield* Effect.forEach(operations, () => Deferred.make<void>())
    const { store } = yield* setUp(({ operation }) => {
      const index = operations.indexOf(operation)
      const asked = reached[index]
      if (asked === undefined) return undefined
      Deferred.unsafeDone(asked, Effect.void)
      return { do: "stall" }
    })
    return { store, reached }
  })

  for (const [what, operation, run] of [
    ["a reading", "GetObject", ({ get }) => Stream.runDrain(get(KEY))],
    ["an upload that is begun", "CreateMultipartUpload", ({ put }) => put(BIG)]
  ] as ReadonlyArray<
    readonly [
      string,
      S3Server.S3Operation,
      (store: ObjectStorage["Type"]) => Effect.Effect<unknown, ObjectStorageError>
    ]
  >) {
    it.scoped(`stops ${what} within seconds if the store is silent`, () =>
      Effect.gen(function* () {
        const { reached, store } = yield* silentAt(operation)
        const fiber = yield* Effect.fork(run(store))
        yield* Effect.forEach(reached, Deferred.await)
        const left = yield* Effect.fork(Fiber.interrupt(fiber))
        yield* TestClock.adjust("2 seconds")
        yield* Fiber.await(left)
      })
    )
  }

  it.scoped("stops the parts of an upload within seconds if the store is silent", () =>
    Effect.gen(function* () {
      const { reached, store } = yield* silentAt("UploadPart", "AbortMultipartUpload")
      const [sending, aborting] = reached
      assert(sending !== undefined && aborting !== undefined)
      const fiber = yield* Effect.fork(store.put(BIG))
      yield* Deferred.await(sending)
      const left = yield* Effect.fork(Fiber.interrupt(fiber))
      yield* Deferred.await(aborting)
      yield* TestClock.adjust("5 seconds")
      yield* Fiber.await(left)
    })
  )

  it.scopedLive("aborts an upload that the store began while it was interrupted", () =>
    Effect.gen(function* () {
      const asked = yield* Deferred.make<void>()
      const { lake, sent, store } = yield* setUp((request) => {
        const { operation } = request
        if (operation === "CreateMultipartUpload" && !isProof(request))
          Deferred.unsafeDone(asked, Effect.void)
        return undefined
      })
      const fiber = yield* Effect.fork(store.put(BIG))
      yield* Deferred.await(asked)
      yield* Fiber.interrupt(fiber)
      assert.strictEqual(sent("AbortMultipartUpload").length, 1)
      assert.strictEqual(lake.uploads.size, 0)
    })
  )
})

describe("ObjectStorageS3, listing", () => {
  it.scoped("reads every page, and takes nothing beside its prefix for an hour", () =>
    Effect.gen(function* () {
      const { store, lake, sent } = yield* setUp(undefined, {}, { pageSize: 2 })
      const object = { bytes: Buffer.from("x"), etag: '"x"', headers: {}, checksum: undefined }
      for (const key of ["a", "b", "c", "", ".amplitude-lake-probe"]) {
        lake.objects.set(`python-import/${key}`, object)
      }
      lake.objects.set("python-import-old/a", object)
      assert.deepStrictEqual(yield* keysOf(store), ["a", "b", "c"])
      assert.strictEqual(sent("ListObjectsV2").length, 3)
    })
  )

  it.scoped("fails rather than end early when a page cannot be had", () =>
    Effect.gen(function* () {
      const { store, lake } = yield* setUp(brokenListing, {}, { pageSize: 2 })
      const object = { bytes: Buffer.from("x"), etag: '"x"', headers: {}, checksum: undefined }
      for (const key of ["a", "b", "c"]) lake.objects.set(`python-import/${key}`, object)
      assert.strictEqual((yield* Effect.flip(drain(store.list))).reason, "Unavailable")
    })
  )

  it.scoped("fails rather than ends early if a page does not name the next one", () =>
    Effect.gen(function* () {
      const plan = always("ListObjectsV2", { do: "forgetToken" })
      const { store, lake } = yield* setUp(plan, {}, { pageSize: 2 })
      const object = { bytes: Buffer.from("x"), etag: '"x"', headers: {}, checksum: undefined }
      for (const key of ["a", "b", "c"]) lake.objects.set(`python-import/${key}`, object)
      assert.include((yield* Effect.flip(drain(store.list))).detail, "incomplete")
    })
  )
})

describe("ObjectStorageS3, checked before anything is downloaded", () => {
  it.scoped("refuses a store that overwrites", () =>
    Effect.gen(function* () {
      const { store } = yield* setUp(() => ({ do: "ignoreConditions" }))
      const error = yield* Effect.flip(store.check)
      assert.deepStrictEqual([error.reason, error.method], ["Misconfigured", "check"])
      assert.include(error.detail, "If-None-Match")
    })
  )

  it.scoped(
    "makes two puts of an empty object, or one if it exists already, and one that is refused",
    () =>
      Effect.gen(function* () {
        const { store, sent, lake } = yield* setUp()
        yield* store.check
        assert.strictEqual(sent("PutObject").length, 3)
        yield* store.check
        assert.strictEqual(sent("PutObject").length, 5)
        const [[key, probe] = []] = lake.objects
        assert.strictEqual(key, "python-import/.amplitude-lake-probe")
        assert.strictEqual(probe?.bytes.length, 0)
      })
  )

  for (const action of ["s3:ListBucket", "s3:PutObject", "s3:GetObject"]) {
    it.scoped(`says that ${action} is missing`, () =>
      Effect.gen(function* () {
        const { store } = yield* setUp(undefined, {}, denying(action))
        const error = yield* Effect.flip(store.check)
        assert.deepStrictEqual([error.reason, error.method], ["AccessDenied", "check"])
        assert.include(error.detail, action)
      })
    )
  }

  it.scoped("names all permissions at once that listing and putting lack, and keys once", () =>
    Effect.gen(function* () {
      const { store } = yield* setUp(undefined, {}, denying("s3:ListBucket", "s3:PutObject"))
      const error = yield* Effect.flip(store.check)
      assert.match(error.detail, /Allow s3:ListBucket on .*; Allow s3:PutObject on /)
      const other = yield* setUp(() => answer(403, "InvalidAccessKeyId"))
      const { detail } = yield* Effect.flip(other.store.check)
      assert.strictEqual(detail.match(/InvalidAccessKeyId/g)?.length, 1, detail)
    })
  )

  it.scoped("reads an app's configuration, and names what is missing in it", () =>
    Effect.gen(function* () {
      const { lake, server } = yield* setUp()
      const layer = ObjectStorageS3.layerConfig({
        bucket: Config.string("BUCKET"),
        prefix: Config.succeed("events/"),
        region: Config.succeed("us-east-1"),
        endpoint: Config.string("ENDPOINT"),
        idleTimeout: Config.duration("IDLE_TIMEOUT"),
        credentials: Config.map(Config.redacted("SECRET"), (secretAccessKey) => ({
          accessKeyId: "AKTEST",
          secretAccessKey
        }))
      })
      const from = (entries: Readonly<Record<string, string>>) =>
        Layer.provide(
          layer,
          Layer.setConfigProvider(ConfigProvider.fromMap(new Map(Object.entries(entries))))
        )
      const put = Effect.flatMap(ObjectStorage, (store) => store.put(SMALL))
      const known = { ENDPOINT: server.url, SECRET, IDLE_TIMEOUT: "1 minute" }
      assert.isTrue(yield* Effect.provide(put, from({ ...known, BUCKET: "lake" })))
      assert.isTrue(lake.objects.has(`events/${KEY}`))
      assert.match(String(yield* Effect.flip(Effect.provide(put, from(known)))), /BUCKET/)
    })
  )

  for (const [sse, sseKmsKeyId, sent] of [
    ["AES256", undefined, ["AES256", undefined]],
    ["aws:kms", undefined, ["aws:kms", undefined]],
    ["aws:kms", "key-1", ["aws:kms", "key-1"]],
    [undefined, "key-1", ["aws:kms", "key-1"]]
  ] as const) {
    it.scopedLive(`requests ${sse} with ${sseKmsKeyId ?? "no key"} on every put and upload`, () =>
      Effect.gen(function* () {
        const { store, server } = yield* setUp(undefined, { sse, sseKmsKeyId })
        yield* store.check
        for (const object of [SMALL, BIG]) yield* store.put(object)
        const creating = server.requests.filter(({ operation }) =>
          ["PutObject", "CreateMultipartUpload"].includes(operation)
        )
        assert.isAtLeast(creating.length, 3)
        for (const { headers } of creating) {
          const asked = [
            headers["x-amz-server-side-encryption"],
            headers["x-amz-server-side-encryption-aws-kms-key-id"]
          ]
          assert.deepStrictEqual(asked, [...sent])
        }
      })
    )
  }

  it.scoped(
    "puts into a bucket with Object Lock, which demands a checksum and denies deletes",
    () =>
      Effect.gen(function* () {
        const { sent, store } = yield* setUp(locked)
        for (const [at, object] of [SMALL, STREAMED, BIG].entries()) {
          assert.isTrue(yield* store.put({ ...object, key: `${at}.jsonl` }))
        }
        assert.isAbove(sent("UploadPart").length, 1)
      })
  )

  it.scoped("sends no Expect header, which proxies and stores may refuse or ignore", () =>
    Effect.gen(function* () {
      const { store, server } = yield* setUp()
      for (const object of [SMALL, BIG]) yield* store.put(object)
      for (const { headers, operation } of server.requests) {
        assert.isUndefined(headers["expect"], operation)
      }
    })
  )

  for (const [status, code, message, says] of [
    [
      501,
      "NotImplemented",
      "A header you provided implies functionality that is not implemented",
      /does not accept If-None-Match on puts.*docs\/stores\.md/
    ],
    [
      501,
      "NotImplemented",
      "Header 'x-amz-checksum-sha256' with value *** not implemented",
      /refuses the header x-amz-checksum-sha256/
    ],
    [
      400,
      "InvalidArgument",
      "x-amz-checksum-sha256 is not supported",
      /refuses the header x-amz-checksum-sha256/
    ],
    [
      403,
      "AccessDenied",
      "User is not authorized to perform: s3:PutObject with an explicit deny in a resource-based policy",
      /^A policy denies it, which no permission overrides.*encryption header/
    ]
  ] as const) {
    it.scoped(`explains a put that is refused with ${status}: ${message.slice(0, 40)}`, () =>
      Effect.gen(function* () {
        const plan = always("PutObject", { do: "answer", status, code, message })
        const { store } = yield* setUp(plan)
        const error = yield* Effect.flip(store.check)
        assert.strictEqual(error.reason, status === 403 ? "AccessDenied" : "Misconfigured")
        assert.match(error.detail, says)
      })
    )
  }

  it.scoped("names the KMS permissions, or the setting, if S3's error mentions KMS", () =>
    Effect.gen(function* () {
      const message = "User is not authorized to perform: kms:GenerateDataKey on the key"
      const plan = always("PutObject", { do: "answer", status: 403, code: "AccessDenied", message })
      const { server, store } = yield* setUp(plan, { sseKmsKeyId: "key-1" })
      const error = yield* Effect.flip(store.check)
      assert.include(error.detail, "kms:GenerateDataKey and kms:Decrypt on the key")
      const absent = "Failed to retrieve the actual key, kms-keyid: key-1"
      server.setPlan(
        always("PutObject", { do: "answer", status: 400, code: "InvalidArgument", message: absent })
      )
      const other = yield* Effect.flip(store.check)
      assert.strictEqual(other.reason, "Misconfigured")
      assert.include(other.detail, "The KMS key cannot be used")
    })
  )

  it.scoped("takes a bare 400 to a HEAD for credentials that ran out", () =>
    Effect.gen(function* () {
      const plan = always("HeadObject", { do: "answer", status: 400, code: "ExpiredToken" })
      const { store } = yield* setUp(plan)
      const error = yield* Effect.flip(store.head(KEY))
      assert.strictEqual(error.reason, "AccessDenied")
      assert.include(error.detail, "expired; renew them")
    })
  )

  it.scoped("names the bucket's own region when another was set", () =>
    Effect.gen(function* () {
      const { store } = yield* setUp(undefined, {}, { buckets: { lake: "eu-central-1" } })
      const error = yield* Effect.flip(store.check)
      assert.strictEqual(error.reason, "Misconfigured")
      assert.include(error.detail, "eu-central-1")
    })
  )

  it.scoped("finds the region from the bucket when none was set", () =>
    Effect.gen(function* () {
      const { store, sent } = yield* setUp(
        undefined,
        { region: undefined },
        { buckets: { lake: "eu-central-1" } }
      )
      yield* store.check
      assert.isTrue(yield* store.put(SMALL))
      assert.strictEqual(sent("HeadBucket").length, 1)
    })
  )
})

describe("ObjectStorageS3, on record", () => {
  it.scopedLive("needs nothing beyond its policy, and never overwrites or deletes", () =>
    Effect.gen(function* () {
      const { store, server } = yield* setUp(undefined, { region: undefined })
      yield* store.check
      yield* drain(store.list)
      yield* store.put(SMALL)
      yield* store.put({ ...BIG, key: "big.jsonl" })
      yield* Effect.flip(store.put({ ...BIG, key: "broken.jsonl", sha256: "0".repeat(64) }))
      yield* store.head(KEY)
      yield* drain(store.get(KEY))
      const asked = new Set(
        server.requests.map(({ operation }) => S3Server.permissionOf(operation))
      )
      assert.deepStrictEqual([...asked].sort(), [
        "s3:AbortMultipartUpload",
        "s3:GetObject",
        "s3:ListBucket",
        "s3:PutObject"
      ])
      for (const { headers, operation } of server.requests) {
        if (operation === "PutObject" || operation === "CompleteMultipartUpload") {
          assert.strictEqual(headers["if-none-match"], "*", operation)
        }
      }
    })
  )

  it.scopedLive("sends type, encryption, metadata and hash with an object, in parts or not", () =>
    Effect.gen(function* () {
      const { store, server, lake } = yield* setUp(undefined, { sseKmsKeyId: "key-1" })
      for (const object of [SMALL, BIG]) {
        yield* store.put({ ...object, key: `${object.size}.jsonl.gz` })
        const stored = lake.objects.get(`python-import/${object.size}.jsonl.gz`)
        assert.deepStrictEqual(stored?.headers, {
          "content-type": "application/gzip",
          "x-amz-server-side-encryption": "aws:kms",
          "x-amz-server-side-encryption-aws-kms-key-id": "key-1",
          ...Object.fromEntries(
            Object.entries(object.metadata).map(([name, value]) => [`x-amz-meta-${name}`, value])
          )
        })
        assert.strictEqual(stored?.checksum?.type, "FULL_OBJECT")
      }
      const put = server.requests.find(({ operation }) => operation === "PutObject")
      assert.strictEqual(put?.headers["x-amz-content-sha256"], SMALL.sha256)
    })
  )

  it.scoped("recognizes an object of a different pipeline by its lack of metadata", () =>
    Effect.gen(function* () {
      const { store, lake } = yield* setUp()
      const object = { bytes: Buffer.from("x"), etag: '"x"', headers: {}, checksum: undefined }
      lake.objects.set(`python-import/${KEY}`, object)
      const head = Option.getOrThrow(yield* store.head(KEY))
      assert.deepStrictEqual(head, {
        key: KEY,
        size: 1,
        etag: '"x"',
        hasMetadata: false,
        metadata: {}
      })
    })
  )

  it.effect("names its place without asking anyone", () =>
    Effect.gen(function* () {
      const { place } = yield* ObjectStorage
      assert.strictEqual(place, "s3://bucket/python-import/")
    }).pipe(Effect.provide(ObjectStorageS3.layer({ bucket: "bucket", prefix: "python-import/" })))
  )
})

describe("ObjectStorageS3, unfinished", () => {
  const DAY = 24 * 3_600_000
  const now = Date.now()

  /**
   * Uploads that were begun this many days ago, by the days since the newest of their parts; a page
   * holds two.
   */
  const left = Effect.fnUntraced(function* (serverOptions: S3Server.S3ServerOptions = {}) {
    const set = yield* setUp(undefined, {}, { pageSize: 2, ...serverOptions })
    const begin = (key: string, begun: number, parts: ReadonlyArray<number> = []) => {
      const id = createUpload(set.lake, key, {}, { algorithm: undefined, type: undefined })
      const upload = uploadOf(set.lake, key, id)
      const initiated = new Date(now - begun * DAY)
      set.lake.uploads.set(id, { ...upload, initiated })
      parts.forEach((days, index) =>
        upload.parts.set(index + 1, {
          bytes: Buffer.alloc(100),
          etag: "",
          modified: new Date(now - days * DAY),
          checksum: undefined
        })
      )
      return id
    }
    const ids = {
      idle: begin("python-import/2025-11-10_20.jsonl", 9, [8, 7, 6]),
      live: begin("python-import/2025-11-10_21.jsonl", 9, [8, 7, 0.5]),
      young: begin("python-import/2025-11-10_22.jsonl", 0.5),
      bare: begin("python-import/2025-11-10_23.jsonl", 2),
      elsewhere: begin("other/2025-11-10_23.jsonl", 9)
    }
    return { ...set, ids }
  })

  it.scopedLive("lists uploads below the prefix without recent activity, with their size", () =>
    Effect.gen(function* () {
      const { ids, store } = yield* left()
      const found = yield* Stream.runCollect(store.unfinished?.list(now - DAY) ?? Stream.empty)
      assert.deepStrictEqual(
        Chunk.toArray(found).map((it) => [it.id, it.key, it.size, it.isOrphan]),
        [
          [ids.idle, "2025-11-10_20.jsonl", 300, false],
          [ids.bare, "2025-11-10_23.jsonl", 0, false]
        ]
      )
      assert.deepStrictEqual(
        Chunk.toArray(found).map(({ touched }) => Math.round((now - touched) / DAY)),
        [6, 2]
      )
    })
  )

  it.scopedLive("aborts one, and does not mind that it is gone", () =>
    Effect.gen(function* () {
      const { ids, lake, store } = yield* left()
      const { abort, list } = store.unfinished ?? assert.fail()
      const [idle] = Chunk.toArray(yield* Stream.runCollect(list(now - DAY)))
      assert.isDefined(idle)
      yield* abort(idle)
      yield* abort(idle)
      assert.sameMembers([...lake.uploads.keys()], [ids.live, ids.young, ids.bare, ids.elsewhere])
    })
  )

  for (const action of [
    "s3:ListBucketMultipartUploads",
    "s3:ListMultipartUploadParts",
    "s3:AbortMultipartUpload"
  ]) {
    it.scopedLive(`names ${action} and its resource if that permission is missing`, () =>
      Effect.gen(function* () {
        const { store } = yield* left(denying(action))
        const { abort, list } = store.unfinished ?? assert.fail()
        const error = yield* Effect.flip(
          Stream.runForEach(list(now - DAY), (upload) => abort(upload))
        )
        const resource = action.includes("Bucket") ? "lake" : "lake/python-import/*"
        assert.strictEqual(error.reason, "AccessDenied")
        assert.include(error.detail, `Allow ${action} on arn:aws:s3:::${resource} (`)
      })
    )
  }
})
