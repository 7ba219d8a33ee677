import assert from "node:assert/strict"
import { describe, it } from "@effect/vitest"
import { Effect, Layer, Option, Stream } from "effect"
import * as ArchiveFolderMemory from "../../../src/layers/memory/ArchiveFolderMemory.ts"
import type * as ObjectStorageMemory from "../../../src/layers/memory/ObjectStorageMemory.ts"
import { cleanLeftovers, type CleanOptions } from "../../../src/programs/clean/cleanLeftovers.ts"
import { allHours, fetchHours } from "../../../src/programs/runPipeline.ts"
import { ArchiveFolder } from "../../../src/services/ArchiveFolder.ts"
import {
  ObjectStorage,
  ObjectStorageError,
  type UnfinishedUpload
} from "../../../src/services/ObjectStorage.ts"
import { Window } from "../../../src/services/Window.ts"
import { event, hour, keysOf, makeWorld, runOptions } from "../../fixtures/world.ts"

const [H20, H21, H22] = ["2025-11-10T20", "2025-11-10T21", "2025-11-10T22"] as const
const HOURS = { [H20]: [event("a")], [H21]: [event("b")], [H22]: [event("c")] }
const keyOf = (text: string) => `${text.replace("T", "_")}.jsonl`
const NOW = Date.parse("2025-11-12T12:00:00Z")
const DAY = 24 * 3_600_000

const clean = Effect.fn(function* (more: Partial<CleanOptions> = {}) {
  const options = {
    dryRun: false,
    concurrency: 4,
    abortUploads: false,
    retries: 0,
    ...more
  }
  return yield* cleanLeftovers(options)
})

const archiveOf = (days: number) => `2025-10-${days}T00--2025-10-${days}T23.zip`

const upload = (id: string, age: number, more: Partial<UnfinishedUpload> = {}) => ({
  id,
  key: keyOf(H22),
  path: `memory:${id}`,
  touched: NOW - age,
  size: 10,
  isOrphan: false,
  ...more
})

const fatesOf = (cleaning: Effect.Effect.Success<ReturnType<typeof clean>>) =>
  Object.fromEntries(cleaning.leftovers.map(({ fate, path }) => [path, fate]))

/** H20 is in store and staging, H21 with another event in the store, H22 in staging only. */
const staged = Effect.fn(function* (store: ObjectStorageMemory.ObjectStorageMemoryOptions = {}) {
  const world = yield* makeWorld({
    amplitude: { hours: HOURS },
    store,
    staging: { objects: { "2025-11-10_19.jsonl": Buffer.from("theirs") } }
  })
  yield* Effect.provide(fetchHours(runOptions(H20, H22)), world.layer)
  const other = yield* makeWorld({ amplitude: { hours: { ...HOURS, [H21]: [event("z")] } } })
  yield* Effect.provide(allHours(runOptions(H20, H21)), other.layer)
  for (const key of [keyOf(H20), keyOf(H21)]) {
    const { size, metadata } = Option.getOrThrow(yield* other.store.head(key))
    const sha256 = metadata["sha256"] ?? ""
    yield* world.store.put({ key, size, sha256, metadata, body: other.store.get(key) })
  }
  return world
})

const isMark = (key: string) => key.startsWith(".amplitude-lake-conflicts/2025-11-10T21--")

describe("cleanLeftovers()", () => {
  it.effect(
    "holds staged hours against the store: the same go, others are moved, new ones stay",
    () =>
      Effect.gen(function* () {
        const { layer, staging, store } = yield* staged()
        const before = [yield* keysOf(staging), yield* keysOf(store)]
        const planned = yield* Effect.provide(clean({ dryRun: true }), layer)
        assert.deepEqual([yield* keysOf(staging), yield* keysOf(store)], before)

        const done = yield* Effect.provide(clean(), layer)
        assert.deepEqual(fatesOf(done), {
          [keyOf(H20)]: "removed",
          [keyOf(H21)]: "moved",
          [keyOf(H22)]: "kept",
          "2025-11-10_19.jsonl": "kept"
        })
        assert.deepEqual([planned.leftovers, planned.freed], [done.leftovers, done.freed])
        assert.deepEqual([planned.exitCode, done.exitCode], [8, 8])
        const keys = yield* keysOf(staging)
        assert.equal(keys.length, 3)
        const copy = keys.find((key) => key.startsWith("failed_uploads/")) ?? ""
        assert.equal(yield* Stream.mkString(Stream.decodeText(staging.get(copy))), event("b"))
        const landed = yield* keysOf(store)
        assert.equal(landed.filter(isMark).length, 1)
        assert.deepEqual(
          landed.filter((key) => !isMark(key)),
          before[1]
        )

        const again = yield* Effect.provide(clean(), layer)
        assert.deepEqual([again.exitCode, again.freed], [0, 0])
      })
  )

  it.effect("leaves a staged file that was changed", () =>
    Effect.gen(function* () {
      const world = yield* staged()
      const key = keyOf(H20)
      const { metadata } = Option.getOrThrow(yield* world.staging.head(key))
      yield* world.staging.remove(key)
      const sha256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
      yield* world.staging.put({ key, size: 0, sha256, metadata, body: Stream.empty })
      const done = yield* Effect.provide(clean(), world.layer)
      assert.equal(fatesOf(done)[key], "failed")
      assert.equal(done.exitCode, 8)
      assert.ok((yield* keysOf(world.staging)).includes(key))
    })
  )

  it.effect("removes nothing on the word of a store that does not last", () =>
    Effect.gen(function* () {
      const { layer, staging, store } = yield* staged()
      const before = yield* keysOf(staging)
      const done = yield* clean().pipe(
        Effect.provideService(ObjectStorage, { ...store, isDurable: false }),
        Effect.provide(layer)
      )
      assert.ok(done.leftovers.every(({ fate }) => fate === "kept"))
      assert.deepEqual(yield* keysOf(staging), before)
    })
  )

  it.effect("drops spooled archives whose hours have landed, unless they are to be kept", () =>
    Effect.gen(function* () {
      const world = yield* staged()
      const save = (first: string, last: string) =>
        Effect.scoped(
          world.spool.save(
            {
              identity: `of-${first}`,
              window: new Window({ first: hour(first), last: hour(last) }),
              askedAt: 1
            },
            Stream.make(new Uint8Array(7)),
            Option.none()
          )
        )
      yield* save(H20, H21)
      yield* save(H21, H22)
      const spooled = Effect.map(world.spool.survey, ({ archives }) =>
        archives.map(({ window }) => String(window))
      )
      yield* Effect.provide(clean(), Layer.merge(ArchiveFolderMemory.layer(), world.layer))
      yield* Effect.provide(clean({ dryRun: true }), world.layer)
      assert.equal((yield* spooled).length, 2)
      const done = yield* Effect.provide(clean(), world.layer)
      assert.deepEqual(yield* spooled, [`${H21}..${H22}`])
      const fates = done.leftovers.filter(({ kind }) => kind === "spooled").map((it) => it.fate)
      assert.deepEqual(fates.sort(), ["kept", "removed"])
    })
  )

  it.effect("removes kept archives that are older than archiveDays", () =>
    Effect.gen(function* () {
      const { layer } = yield* staged()
      const { service, kept } = yield* ArchiveFolderMemory.makeTest
      for (const days of [29, 31]) {
        kept.set(archiveOf(days), { bytes: new Uint8Array(5), writtenAt: NOW - days * DAY })
      }
      kept.set("holiday.zip", { bytes: new Uint8Array(5), writtenAt: 0 })
      const left = () => [...kept.keys()]
      const cleaning = (more: Partial<CleanOptions>) =>
        clean(more).pipe(Effect.provideService(ArchiveFolder, service), Effect.provide(layer))
      yield* cleaning({})
      yield* cleaning({ archiveDays: 30, dryRun: true })
      assert.equal(left().length, 3)
      const done = yield* cleaning({ archiveDays: 30 })
      assert.equal(fatesOf(done)[`memory:${archiveOf(31)}`], "removed")
      assert.equal(done.freed, 5)
      assert.deepEqual(left(), [archiveOf(29), "holiday.zip"])
    })
  )

  it.effect("lists uploads that were idle for a day, and aborts hours' only when told to", () =>
    Effect.gen(function* () {
      const uploads = [
        upload("old", DAY + 1),
        upload("young", DAY - 1),
        upload("other's", 9 * DAY, { key: "video.mp4" }),
        upload("orphan", 0, { key: undefined, isOrphan: true })
      ]
      const { layer, store } = yield* staged({ uploads })
      const left = Effect.map(
        Stream.runCollect(store.unfinished?.list(NOW) ?? Stream.empty),
        (found) => [...found].map(({ id }) => id)
      )
      const fates = (more: Partial<CleanOptions>) =>
        Effect.map(Effect.provide(clean(more), layer), (found) =>
          Object.fromEntries(
            found.leftovers
              .filter(({ kind }) => kind === "upload")
              .map(({ fate, path }) => [path.slice(7), fate])
          )
        )
      assert.deepEqual(yield* fates({ dryRun: true, abortUploads: true }), {
        old: "removed",
        orphan: "removed"
      })
      assert.equal((yield* left).length, 4)
      assert.deepEqual(yield* fates({}), { old: "kept", orphan: "removed" })
      assert.deepEqual(yield* fates({ abortUploads: true }), { old: "removed" })
      assert.deepEqual(yield* left, ["young", "other's"])
    })
  )

  it.effect("needs the permission to list uploads only to remove them", () =>
    Effect.gen(function* () {
      const denied = new ObjectStorageError({
        reason: "AccessDenied",
        method: "list",
        path: "memory:",
        detail: "Allow it"
      })
      const failures = ({ key }: ObjectStorageMemory.ObjectStorageCall) =>
        key === "uploads" ? Option.some(denied) : Option.none()
      const world = yield* makeWorld({
        amplitude: { hours: {} },
        store: { uploads: [upload("old", 2 * DAY)], failures }
      })
      assert.equal((yield* Effect.provide(clean(), world.layer)).exitCode, 0)
      const asked = yield* Effect.provide(clean({ abortUploads: true }), world.layer)
      assert.deepEqual([asked.exitCode, asked.leftovers[0]?.fate], [7, "failed"])
    })
  )
})
