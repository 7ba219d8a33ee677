import { describe, it } from "@effect/vitest"
import { Effect, Option, Stream } from "effect"
import { assert } from "vitest"
import * as ObjectStorageMemory from "../../../src/layers/memory/ObjectStorageMemory.ts"
import { ObjectStorage, ObjectStorageError } from "../../../src/services/ObjectStorage.ts"
import {
  bufferAgainAndAgain,
  objectOf,
  objectStorageContract,
  textOf
} from "../../contracts/objectStorage.ts"

objectStorageContract("ObjectStorageMemory", ObjectStorageMemory.layer(), 100)

describe("ObjectStorageMemory", () => {
  for (const key of ["", "/absolute", "a//b", "../outside", "a/../b", ".hidden", "a/.b", "a/"]) {
    it.effect(`refuses the key "${key}"`, () =>
      Effect.gen(function* () {
        const storage = yield* ObjectStorage
        for (const call of [
          storage.head(key),
          Stream.runDrain(storage.get(key)),
          storage.put(objectOf(key, "x")),
          storage.remove(key)
        ]) {
          assert.strictEqual(
            (yield* Effect.flip<unknown, ObjectStorageError, never>(call)).reason,
            "Failed"
          )
        }
      }).pipe(Effect.provide(ObjectStorageMemory.layer()))
    )
  }

  it.effect("keeps a body's bytes even if the body reuses its buffer", () =>
    Effect.gen(function* () {
      const storage = yield* ObjectStorage
      const { bytes, body } = bufferAgainAndAgain()
      assert.isTrue(yield* storage.put({ ...objectOf("a.jsonl", bytes), body }))
    }).pipe(Effect.provide(ObjectStorageMemory.layer()))
  )

  it.effect("does not run the body of an object that is there", () =>
    Effect.gen(function* () {
      const storage = yield* ObjectStorage
      yield* storage.put(objectOf("a.jsonl", "x"))
      const body = Stream.die("the body was run")
      assert.isFalse(yield* storage.put({ ...objectOf("a.jsonl", "y"), body }))
    }).pipe(Effect.provide(ObjectStorageMemory.layer()))
  )

  it.effect("copies the bytes it is given and the bytes it gives", () =>
    Effect.gen(function* () {
      const storage = yield* ObjectStorage
      const bytes = new TextEncoder().encode("mine")
      yield* storage.put(objectOf("copied", bytes))
      bytes.fill(0)
      yield* Stream.runForEach(storage.get("copied"), (given) => Effect.sync(() => given.fill(0)))
      assert.strictEqual(yield* textOf("copied"), "mine")
    }).pipe(Effect.provide(ObjectStorageMemory.layer()))
  )

  it.effect("shows objects of another program, without metadata", () =>
    Effect.gen(function* () {
      const storage = yield* ObjectStorage
      const head = Option.getOrThrow(yield* storage.head("foreign.jsonl"))
      assert.deepStrictEqual(head.metadata, {})
      assert.isFalse(head.hasMetadata)
      assert.strictEqual(yield* textOf("foreign.jsonl"), "{}\n")
    }).pipe(
      Effect.provide(
        ObjectStorageMemory.layer({
          objects: { "foreign.jsonl": new TextEncoder().encode("{}\n") }
        })
      )
    )
  )

  it.effect("fails as planned and records its calls", () => {
    const calls: Array<ObjectStorageMemory.ObjectStorageCall> = []
    const failure = new ObjectStorageError({
      reason: "Unavailable",
      method: "put",
      path: "b",
      detail: "planned"
    })
    return Effect.gen(function* () {
      const storage = yield* ObjectStorage
      assert.isTrue(yield* storage.put(objectOf("a", "x")))
      assert.strictEqual((yield* Effect.flip(storage.put(objectOf("b", "x")))).detail, "planned")
      assert.deepStrictEqual(yield* storage.head("b"), Option.none())
      assert.isTrue(yield* storage.put(objectOf("b", "x")))
      assert.deepStrictEqual(calls, [
        { method: "put", key: "a", count: 1 },
        { method: "put", key: "b", count: 1 },
        { method: "head", key: "b", count: 1 },
        { method: "put", key: "b", count: 2 }
      ])
    }).pipe(
      Effect.provide(
        ObjectStorageMemory.layer({
          calls,
          failures: ({ method, key, count }) =>
            method === "put" && key === "b" && count === 1 ? Option.some(failure) : Option.none()
        })
      )
    )
  })

  it.effect("does not outlive the process", () =>
    Effect.map(ObjectStorage, ({ isDurable }) => assert.isFalse(isDurable)).pipe(
      Effect.provide(ObjectStorageMemory.layer())
    )
  )
})
