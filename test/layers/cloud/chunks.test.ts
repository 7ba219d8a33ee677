import { describe, it } from "@effect/vitest"
import { Deferred, Effect, Exit, Fiber } from "effect"
import { assert } from "vitest"
import { heldChunks, makeChunkMemory } from "../../../src/layers/cloud/chunks.ts"

const MIB = 1024 * 1024
const once = <A, E>(call: Effect.Effect<A, E>) => call

describe("heldChunks()", () => {
  it.effect("uses memory again whose chunk was sent at the first call, and no other", () =>
    Effect.gen(function* () {
      const memory = makeChunkMemory()
      const { sending, take } = heldChunks(memory)
      const first = yield* take(2 * MIB)
      yield* sending(first, Effect.void, once)
      const second = yield* take(MIB)
      assert.strictEqual(second.buffer, first.buffer)
      assert.strictEqual(second.length, MIB)

      assert.isTrue(Exit.isFailure(yield* Effect.exit(sending(second, Effect.fail("no"), once))))
      const third = yield* take(MIB)
      assert.notStrictEqual(third.buffer, second.buffer)

      let calls = 0
      const atLast = Effect.suspend(() => (++calls === 2 ? Effect.void : Effect.fail("not yet")))
      yield* sending(third, atLast, Effect.retry({ times: 1 }))
      const fourth = yield* take(MIB)
      assert.notStrictEqual(fourth.buffer, third.buffer)

      const begun = yield* Deferred.make<void>()
      const hanging = Effect.zipRight(Deferred.succeed(begun, undefined), Effect.never)
      const fiber = yield* Effect.fork(sending(fourth, hanging, once))
      yield* Deferred.await(begun)
      yield* Fiber.interrupt(fiber)
      assert.deepStrictEqual(memory.spare, [])
    })
  )

  it.effect("holds four chunks at most, with the memory that is spare", () =>
    Effect.gen(function* () {
      const memory = makeChunkMemory()
      const { giveBackAll, sending, take } = heldChunks(memory)
      const small = yield* Effect.all([take(MIB), take(MIB), take(MIB), take(MIB)])
      yield* Effect.forEach(small, (bytes) => sending(bytes, Effect.void, once))
      assert.strictEqual(memory.spare.length, 4)
      for (let held = 1; held <= 4; held++) {
        yield* take(2 * MIB)
        assert.strictEqual(memory.spare.length, 4 - held)
      }
      const fifth = yield* Effect.fork(take(1))
      yield* Effect.yieldNow()
      assert.isTrue((yield* Fiber.poll(fifth))._tag === "None")
      yield* giveBackAll
      assert.strictEqual((yield* Fiber.join(fifth)).length, 1)
    })
  )
})
