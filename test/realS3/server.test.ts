import { createHash } from "node:crypto"
import { Readable } from "node:stream"
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  type PutObjectCommandInput,
  UploadPartCommand
} from "@aws-sdk/client-s3"
import { describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { assert } from "vitest"
import { layer, makeClient, S3Target } from "../fixtures/s3/s3Target.ts"

const MIB = 1024 * 1024

function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("base64")
}

/** Runs a promise to its end and gives the code, or the status, of its refusal. */
const refusalOf = (promise: () => Promise<unknown>) =>
  Effect.tryPromise({
    try: promise,
    catch: (cause) => {
      const error = cause as { name: string; $metadata?: { httpStatusCode?: number } }
      return { code: error.name, status: error.$metadata?.httpStatusCode ?? 0 }
    }
  }).pipe(Effect.flip)

const put = (input: Omit<PutObjectCommandInput, "Bucket">) =>
  Effect.flatMap(S3Target, ({ bucket: Bucket, client }) =>
    Effect.promise(() => client.send(new PutObjectCommand({ ...input, Bucket })))
  )
const refused = (input: Omit<PutObjectCommandInput, "Bucket">) =>
  Effect.flatMap(S3Target, ({ bucket: Bucket, client }) =>
    refusalOf(() => client.send(new PutObjectCommand({ ...input, Bucket })))
  )

/**
 * What the store relies on, asked of the server itself: the fixture and a real one must answer
 * alike.
 */
describe("an S3 server", () => {
  it.layer(layer)((it) => {
    it.effect("gives back what was put, with its metadata, type and checksum", () =>
      Effect.gen(function* () {
        const { bucket: Bucket, client } = yield* S3Target
        const Body = Buffer.from("one\ntwo\n")
        const Metadata = { hour: "2025-11-10T21", events: "2" }
        const ContentType = "application/x-ndjson"
        const ChecksumSHA256 = sha256(Body)
        const ChecksumAlgorithm = "SHA256"
        yield* put({ Key: "whole", Body, Metadata, ContentType, ChecksumAlgorithm, ChecksumSHA256 })
        const head = yield* Effect.promise(() =>
          client.send(new HeadObjectCommand({ Bucket, Key: "whole", ChecksumMode: "ENABLED" }))
        )
        assert.deepStrictEqual(head.Metadata, Metadata)
        assert.strictEqual(head.ContentType, ContentType)
        assert.strictEqual(head.ContentLength, 8)
        assert.strictEqual(head.ChecksumSHA256, ChecksumSHA256)
        const got = yield* Effect.promise(async () => {
          const { Body } = await client.send(new GetObjectCommand({ Bucket, Key: "whole" }))
          return await Body?.transformToString()
        })
        assert.strictEqual(got, "one\ntwo\n")
      })
    )

    it.effect("takes a stream with a checksum for a trailer", () =>
      Effect.gen(function* () {
        const { bucket: Bucket, client } = yield* S3Target
        const bytes = Buffer.alloc(300_000, "trailer")
        const Body = Readable.from([bytes.subarray(0, 100_000), bytes.subarray(100_000)])
        yield* put({ Key: "stream", Body, ContentLength: bytes.length })
        const got = yield* Effect.promise(async () => {
          const { Body } = await client.send(new GetObjectCommand({ Bucket, Key: "stream" }))
          return await Body?.transformToByteArray()
        })
        assert.deepStrictEqual(Buffer.from(got ?? []), bytes)
      })
    )

    it.effect("refuses bytes of another SHA-256, CRC-32 or MD5, and keeps nothing", () =>
      Effect.gen(function* () {
        const { bucket: Bucket, client } = yield* S3Target
        const Body = Buffer.from("sent")
        const other = Buffer.from("announced")
        const Key = "other"
        const wrong = [
          { ChecksumAlgorithm: "SHA256" as const, ChecksumSHA256: sha256(other) },
          { ChecksumAlgorithm: "CRC32" as const, ChecksumCRC32: "AAAAAA==" },
          { ContentMD5: createHash("md5").update(other).digest("base64") }
        ]
        for (const announced of wrong) {
          assert.strictEqual((yield* refused({ Key, Body, ...announced })).status, 400)
        }
        const gone = yield* refusalOf(() => client.send(new HeadObjectCommand({ Bucket, Key })))
        assert.strictEqual(gone.status, 404)
      })
    )

    it.effect("creates only what is not there, and lets one of ten writers win", () =>
      Effect.gen(function* () {
        const Key = "once"
        const race = Array.from({ length: 10 }, (_, index) =>
          put({ Key, Body: `writer ${index}`, IfNoneMatch: "*" }).pipe(
            Effect.as("put"),
            Effect.catchAllDefect((cause) => Effect.succeed((cause as { name: string }).name))
          )
        )
        const ends = yield* Effect.all(race, { concurrency: "unbounded" })
        assert.strictEqual(ends.filter((end) => end === "put").length, 1)
        assert.strictEqual((yield* refused({ Key, Body: "late", IfNoneMatch: "*" })).status, 412)
      })
    )

    it.effect("replaces only the object of the named etag", () =>
      Effect.gen(function* () {
        const Key = "replaced"
        const { ETag } = yield* put({ Key, Body: "first" })
        yield* put({ Key, Body: "second", IfMatch: ETag })
        assert.strictEqual((yield* refused({ Key, Body: "third", IfMatch: ETag })).status, 412)
        const absent = yield* refused({ Key: "never", Body: "x", IfMatch: ETag })
        assert.include([404, 412], absent.status)
      })
    )

    it.effect("lists by pages, in full and below a prefix only", () =>
      Effect.gen(function* () {
        const { bucket: Bucket, client } = yield* S3Target
        const keys = Array.from({ length: 25 }, (_, index) => `many/${index + 10}#0 &ü.json`)
        yield* Effect.forEach([...keys, "manyother"], (Key) => put({ Key, Body: "x" }), {
          concurrency: 8
        })
        const seen: Array<string | undefined> = []
        for (let ContinuationToken: string | undefined, more = true; more;) {
          const page = yield* Effect.promise(() =>
            client.send(
              new ListObjectsV2Command({ Bucket, Prefix: "many/", MaxKeys: 10, ContinuationToken })
            )
          )
          seen.push(...(page.Contents ?? []).map(({ Key }) => Key))
          ContinuationToken = page.NextContinuationToken
          more = page.IsTruncated === true
        }
        assert.deepStrictEqual(seen, keys)
      })
    )

    it.effect("makes an object of its parts, and refuses wrong ones", () =>
      Effect.gen(function* () {
        const { bucket: Bucket, client } = yield* S3Target
        const Key = "parts"
        const { UploadId } = yield* Effect.promise(() =>
          client.send(
            new CreateMultipartUploadCommand({
              Bucket,
              Key,
              ChecksumAlgorithm: "CRC32",
              ChecksumType: "FULL_OBJECT"
            })
          )
        )
        const bodies = [Buffer.alloc(5 * MIB, "a"), Buffer.from("b")]
        const Parts = yield* Effect.forEach(bodies, (Body, index) =>
          Effect.promise(async () => {
            const command = new UploadPartCommand({
              Bucket,
              Key,
              UploadId,
              PartNumber: index + 1,
              Body,
              ChecksumAlgorithm: "CRC32"
            })
            const { ChecksumCRC32, ETag } = await client.send(command)
            return { PartNumber: index + 1, ETag, ChecksumCRC32 }
          })
        )
        const complete = (
          Parts: ReadonlyArray<{ PartNumber: number; ETag?: string | undefined }>,
          rest: object = {}
        ) =>
          client.send(
            new CompleteMultipartUploadCommand({
              Bucket,
              Key,
              UploadId,
              MultipartUpload: { Parts: [...Parts] },
              ...rest
            })
          )
        const [first, second] = Parts
        assert.isDefined(first)
        assert.isDefined(second)
        const etag = '"00000000000000000000000000000000"'
        const other = yield* refusalOf(() => complete([first, { ...second, ETag: etag }]))
        assert.strictEqual(other.code, "InvalidPart")
        const crc = { ChecksumCRC32: "AAAAAA==", ChecksumType: "FULL_OBJECT" }
        const sum = yield* refusalOf(() => complete(Parts, crc))
        assert.strictEqual(sum.code, "BadDigest")
        yield* put({ Key, Body: "there" })
        const there = yield* refusalOf(() => complete(Parts, { IfNoneMatch: "*" }))
        assert.strictEqual(there.status, 412)
        const { ETag } = yield* Effect.promise(() =>
          client.send(new HeadObjectCommand({ Bucket, Key }))
        )
        yield* Effect.promise(() => complete(Parts, { IfMatch: ETag }))
        const head = yield* Effect.promise(() =>
          client.send(new HeadObjectCommand({ Bucket, Key, ChecksumMode: "ENABLED" }))
        )
        assert.strictEqual(head.ContentLength, 5 * MIB + 1)
      })
    )

    it.effect("refuses a part too small, and forgets an aborted upload", () =>
      Effect.gen(function* () {
        const { bucket: Bucket, client } = yield* S3Target
        const Key = "small"
        const { UploadId } = yield* Effect.promise(() =>
          client.send(new CreateMultipartUploadCommand({ Bucket, Key }))
        )
        const upload = (PartNumber: number) =>
          Effect.promise(async () => {
            const command = new UploadPartCommand({ Bucket, Key, UploadId, PartNumber, Body: "x" })
            return { PartNumber, ETag: (await client.send(command)).ETag }
          })
        const Parts = yield* Effect.all([upload(1), upload(2)])
        const small = yield* refusalOf(() =>
          client.send(
            new CompleteMultipartUploadCommand({
              Bucket,
              Key,
              UploadId,
              MultipartUpload: { Parts }
            })
          )
        )
        assert.strictEqual(small.code, "EntityTooSmall")
        yield* Effect.promise(() =>
          client.send(new AbortMultipartUploadCommand({ Bucket, Key, UploadId }))
        )
        const left = yield* Effect.promise(() =>
          client.send(new ListMultipartUploadsCommand({ Bucket, Prefix: Key }))
        )
        assert.deepStrictEqual(left.Uploads ?? [], [])
      })
    )

    it.effect("knows who asks: a wrong secret, an unknown key", () =>
      Effect.gen(function* () {
        const target = yield* S3Target
        const list = new ListObjectsV2Command({ Bucket: target.bucket })
        const wrong = makeClient({ ...target, secretAccessKey: "wrong" })
        const unknown = makeClient({ ...target, accessKeyId: "AKUNKNOWN" })
        assert.strictEqual((yield* refusalOf(() => wrong.send(list))).code, "SignatureDoesNotMatch")
        assert.strictEqual((yield* refusalOf(() => unknown.send(list))).code, "InvalidAccessKeyId")
      })
    )

    it.effect("knows no bucket that was never made", () =>
      Effect.gen(function* () {
        const { client } = yield* S3Target
        const list = new ListObjectsV2Command({ Bucket: "amplitude-lake-never-made" })
        assert.strictEqual((yield* refusalOf(() => client.send(list))).code, "NoSuchBucket")
      })
    )
  })
})
