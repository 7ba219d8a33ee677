import assert from "node:assert/strict"
import { gunzipSync, gzipSync } from "node:zlib"
import { describe, it } from "@effect/vitest"
import { Effect, Layer, Logger, LogLevel, Option, Stream } from "effect"
import fc from "fast-check"
import * as ClockFixed from "../../../src/layers/clock/ClockFixed.ts"
import * as ObjectStorageMemory from "../../../src/layers/memory/ObjectStorageMemory.ts"
import { countLines } from "../../../src/layers/unpack/linesDigest.ts"
import { refusal } from "../../../src/layers/unpack/refusal.ts"
import * as UnpackerZip from "../../../src/layers/unpack/UnpackerZip.ts"
import { copyLake, type CopyOptions } from "../../../src/programs/copy/copyLake.ts"
import { verifyHours } from "../../../src/programs/inspect/verifyHours.ts"
import { CopyTarget } from "../../../src/services/CopyTarget.ts"
import { hourKey, type Format, type Layout } from "../../../src/services/HourKey.ts"
import { HourMetadata, metadataToText } from "../../../src/services/HourMetadata.ts"
import { fingerprintOf } from "../../../src/programs/plan/fingerprint.ts"
import { takeLake } from "../../../src/programs/plan/inventory.ts"
import { markKey } from "../../../src/services/LakeMark.ts"
import { ObjectStorage, ObjectStorageError } from "../../../src/services/ObjectStorage.ts"
import { sha256Of } from "../../fixtures/newObject.ts"
import { event, hour, keysOf } from "../../fixtures/world.ts"
import { realStores } from "../../fixtures/realStores.ts"
import { isLong } from "../../fixtures/long.ts"

type Store = ObjectStorage["Type"]
const [H10, H11, H12] = ["2025-11-10T10", "2025-11-10T11", "2025-11-10T12"] as const
const PREFIX = "events/"

const services = Layer.merge(
  UnpackerZip.layer(),
  ClockFixed.layer(Date.parse("2025-11-12T12:00:00Z"))
)

interface Landed {
  readonly at: string
  readonly lines: ReadonlyArray<string>
  readonly layout?: Layout
  readonly format?: Format
  readonly project?: string
  readonly replaces?: ReadonlyArray<string>
}

/** Lands an hour as this program does. */
const land = Effect.fn(function* (store: Store, it: Landed) {
  const { at, format = "jsonl", layout = "hourly", lines, project = "77", replaces = [] } = it
  const plain = Buffer.from(lines.join(""))
  const bytes = format === "jsonl" ? plain : gzipSync(plain, { level: 9 })
  const counter = countLines(refusal("test"), false)
  counter.update(plain)
  const metadata = new HourMetadata({
    ...counter.finish().digest,
    hour: hour(at),
    sha256: sha256Of(bytes),
    parts: 1,
    project,
    version: "0.0.9",
    replaces
  })
  const key = hourKey(hour(at), layout, format)
  const isPut = yield* store.put({
    key,
    size: bytes.length,
    sha256: sha256Of(bytes),
    metadata: metadataToText(metadata),
    body: Stream.make(new Uint8Array(bytes))
  })
  assert.ok(isPut)
  return key
})

let made = 0
const memory = Effect.map(ObjectStorageMemory.make(), (store) => ({
  ...store,
  isDurable: true,
  location: `memory:${made++}`
}))

const stores = {
  memory,
  ...realStores(PREFIX)
}

const copy = (source: Store, target: Store, options: CopyOptions = {}) =>
  copyLake({ retries: 0, ...options }).pipe(
    Effect.provideService(ObjectStorage, source),
    Effect.provideService(CopyTarget, target),
    Effect.provide(services),
    Logger.withMinimumLogLevel(LogLevel.None)
  )

const verify = (store: Store) =>
  Effect.provide(Effect.provideService(verifyHours(), ObjectStorage, store), services)

const bytesOf = (store: Store, key: string) =>
  Effect.map(Stream.runCollect(store.get(key)), (chunks) => Buffer.concat([...chunks]))

const plainOf = (store: Store, key: string) =>
  Effect.map(bytesOf(store, key), (bytes) =>
    String(key.endsWith(".gz") ? gunzipSync(bytes) : bytes)
  )

const metadataOf = (store: Store, key: string) =>
  Effect.map(store.head(key), (head) => Option.getOrThrow(head).metadata)

const LINES = [event("a"), event("b")]

describe("copyLake()", () => {
  for (const [from, makeSource] of Object.entries(stores)) {
    for (const [to, makeTarget] of Object.entries(stores)) {
      if (from === to && from !== "a folder") continue
      it.scopedLive(`copies a lake from ${from} to ${to}, with metadata, once`, () =>
        Effect.gen(function* () {
          const [source, target] = [yield* makeSource, yield* makeTarget]
          const keys = [
            yield* land(source, { at: H10, lines: LINES, replaces: ["00000000000a"] }),
            yield* land(source, { at: H11, lines: [], project: "" }),
            yield* land(source, { at: H12, lines: LINES, layout: "hive", format: "jsonl.gz" })
          ]
          const mark = markKey("accepted", "2025-11-10T13--2025-11-10T13--1")
          const reason = { reason: "gone%2C", user: "me" }
          const empty = { size: 0, sha256: sha256Of(Buffer.from("")), body: Stream.empty }
          yield* source.put({ key: mark, ...empty, metadata: reason })
          const first = yield* copy(source, target)
          assert.deepEqual(first.copied, [H10, H11, H12])
          assert.deepEqual([first.records, first.events, first.exitCode], [1, 4, 0])
          assert.deepEqual(yield* keysOf(target), [...keys, mark].sort())
          for (const key of [...keys, mark]) {
            assert.deepEqual(yield* bytesOf(target, key), yield* bytesOf(source, key))
            assert.deepEqual(yield* metadataOf(target, key), yield* metadataOf(source, key))
          }
          const verified = yield* verify(target)
          assert.deepEqual([verified.verified, verified.exitCode], [[H10, H11, H12], 0])
          const again = yield* copy(source, target)
          assert.deepEqual([again.copied, again.skipped], [[], [H10, H11, H12]])
          assert.deepEqual([again.records, again.exitCode], [0, 0])
        })
      )
    }
  }

  for (const layout of ["hourly", "hive"] as const) {
    for (const format of ["jsonl", "jsonl.gz"] as const) {
      it.scopedLive(`converts to ${layout} ${format}, line by line the same`, () =>
        Effect.gen(function* () {
          const [source, target] = [yield* memory, yield* memory]
          const keys = [
            yield* land(source, { at: H10, lines: LINES }),
            yield* land(source, { at: H11, lines: LINES, layout: "hive", format: "jsonl.gz" }),
            yield* land(source, { at: H12, lines: [], format: "jsonl.gz" })
          ]
          const found = yield* copy(source, target, { layout, format })
          assert.deepEqual([found.copied, found.exitCode], [[H10, H11, H12], 0])
          for (const [at, key] of [H10, H11, H12].map((it, index) => [it, keys[index] ?? ""])) {
            const copied = hourKey(hour(at ?? ""), layout, format)
            assert.equal(yield* plainOf(target, copied), yield* plainOf(source, key ?? ""))
            const { sha256: _, ...was } = yield* metadataOf(source, key ?? "")
            const { sha256, ...is } = yield* metadataOf(target, copied)
            assert.deepEqual(is, was)
            assert.equal(sha256, sha256Of(yield* bytesOf(target, copied)))
          }
          assert.equal((yield* verify(target)).exitCode, 0)
          // Whatever form it has there, the hour is there.
          const back = yield* copy(target, source)
          assert.deepEqual([back.copied, back.skipped], [[], [H10, H11, H12]])
        })
      )
    }
  }

  it.scopedLive("names an hour that the target has with other lines, and changes nothing", () =>
    Effect.gen(function* () {
      const [source, target] = [yield* memory, yield* memory]
      yield* land(source, { at: H10, lines: LINES })
      yield* land(source, { at: H11, lines: LINES })
      const key = yield* land(target, { at: H10, lines: [event("z")], format: "jsonl.gz" })
      const before = yield* bytesOf(target, key)
      const { copied, exitCode, failed } = yield* copy(source, target)
      assert.deepEqual([copied, exitCode], [[H11], 8])
      assert.deepEqual(
        failed.map(({ error, hour }) => [hour, error]),
        [[H10, "LandingError.Conflict"]]
      )
      assert.deepEqual(yield* keysOf(target), [key, "2025-11-10_11.jsonl"].sort())
      assert.deepEqual(yield* bytesOf(target, key), before)
    })
  )

  it.scopedLive("leaves a newer version in the target, which names the source's", () =>
    Effect.gen(function* () {
      const [source, target] = [yield* memory, yield* memory]
      const key = yield* land(source, { at: H10, lines: LINES })
      const { lineset = "" } = yield* metadataOf(source, key)
      yield* land(target, { at: H10, lines: [event("z")], replaces: [lineset] })
      const found = yield* copy(source, target)
      assert.deepEqual([found.skipped, found.exitCode], [[H10], 0])
      // The other way round, the source is newer, and nothing is overwritten.
      assert.equal((yield* copy(target, source)).exitCode, 8)
    })
  )

  it.scopedLive("copies no object that is not what its metadata say", () =>
    Effect.gen(function* () {
      for (const format of ["jsonl", "jsonl.gz"] as const) {
        const [own, target] = [yield* memory, yield* memory]
        yield* land(own, { at: H10, lines: LINES })
        yield* land(own, { at: H11, lines: LINES })
        const wrong: Store = {
          ...own,
          get: (key) =>
            key === "2025-11-10_10.jsonl"
              ? Stream.make(Buffer.from(LINES.join("").replace("a", "x")))
              : own.get(key)
        }
        const { copied, exitCode, failed } = yield* copy(wrong, target, { format })
        assert.deepEqual([copied, exitCode], [[H11], 8])
        assert.match(failed[0]?.message ?? "", /2025-11-10_10\.jsonl.*not what its metadata say/)
        assert.deepEqual(yield* keysOf(target), [`2025-11-10_11.${format}`])
      }
    })
  )

  it.scopedLive("refuses the lake of another Amplitude project", () =>
    Effect.gen(function* () {
      const [source, target] = [yield* memory, yield* memory]
      yield* land(source, { at: H10, lines: LINES })
      yield* land(target, { at: H11, lines: LINES, project: "78" })
      const error = yield* Effect.flip(copy(source, target))
      assert.equal(`${error._tag}.${error.reason}`, "LandingError.OtherProject")
      assert.deepEqual(yield* keysOf(target), ["2025-11-10_11.jsonl"])
    })
  )

  it.scopedLive("writes and reads nothing in a dry run", () =>
    Effect.gen(function* () {
      const calls: Array<ObjectStorageMemory.ObjectStorageCall> = []
      const [source, target] = [yield* memory, yield* ObjectStorageMemory.make({ calls })]
      yield* land(source, { at: H10, lines: LINES })
      const found = yield* copy(source, target, { dryRun: true })
      assert.deepEqual([found.copied, found.dryRun, found.exitCode], [[H10], true, 0])
      assert.deepEqual([...new Set(calls.map(({ method }) => method))], ["list"])
    })
  )

  it.scopedLive("refuses to copy a lake to itself", () =>
    Effect.gen(function* () {
      const source = yield* memory
      const error = yield* Effect.flip(copy(source, source))
      assert.equal(`${error._tag}.${error.reason}`, "ObjectStorageError.Misconfigured")
    })
  )

  it.scopedLive("copies hours of other pipelines as they are", () =>
    Effect.gen(function* () {
      const [source, target] = [yield* memory, yield* memory]
      const names = ["77_2025-11-10_10#0.json", "77_2025-11-10_10#1.json"]
      for (const key of names) {
        const bytes = Buffer.from(event(key))
        const object = { key, size: bytes.length, sha256: sha256Of(bytes), metadata: {} }
        yield* source.put({ ...object, body: Stream.make(bytes) })
      }
      const found = yield* copy(source, target, { format: "jsonl.gz", layout: "hive" })
      assert.deepEqual([found.copied, found.unverified, found.exitCode], [[H10], [H10], 0])
      assert.deepEqual(yield* keysOf(target), names)
      // A killed run had copied only one of both.
      yield* target.remove(names[1] ?? "")
      assert.deepEqual((yield* copy(source, target)).copied, [H10])
      assert.deepEqual((yield* copy(source, target)).skipped, [H10])
    })
  )

  it.scopedLive(
    "takes an open conflict over, and a decision, by what the target calls the object",
    () =>
      Effect.gen(function* () {
        const [source, target] = [yield* memory, yield* memory]
        const key = yield* land(source, { at: H10, lines: LINES })
        const { etag } = Option.getOrThrow(yield* source.head(key))
        const print = yield* fingerprintOf([{ key, etag }])
        const empty = { size: 0, sha256: sha256Of(Buffer.from("")), body: Stream.empty }
        for (const [folderOf, lineset] of [
          ["conflicts", "00000000000a"],
          ["conflicts", "00000000000b"],
          ["resolved", "00000000000b"]
        ] as const) {
          const name = markKey(folderOf, `${H10}--${lineset}--${print}`)
          yield* source.put({ key: name, ...empty, metadata: { keep: "store" } })
        }
        const found = yield* copy(source, target, { format: "jsonl.gz" })
        assert.deepEqual([found.exitCode, found.records, found.conflicts.length], [8, 3, 1])
        const there = yield* Effect.provideService(takeLake(target), ObjectStorage, target)
        const now = Option.getOrThrow(yield* target.head(`${key}.gz`)).etag
        const renamed = yield* fingerprintOf([{ key, etag: now }])
        assert.notEqual(renamed, print)
        assert.deepEqual(
          there.conflicts.map(({ name }) => name),
          [`${H10}--00000000000a--${renamed}`]
        )
        const conflict = markKey("conflicts", there.conflicts[0]?.name ?? "")
        assert.equal((yield* metadataOf(target, conflict))["keys"], `${key}.gz`)
      })
  )

  it.live.runIf(isLong)("ends in the same lake wherever it was interrupted", () =>
    Effect.promise(() =>
      fc.assert(
        fc.asyncProperty(
          fc.array(fc.array(fc.integer({ min: 0, max: 9 }), { maxLength: 4 }), {
            minLength: 1,
            maxLength: 5
          }),
          fc.constantFrom<Format>("jsonl", "jsonl.gz"),
          fc.constantFrom<Layout>("hourly", "hive"),
          fc.integer({ min: 1, max: 30 }),
          async (hours, format, layout, failAt) =>
            Effect.runPromise(
              Effect.gen(function* () {
                const [source, target] = [yield* memory, yield* memory]
                for (const [index, ids] of hours.entries()) {
                  const lines = ids.map((id) => event(String(id)))
                  yield* land(source, { at: `2025-11-10T0${index}`, lines })
                }
                let calls = 0
                // From some call on the target answers no more, before or after it has put.
                const failing = <A, E>(self: Effect.Effect<A, E>, path: string) =>
                  Effect.suspend(() => {
                    calls += 1
                    const error = new ObjectStorageError({
                      reason: "Unavailable",
                      method: "put",
                      path,
                      detail: "gone"
                    })
                    if (calls < failAt) return self
                    return calls === failAt && failAt % 2 === 0
                      ? Effect.zipRight(self, error)
                      : Effect.fail(error)
                  })
                const dying: Store = {
                  ...target,
                  put: (object, options) => failing(target.put(object, options), object.key),
                  head: (key) => failing(target.head(key), key)
                }
                yield* Effect.ignore(copy(source, dying, { format, layout }))
                const found = yield* copy(source, target, { format, layout })
                assert.equal(found.exitCode, 0)
                const keys = hours.map((_, index) =>
                  hourKey(hour(`2025-11-10T0${index}`), layout, format)
                )
                assert.deepEqual(yield* keysOf(target), keys.sort())
                for (const key of keys) {
                  const was = hourKey(
                    hour(`2025-11-10T0${/(?:_|hour=)0(\d)/.exec(key)?.[1]}`),
                    "hourly",
                    "jsonl"
                  )
                  assert.equal(yield* plainOf(target, key), yield* plainOf(source, was))
                }
              })
            )
        ),
        { numRuns: 40, seed: 24 }
      )
    )
  )
})
