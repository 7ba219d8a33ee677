import assert from "node:assert/strict"
import * as fs from "node:fs/promises"
import { join } from "node:path"
import { describe, it } from "@effect/vitest"
import { Effect, Layer, Option, Stream } from "effect"
import * as ObjectStorageFileSystem from "../../../src/layers/disk/ObjectStorageFileSystem.ts"
import * as ArchiveFilesMemory from "../../../src/layers/memory/ArchiveFilesMemory.ts"
import { exportArchive } from "../../../src/layers/synthetic/exportArchive.ts"
import { digestHour } from "../../../src/layers/unpack/hourDigest.ts"
import { makeUnpacker } from "../../../src/layers/unpack/makeUnpacker.ts"
import { withReader } from "../../../src/layers/unpack/reader.ts"
import { digestToDraft } from "../../../src/layers/unpack/digestToDraft.ts"
import { allHours, archivedHours } from "../../../src/programs/runPipeline.ts"
import { Amplitude } from "../../../src/services/Amplitude.ts"
import { ObjectStorage } from "../../../src/services/ObjectStorage.ts"
import { Progress } from "../../../src/services/Progress.ts"
import { Unpacker } from "../../../src/services/Unpacker.ts"
import { Window } from "../../../src/services/Window.ts"
import { objectOf } from "../../contracts/objectStorage.ts"
import { temporaryFolder } from "../../fixtures/disk.ts"
import { event, hour, makeWorld, runOptions, textOf } from "../../fixtures/world.ts"

const HOURS = ["2025-11-10T20", "2025-11-10T21", "2025-11-10T22"] as const
const keyOf = (at: string) => `${at.replace("T", "_")}.jsonl`

const unpacker = makeUnpacker(
  (archive, hour, draft) =>
    digestToDraft(draft, (file) =>
      withReader(archive, (read) => digestHour(read, { ...hour, file }))
    ),
  "fast"
)

/** A lake in a folder that has the second hour, and what is put in it: by a draft, or by a body. */
const lake = Effect.gen(function* () {
  const root = yield* temporaryFolder
  const inner = yield* ObjectStorageFileSystem.make({ root })
  yield* inner.put(objectOf(keyOf(HOURS[1]), event(HOURS[1])))
  const puts: Array<readonly [key: string, by: "draft" | "body"]> = []
  let made = 0
  let sent = 0
  const store = ObjectStorage.of({
    ...inner,
    draft: Effect.tap(inner.draft ?? Effect.die("none"), () => (made += 1)),
    put: (object, options) =>
      Effect.suspend(() => {
        puts.push([object.key, object.draft === undefined ? "body" : "draft"])
        const body = object.draft === undefined ? object.body : Stream.die("the body was read")
        return inner.put({ ...object, body }, options)
      })
  })
  const world = yield* makeWorld({
    amplitude: { hours: Object.fromEntries(HOURS.map((at) => [at, [event(at)]])) }
  })
  const zip = yield* Stream.runCollect(
    exportArchive(
      "123456",
      HOURS.map((at) => ({ hour: hour(at), number: 0, lines: Buffer.from(event(at)) }))
    )
  )
  const file = { bytes: Buffer.concat([...zip]), writtenAt: Date.parse("2025-11-12T12:00:00Z") }
  const layer = Layer.mergeAll(
    world.layer,
    Layer.succeed(ObjectStorage, store),
    Layer.succeed(Unpacker, unpacker),
    ArchiveFilesMemory.layer({ "by hand.zip": file }),
    Layer.succeed(Progress, {
      planned: () => {},
      done: () => {},
      received: () => {},
      sent: (bytes) => void (sent += bytes),
      retrying: () => () => {}
    })
  )
  const kept = Effect.promise(() =>
    fs.readdir(join(root, ".amplitude-lake/runs"), { recursive: true })
  )
  const name = {
    identity: yield* Effect.provide(
      Effect.map(Amplitude, ({ identity }) => identity),
      world.layer
    ),
    window: new Window({ first: hour(HOURS[0]), last: hour(HOURS[2]) }),
    askedAt: file.writtenAt
  }
  const spooled = Effect.scoped(world.spool.save(name, Stream.make(file.bytes), Option.none()))
  return {
    store,
    puts,
    layer,
    spooled,
    requests: world.requests,
    kept,
    counts: () => ({ made, sent })
  }
})

describe("drafts of hours", () => {
  for (const source of ["Amplitude", "an archive in the spool", "an archive file"] as const) {
    it.scoped(`become the missing hours, and no others are written, from ${source}`, () =>
      Effect.gen(function* () {
        const { counts, kept, layer, puts, requests, spooled, store } = yield* lake
        const options = runOptions(HOURS[0], HOURS[2])
        if (source === "an archive in the spool") yield* spooled
        const summary = yield* source === "an archive file"
          ? Effect.provide(archivedHours(["by hand.zip"], options), layer)
          : Effect.provide(allHours(options), layer)
        assert.equal((yield* requests).length, source === "Amplitude" ? 2 : 0)
        assert.deepEqual([summary.landed, summary.exitCode], [[HOURS[0], HOURS[2]], 0])
        const missing = [HOURS[0], HOURS[2]]
        assert.deepEqual(
          puts.sort(),
          missing.map((at) => [keyOf(at), "draft"])
        )
        for (const at of HOURS) assert.equal(yield* textOf(store, keyOf(at)), event(at))
        const bytes = missing.reduce((sum, at) => sum + event(at).length, 0)
        assert.deepEqual(counts(), { made: 2, sent: bytes })
        assert.equal((yield* kept).length, 1, "more than the run's own folder")
      })
    )
  }

  it.scoped("are done without where the store makes none", () =>
    Effect.gen(function* () {
      const { layer, puts, store } = yield* lake
      const draft = Effect.zipRight(Stream.runDrain(store.get("absent")), Effect.succeed(""))
      const summary = yield* Effect.provide(
        allHours(runOptions(HOURS[0], HOURS[2])),
        Layer.merge(layer, Layer.succeed(ObjectStorage, { ...store, draft }))
      )
      assert.equal(summary.exitCode, 0)
      assert.deepEqual(
        puts.map(([, by]) => by),
        ["body", "body"]
      )
    })
  )

  it.scoped("are done without by a store that reads what is lent, and its bytes are counted", () =>
    Effect.gen(function* () {
      const { counts, layer, store } = yield* lake
      const lending = ObjectStorage.of({
        ...store,
        draft: undefined,
        put: ({ lent = Stream.die("nothing is lent"), ...object }, options) =>
          store.put({ ...object, body: lent }, options)
      })
      const summary = yield* Effect.provide(
        allHours(runOptions(HOURS[0], HOURS[2])),
        Layer.merge(layer, Layer.succeed(ObjectStorage, lending))
      )
      assert.equal(summary.exitCode, 0)
      assert.equal(counts().sent, event(HOURS[0]).length + event(HOURS[2]).length)
      for (const at of HOURS) assert.equal(yield* textOf(store, keyOf(at)), event(at))
    })
  )
})
