import { randomBytes } from "node:crypto"
import {
  AbortMultipartUploadCommand,
  CreateBucketCommand,
  DeleteBucketCommand,
  DeleteObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  S3Client
} from "@aws-sdk/client-s3"
import { Context, Effect, Layer, Redacted } from "effect"
import * as ObjectStorageS3 from "../../src/layers/s3/ObjectStorageS3.ts"
import * as S3Server from "../fixtures/s3Server.ts"

process.env["AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED"] = "true"

const quiet = { trace() {}, debug() {}, info() {}, warn() {}, error() {} }

/**
 * An empty bucket of its own on the server that `S3_TEST_ENDPOINT` names, or else on the fixture.
 */
export class S3Target extends Context.Tag("test/S3Target")<
  S3Target,
  {
    readonly endpoint: string
    readonly accessKeyId: string
    readonly secretAccessKey: string
    readonly bucket: string
    /** The SDK's plain client, for what the store does not do. */
    readonly client: S3Client
  }
>() {}

export function makeClient(target: {
  readonly endpoint: string
  readonly accessKeyId: string
  readonly secretAccessKey: string
}): S3Client {
  const { accessKeyId, endpoint, secretAccessKey } = target
  return new S3Client({
    endpoint,
    credentials: { accessKeyId, secretAccessKey },
    forcePathStyle: true,
    region: "us-east-1",
    maxAttempts: 1,
    logger: quiet
  })
}

const empty = async (client: S3Client, Bucket: string): Promise<void> => {
  const { Uploads = [] } = await client.send(new ListMultipartUploadsCommand({ Bucket }))
  for (const { Key, UploadId } of Uploads) {
    await client.send(new AbortMultipartUploadCommand({ Bucket, Key, UploadId }))
  }
  for (;;) {
    const { Contents = [] } = await client.send(new ListObjectsV2Command({ Bucket }))
    if (Contents.length === 0) return
    await Promise.all(
      Contents.map(({ Key }) => client.send(new DeleteObjectCommand({ Bucket, Key })))
    )
  }
}

const named = Effect.gen(function* () {
  const {
    S3_TEST_ACCESS_KEY: accessKeyId = "",
    S3_TEST_ENDPOINT: endpoint = "",
    S3_TEST_SECRET_KEY: secretAccessKey = ""
  } = process.env
  if (endpoint !== "") return { endpoint, accessKeyId, secretAccessKey }
  const server = yield* S3Server.make()
  return { endpoint: server.url, accessKeyId: "AKTEST", secretAccessKey: "SKTEST" }
})

export const layer: Layer.Layer<S3Target> = Layer.scoped(
  S3Target,
  Effect.gen(function* () {
    const target = yield* named
    const client = makeClient(target)
    const Bucket = `amplitude-lake-${randomBytes(6).toString("hex")}`
    yield* Effect.acquireRelease(
      Effect.promise(() => client.send(new CreateBucketCommand({ Bucket }))),
      () =>
        Effect.promise(async () => {
          await empty(client, Bucket)
          await client.send(new DeleteBucketCommand({ Bucket }))
          client.destroy()
        })
    )
    return { ...target, bucket: Bucket, client }
  })
)

/** What `ObjectStorageS3.layer` needs for the target. */
export function optionsFor(
  target: S3Target["Type"],
  prefix: string
): ObjectStorageS3.ObjectStorageS3Options {
  const { accessKeyId, bucket, endpoint, secretAccessKey } = target
  const credentials = { accessKeyId, secretAccessKey: Redacted.make(secretAccessKey) }
  return { bucket, endpoint, prefix, credentials }
}

/** A new prefix of the target's bucket, as a store that puts in parts what is over 10 MB. */
export const storeLayer = Layer.unwrapEffect(
  Effect.map(S3Target, (target) =>
    ObjectStorageS3.layer({
      ...optionsFor(target, `${randomBytes(4).toString("hex")}/`),
      multipartThreshold: 10_000_000,
      chunkSize: 5 * 1024 * 1024
    })
  )
)
