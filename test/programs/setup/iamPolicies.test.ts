import assert from "node:assert/strict"
import { readFile } from "node:fs/promises"
import { describe, it } from "@effect/vitest"
import { readerPolicy, readerTrust, writerPolicy } from "../../../src/programs/setup/iamPolicies.ts"

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
