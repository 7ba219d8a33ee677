import assert from "node:assert/strict"
import { describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as BucketSetupMemory from "../../../src/layers/memory/BucketSetupMemory.ts"
import { bucketSetupContract } from "../../contracts/bucketSetup.ts"

bucketSetupContract("BucketSetupMemory", BucketSetupMemory.layer())

describe("BucketSetupMemory", () => {
  it.effect("has nothing to read or write before the bucket is made", () =>
    Effect.gen(function* () {
      const setup = yield* BucketSetupMemory.make({ exists: false })
      assert.equal((yield* Effect.flip(setup.policy.read)).reason, "NotFound")
      assert.equal((yield* Effect.flip(setup.policy.write("{}"))).reason, "NotFound")
      yield* setup.create("eu-west-2")
      assert.equal(yield* setup.policy.read, undefined)
    })
  )
})
