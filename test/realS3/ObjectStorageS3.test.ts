import { crc32 } from "node:zlib"
import { HeadObjectCommand, ListMultipartUploadsCommand } from "@aws-sdk/client-s3"
import { describe, layer as withLayer } from "@effect/vitest"
import { Chunk, Deferred, Effect, Exit, Fiber, Layer, Option, Redacted, Stream } from "effect"
import { assert, vi } from "vitest"
import * as ObjectStorageS3 from "../../src/layers/s3/ObjectStorageS3.ts"
import type { ObjectStorage, ObjectStorageError } from "../../src/services/ObjectStorage.ts"
import { objectStorageContract } from "../contracts/objectStorage.ts"
import { objectOf } from "../fixtures/newObject.ts"
import { layer, optionsFor, overOnePage, S3Target, storeLayer } from "../fixtures/s3/s3Target.ts"

// The contract puts thousands of objects, and a real server takes its time.
vi.setConfig({ testTimeout: 120_000 })

const MIB = 1024 * 1024
/** Too large to be sent in one piece, and small enough for one request. */
const STREAMED = Buffer.alloc(3 * MIB, "lake")
const BIG = Buffer.alloc(11 * MIB, "amplitude")

/** A store below a prefix of its own, which cuts into parts what is over 6 MiB. */
const storeAt = (prefix: string, more: Partial<ObjectStorageS3.ObjectStorageS3Options> = {}) =>
  Effect.flatMap(S3Target, (target) =>
    ObjectStorageS3.make({
      ...optionsFor(target, prefix),
      multipartThreshold: 6 * MIB,
      chunkSize: 5 * MIB,
      ...more
    })
  )

const failing = (more: Partial<ObjectStorageS3.ObjectStorageS3Options>) =>
  Effect.flatMap(storeAt("check/", more), ({ check }) => Effect.flip(check))

const readAll = (bytes: Stream.Stream<Uint8Array, ObjectStorageError>) =>
  Effect.map(Stream.runCollect(bytes), (chunks) => Buffer.concat(Chunk.toArray(chunks)))

const keysOf = (store: ObjectStorage["Type"]) =>
  Effect.map(Stream.runCollect(store.list), (infos) =>
    Chunk.toArray(infos)
      .map(({ key }) => key)
      .sort()
  )

/** The checksum of a whole object that the server itself has checked and kept. */
const checksumOf = (Key: string) =>
  Effect.flatMap(S3Target, ({ bucket: Bucket, client }) =>
    Effect.promise(async () => {
      const command = new HeadObjectCommand({ Bucket, Key, ChecksumMode: "ENABLED" })
      const { ChecksumCRC32, ChecksumSHA256, ChecksumType } = await client.send(command)
      return { checksum: ChecksumSHA256 ?? ChecksumCRC32, type: ChecksumType }
    })
  )

const uploadsLeft = Effect.flatMap(S3Target, ({ bucket: Bucket, client }) =>
  Effect.promise(async () => {
    const { Uploads = [] } = await client.send(new ListMultipartUploadsCommand({ Bucket }))
    return Uploads.map(({ Key }) => Key)
  })
)

objectStorageContract("ObjectStorageS3", Layer.provide(storeLayer, layer), overOnePage)

describe("ObjectStorageS3 on a server", () => {
  withLayer(layer, { excludeTestServices: true })((it) => {
    it.scoped("lands an object once, and gives it back as it was put", () =>
      Effect.gen(function* () {
        const store = yield* storeAt("once/")
        const object = objectOf("2025-11-10_21.jsonl", "one\ntwo\n")
        assert.isTrue(yield* store.put(object))
        assert.isFalse(yield* store.put(objectOf(object.key, "other\n")))
        const head = Option.getOrThrow(yield* store.head(object.key))
        assert.deepStrictEqual(head.metadata, object.metadata)
        assert.strictEqual(head.size, 8)
        assert.strictEqual(head.hasMetadata, true)
        assert.strictEqual((yield* readAll(store.get(object.key))).toString(), "one\ntwo\n")
        assert.deepStrictEqual(yield* checksumOf(`once/${object.key}`), {
          checksum: Buffer.from(object.sha256, "hex").toString("base64"),
          type: "FULL_OBJECT"
        })
        const [info] = Chunk.toArray(yield* Stream.runCollect(store.list))
        assert.deepStrictEqual(info, { key: object.key, size: 8, etag: head.etag })
      })
    )

    it.scoped("lands an object in parts once, and leaves no part behind", () =>
      Effect.gen(function* () {
        const store = yield* storeAt("parts/")
        const object = objectOf("2025-11-10_21.jsonl.gz", BIG, 700_001)
        assert.isTrue(yield* store.put(object))
        const head = Option.getOrThrow(yield* store.head(object.key))
        assert.deepStrictEqual(head.metadata, object.metadata)
        assert.isTrue((yield* readAll(store.get(object.key))).equals(BIG))
        const crc = Buffer.alloc(4)
        crc.writeUInt32BE(crc32(BIG))
        assert.deepStrictEqual(yield* checksumOf(`parts/${object.key}`), {
          checksum: crc.toString("base64"),
          type: "FULL_OBJECT"
        })
        assert.isFalse(yield* store.put(object))
        assert.deepStrictEqual(yield* uploadsLeft, [])
      })
    )

    it.scoped("lets one of several writers win, in parts too", () =>
      Effect.gen(function* () {
        const store = yield* storeAt("race/")
        for (const [key, content] of [
          ["small", "x\n"],
          ["large", BIG]
        ] as const) {
          const writers = Array.from({ length: 4 }, () => store.put(objectOf(key, content)))
          const won = yield* Effect.all(writers, { concurrency: "unbounded" })
          assert.strictEqual(won.filter(Boolean).length, 1, key)
        }
        assert.deepStrictEqual(yield* uploadsLeft, [])
      })
    )

    it.scoped("lands an hour without events", () =>
      Effect.gen(function* () {
        const store = yield* storeAt("empty/")
        assert.isTrue(yield* store.put(objectOf("2025-11-10_21.jsonl", "")))
        assert.strictEqual((yield* readAll(store.get("2025-11-10_21.jsonl"))).length, 0)
        const lying = { ...objectOf("lying", ""), sha256: "0".repeat(64) }
        assert.strictEqual((yield* Effect.flip(store.put(lying))).reason, "Corrupt")
        assert.deepStrictEqual(yield* keysOf(store), ["2025-11-10_21.jsonl"])
      })
    )

    it.scoped("leaves nothing when the body is not the announced one", () =>
      Effect.gen(function* () {
        const store = yield* storeAt("corrupt/")
        for (const content of ["small\n", STREAMED, BIG]) {
          const object = objectOf("key", content)
          const wrong = [
            { ...object, sha256: "0".repeat(64) },
            { ...object, size: object.size - 1 },
            { ...object, size: object.size + 1 }
          ]
          for (const one of wrong) {
            const error = yield* Effect.flip(store.put(one))
            assert.strictEqual(error.reason, "Corrupt", String(error))
          }
        }
        assert.deepStrictEqual(yield* keysOf(store), [])
        assert.deepStrictEqual(yield* uploadsLeft, [])
      })
    )

    it.scoped("leaves nothing when the body fails, and passes its error on", () =>
      Effect.gen(function* () {
        const store = yield* storeAt("failing/")
        for (const content of [STREAMED, BIG]) {
          const object = objectOf("key", content)
          const most = Math.ceil(object.size / 65_536) - 1
          const body = Stream.concat(Stream.take(object.body, most), Stream.fail("broken" as const))
          assert.strictEqual(yield* Effect.flip(store.put({ ...object, body })), "broken")
        }
        assert.deepStrictEqual(yield* keysOf(store), [])
        assert.deepStrictEqual(yield* uploadsLeft, [])
      })
    )

    it.scoped("leaves nothing when it is interrupted", () =>
      Effect.gen(function* () {
        const store = yield* storeAt("interrupted/")
        for (const content of [STREAMED, BIG]) {
          const object = objectOf("key", content)
          const reached = yield* Deferred.make<void>()
          const most = Math.ceil(object.size / 65_536) - 1
          const halt = Stream.fromEffect(
            Effect.zipRight(Deferred.succeed(reached, undefined), Effect.never)
          )
          const body = Stream.concat(Stream.take(object.body, most), halt)
          const fiber = yield* Effect.fork(store.put({ ...object, body }))
          yield* Deferred.await(reached)
          assert.isTrue(Exit.isInterrupted(yield* Fiber.interrupt(fiber)))
        }
        assert.deepStrictEqual(yield* keysOf(store), [])
        assert.deepStrictEqual(yield* uploadsLeft, [])
      })
    )

    it.scoped("replaces the one object of an etag, and no other", () =>
      Effect.gen(function* () {
        const store = yield* storeAt("replacing/")
        for (const content of ["new\n", BIG]) {
          const key = `key-${content.length}`
          yield* store.put(objectOf(key, ""))
          const { etag: replacing } = Option.getOrThrow(yield* store.head(key))
          const object = objectOf(key, content)
          assert.isTrue(yield* store.put(object, { replacing }))
          assert.isFalse(yield* store.put(objectOf(key, "third\n"), { replacing }))
          assert.isFalse(yield* store.put({ ...object, key: "absent" }, { replacing }))
          assert.strictEqual(Option.getOrThrow(yield* store.head(key)).size, object.size)
        }
      })
    )

    it.scoped("says that a key is not there", () =>
      Effect.gen(function* () {
        const store = yield* storeAt("absent/")
        assert.deepStrictEqual(yield* store.head("absent"), Option.none())
        const error = yield* Effect.flip(Stream.runDrain(store.get("absent")))
        assert.strictEqual(error.reason, "NotFound")
        yield* store.remove("absent")
      })
    )

    it.scoped("lists keys as they are, below its prefix only", () =>
      Effect.gen(function* () {
        const store = yield* storeAt("list/")
        const beside = yield* storeAt("list-beside/")
        const keys = ["2025-11-10_21#0.json", "a b&<c>.jsonl", "dt=1/hour=2/+ü%20.gz"]
        yield* Effect.forEach(keys, (key) => store.put(objectOf(key, "x")))
        yield* beside.put(objectOf("beside", "x"))
        assert.deepStrictEqual(yield* keysOf(store), keys)
      })
    )

    it.scoped("finds a good bucket good, again and again, and its probe is no hour", () =>
      Effect.gen(function* () {
        const store = yield* storeAt("check/")
        yield* store.check
        yield* store.check
        assert.deepStrictEqual(yield* keysOf(store), [])
      })
    )

    it.scoped("says what is wrong with a bucket, a key pair, an endpoint", () =>
      Effect.gen(function* () {
        const { accessKeyId, secretAccessKey } = yield* S3Target
        const bucket = yield* failing({ bucket: "amplitude-lake-never-made" })
        assert.deepStrictEqual([bucket.reason, bucket.method], ["NotFound", "check"])
        assert.include(bucket.message, "create the bucket")

        const secret = Redacted.make("a-wrong-secret")
        const wrong = yield* failing({ credentials: { accessKeyId, secretAccessKey: secret } })
        assert.strictEqual(wrong.reason, "AccessDenied")
        assert.include(wrong.message, "check the access key")
        assert.notInclude(JSON.stringify(wrong), "a-wrong-secret")

        const unknown = yield* failing({
          credentials: { accessKeyId: "AKUNKNOWN", secretAccessKey: Redacted.make(secretAccessKey) }
        })
        assert.strictEqual(unknown.reason, "AccessDenied")

        const nobody = yield* failing({ endpoint: "http://127.0.0.1:1" })
        assert.strictEqual(nobody.reason, "Unavailable")
        assert.isTrue(nobody.isTransient)
      })
    )
  })
})
