import assert from "node:assert/strict"
import { describe, it } from "@effect/vitest"
import {
  abortRuleId,
  type BucketStep,
  planEncryption,
  planLifecycle,
  planOwnership,
  planPolicy,
  planPublicAccess
} from "../../../src/programs/setup/bucketPlan.ts"
import type { Lifecycle, LifecycleRule } from "../../../src/services/BucketSetup.ts"

const KEY = "arn:aws:kms:eu-west-2:111122223333:key/1234abcd"
const OTHER = "arn:aws:kms:eu-west-2:111122223333:key/other"

const parsed = (text: string | undefined) => JSON.parse(text ?? "")

/** The value that a step would write. A second plan finds nothing left to change in it. */
function changed<A>(found: A, plan: (found: A) => BucketStep<A>): A {
  const step = plan(found)
  assert.ok(step.state === "change", step.state)
  assert.equal(plan(step.value).state, "same")
  return step.value
}

describe("planPublicAccess() and planOwnership()", () => {
  it("block public access, and name what was open", () => {
    const found = {
      BlockPublicAcls: true,
      IgnorePublicAcls: false,
      BlockPublicPolicy: false,
      RestrictPublicBuckets: true
    }
    const step = planPublicAccess(found)
    assert.ok(step.state === "change")
    assert.equal(step.from, "IgnorePublicAcls, BlockPublicPolicy off")
    assert.deepEqual(Object.values(changed(found, planPublicAccess)), [true, true, true, true])
    for (const owner of [undefined, "ObjectWriter", "BucketOwnerPreferred"]) {
      assert.equal(changed(owner, planOwnership), "BucketOwnerEnforced")
    }
  })
})

const rule = (SSEAlgorithm: string, KMSMasterKeyID?: string, BucketKeyEnabled = false) => [
  { ApplyServerSideEncryptionByDefault: { SSEAlgorithm, KMSMasterKeyID }, BucketKeyEnabled }
]

const planFor = (kmsKey?: string) => (found: ReturnType<typeof rule>) =>
  planEncryption(found, { kmsKey }) as BucketStep<ReturnType<typeof rule>>

describe("planEncryption()", () => {
  it("sets the key and a bucket key, and keeps the rest of the rule", () => {
    const blocked = { BlockedEncryptionTypes: { EncryptionType: ["SSE-C"] } }
    for (const found of [[], rule("AES256"), rule("aws:kms"), rule("aws:kms", KEY)]) {
      const [first, ...rest] = changed(
        found.map((it) => ({ ...it, ...blocked })),
        planFor(KEY)
      )
      assert.deepEqual(first, {
        ...rule("aws:kms", KEY, true)[0],
        ...(found.length > 0 && blocked)
      })
      assert.deepEqual(rest, [])
    }
  })

  it("leaves the same key under any of its names, and a stricter rule", () => {
    for (const found of [
      rule("aws:kms", KEY, true),
      rule("aws:kms", "1234abcd", true),
      rule("aws:kms:dsse", KEY)
    ]) {
      assert.equal(planFor(KEY)(found).state, "same")
    }
    assert.equal(
      changed(rule("aws:kms:dsse"), planFor(KEY))[0]?.ApplyServerSideEncryptionByDefault
        ?.SSEAlgorithm,
      "aws:kms:dsse"
    )
  })

  it("touches no key that somebody else chose, and nothing at all unless a key is named", () => {
    const step = planFor(KEY)(rule("aws:kms", OTHER, true))
    assert.ok(step.state === "cannot")
    assert.match(step.what, /key\/other.*put-bucket-encryption/)
    for (const found of [[], rule("AES256"), rule("aws:kms", OTHER)]) {
      assert.equal(planFor()(found).state, "same")
    }
  })
})

const abort = (days: number, more: Partial<LifecycleRule> = {}): LifecycleRule => ({
  ID: "theirs",
  Status: "Enabled",
  Filter: {},
  AbortIncompleteMultipartUpload: { DaysAfterInitiation: days },
  ...more
})

describe("planLifecycle()", () => {
  const prefix = "python-import/"
  const plan = (found: Lifecycle, abortDays = 7) => planLifecycle(found, { abortDays, prefix })

  it("adds a rule of its own, and keeps all other rules and settings", () => {
    const theirs = { ID: "theirs", Status: "Enabled", Filter: { Prefix: "logs/" } }
    const found = { Rules: [theirs], TransitionDefaultMinimumObjectSize: "varies_by_storage_class" }
    assert.deepEqual(changed(found, plan), {
      ...found,
      Rules: [theirs, abort(7, { ID: abortRuleId(prefix), Filter: { Prefix: prefix } })]
    })
  })

  it("is content with whatever rule removes all uploads below the prefix as soon", () => {
    for (const rule of [
      abort(7),
      abort(1, { Filter: { Prefix: "python" } }),
      abort(3, { Filter: undefined, Prefix: "" })
    ]) {
      assert.equal(plan({ Rules: [rule] }).state, "same")
    }
    for (const rule of [
      abort(8),
      abort(1, { Status: "Disabled" }),
      abort(1, { Filter: { Prefix: "logs/" } }),
      abort(1, { Filter: { Prefix: "", ObjectSizeGreaterThan: 5 } as LifecycleRule["Filter"] })
    ]) {
      assert.equal(changed({ Rules: [rule] }, plan).Rules.length, 2)
    }
  })

  it("shortens its own rule, and never lengthens it", () => {
    const own = { Rules: [abort(5, { ID: abortRuleId(prefix), Filter: { Prefix: prefix } })] }
    assert.equal(plan(own, 6).state, "same")
    const step = plan(own, 2)
    assert.ok(step.state === "change")
    assert.deepEqual(
      step.value.Rules.map((rule) => rule.AbortIncompleteMultipartUpload?.DaysAfterInitiation),
      [2]
    )
  })

  it("uses the older form if the other rules do", () => {
    const found = { Rules: [{ ID: "old", Status: "Enabled", Prefix: "logs/" }] }
    const [, ours] = changed(found, plan).Rules
    assert.deepEqual([ours?.Prefix, ours?.Filter], [prefix, undefined])
  })

  it("touches no rule of its own that somebody changed", () => {
    const own = { ID: abortRuleId(prefix), Filter: { Prefix: prefix } }
    for (const rule of [
      abort(3, { ...own, Status: "Disabled" }),
      { ...abort(9, own), Expiration: { Days: 30 } },
      abort(9, { ...own, Filter: { Prefix: "logs/" } })
    ]) {
      const step = plan({ Rules: [rule] })
      assert.ok(step.state === "cannot")
      assert.match(step.what, /^someone changed.*run again/)
    }
  })

  it("gives pipelines that share a bucket a rule each", () => {
    const first = changed({ Rules: [] }, plan)
    const both = changed(first, (found: Lifecycle) =>
      planLifecycle(found, { abortDays: 7, prefix: "other/" })
    )
    assert.equal(both.Rules.length, 2)
    assert.equal(plan(both).state, "same")
  })
})

describe("planPolicy()", () => {
  const options = { bucket: "lake", prefix: "python-import/", requireIfNoneMatch: true }
  const plan = (found: string | undefined, more: Partial<typeof options> = {}) =>
    planPolicy(found, { ...options, ...more })
  const ours = parsed(changed<string | undefined>(undefined, plan)).Statement[0]

  it("denies everyone a put without If-None-Match and without If-Match", () => {
    assert.deepEqual(ours, {
      Sid: "AmplitudeLakeRequireIfNoneMatch",
      Effect: "Deny",
      Principal: "*",
      Action: "s3:PutObject",
      Resource: "arn:aws:s3:::lake/python-import/*",
      Condition: {
        Null: { "s3:if-none-match": "true", "s3:if-match": "true" },
        Bool: { "s3:ObjectCreationOperation": "true" }
      }
    })
  })

  it("keeps every other statement, the version and the id", () => {
    const theirs = { Sid: "Theirs", Effect: "Allow", Principal: "*", Action: "*", Resource: "*" }
    for (const Statement of [theirs, [theirs, { ...theirs, Sid: "Other" }]]) {
      const found = { Version: "2008-10-17", Id: "of somebody", Statement }
      const text: string | undefined = JSON.stringify(found)
      assert.deepEqual(parsed(changed(text, plan)), {
        ...found,
        Statement: [...[Statement].flat(), ours]
      })
    }
  })

  it("knows its own statement in whatever form a store gives it back", () => {
    const stored = {
      ...ours,
      Principal: { AWS: ["*"] },
      Action: ["s3:PutObject"],
      Resource: ["arn:aws:s3:::other/*", "arn:aws:s3:::lake/*"],
      Condition: {
        Bool: { "s3:ObjectCreationOperation": ["true"] },
        Null: { "s3:if-match": ["true"], "s3:if-none-match": ["true"] }
      }
    }
    assert.equal(plan(JSON.stringify({ Statement: stored })).state, "same")
  })

  it("lets the replacement of a known object pass where its earlier statement denied that", () => {
    const Condition = { ...ours.Condition, Null: { "s3:if-none-match": "true" } }
    const resources = ["arn:aws:s3:::other/*", "arn:aws:s3:::lake/python-import/*"]
    for (const Resource of [ours.Resource, resources]) {
      const found: string | undefined = JSON.stringify({
        Statement: [{ ...ours, Condition, Resource }]
      })
      const step = plan(found)
      assert.ok(step.state === "change" && step.from.startsWith("puts must send If-None-Match,"))
      const after = parsed(step.value).Statement[0]
      assert.deepEqual(
        [after.Condition, [after.Resource].flat()],
        [ours.Condition, [Resource].flat()]
      )
      assert.equal(plan(step.value).state, "same")
      assert.equal(plan(found, { requireIfNoneMatch: false }).state, "same")
    }
  })

  it("adds a second prefix to its statement, and takes the first one from nobody", () => {
    const first: string | undefined = JSON.stringify({ Statement: [ours] })
    const both = changed<string | undefined>(first, (it) => plan(it, { prefix: "other/" }))
    assert.deepEqual(parsed(both).Statement[0].Resource, [
      "arn:aws:s3:::lake/python-import/*",
      "arn:aws:s3:::lake/other/*"
    ])
    assert.equal(plan(both).state, "same")
  })

  it("touches no statement of its own that somebody changed, and no policy that it cannot read", () => {
    const exempt = { ...ours, Condition: { ...ours.Condition, StringNotEquals: { "aws:x": "y" } } }
    for (const found of [JSON.stringify({ Statement: [exempt] }), "{", "[]", "null"]) {
      const step = plan(found)
      assert.ok(step.state === "cannot", found)
    }
  })

  it("changes nothing unless requested, and does not remove it again", () => {
    for (const found of [undefined, "{", JSON.stringify({ Statement: [ours] })]) {
      assert.equal(plan(found, { requireIfNoneMatch: false }).state, "same")
    }
  })
})
