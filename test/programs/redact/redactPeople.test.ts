import assert from "node:assert/strict"
import { gunzipSync } from "node:zlib"
import { describe, it } from "@effect/vitest"
import { Chunk, Context, Effect, Layer, Logger, LogLevel, Option, Stream } from "effect"
import * as ArchiveFilesMemory from "../../../src/layers/memory/ArchiveFilesMemory.ts"
import * as ArchiveFolderMemory from "../../../src/layers/memory/ArchiveFolderMemory.ts"
import * as WarehouseMemory from "../../../src/layers/memory/WarehouseMemory.ts"
import { verifyHours } from "../../../src/programs/inspect/verifyHours.ts"
import { loadHours } from "../../../src/programs/load/loadHours.ts"
import { takeLake } from "../../../src/programs/plan/inventory.ts"
import type { People } from "../../../src/programs/redact/People.ts"
import { redactPeople, type RedactOptions } from "../../../src/programs/redact/redactPeople.ts"
import { relandHours } from "../../../src/programs/reland/relandHours.ts"
import { resolveConflict } from "../../../src/programs/resolve/resolveConflict.ts"
import {
  allHours,
  fetchHours,
  recheckWindow,
  syncHours
} from "../../../src/programs/runPipeline.ts"
import { Amplitude } from "../../../src/services/Amplitude.ts"
import { ArchiveFiles } from "../../../src/services/ArchiveFiles.ts"
import { ArchiveFolder } from "../../../src/services/ArchiveFolder.ts"
import { ObjectStorage } from "../../../src/services/ObjectStorage.ts"
import { Spool } from "../../../src/services/Spool.ts"
import { Staging } from "../../../src/services/Staging.ts"
import { Unpacker } from "../../../src/services/Unpacker.ts"
import { Warehouse } from "../../../src/services/Warehouse.ts"
import { Window } from "../../../src/services/Window.ts"
import { objectOf } from "../../contracts/objectStorage.ts"
import { hour, keysOf, makeWorld, runOptions, textOf } from "../../fixtures/world.ts"
import { realStores } from "../../fixtures/realStores.ts"

type Store = ObjectStorage["Type"]
const [H20, H21, H22] = ["2025-11-10T20", "2025-11-10T21", "2025-11-10T22"] as const
const [KEY20, KEY21] = ["2025-11-10_20.jsonl", "2025-11-10_21.jsonl"] as const
const GZIP = "dt=2025-11-10/hour=22/events.jsonl.gz"
const PREFIX = "events/"

const line = (uuid: string, user: string) => `{"uuid":"${uuid}","user_id":"${user}"}\n`
const [ADA, GRACE] = [line("a", "ada"), line("g", "grace")]
const HOURS = {
  [H20]: [line("b", "grace")],
  // The only one of an hour, and parts of another.
  [H21]: [ADA],
  [H22]: [ADA + GRACE, line("h", "grace") + line("c", "ada")]
}

const ada: People = {
  userIds: new Set(["ada"]),
  amplitudeIds: new Set(),
  deviceIds: new Set()
}
const quiet = Logger.withMinimumLogLevel(LogLevel.None)
const redact = (options: RedactOptions = { apply: true }, people = ada) =>
  quiet(redactPeople(people, { retries: 0, ...options }))

/** Three hours in two forms. */
const landed = Effect.fn("landed")(function* (given?: Store) {
  const world = yield* makeWorld({ amplitude: { hours: HOURS } })
  const store = given ?? world.store
  const layer = Layer.merge(world.layer, Layer.succeed(ObjectStorage, store))
  yield* Effect.provide(allHours(runOptions(H20, H21)), layer)
  const zipped = runOptions(H22, H22, { layout: "hive", format: "jsonl.gz" })
  yield* Effect.provide(allHours(zipped), layer)
  return { world, store, staging: world.staging, layer }
}, quiet)

const stores = {
  memory: Effect.succeed(undefined),
  ...realStores(PREFIX)
}

const plainOf = (store: Store, key: string) =>
  Effect.map(Stream.runCollect(store.get(key)), (chunks) => {
    const bytes = Buffer.concat(Chunk.toReadonlyArray(chunks))
    return String(key.endsWith(".gz") ? gunzipSync(bytes) : bytes)
  })

/** Everything that a store holds, as text. */
const everything = (store: Store) =>
  Effect.flatMap(keysOf(store), (keys) =>
    Effect.map(
      Effect.forEach(keys, (key) => plainOf(store, key)),
      (texts) => texts.join("")
    )
  )

const metadataOf = (store: Store, key: string) =>
  Effect.map(store.head(key), (head) => Option.getOrThrow(head).metadata)

const counts = (found: Effect.Effect.Success<ReturnType<typeof redact>>) =>
  found.found.map(({ fate, lines, place }) => `${place} ${lines} ${fate}`).sort()

describe("redactPeople()", () => {
  for (const [name, makeStore] of Object.entries(stores)) {
    it.scopedLive(
      `counts, then removes one person's lines from ${name}, and a warehouse follows`,
      () =>
        Effect.gen(function* () {
          const { layer, store } = yield* landed(yield* makeStore)
          const warehouse = Layer.succeed(Warehouse, yield* WarehouseMemory.make())
          const load = loadHours({ prefix: PREFIX, retries: 0 }).pipe(
            Effect.provide(Layer.merge(layer, warehouse)),
            quiet
          )
          assert.deepEqual((yield* load).loaded, [H20, H21, H22])
          const before = yield* metadataOf(store, GZIP)

          const counted = yield* Effect.provide(redact({}), layer)
          assert.deepEqual([counted.applied, counted.exitCode], [false, 3])
          assert.deepEqual(counts(counted), ["store 1 found", "store 2 found"])
          assert.deepEqual(counted.searched.objects, 3)
          assert.equal(counted.searched.lines, 6)
          assert.deepEqual(yield* metadataOf(store, GZIP), before)

          const done = yield* Effect.provide(redact(), layer)
          assert.deepEqual([done.failed, done.exitCode], [[], 0])
          assert.deepEqual(counts(done), ["store 1 rewritten", "store 2 rewritten"])
          assert.equal(yield* plainOf(store, KEY20), HOURS[H20].join(""))
          assert.equal(yield* plainOf(store, KEY21), "")
          assert.equal(yield* plainOf(store, GZIP), GRACE + line("h", "grace"))
          const after = yield* metadataOf(store, GZIP)
          assert.deepEqual(
            [after["redacted"], after["replaces"], after["events"], after["parts"]],
            ["2", before["lineset"], "2", "2"]
          )
          assert.deepEqual(yield* keysOf(store), [KEY20, KEY21, GZIP])

          const again = yield* Effect.provide(redact(), layer)
          assert.deepEqual([again.found, again.exitCode], [[], 0])
          const loaded = yield* load
          assert.deepEqual([loaded.replaced, loaded.exitCode], [[H21, H22], 0])
          const verified = yield* Effect.provide(verifyHours(), layer)
          assert.deepEqual([verified.verified.length, verified.exitCode], [3, 0])
          const recheck = yield* Effect.provide(recheckWindow(runOptions(H20, H22)), layer)
          assert.deepEqual([recheck.skipped.length, recheck.exitCode], [3, 0])
        }).pipe(quiet)
    )
  }

  it.effect(
    "is followed by a warehouse also twice, and after a replacement, between two loads",
    () =>
      Effect.gen(function* () {
        const { layer, store, world } = yield* landed()
        const warehouse = Layer.succeed(Warehouse, yield* WarehouseMemory.make())
        const load = Effect.provide(loadHours({ retries: 0 }), Layer.merge(layer, warehouse))
        yield* load
        const grace: People = { ...ada, userIds: new Set(["grace"]) }
        yield* Effect.provide(redact(), layer)
        yield* Effect.provide(redact({ apply: true }, grace), layer)
        const { redacted, replaces } = yield* metadataOf(store, GZIP)
        assert.deepEqual([redacted, replaces?.split(",").length], ["4", 2])
        assert.equal(yield* plainOf(store, GZIP), "")
        const twice = yield* load
        assert.deepEqual([twice.replaced, twice.exitCode], [[H20, H21, H22], 0])

        const late = yield* makeWorld({ amplitude: { hours: HOURS } })
        yield* Effect.provide(allHours(runOptions(H20)), late.layer)
        const other = Layer.succeed(Warehouse, yield* WarehouseMemory.make())
        const loadLate = Effect.provide(loadHours({ retries: 0 }), Layer.merge(late.layer, other))
        yield* loadLate
        const changed = yield* late.of({ hours: { [H20]: [ADA + GRACE] } })
        const reland = relandHours({ start: hour(H20), end: hour(H20), user: "ops", retries: 0 })
        assert.equal((yield* Effect.provide(reland, changed.layer)).replaced.length, 1)
        assert.deepEqual(counts(yield* Effect.provide(redact(), late.layer)), ["store 1 rewritten"])
        const followed = yield* loadLate
        assert.deepEqual([followed.replaced, followed.exitCode], [[H20], 0])
        const same = yield* Effect.provide(reland, changed.layer)
        assert.deepEqual([same.redacted, same.exitCode], [[H20], 0])
        assert.ok(world.calls.every(({ method }) => method !== "remove"))
      }).pipe(quiet)
  )

  it.effect(
    "searches staging, refused copies, what was replaced, the spool and kept archives",
    () =>
      Effect.gen(function* () {
        const { layer, staging, store, world } = yield* landed()
        // A replaced version, a staged hour, and a copy of one that was refused.
        const changed = yield* world.of({ hours: { ...HOURS, [H21]: [GRACE] } })
        const reland = relandHours({ start: hour(H21), end: hour(H21), user: "ops", retries: 0 })
        yield* Effect.provide(reland, changed.layer)
        const [H18, H19] = ["2025-11-10T18", "2025-11-10T19"]
        const more = yield* world.of({ hours: { [H18]: [ADA + GRACE], [H19]: [ADA] } })
        yield* Effect.provide(fetchHours(runOptions(H18, H19)), more.layer)
        yield* store.put(objectOf("2025-11-10_19.jsonl", GRACE))
        const synced = yield* Effect.provide(syncHours(runOptions()), more.layer)
        assert.equal(synced.exitCode, 8)
        yield* Effect.provide(
          fetchHours(runOptions("2025-11-10T17")),
          yield* Effect.map(
            world.of({ hours: { "2025-11-10T17": [ADA + GRACE] } }),
            (it) => it.layer
          )
        )
        // An archive with the person in the spool, and one without; both are kept, too.
        const archives = yield* ArchiveFolderMemory.makeTest
        const spool = yield* Effect.provide(Spool, layer)
        for (const [at, text] of [
          [H20, HOURS[H20]],
          [H22, HOURS[H22]]
        ] as const) {
          const { layer: asked } = yield* world.of({ hours: { [at]: text } })
          yield* archiveOf(at, archives.service).pipe(Effect.scoped, Effect.provide(asked))
        }
        const files = Object.fromEntries(
          [...archives.kept].map(([name, file]) => [`memory:${name}`, file])
        )
        const all = Layer.mergeAll(
          layer,
          Layer.succeed(ArchiveFolder, archives.service),
          Layer.effect(ArchiveFiles, ArchiveFilesMemory.make(files))
        )
        const expected = [
          "archive 2 removed",
          "refused 1 rewritten",
          "replaced 1 rewritten",
          "spooled 2 removed",
          "staged 1 rewritten",
          "store 1 rewritten",
          "store 2 rewritten"
        ]
        const counted = yield* Effect.provide(redact({}), all)
        assert.deepEqual(
          counts(counted),
          expected.map((it) => it.replace(/rewritten|removed/, "found"))
        )
        const done = yield* Effect.provide(redact(), all)
        assert.deepEqual([done.failed, done.unsearched, done.exitCode], [[], [], 0])
        assert.deepEqual(counts(done), expected)
        assert.deepEqual([archives.kept.size, (yield* spool.survey).archives.length], [1, 1])
        for (const place of [store, staging]) {
          assert.doesNotMatch(yield* everything(place), /ada/)
        }
        // The staged hour still lands, with what was removed from it.
        yield* Effect.provide(syncHours(runOptions()), layer)
        const landedLate = yield* metadataOf(store, "2025-11-10_17.jsonl")
        assert.deepEqual([landedLate["redacted"], landedLate["events"]], ["1", "1"])
        assert.deepEqual(counts(yield* Effect.provide(redact(), all)), [])
      }).pipe(quiet)
  )

  it.effect("leaves and names what is not this lake's, or no hour's", () =>
    Effect.gen(function* () {
      const { layer, staging, store, world } = yield* landed()
      const nowhere = yield* makeWorld({
        amplitude: { hours: { "2025-11-10T17": [ADA] }, project: "999" },
        store: { prefix: "other/" },
        beside: { staging, spool: world.spool }
      })
      yield* Effect.provide(fetchHours(runOptions("2025-11-10T17")), nowhere.layer)
      yield* store.put(objectOf("notes.txt", ADA))
      const done = yield* Effect.provide(redact(), layer)
      assert.deepEqual(
        done.unsearched.map(({ path }) => path),
        ["memory: 2025-11-10_17.jsonl", "memory: notes.txt"]
      )
      assert.equal(yield* textOf(store, "notes.txt"), ADA)
      assert.equal(yield* textOf(staging, "2025-11-10_17.jsonl"), ADA)
    }).pipe(quiet)
  )

  it.effect("rewrites hours of other pipelines, and names them for the warehouse", () =>
    Effect.gen(function* () {
      const parts = ["77_2025-11-10_10#0.json", "77_2025-11-10_10#1.json"]
      const world = yield* makeWorld({
        amplitude: { hours: {} },
        store: {
          objects: { [parts[0] ?? ""]: Buffer.from(ADA), [parts[1] ?? ""]: Buffer.from(GRACE) }
        }
      })
      const done = yield* Effect.provide(redact(), world.layer)
      assert.deepEqual([done.unverified, done.exitCode], [["2025-11-10T10"], 0])
      assert.equal(yield* everything(world.store), GRACE)
    })
  )

  it.effect("rewrites no object that is not what its metadata say", () =>
    Effect.gen(function* () {
      const { layer, store } = yield* landed()
      const { etag, metadata } = Option.getOrThrow(yield* store.head(KEY21))
      const edited = objectOf(KEY21, ADA + ADA, metadata)
      assert.ok(yield* store.put(edited, { replacing: etag }))
      const done = yield* Effect.provide(redact(), layer)
      assert.deepEqual(
        [done.failed.map(({ error }) => error), done.exitCode],
        [["ObjectStorageError.Corrupt"], 8]
      )
      assert.equal(yield* textOf(store, KEY21), ADA + ADA)
      assert.equal(yield* plainOf(store, GZIP), GRACE + line("h", "grace"))
    })
  )

  it.effect("keeps what people decided about the objects that it rewrites", () =>
    Effect.gen(function* () {
      const { layer, store, world } = yield* landed()
      const other = yield* world.of({ hours: { ...HOURS, [H21]: [line("x", "grace")] } })
      const third = yield* world.of({ hours: { ...HOURS, [H21]: [line("y", "grace")] } })
      const recheck = (it: typeof other) => Effect.provide(recheckWindow(runOptions(H21)), it.layer)
      assert.equal((yield* recheck(other)).exitCode, 8)
      const keep = resolveConflict(hour(H21), { keep: "store", user: "ops", retries: 0 })
      yield* Effect.provide(keep, other.layer)
      assert.equal((yield* recheck(third)).exitCode, 8)
      yield* Effect.provide(redact(), layer)
      // Decided before, and open before.
      const lake = yield* takeLake(store)
      assert.equal(lake.conflicts.length, 1)
      yield* Effect.provide(keep, third.layer)
      assert.deepEqual((yield* takeLake(store)).conflicts, [])
      for (const it of [other, third]) {
        const again = yield* recheck(it)
        assert.deepEqual([again.skipped, again.exitCode], [[H21], 0])
      }
    }).pipe(quiet)
  )

  it.effect("keeps a choice between two versions, and rewrites both", () =>
    Effect.gen(function* () {
      const { layer, store } = yield* landed()
      const second = "dt=2025-11-10/hour=21/events.jsonl"
      yield* store.put(objectOf(second, ADA + GRACE))
      const choose = resolveConflict(hour(H21), { keep: KEY21, user: "ops", retries: 0 })
      yield* Effect.provide(choose, layer)
      yield* Effect.provide(redact(), layer)
      const { conflicts, superseded } = yield* takeLake(store)
      assert.deepEqual([conflicts, superseded.length], [[], 1])
      assert.doesNotMatch(yield* everything(store), /ada/)
    }).pipe(quiet)
  )

  it.effect("goes on where it was killed at any call", () =>
    Effect.gen(function* () {
      for (let calls = 0; ; calls++) {
        const { layer, store } = yield* landed()
        const load = Effect.provide(
          loadHours({ retries: 0 }),
          Layer.merge(layer, Layer.succeed(Warehouse, yield* WarehouseMemory.make()))
        )
        yield* load
        let left = calls
        let isKilled = false
        const counted = <A, E>(call: Effect.Effect<A, E>): Effect.Effect<A, E> =>
          Effect.suspend(() => {
            isKilled ||= left === 0
            left -= 1
            return isKilled ? Effect.die("killed") : call
          })
        const dying: Store = {
          ...store,
          put: (object, more) => counted(store.put(object, more)),
          head: (key) => counted(store.head(key))
        }
        const machine = Layer.merge(layer, Layer.succeed(ObjectStorage, dying))
        yield* Effect.exit(Effect.provide(redact({ apply: true, concurrency: 1 }), machine))
        const done = yield* Effect.provide(redact(), layer)
        assert.deepEqual([done.failed, done.exitCode], [[], 0])
        assert.doesNotMatch(yield* everything(store), /ada/)
        assert.equal((yield* metadataOf(store, GZIP))["redacted"], "2")
        const followed = yield* load
        assert.deepEqual([followed.replaced, followed.exitCode], [[H21, H22], 0])
        if (!isKilled) return
      }
    }).pipe(quiet)
  )

  it.effect("meets another one, and an upload of the same lines, at the same time", () =>
    Effect.gen(function* () {
      const { layer, staging, store } = yield* landed()
      const beside = yield* makeWorld({ amplitude: { hours: HOURS } })
      yield* fetchHours(runOptions(H21, H22)).pipe(
        Effect.provide(Layer.merge(beside.layer, Layer.succeed(Staging, staging)))
      )
      const [one, other, sync] = yield* Effect.all(
        [redact(), redact(), quiet(syncHours(runOptions()))],
        { concurrency: "unbounded" }
      ).pipe(Effect.provide(layer))
      assert.deepEqual([one.failed, other.failed, sync.exitCode], [[], [], 0])
      assert.equal((yield* Effect.provide(redact(), layer)).exitCode, 0)
      for (const place of [store, staging]) assert.doesNotMatch(yield* everything(place), /ada/)
      assert.equal((yield* metadataOf(store, GZIP))["redacted"], "2")
    }).pipe(quiet)
  )

  it.effect("sees what another run lands or replaces meanwhile", () =>
    Effect.gen(function* () {
      const { layer, store } = yield* landed()
      let isOver = false
      const meeting: Store = {
        ...store,
        put: (object, more) =>
          Effect.gen(function* () {
            if (more?.replacing !== undefined && !isOver) {
              isOver = true
              yield* Effect.orDie(store.put(objectOf("2025-11-10_23.jsonl", ADA)))
              const kept = `.amplitude-lake-replaced/${KEY20}.00000000000a`
              yield* Effect.orDie(store.put(objectOf(kept, ADA + GRACE)))
            }
            return yield* store.put(object, more)
          })
      }
      const done = yield* redact().pipe(
        Effect.provide(Layer.merge(layer, Layer.succeed(ObjectStorage, meeting)))
      )
      assert.equal(done.found.length, 4)
      assert.doesNotMatch(yield* everything(store), /ada/)
    })
  )

  it.effect("puts nothing that has other lines than it should", () =>
    Effect.gen(function* () {
      const { layer, store } = yield* landed()
      const inner = yield* Effect.provide(Unpacker, layer)
      // As if a line more had been lost on the way.
      const losing = Unpacker.of({
        ...inner,
        cut: (path, body, format) => inner.cut(path, body, format, [0, 1, 3])
      })
      const before = yield* plainOf(store, GZIP)
      const done = yield* redact().pipe(
        Effect.provide(Layer.merge(layer, Layer.succeed(Unpacker, losing)))
      )
      assert.deepEqual(
        done.failed.map(({ path }) => path),
        [`memory: ${GZIP}`]
      )
      assert.equal(yield* plainOf(store, GZIP), before)
    }).pipe(quiet)
  )

  it.effect("puts nothing that is not what was read without the lines that were found", () =>
    Effect.gen(function* () {
      const { layer, store } = yield* landed()
      const wrong = Layer.map(layer, (context) => {
        const unpacker = Context.get(context, Unpacker)
        return Context.add(context, Unpacker, {
          ...unpacker,
          // As many lines, but each time the one beside it.
          cut: (path, body, format, numbers) =>
            unpacker.cut(
              path,
              body,
              format,
              numbers.map((number) => number ^ 1)
            )
        })
      })
      yield* Effect.provide(redact(), wrong)
      assert.equal(yield* plainOf(store, GZIP), HOURS[H22].join(""))
    })
  )

  it.effect("overwrites no object that somebody changes meanwhile", () =>
    Effect.gen(function* () {
      const { layer, store } = yield* landed()
      const newer = line("n", "grace")
      const { etag } = Option.getOrThrow(yield* store.head(KEY21))
      let isOver = false
      // As many lines as were searched, so that only the ETag tells.
      const change = Effect.suspend(() => {
        if (isOver) return Effect.void
        isOver = true
        return Effect.orDie(store.put(objectOf(KEY21, newer), { replacing: etag }))
      })
      const meeting: Store = {
        ...store,
        get: (key) =>
          key === KEY21
            ? Stream.concat(store.get(key), Stream.drain(Stream.fromEffect(change)))
            : store.get(key)
      }
      const done = yield* redact().pipe(
        Effect.provide(Layer.merge(layer, Layer.succeed(ObjectStorage, meeting)))
      )
      assert.ok(isOver)
      assert.deepEqual([done.failed, done.exitCode], [[], 0])
      assert.equal(yield* textOf(store, KEY21), newer)
    })
  )
})

/** An archive of an hour, in the spool and kept. */
const archiveOf = Effect.fnUntraced(function* (at: string, folder: ArchiveFolder["Type"]) {
  const amplitude = yield* Amplitude
  const spool = yield* Spool
  const window = new Window({ first: hour(at), last: hour(at) })
  const answer = yield* Effect.orDie(amplitude.export(window))
  const { bytes, size } = Option.getOrThrow(answer.archive)
  const name = { identity: amplitude.identity, window, askedAt: Date.parse("2025-11-12T12:00:00Z") }
  const saved = yield* Effect.orDie(spool.save(name, bytes, size))
  yield* Effect.orDie(folder.keep(saved, true))
})
