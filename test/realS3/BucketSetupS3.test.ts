import assert from "node:assert/strict"
import { randomBytes } from "node:crypto"
import { DeleteBucketCommand, PutObjectCommand } from "@aws-sdk/client-s3"
import { describe, layer as withLayer } from "@effect/vitest"
import { Duration, Effect, Layer, Option, Stream } from "effect"
import { vi } from "vitest"
import * as BucketSetupS3 from "../../src/layers/s3/BucketSetupS3.ts"
import * as ObjectStorageS3 from "../../src/layers/s3/ObjectStorageS3.ts"
import { setupBucket } from "../../src/programs/setup/setupBucket.ts"
import { bucketSetupContract } from "../contracts/bucketSetup.ts"
import { objectOf } from "../fixtures/newObject.ts"
import { layer, optionsFor, S3Target } from "../fixtures/s3/s3Target.ts"

vi.setConfig({ testTimeout: 60_000 })

const MIB = 1024 * 1024
/** Ceph has neither ownership controls, nor queues, nor the two keys of conditional puts in its policies. */
const isAnother = (process.env["S3_TEST_ENDPOINT"] ?? "") !== ""
const KEY = "arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"

const setupLayer = Layer.unwrapEffect(
  Effect.map(S3Target, (target) =>
    BucketSetupS3.layer({ ...optionsFor(target, ""), region: "us-east-1" })
  )
)

bucketSetupContract("BucketSetupS3", Layer.provide(setupLayer, layer), {
  knowsOwnership: !isAnother,
  knowsQueues: !isAnother
})

const PREFIX = "python-import/"

const setUp = (bucket: string, apply: boolean) =>
  Effect.gen(function* () {
    const retrying = { retries: 3, retryBase: Duration.millis(1) }
    const asked = { kmsKey: KEY, abortDays: 7, requireIfNoneMatch: true }
    const { items } = yield* setupBucket({ bucket, prefix: PREFIX, apply, ...retrying, ...asked })
    return Object.fromEntries(items.map(({ name, state }) => [name, state]))
  })

const all = (state: string) => ({
  bucket: "same",
  "public access": state,
  ownership: isAnother ? "cannot" : state,
  encryption: state,
  uploads: state,
  policy: state
})

/** What a new bucket has by itself, as AWS makes them. */
const NEW = isAnother ? {} : { "public access": "same", ownership: "same" }

describe("BucketSetupS3", () => {
  withLayer(layer)((it) => {
    it.scoped("makes a bucket that is not there, in the region that is named", () =>
      Effect.gen(function* () {
        const target = yield* S3Target
        const bucket = `amplitude-lake-${randomBytes(6).toString("hex")}`
        const options = { ...optionsFor(target, ""), bucket, region: "us-east-1" }
        const setup = yield* BucketSetupS3.make(options)
        assert.deepEqual(yield* setup.find, { exists: false, region: "us-east-1" })
        yield* setup.create("us-east-1")
        const found = yield* setup.find
        yield* Effect.promise(() => target.client.send(new DeleteBucketCommand({ Bucket: bucket })))
        assert.deepEqual(found, { exists: true, region: "us-east-1" })
      })
    )

    it.scoped("names no region by itself", () =>
      Effect.gen(function* () {
        const options = { ...optionsFor(yield* S3Target, ""), bucket: "amplitude-lake-never-made" }
        const setup = yield* BucketSetupS3.make(options)
        assert.deepEqual(yield* setup.find, { exists: false, region: undefined })
      })
    )

    it.scoped.skipIf(isAnother)("keeps what a lifecycle says of small objects", () =>
      Effect.gen(function* () {
        const target = yield* S3Target
        const options = { ...optionsFor(target, ""), region: "us-east-1" }
        const { lifecycle } = yield* BucketSetupS3.make(options)
        const rule = { ID: "theirs", Status: "Enabled", Filter: {}, Expiration: { Days: 30 } }
        const TransitionDefaultMinimumObjectSize = "varies_by_storage_class"
        yield* lifecycle.write({ Rules: [rule], TransitionDefaultMinimumObjectSize })
        const found = yield* lifecycle.read
        assert.equal(found.TransitionDefaultMinimumObjectSize, TransitionDefaultMinimumObjectSize)
        yield* lifecycle.write(found)
        assert.deepEqual(yield* lifecycle.read, found)
      })
    )

    it.scoped("sets up a bucket that hours can then land in, small or in parts", () =>
      Effect.gen(function* () {
        const target = yield* S3Target
        const { bucket: Bucket, client } = target
        const options = optionsFor(target, PREFIX)
        const setup = BucketSetupS3.layer({ ...options, region: "us-east-1" })
        const run = (apply: boolean) => Effect.provide(setUp(Bucket, apply), setup)
        assert.deepEqual(yield* run(false), { ...all("would change"), ...NEW })
        assert.deepEqual(yield* run(true), { ...all("changed"), ...NEW })
        assert.deepEqual(yield* run(true), all("same"))

        const limits = { multipartThreshold: 6 * MIB, chunkSize: 5 * MIB }
        const store = yield* ObjectStorageS3.make({ ...options, ...limits })
        const small = Buffer.from("one\n")
        const large = Buffer.alloc(11 * MIB, "lake")
        for (const [key, bytes] of [
          ["small", small],
          ["large", large]
        ] as const) {
          assert.equal(yield* store.put(objectOf(key, bytes)), true)
          const read = yield* Stream.runFold(store.get(key), 0, (sum, it) => sum + it.length)
          assert.equal(read, bytes.length)
          // A conflict is resolved by replacing the object that was compared.
          const etag = Option.getOrThrow(yield* store.head(key)).etag
          const other = Buffer.alloc(bytes.length, "other")
          assert.equal(yield* store.put(objectOf(key, other), { replacing: etag }), true)
          assert.equal(yield* store.put(objectOf(key, bytes), { replacing: etag }), false)
        }

        const blind = (Key: string) =>
          Effect.either(
            Effect.tryPromise(() =>
              client.send(new PutObjectCommand({ Bucket, Key, Body: "other" }))
            )
          )
        assert.equal((yield* blind(`${PREFIX}small`))._tag, isAnother ? "Right" : "Left")
        assert.equal((yield* blind("elsewhere"))._tag, "Right")
      })
    )
  })
})
