import { createHash } from "node:crypto"
import { it as effectIt } from "@effect/vitest"
import { Chunk, Deferred, Effect, Fiber, type Layer, Option, Stream } from "effect"
import { assert } from "vitest"
import { markFolders } from "../../src/services/LakeMark.ts"
import { type NewObject, ObjectStorage } from "../../src/services/ObjectStorage.ts"

const encoder = new TextEncoder()

/** An object of some text or bytes, announced truly. */
export function objectOf(
  key: string,
  contents: string | Uint8Array,
  metadata: Record<string, string> = {}
): NewObject<never> {
  const bytes = typeof contents === "string" ? encoder.encode(contents) : contents
  return {
    key,
    size: bytes.length,
    sha256: createHash("sha256").update(bytes).digest("hex"),
    metadata,
    body: bytes.length === 0 ? Stream.empty : Stream.make(bytes)
  }
}

/** The whole object as text. */
export const textOf = (key: string) =>
  Effect.flatMap(ObjectStorage, (storage) =>
    storage.get(key).pipe(Stream.decodeText(), Stream.mkString)
  )

/** The keys of a listing that begin with a text, sorted. */
export const keysBelow = (start: string) =>
  Effect.flatMap(ObjectStorage, (storage) =>
    storage.list.pipe(
      Stream.filter(({ key }) => key.startsWith(start)),
      Stream.map(({ key }) => key),
      Stream.runCollect,
      Effect.map((keys) => Chunk.toReadonlyArray(keys).toSorted())
    )
  )

/** That nothing of an object is to be seen. */
export const assertAbsent = Effect.fnUntraced(function* (key: string) {
  const storage = yield* ObjectStorage
  assert.deepStrictEqual(yield* storage.head(key), Option.none())
  assert.deepStrictEqual(yield* keysBelow(key), [])
  const error = yield* Effect.flip(Stream.runDrain(storage.get(key)))
  assert.strictEqual(error.reason, "NotFound")
})

/** Bytes that compress badly and repeat nowhere near, the same for the same seed. */
function noise(length: number, seed: number): Uint8Array {
  const bytes = new Uint8Array(length)
  let state = seed
  for (let index = 0; index < length; index++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    bytes[index] = state >>> 24
  }
  return bytes
}

/** Cuts bytes at sizes that no reader expects. */
function unevenly(bytes: Uint8Array): Stream.Stream<Uint8Array> {
  return Stream.unfold(0, (from) => {
    if (from >= bytes.length) return Option.none()
    const to = from + 1 + ((from * 7) % 200_003)
    return Option.some([bytes.subarray(from, to), to])
  })
}

/** A body that hands out one buffer again and again, as readers do, and at its end uses it for others; and its bytes. */
export function bufferAgainAndAgain(piece = 700_000) {
  const buffer = Buffer.alloc(piece)
  const bytes = new Uint8Array(piece * 5).map((_, index) => Math.floor(index / piece))
  const pieces = Stream.map(Stream.range(0, 4, 1), (index) => buffer.fill(index))
  const others = Stream.drain(Stream.fromEffect(Effect.sync(() => buffer.fill(0xff))))
  return { bytes, body: Stream.concat(pieces, others) }
}

/**
 * What every `ObjectStorage` layer must do, whatever is behind it. The layer must begin empty. The last test lists `listed`
 * objects, more than a page of the store.
 */
export function objectStorageContract<E>(
  name: string,
  layer: Layer.Layer<ObjectStorage, E>,
  listed = 1_100
) {
  effectIt.layer(layer, { timeout: 60_000 })(`${name} keeps the ObjectStorage contract`, (it) => {
    it.effect("names its place and passes its check", () =>
      Effect.gen(function* () {
        const storage = yield* ObjectStorage
        assert.notStrictEqual(storage.place, "")
        yield* storage.check
        assert.deepStrictEqual(yield* keysBelow(""), [])
      })
    )

    it.effect("finds no object under a key that was never put", () =>
      assertAbsent("never/put.jsonl")
    )

    it.effect("returns what was put, with its size and its metadata", () =>
      Effect.gen(function* () {
        const storage = yield* ObjectStorage
        const key = "dt=2025-11-10/hour=21/events.jsonl"
        const metadata = { hour: "2025-11-10T21", events: "2", lineset: "00000000002a" }
        assert.isTrue(yield* storage.put(objectOf(key, '{"a":1}\n{"b":2}\n', metadata)))
        const head = Option.getOrThrow(yield* storage.head(key))
        assert.deepStrictEqual(head.metadata, metadata)
        assert.strictEqual(head.key, key)
        assert.strictEqual(head.size, 16)
        assert.notStrictEqual(head.hasMetadata, false)
        assert.strictEqual(yield* textOf(key), '{"a":1}\n{"b":2}\n')
        const listed = yield* storage.list.pipe(
          Stream.filter((info) => info.key === key),
          Stream.runCollect
        )
        assert.deepStrictEqual(
          Chunk.toReadonlyArray(listed).map(({ size, etag }) => ({ size, etag })),
          [{ size: 16, etag: head.etag }]
        )
        assert.notStrictEqual(Chunk.unsafeHead(listed).hasMetadata, false)
      })
    )

    it.effect("keeps an object without bytes", () =>
      Effect.gen(function* () {
        const storage = yield* ObjectStorage
        assert.isTrue(yield* storage.put(objectOf("empty.jsonl", "", { events: "0" })))
        const head = Option.getOrThrow(yield* storage.head("empty.jsonl"))
        assert.strictEqual(head.size, 0)
        assert.deepStrictEqual(head.metadata, { events: "0" })
        assert.strictEqual(yield* textOf("empty.jsonl"), "")
        assert.isFalse(yield* storage.put(objectOf("empty.jsonl", "")))
      })
    )

    it.effect("lists the lake's own marks, whose folders begin with a dot", () =>
      Effect.gen(function* () {
        const storage = yield* ObjectStorage
        const keys = Object.values(markFolders).map((folder) => `${folder}2025-11-10T21--1`)
        for (const key of keys) {
          assert.isTrue(yield* storage.put(objectOf(key, "", { reason: "an%20outage" })))
        }
        assert.deepStrictEqual(yield* keysBelow(".amplitude-lake-"), keys.toSorted())
        const head = Option.getOrThrow(yield* storage.head(keys[0] ?? ""))
        assert.deepStrictEqual(head.metadata, { reason: "an%20outage" })
      })
    )

    it.effect("carries 20 MB in uneven chunks", () =>
      Effect.gen(function* () {
        const storage = yield* ObjectStorage
        const bytes = noise(20_000_001, 7)
        const object = { ...objectOf("large.jsonl", bytes), body: unevenly(bytes) }
        assert.isTrue(yield* storage.put(object))
        const hash = yield* Stream.runFold(
          storage.get("large.jsonl"),
          createHash("sha256"),
          (hash, chunk) => hash.update(chunk)
        )
        assert.strictEqual(hash.digest("hex"), object.sha256)
      })
    )

    for (const piece of [3, 100_000, 700_000]) {
      it.effect(`copes with pieces of ${piece} bytes in memory that is used again`, () =>
        Effect.gen(function* () {
          const storage = yield* ObjectStorage
          const key = `lent-${piece}`
          const { body, bytes } = bufferAgainAndAgain(piece)
          const object = { ...objectOf(key, bytes), lent: body }
          assert.isTrue(yield* storage.put(object))
          const landed = Buffer.concat([...(yield* Stream.runCollect(storage.get(key)))])
          assert.strictEqual(Buffer.compare(landed, bytes), 0)
        })
      )
    }

    it.effect("does not overwrite what is there", () =>
      Effect.gen(function* () {
        const storage = yield* ObjectStorage
        assert.isTrue(yield* storage.put(objectOf("kept.jsonl", "first", { by: "first" })))
        const before = yield* storage.head("kept.jsonl")
        assert.isFalse(yield* storage.put(objectOf("kept.jsonl", "second", { by: "second" })))
        assert.isFalse(yield* storage.put(objectOf("kept.jsonl", "first", { by: "third" })))
        assert.deepStrictEqual(yield* storage.head("kept.jsonl"), before)
        assert.strictEqual(yield* textOf("kept.jsonl"), "first")
      })
    )

    for (const [contents, bodyOf] of [
      ["different", (writer: number) => `of ${writer}`],
      ["the same", () => "of anyone"]
    ] as const) {
      it.effect(`lets one of ten writers of ${contents} contents win, metadata and all`, () =>
        Effect.gen(function* () {
          const storage = yield* ObjectStorage
          for (let round = 0; round < 5; round++) {
            const key = `race ${contents}/${round}.jsonl`
            const ready = yield* Deferred.make<void>()
            let started = 0
            const results = yield* Effect.forEach(
              Array.from({ length: 10 }, (_, writer) => {
                const object = objectOf(key, bodyOf(writer), { writer: String(writer) })
                // Nobody ends before all have begun, so that none is told early that it lost.
                const gate = Effect.suspend(() =>
                  ++started === 10 ? Deferred.succeed(ready, undefined) : Deferred.await(ready)
                )
                return { ...object, body: Stream.drain(gate).pipe(Stream.concat(object.body)) }
              }),
              (object) => storage.put(object),
              { concurrency: "unbounded" }
            )
            assert.strictEqual(results.filter(Boolean).length, 1)
            const winner = results.indexOf(true)
            const head = Option.getOrThrow(yield* storage.head(key))
            assert.deepStrictEqual(head.metadata, { writer: String(winner) })
            assert.strictEqual(yield* textOf(key), bodyOf(winner))
          }
        })
      )
    }

    it.effect("loses to an object that was put while its body was sent", () =>
      Effect.gen(function* () {
        const storage = yield* ObjectStorage
        for (const [contents, other] of [
          ["different", "theirs"],
          ["the same", "ours"]
        ] as const) {
          const key = `slow ${contents}.jsonl`
          const ours = objectOf(key, "ours", { by: "ours" })
          const faster = storage.put(objectOf(key, other, { by: "theirs" }))
          const body = Stream.concat(Stream.drain(Stream.fromEffect(faster)), ours.body)
          assert.isFalse(yield* storage.put({ ...ours, body }))
          assert.strictEqual(yield* textOf(key), other)
          const head = Option.getOrThrow(yield* storage.head(key))
          assert.deepStrictEqual(head.metadata, { by: "theirs" })
        }
      })
    )

    for (const [title, length] of [
      ["at once", 0],
      ["midway", 9_000_000]
    ] as const) {
      it.effect(`leaves nothing when the body fails ${title}, and passes its error on`, () =>
        Effect.gen(function* () {
          const storage = yield* ObjectStorage
          const key = `failing/${title}.jsonl`
          const bytes = noise(length, 11)
          const body = Stream.concat(unevenly(bytes), Stream.fail("the body's own" as const))
          const error = yield* Effect.flip(storage.put({ ...objectOf(key, bytes), body }))
          assert.strictEqual(error, "the body's own")
          yield* assertAbsent(key)
          assert.isTrue(yield* storage.put(objectOf(key, "then whole")))
          assert.strictEqual(yield* textOf(key), "then whole")
        })
      )
    }

    for (const [title, change] of [
      ["is shorter than announced", { size: 8 }],
      ["is longer than announced", { size: 6 }],
      ["has another SHA-256 than announced", { sha256: "0".repeat(64) }]
    ] as const) {
      it.effect(`refuses a body that ${title}`, () =>
        Effect.gen(function* () {
          const storage = yield* ObjectStorage
          const key = `untrue/${title}.jsonl`
          const object = { ...objectOf(key, "7 bytes"), ...change }
          assert.strictEqual((yield* Effect.flip(storage.put(object))).reason, "Corrupt")
          yield* assertAbsent(key)
        })
      )
    }

    it.effect("shows an object only when it is whole", () =>
      Effect.gen(function* () {
        const storage = yield* ObjectStorage
        const bytes = noise(9_000_000, 13)
        let looks = 0
        const look = Effect.tap(assertAbsent("whole.jsonl"), () => {
          looks++
        }).pipe(Effect.provideService(ObjectStorage, storage))
        const body = Stream.make(bytes.subarray(0, 8_999_999)).pipe(
          Stream.concat(Stream.drain(Stream.fromEffect(look))),
          Stream.concat(Stream.make(bytes.subarray(8_999_999)))
        )
        assert.isTrue(yield* storage.put({ ...objectOf("whole.jsonl", bytes), body }))
        assert.isAtLeast(looks, 1)
        assert.strictEqual(Option.getOrThrow(yield* storage.head("whole.jsonl")).size, 9_000_000)
      })
    )

    it.effect("leaves nothing when it is interrupted", () =>
      Effect.gen(function* () {
        const storage = yield* ObjectStorage
        const reached = yield* Deferred.make<void>()
        const bytes = noise(9_000_000, 17)
        const body = Stream.make(bytes).pipe(
          Stream.concat(Stream.drain(Deferred.succeed(reached, undefined))),
          Stream.concat(Stream.never)
        )
        const fiber = yield* Effect.fork(
          storage.put({ ...objectOf("interrupted.jsonl", bytes), body })
        )
        yield* Deferred.await(reached)
        yield* Fiber.interrupt(fiber)
        yield* assertAbsent("interrupted.jsonl")
        assert.isTrue(yield* storage.put(objectOf("interrupted.jsonl", "again")))
      })
    )

    it.effect("replaces the object of the named etag, and no other", () =>
      Effect.gen(function* () {
        const storage = yield* ObjectStorage
        const key = "replaced.jsonl"
        const replacement = objectOf(key, '{"a":1}\n', { events: "1" })
        assert.isFalse(yield* storage.put(replacement, { replacing: "gone" }))
        yield* assertAbsent(key)
        assert.isTrue(yield* storage.put(objectOf(key, "", { events: "0" })))
        const empty = Option.getOrThrow(yield* storage.head(key))
        assert.isFalse(yield* storage.put(replacement, { replacing: `${empty.etag}x` }))
        assert.deepStrictEqual(Option.getOrThrow(yield* storage.head(key)), empty)
        assert.isTrue(yield* storage.put(replacement, { replacing: empty.etag }))
        const head = Option.getOrThrow(yield* storage.head(key))
        assert.deepStrictEqual(head.metadata, { events: "1" })
        assert.notStrictEqual(head.etag, empty.etag)
        assert.strictEqual(yield* textOf(key), '{"a":1}\n')
        assert.isFalse(yield* storage.put(objectOf(key, "late"), { replacing: empty.etag }))
        assert.deepStrictEqual(yield* keysBelow(key), [key])
      })
    )

    it.effect("lets one of five replacements win", () =>
      Effect.gen(function* () {
        const storage = yield* ObjectStorage
        const key = "replaced by one.jsonl"
        assert.isTrue(yield* storage.put(objectOf(key, "", { events: "0" })))
        const { etag } = Option.getOrThrow(yield* storage.head(key))
        const ready = yield* Deferred.make<void>()
        let started = 0
        const results = yield* Effect.forEach(
          [0, 1, 2, 3, 4],
          (writer) => {
            const object = objectOf(key, `of ${writer}`, { writer: String(writer) })
            const gate = Effect.suspend(() =>
              ++started === 5 ? Deferred.succeed(ready, undefined) : Deferred.await(ready)
            )
            const body = Stream.concat(Stream.drain(gate), object.body)
            return storage.put({ ...object, body }, { replacing: etag })
          },
          { concurrency: "unbounded" }
        )
        assert.strictEqual(results.filter(Boolean).length, 1)
        const winner = results.indexOf(true)
        assert.strictEqual(yield* textOf(key), `of ${winner}`)
        const head = Option.getOrThrow(yield* storage.head(key))
        assert.deepStrictEqual(head.metadata, { writer: String(winner) })
      })
    )

    it.effect(
      "does not replace an object that was replaced or removed while its body was sent",
      () =>
        Effect.gen(function* () {
          const storage = yield* ObjectStorage
          const key = "replaced meanwhile.jsonl"
          assert.isTrue(yield* storage.put(objectOf(key, "old")))
          const { etag: replacing } = Option.getOrThrow(yield* storage.head(key))
          const ours = objectOf(key, "ours", { by: "ours" })
          const after = <E>(first: Effect.Effect<unknown, E>) => ({
            ...ours,
            body: Stream.concat(Stream.drain(Stream.fromEffect(first)), ours.body)
          })
          const faster = storage.put(objectOf(key, "theirs", { by: "theirs" }), { replacing })
          assert.isFalse(yield* storage.put(after(faster), { replacing }))
          assert.strictEqual(yield* textOf(key), "theirs")
          const head = Option.getOrThrow(yield* storage.head(key))
          assert.deepStrictEqual(head.metadata, { by: "theirs" })
          const removal = storage.remove(key)
          assert.isFalse(yield* storage.put(after(removal), { replacing: head.etag }))
          yield* assertAbsent(key)
        })
    )

    it.effect("keeps the old object when the body of its replacement fails", () =>
      Effect.gen(function* () {
        const storage = yield* ObjectStorage
        const key = "not replaced.jsonl"
        assert.isTrue(yield* storage.put(objectOf(key, "", { events: "0" })))
        const before = yield* storage.head(key)
        const replacing = Option.getOrThrow(before).etag
        const failing = { ...objectOf(key, "x"), body: Stream.fail("cut" as const) }
        assert.strictEqual(yield* Effect.flip(storage.put(failing, { replacing })), "cut")
        const untrue = { ...objectOf(key, "x"), size: 2 }
        assert.strictEqual(
          (yield* Effect.flip(storage.put(untrue, { replacing }))).reason,
          "Corrupt"
        )
        assert.deepStrictEqual(yield* storage.head(key), before)
      })
    )

    it.effect("removes an object, once or twice, and accepts it again", () =>
      Effect.gen(function* () {
        const storage = yield* ObjectStorage
        const key = "removed/hour=21/events.jsonl"
        assert.isTrue(yield* storage.put(objectOf(key, "old", { by: "old" })))
        yield* storage.remove(key)
        yield* assertAbsent(key)
        yield* storage.remove(key)
        assert.isTrue(yield* storage.put(objectOf(key, "new")))
        assert.strictEqual(yield* textOf(key), "new")
        assert.deepStrictEqual(Option.getOrThrow(yield* storage.head(key)).metadata, {})
      })
    )

    it.effect(
      `lists ${listed} objects, each once`,
      () =>
        Effect.gen(function* () {
          const storage = yield* ObjectStorage
          const keys = Array.from(
            { length: listed },
            (_, index) => `many/dt=${index % 50}/${String(index).padStart(4, "0")}.jsonl`
          )
          yield* Effect.forEach(keys, (key) => storage.put(objectOf(key, key)), {
            concurrency: 16,
            discard: true
          })
          assert.deepStrictEqual(yield* keysBelow("many/"), keys.toSorted())
        }),
      // Creating them takes a slow disk a while.
      120_000
    )
  })
}
