import assert from "node:assert/strict"
import { describe, it } from "@effect/vitest"
import { Duration, Effect, Fiber, TestClock } from "effect"
import * as BucketSetupMemory from "../../../src/layers/memory/BucketSetupMemory.ts"
import { setupBucket } from "../../../src/programs/setup/setupBucket.ts"
import { BucketSetup, BucketSetupError } from "../../../src/services/BucketSetup.ts"

const KEY = "arn:aws:kms:eu-west-2:111122223333:key/1234abcd"
const OPTIONS = {
  bucket: "lake",
  prefix: "python-import/",
  kmsKey: KEY,
  abortDays: 7,
  requireIfNoneMatch: true,
  apply: false
}

const setUp = (more: Partial<typeof OPTIONS> = {}) =>
  Effect.gen(function* () {
    const retrying = { retries: 2, retryBase: Duration.seconds(1) }
    const running = yield* Effect.fork(setupBucket({ ...OPTIONS, ...retrying, ...more }))
    yield* TestClock.adjust("1 minute")
    const { exitCode, items } = yield* Fiber.join(running)
    const states = Object.fromEntries(items.map(({ name, state }) => [name, state]))
    return { exitCode, items, states }
  })

function error(reason: BucketSetupError["reason"]): BucketSetupError {
  return new BucketSetupError({ reason, path: "s3://lake", detail: "because" })
}

const all = (state: string, bucket: string) => ({
  bucket,
  "public access": state,
  ownership: state,
  encryption: state,
  uploads: state,
  policy: state
})

describe("setupBucket()", () => {
  it.effect("shows what differs and changes nothing, then changes it, then has nothing to do", () =>
    Effect.gen(function* () {
      for (let time = 0; time < 2; time++) {
        const { exitCode, states } = yield* setUp()
        assert.deepEqual([states, exitCode], [all("would change", "same"), 3])
      }
      const applied = yield* setUp({ apply: true })
      assert.deepEqual([applied.states, applied.exitCode], [all("changed", "same"), 0])
      for (const apply of [false, true]) {
        const { exitCode, states } = yield* setUp({ apply })
        assert.deepEqual([states, exitCode], [all("same", "same"), 0])
      }
    }).pipe(Effect.provide(BucketSetupMemory.layer()))
  )

  it.effect("makes a bucket that is not there, only when told to", () =>
    Effect.gen(function* () {
      const setup = yield* BucketSetup
      const shown = yield* setUp()
      assert.deepEqual([shown.states, shown.exitCode], [all("would change", "would change"), 3])
      assert.deepEqual(yield* setup.find, { exists: false, region: "eu-west-2" })
      const { exitCode, states } = yield* setUp({ apply: true })
      assert.deepEqual([states, exitCode], [all("changed", "changed"), 0])
      assert.equal((yield* setup.find).exists, true)
    }).pipe(Effect.provide(BucketSetupMemory.layer({ exists: false, region: "eu-west-2" })))
  )

  it.effect("makes no bucket in a region that nobody named", () =>
    Effect.gen(function* () {
      for (const apply of [false, true]) {
        const { exitCode, items } = yield* setUp({ apply })
        assert.deepEqual(
          items.map(({ name, state }) => [name, state]),
          [["bucket", "cannot"]]
        )
        assert.match(items[0]?.message ?? "", /set AWS_REGION/)
        assert.equal(exitCode, 2)
      }
    }).pipe(Effect.provide(BucketSetupMemory.layer({ exists: false, region: null })))
  )

  for (const [reason, exitCode] of [
    ["AccessDenied", 7],
    ["Unavailable", 3],
    ["Failed", 3]
  ] as const) {
    it.effect(`changes the rest if one aspect cannot be changed: ${reason} exits ${exitCode}`, () =>
      Effect.gen(function* () {
        const found = yield* setUp({ apply: true })
        assert.deepEqual(found.states, { ...all("changed", "same"), encryption: "cannot" })
        assert.equal(found.exitCode, exitCode)
        const item = found.items.find(({ name }) => name === "encryption")
        assert.deepEqual([item?.message, item?.error], ["because", `BucketSetupError.${reason}`])
      }).pipe(
        Effect.provide(BucketSetupMemory.layer({ failing: { "write encryption": error(reason) } }))
      )
    )
  }

  it.effect("exits 5 if nothing was changed and a retry may succeed", () =>
    Effect.gen(function* () {
      yield* setUp({ apply: true })
      const { exitCode, states } = yield* setUp({ apply: true })
      assert.deepEqual(states, { ...all("same", "same"), policy: "cannot" })
      assert.equal(exitCode, 5)
    }).pipe(
      Effect.provide(BucketSetupMemory.layer({ failing: { "read policy": error("Unavailable") } }))
    )
  )

  it.effect("trusts no change that the store does not show", () =>
    Effect.gen(function* () {
      const { exitCode, items, states } = yield* setUp({ apply: true })
      assert.deepEqual(states, { ...all("changed", "same"), policy: "cannot" })
      assert.match(items.at(-1)?.message ?? "", /does not show it/)
      assert.equal(exitCode, 3)
    }).pipe(Effect.provide(BucketSetupMemory.layer({ forgets: ["policy"] })))
  )

  it.effect("leaves settings of others in place, and says that they are in the way", () =>
    Effect.gen(function* () {
      const { exitCode, states } = yield* setUp({ apply: true })
      assert.deepEqual(states, { ...all("changed", "same"), encryption: "cannot" })
      assert.equal(exitCode, 3)
      const setup = yield* BucketSetup
      const [rule] = yield* setup.encryption.read
      assert.equal(rule?.ApplyServerSideEncryptionByDefault?.KMSMasterKeyID, "theirs")
    }).pipe(
      Effect.provide(
        BucketSetupMemory.layer({
          encryption: [
            {
              ApplyServerSideEncryptionByDefault: {
                SSEAlgorithm: "aws:kms",
                KMSMasterKeyID: "theirs"
              }
            }
          ]
        })
      )
    )
  )
})
