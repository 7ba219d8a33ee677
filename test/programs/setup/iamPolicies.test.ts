import assert from "node:assert/strict"
import { readFile } from "node:fs/promises"
import { describe, it } from "@effect/vitest"
import { Effect, Option, Redacted } from "effect"
import * as ObjectStorageS3 from "../../../src/layers/s3/ObjectStorageS3.ts"
import {
  maintainerPolicy,
  readerPolicy,
  readerTrust,
  writerPolicy
} from "../../../src/programs/setup/iamPolicies.ts"
import { objectOf } from "../../contracts/objectStorage.ts"
import * as S3Server from "../../fixtures/s3/s3Server.ts"

const OPTIONS = {
  bucket: "your-bucket",
  prefix: "python-import/",
  kmsKey: "arn:aws:kms:eu-west-2:111122223333:key/only-where-a-key-is-used"
}

describe("writerPolicy()", () => {
  it("is the policy that docs/iam.md shows", async () => {
    const page = await readFile("docs/iam.md", "utf8")
    const blocks = [...page.matchAll(/```json\n(.*?)```/gs)].map(([, text = ""]) => text)
    const shown = blocks.filter((text) => text.includes("s3:ListBucket"))
    assert.deepEqual(
      shown.map((text) => JSON.parse(text)),
      [writerPolicy(OPTIONS)]
    )
  })
})

describe("maintainerPolicy()", () => {
  it.scoped("lets one object be replaced, which the writer may not", () =>
    Effect.gen(function* () {
      const [bucket, prefix] = ["lake", "events/"]
      const { url } = yield* S3Server.make({
        buckets: { [bucket]: "us-east-1" },
        users: {
          WRITER: { secret: "a", policy: JSON.stringify(writerPolicy({ bucket, prefix })) },
          MAINTAINER: { secret: "b", policy: JSON.stringify(maintainerPolicy({ bucket, prefix })) }
        }
      })
      const as = (accessKeyId: string, secret: string) =>
        ObjectStorageS3.make({
          bucket,
          prefix,
          region: "us-east-1",
          endpoint: url,
          credentials: { accessKeyId, secretAccessKey: Redacted.make(secret) }
        })
      const writer = yield* as("WRITER", "a")
      yield* writer.check
      assert.ok(yield* writer.put(objectOf("a", "old")))
      const { etag: replacing } = Option.getOrThrow(yield* writer.head("a"))
      const denied = yield* Effect.flip(writer.put(objectOf("a", "new"), { replacing }))
      assert.equal(denied.reason, "AccessDenied")
      assert.match(
        denied.message,
        /denies puts that replace an object .*AmplitudeLakeRequireIfNoneMatch.*identity-based policy/
      )
      const maintainer = yield* as("MAINTAINER", "b")
      assert.ok(yield* maintainer.put(objectOf("a", "new"), { replacing }))
    })
  )
})

describe("readerPolicy()", () => {
  it("reads below the prefix, decrypts by the one key, and writes nothing", () => {
    const actions = readerPolicy(OPTIONS).Statement.flatMap(({ Action }) => Action)
    assert.deepEqual(actions, [
      "s3:ListBucket",
      "s3:GetBucketLocation",
      "s3:GetObject",
      "s3:GetObjectVersion",
      "kms:Decrypt"
    ])
    const resources = readerPolicy(OPTIONS).Statement.map(({ Resource }) => Resource)
    assert.ok(resources.every((it) => typeof it === "string" && it !== "*"))
  })

  it("covers the whole bucket without a prefix, and no key without one", () => {
    const { Statement } = readerPolicy({ bucket: "your-bucket", prefix: "" })
    assert.deepEqual(
      Statement.map(({ Condition, Resource }) => [Resource, Condition]),
      [
        ["arn:aws:s3:::your-bucket", undefined],
        ["arn:aws:s3:::your-bucket", undefined],
        ["arn:aws:s3:::your-bucket/*", undefined]
      ]
    )
  })
})

describe("readerTrust()", () => {
  it("lets in one user, and only with the external id", () => {
    const trustedArn = "arn:aws:iam::123456789012:user/abc1-b-self1234"
    const { Statement } = readerTrust({ trustedArn, externalId: "MYACCOUNT_SFCRole=2_a123=" })
    assert.deepEqual(Statement, [
      {
        Effect: "Allow",
        Principal: { AWS: trustedArn },
        Action: "sts:AssumeRole",
        Condition: { StringEquals: { "sts:ExternalId": "MYACCOUNT_SFCRole=2_a123=" } }
      }
    ])
  })
})
