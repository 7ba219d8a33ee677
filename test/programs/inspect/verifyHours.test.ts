import assert from "node:assert/strict"
import { createHash } from "node:crypto"
import { gzipSync } from "node:zlib"
import { describe, it } from "@effect/vitest"
import { Context, Effect, Layer, Option, Stream } from "effect"
import type { ObjectStorageCall } from "../../../src/layers/memory/ObjectStorageMemory.ts"
import { allHours } from "../../../src/programs/runPipeline.ts"
import { verifyHours, type VerifyOptions } from "../../../src/programs/inspect/verifyHours.ts"
import { ObjectStorage, ObjectStorageError } from "../../../src/services/ObjectStorage.ts"
import { Unpacker, UnpackerError } from "../../../src/services/Unpacker.ts"
import { event, hour, makeWorld, passTime, runOptions } from "../../fixtures/world.ts"

const [H20, H21, H22] = ["2025-11-10T20", "2025-11-10T21", "2025-11-10T22"] as const
const HOURS = { [H20]: [event("a")], [H21]: [event("b") + event("c")], [H22]: [event("d")] }
const keyOf = (text: string) => `${text.replace("T", "_")}.jsonl`

const part = (clock: number) => `123456_2025-11-10_${clock}#0.json`

const verify = Effect.fn(function* (more: Partial<VerifyOptions> = {}, retries = 5) {
  const options = { ...runOptions(H20, H22, { retries }), ...more }
  return yield* verifyHours(options)
})

type World = Effect.Effect.Success<ReturnType<typeof makeWorld>>

/**
 * A world in which three hours are landed, and what a later change of its store is looked at by.
 */
const landed = Effect.fn(function* (
  store: Parameters<typeof makeWorld>[0]["store"] = {},
  format: "jsonl" | "jsonl.gz" = "jsonl"
) {
  const world = yield* makeWorld({ amplitude: { hours: HOURS }, store })
  yield* passTime(Effect.provide(allHours(runOptions(H20, H22, { format })), world.layer))
  world.calls.length = 0
  return world
})

/** Puts other bytes, or other metadata, in the place of an object. */
const spoil = Effect.fn(function* (
  { store }: World,
  key: string,
  how: { readonly text?: string; readonly metadata?: Record<string, string> }
) {
  const head = Option.getOrThrow(yield* store.head(key))
  const old = yield* Stream.mkString(Stream.decodeText(store.get(key)))
  yield* store.remove(key)
  const bytes = Buffer.from(how.text ?? old)
  yield* store.put({
    key,
    size: bytes.length,
    sha256: createHash("sha256").update(bytes).digest("hex"),
    metadata: { ...head.metadata, ...how.metadata },
    body: Stream.make(bytes)
  })
})

const failing =
  (reason: ObjectStorageError["reason"], times = Number.POSITIVE_INFINITY) =>
  ({ count, key, method }: ObjectStorageCall) =>
    method === "get" && key === keyOf(H21) && count <= times
      ? Option.some(new ObjectStorageError({ reason, method: "get", path: key, detail: "told so" }))
      : Option.none()

describe("verifyHours()", () => {
  for (const format of ["jsonl", "jsonl.gz"] as const) {
    it.effect(
      `finds every object of ${format} to be what its metadata say, and writes nothing`,
      () =>
        Effect.gen(function* () {
          const world = yield* landed({}, format)
          const found = yield* Effect.provide(verify(), world.layer)
          assert.deepEqual(found.verified, [H20, H21, H22])
          assert.deepEqual([found.objects, found.events, found.exitCode], [3, 4, 0])
          assert.deepEqual([found.differing, found.failed, found.unverified], [[], [], []])
          const methods = new Set(world.calls.map(({ method }) => method))
          assert.deepEqual([...methods].sort(), ["get", "head", "list"])
        })
    )
  }

  it.effect("names each object that differs, and in what", () =>
    Effect.gen(function* () {
      const world = yield* landed()
      yield* spoil(world, keyOf(H20), { text: event("z") })
      yield* spoil(world, keyOf(H21), { metadata: { events: "3", hour: H22 } })
      yield* spoil(world, keyOf(H22), { metadata: { bytes: "many" } })
      const found = yield* Effect.provide(verify(), world.layer)
      const problems = found.differing.map((it) => [it.key, it.problems.join("; ")] as const)
      assert.deepEqual(
        problems.map(([key]) => key),
        [H20, H21, H22].map(keyOf)
      )
      assert.match(
        problems[0]?.[1] ?? "",
        /^lineset \w{12}, metadata says \w{12}; sha256 \w{16}…, metadata says \w{16}…$/
      )
      assert.equal(problems[1]?.[1], `its metadata is for ${H22}; events 2, metadata says 3`)
      assert.equal(problems[2]?.[1], "its metadata is from this program but cannot be parsed")
      assert.deepEqual([found.verified, found.exitCode], [[], 8])
    })
  )

  it.effect(
    "counts other pipelines' objects as unverified, and checks the form of their lines",
    () =>
      Effect.gen(function* () {
        const world = yield* makeWorld({
          amplitude: { hours: {} },
          store: {
            objects: {
              [part(20)]: Buffer.from(event("a")),
              [part(21)]: Buffer.from(`${event("b")}{"a":NaN}\n`),
              [`${part(22)}.gz`]: gzipSync(event("c")).subarray(0, 20)
            }
          }
        })
        const found = yield* Effect.provide(verify(), world.layer)
        assert.deepEqual([found.unverified, found.verified, found.exitCode], [[H20], [], 8])
        assert.deepEqual(found.differing[0], {
          hour: H21,
          key: part(21),
          problems: ["1 of its 2 lines are not JSON objects"]
        })
        assert.match(found.differing[1]?.problems[0] ?? "", /does not inflate/)
      })
  )

  it.effect("says nothing against an object whose thread ended", () =>
    Effect.gen(function* () {
      const world = yield* landed()
      const [reason, path, detail] = ["Unreadable", "thread", "it ended"] as const
      const ended = Layer.map(world.layer, (context) =>
        Context.add(context, Unpacker, {
          ...Context.get(context, Unpacker),
          digest: () => Effect.fail(new UnpackerError({ reason, path, detail }))
        })
      )
      const found = yield* Effect.provide(verify(), ended)
      assert.deepEqual([found.verified, found.differing, found.exitCode], [[], [], 5])
      assert.deepEqual(
        found.failed.map(({ error }) => error),
        Array.from({ length: 3 }, () => "UnpackerError.Unreadable")
      )
    })
  )

  it.effect("counts lines that are no JSON in landed hours, which is no difference", () =>
    Effect.gen(function* () {
      const lines = `{"a":NaN}\n{"b":1}{"c":2}\n{"d":1.10}\nnull\n${event("a")}`
      const world = yield* makeWorld({ amplitude: { hours: { [H20]: [lines] } }, store: {} })
      yield* passTime(Effect.provide(allHours(runOptions(H20, H20)), world.layer))
      const found = yield* Effect.provide(verify({ parse: true }), world.layer)
      assert.deepEqual([found.events, found.invalid, found.differing], [5, 3, []])
      assert.equal((yield* Effect.provide(verify(), world.layer)).invalid, 0)
      assert.equal(found.verified.length, found.objects)
    })
  )

  it.effect("retries objects that cannot be read yet, and names those that still cannot", () =>
    Effect.gen(function* () {
      const passing = yield* landed({ failures: failing("Unavailable", 2) })
      const found = yield* passTime(Effect.provide(verify(), passing.layer))
      assert.deepEqual([found.verified.length, found.retries, found.exitCode], [3, 2, 0])
      for (const [reason, exitCode] of [
        ["Unavailable", 3],
        ["AccessDenied", 7],
        ["Corrupt", 8]
      ] as const) {
        const world = yield* landed({ failures: failing(reason) })
        const ended = yield* passTime(Effect.provide(verify({}, 1), world.layer))
        assert.deepEqual([ended.verified, ended.exitCode], [[H20, H22], exitCode])
        const named = [...ended.failed, ...ended.differing].map(({ key }) => key)
        assert.deepEqual(named, [keyOf(H21)])
      }
    })
  )

  it.effect("is not alarmed by an object that another run replaces or removes meanwhile", () =>
    Effect.gen(function* () {
      const world = yield* landed()
      let isFirst = true
      const get: ObjectStorage["Type"]["get"] = (key) =>
        key === keyOf(H21) && isFirst
          ? Stream.unwrap(
              Effect.gen(function* () {
                isFirst = false
                const text = event("x")
                const head = Option.getOrThrow(yield* world.store.head(key))
                const sha256 = createHash("sha256").update(text).digest("hex")
                const bytes = String(text.length)
                yield* spoil(world, key, { text, metadata: { sha256, bytes, events: "1" } })
                assert.notEqual(head.etag, sha256)
                return world.store.get(key)
              }).pipe(Effect.orDie)
            )
          : key === keyOf(H22)
            ? Stream.unwrap(Effect.as(world.store.remove(key), world.store.get(key)))
            : world.store.get(key)
      const found = yield* verify().pipe(
        Effect.provideService(ObjectStorage, { ...world.store, get }),
        Effect.provide(world.layer)
      )
      // Its lineset is still the old one: the difference is reported for the object that is there now.
      assert.deepEqual(
        found.differing.map(({ problems }) => problems.map((it) => it.split(" ")[0])),
        [["lineset"]]
      )
      assert.deepEqual(found.absent, [H22])
    })
  )

  it.effect("draws the sample of a seed again, of the dates given or of the whole store", () =>
    Effect.gen(function* () {
      const world = yield* landed()
      const sampleOf = (more: Partial<VerifyOptions>) => Effect.provide(verify(more), world.layer)
      const everything = { start: undefined, end: undefined }
      const seeds = Array.from({ length: 8 }, (_, seed) => seed)
      const draws = yield* Effect.forEach(seeds, (sampleSeed) =>
        sampleOf({ ...everything, sample: 1, sampleSeed })
      )
      const again = yield* sampleOf({ ...everything, sample: 1, sampleSeed: 3 })
      assert.deepEqual(again.verified, draws[3]?.verified)
      assert.ok(new Set(draws.flatMap(({ verified }) => verified)).size > 1)
      assert.deepEqual([again.window, again.sample], [null, { hours: 1, seed: 3 }])
      assert.equal(again.objects, 1)

      const drawn = yield* sampleOf({ ...everything, sample: 2 })
      const same = yield* sampleOf({ ...everything, sample: 2, sampleSeed: drawn.sample?.seed })
      assert.deepEqual(same.verified, drawn.verified)

      const dated = yield* sampleOf({ start: hour(H20), end: hour(H20), sample: 9 })
      assert.deepEqual([dated.verified, dated.absent], [[H20], []])
    })
  )
})
