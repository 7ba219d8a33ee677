import assert from "node:assert/strict"
import { createHash } from "node:crypto"
import { describe, it } from "@effect/vitest"
import { Effect, Option, Stream } from "effect"
import { statusOfHours } from "../../../src/programs/inspect/statusOfHours.ts"
import { verifyHours, type VerifyOptions } from "../../../src/programs/inspect/verifyHours.ts"
import { acceptGaps } from "../../../src/programs/resolve/acceptGaps.ts"
import { putMark } from "../../../src/programs/resolve/markLake.ts"
import { allHours } from "../../../src/programs/runPipeline.ts"
import { asRun } from "../../../src/programs/run/Run.ts"
import { ObjectStorage, ObjectStorageError } from "../../../src/services/ObjectStorage.ts"
import { event, hour, keysOf, makeWorld, passTime, runOptions } from "../../fixtures/world.ts"

const [H10, H20, H21, H22] = [
  "2025-11-10T10",
  "2025-11-10T20",
  "2025-11-10T21",
  "2025-11-10T22"
] as const
const HOURS = { [H20]: [event("a")], [H21]: [event("b")], [H22]: [event("c")] }
const keyOf = (text: string) => `${text.replace("T", "_")}.jsonl`

type World = Effect.Effect.Success<ReturnType<typeof makeWorld>>

/** A world in which three hours are landed, besides what others put there. */
const landed = Effect.fn(function* (objects: Readonly<Record<string, Uint8Array>> = {}) {
  const world = yield* makeWorld({ amplitude: { hours: HOURS }, store: { objects } })
  yield* passTime(Effect.provide(allHours(runOptions(H20, H22)), world.layer))
  return world
})

const verify = (world: World, options: VerifyOptions = {}, store = world.store) =>
  verifyHours(options).pipe(
    Effect.provideService(ObjectStorage, store),
    Effect.provide(world.layer)
  )

/** Puts an object without metadata in the place of one of ours, as `aws s3 cp` does. */
const replace = Effect.fn(function* ({ store }: World, at: string, text = event("z")) {
  yield* store.remove(keyOf(at))
  const bytes = Buffer.from(text)
  const sha256 = createHash("sha256").update(bytes).digest("hex")
  const body = Stream.make(bytes)
  yield* store.put({ key: keyOf(at), size: bytes.length, sha256, metadata: {}, body })
})

const resolve = ({ store }: World, name: string) => asRun(putMark(store, "resolved", name, {}))

const deniedPut: ObjectStorage["Type"]["put"] = ({ key: path }) =>
  Effect.fail(new ObjectStorageError({ reason: "AccessDenied", method: "put", path, detail: "no" }))

describe("verifyHours() without dates", () => {
  it.effect("reads from the first to the last landed hour, however old they are", () =>
    Effect.gen(function* () {
      const world = yield* landed()
      const later = yield* world.of({ hours: {} }, "2026-11-12T12:00:00Z")
      const found = yield* Effect.provide(verifyHours(), later.layer)
      assert.deepEqual(found.window, { first: H20, last: H22 })
      assert.deepEqual([found.verified, found.exitCode], [[H20, H21, H22], 0])
    })
  )

  it.effect("is incomplete if it read nothing, with dates and a sample, too", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld({ amplitude: { hours: {} } })
      const dates = { start: hour(H20), end: hour(H20) }
      for (const options of [{}, dates, { sample: 3 }]) {
        const found = yield* verify(world, options)
        assert.deepEqual([found.objects, found.exitCode], [0, 3])
      }
    })
  )

  it.effect("is incomplete over an absent hour until a person accepts the gap", () =>
    Effect.gen(function* () {
      const world = yield* landed()
      yield* world.store.remove(keyOf(H21))
      const found = yield* verify(world)
      assert.deepEqual([found.absent, found.exitCode], [[H21], 3])
      assert.equal((yield* verify(world, { sample: 9 })).exitCode, 0)
      assert.equal((yield* verify(world, { start: hour(H21), end: hour(H22) })).exitCode, 3)
      // What is not settled may still land.
      assert.equal((yield* verify(world, { settleHours: 72 })).exitCode, 0)
      const accepted = acceptGaps({ start: hour(H21), end: hour(H21), reason: "r", user: "u" })
      yield* Effect.provide(accepted, world.layer)
      const after = yield* verify(world)
      assert.deepEqual([after.absent, after.exitCode], [[], 0])
    })
  )

  it.effect("stops at the longest duration, and names the hours that it did not read", () =>
    Effect.gen(function* () {
      const world = yield* landed()
      const slow: ObjectStorage["Type"]["get"] = (key) =>
        Stream.unwrap(Effect.delay(Effect.succeed(world.store.get(key)), "10 seconds"))
      const options = { maxDuration: "15 seconds", concurrency: 1 } as const
      const found = yield* passTime(verify(world, options, { ...world.store, get: slow }))
      assert.deepEqual([found.verified, found.postponed], [[H20], [H21, H22]])
      assert.deepEqual([found.absent, found.exitCode], [[], 3])
    })
  )
})

describe("an unverified hour", () => {
  it.effect("needs a person only with `strict`", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld({
        amplitude: { hours: {} },
        store: { objects: { [keyOf(H10)]: Buffer.from(event("a")) } }
      })
      assert.equal((yield* verify(world)).exitCode, 0)
      assert.equal((yield* verify(world, { strict: true })).exitCode, 8)
      assert.deepEqual(yield* keysOf(world.store), [keyOf(H10)])
    })
  )

  it.effect("before the lake's first verified one is no conflict", () =>
    Effect.gen(function* () {
      const world = yield* landed({ [keyOf("2025-11-10T19")]: Buffer.from(event("a")) })
      const found = yield* verify(world)
      assert.deepEqual([found.unverified, found.conflicts], [["2025-11-10T19"], []])
      assert.equal(found.exitCode, 0)
    })
  )

  it.effect(
    "after the first verified one is a conflict, marked for all, until it is resolved",
    () =>
      Effect.gen(function* () {
        const world = yield* landed()
        yield* replace(world, H21)
        const found = yield* verify(world)
        const [conflict] = found.conflicts
        assert.match(conflict?.name ?? "", /^2025-11-10T21--[0-9a-f]{12}--[0-9a-f]{12}$/)
        assert.notEqual(conflict?.name.split("--")[1], "000000000000")
        assert.deepEqual([found.unverified, found.exitCode], [[H21], 8])
        const status = yield* Effect.provide(statusOfHours(), world.layer)
        assert.deepEqual(status.conflicts, [conflict])
        // It is marked once.
        assert.deepEqual((yield* verify(world)).conflicts, [conflict])

        yield* resolve(world, conflict?.name ?? "")
        for (const strict of [false, true]) {
          const after = yield* verify(world, { strict })
          assert.deepEqual([after.conflicts, after.unverified, after.exitCode], [[], [H21], 0])
        }
        // Another object is another conflict.
        yield* replace(world, H21, event("y"))
        assert.equal((yield* verify(world)).exitCode, 8)
      })
  )

  it.effect("is judged by the hours before the window, too", () =>
    Effect.gen(function* () {
      const world = yield* landed()
      yield* replace(world, H22)
      const only = { start: hour(H22), end: hour(H22) }
      const found = yield* verify(world, only)
      assert.deepEqual([found.conflicts.map((it) => it.hour), found.exitCode], [[H22], 8])
    })
  )

  it.effect("is one conflict with a run that met the same object", () =>
    Effect.gen(function* () {
      const world = yield* landed()
      yield* replace(world, H21)
      const [own] = (yield* verify(world)).conflicts
      const fingerprint = own?.name.split("--")[2]
      yield* resolve(world, own?.name ?? "")
      const name = `${H21}--0123456789ab--${fingerprint}`
      yield* asRun(putMark(world.store, "conflicts", name, {}))
      assert.deepEqual(
        (yield* verify(world)).conflicts.map((it) => it.name),
        [name]
      )
    })
  )

  it.effect("is a conflict for keys that may only read as well", () =>
    Effect.gen(function* () {
      const world = yield* landed()
      yield* replace(world, H21)
      const found = yield* verify(world, {}, { ...world.store, put: deniedPut })
      assert.deepEqual([found.conflicts.length, found.exitCode], [1, 8])
      const marks = (yield* keysOf(world.store)).filter((key) => key.startsWith("."))
      assert.deepEqual(marks, [])
    })
  )
})

it.effect("an open conflict of any hour fails every verification", () =>
  Effect.gen(function* () {
    const world = yield* landed()
    const name = "2025-11-01T00--0123456789ab--0123456789ab"
    yield* asRun(putMark(world.store, "conflicts", name, {}))
    for (const options of [{}, { sample: 1 }, { start: hour(H22), end: hour(H22) }]) {
      assert.equal((yield* verify(world, options)).exitCode, 8)
    }
    assert.ok(Option.isSome(yield* world.store.head(`.amplitude-lake-conflicts/${name}`)))
  })
)
