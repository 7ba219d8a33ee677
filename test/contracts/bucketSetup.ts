import assert from "node:assert/strict"
import { it as effectIt } from "@effect/vitest"
import { Effect, Either, type Layer } from "effect"
import {
  type BucketAspect,
  BucketSetup,
  type BucketSetupError
} from "../../src/services/BucketSetup.ts"

const KEY = "arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"

/** A rule with what is not known of here, which has to come back as it went. */
const RULES = [
  {
    ID: "theirs",
    Status: "Enabled",
    Filter: { And: { Prefix: "logs/", Tags: [{ Key: "keep", Value: "no" }] } },
    Expiration: { Days: 30 }
  },
  {
    ID: "ours",
    Status: "Enabled",
    Filter: { Prefix: "python-import/" },
    AbortIncompleteMultipartUpload: { DaysAfterInitiation: 7 }
  }
]

/** A queue that is told of every new object whose key begins with a prefix. */
const queue = (prefix: string) => ({
  Id: `below ${prefix}`,
  QueueArn: `arn:aws:sqs:us-east-1:111122223333:${prefix.replaceAll("/", "-")}`,
  Events: ["s3:ObjectCreated:*"],
  Filter: { Key: { FilterRules: [{ Name: "prefix", Value: prefix }] } }
})

const gives = <A>(part: BucketAspect<A>, value: A) =>
  Effect.gen(function* () {
    yield* part.write(value)
    assert.deepEqual(yield* part.read, value)
    // The same again is no failure.
    yield* part.write(value)
  })

const refusal = (effect: Effect.Effect<unknown, BucketSetupError>) =>
  Effect.map(Effect.flip(effect), ({ reason }) => reason)

/** What every `BucketSetup` layer must do, given a bucket that is there with nothing set but what a new one has. */
export function bucketSetupContract<E>(
  name: string,
  layer: Layer.Layer<BucketSetup, E>,
  { knowsOwnership = true, knowsQueues = true } = {}
) {
  effectIt.layer(layer)(`${name} keeps the BucketSetup contract`, (it) => {
    it.effect("finds the bucket, and nothing set of it", () =>
      Effect.gen(function* () {
        const setup = yield* BucketSetup
        assert.equal((yield* setup.find).exists, true)
        assert.deepEqual((yield* setup.lifecycle.read).Rules, [])
        assert.equal(yield* setup.policy.read, undefined)
        yield* setup.create("us-east-1")
      })
    )

    it.effect("returns what was written: public access, encryption", () =>
      Effect.gen(function* () {
        const setup = yield* BucketSetup
        yield* gives(setup.publicAccess, {
          BlockPublicAcls: true,
          IgnorePublicAcls: false,
          BlockPublicPolicy: true,
          RestrictPublicBuckets: false
        })
        yield* gives(setup.encryption, [
          {
            ApplyServerSideEncryptionByDefault: { SSEAlgorithm: "aws:kms", KMSMasterKeyID: KEY },
            BucketKeyEnabled: true
          }
        ])
      })
    )

    it.effect("returns what was written: ownership, if the store supports it", () =>
      Effect.gen(function* () {
        const { ownership } = yield* BucketSetup
        if (knowsOwnership) return yield* gives(ownership, "BucketOwnerEnforced")
        const read = yield* Effect.either(ownership.read)
        assert.ok(Either.isLeft(read))
        assert.equal(read.left.reason, "Misconfigured")
      })
    )

    it.effect("returns all rules, with the parts that this program does not know", () =>
      Effect.gen(function* () {
        const { lifecycle } = yield* BucketSetup
        yield* lifecycle.write({ Rules: RULES })
        const { Rules } = yield* lifecycle.read
        const sorted = [...Rules].sort((one, other) => ((one.ID ?? "") < (other.ID ?? "") ? 1 : -1))
        assert.deepEqual(JSON.parse(JSON.stringify(sorted)), RULES)
        yield* lifecycle.write(yield* lifecycle.read)
      })
    )

    it.effect("gives back a policy", () =>
      Effect.gen(function* () {
        const { policy } = yield* BucketSetup
        const statement = {
          Sid: "Some",
          Effect: "Deny",
          Principal: "*",
          Action: "s3:DeleteBucketPolicy",
          Resource: "arn:aws:s3:::*"
        }
        const written = { Version: "2012-10-17", Statement: [statement] }
        yield* policy.write(JSON.stringify(written))
        assert.deepEqual(JSON.parse((yield* policy.read) ?? ""), written)
      })
    )

    it.effect.runIf(knowsQueues)(
      "returns what was written: queues, none of whose prefixes lies in another's",
      () =>
        Effect.gen(function* () {
          const { notifications } = yield* BucketSetup
          assert.deepEqual(yield* notifications.read, {})
          const both = { QueueConfigurations: [queue("logs/"), queue("python-import/")] }
          yield* gives(notifications, both)
          const third = [...both.QueueConfigurations, queue("python-import/2025")]
          const refused = yield* refusal(notifications.write({ QueueConfigurations: third }))
          assert.equal(refused, "Failed")
          yield* gives(notifications, both)
        })
    )

    it.effect("refuses invalid settings, and keeps the previous ones", () =>
      Effect.gen(function* () {
        const { lifecycle, policy } = yield* BucketSetup
        const before = [yield* lifecycle.read, yield* policy.read]
        const [rule = {}] = RULES
        assert.equal(yield* refusal(lifecycle.write({ Rules: [rule, rule] })), "Failed")
        assert.equal(yield* refusal(policy.write("no policy")), "Failed")
        assert.deepEqual([yield* lifecycle.read, yield* policy.read], before)
      })
    )
  })
}
