import assert from "node:assert/strict"
import { createHash } from "node:crypto"
import { gzipSync } from "node:zlib"
import { describe, it } from "@effect/vitest"
import { Deferred, Effect, Fiber, Layer, Option, Stream } from "effect"
import type { ObjectStorageMemoryOptions } from "../../../src/layers/memory/ObjectStorageMemory.ts"
import * as WarehouseMemory from "../../../src/layers/memory/WarehouseMemory.ts"
import { loadHours, type LoadOptions } from "../../../src/programs/load/loadHours.ts"
import type { LoadSummary } from "../../../src/programs/load/LoadSummary.ts"
import { resolveConflict } from "../../../src/programs/resolve/resolveConflict.ts"
import { allHours } from "../../../src/programs/runPipeline.ts"
import { Hour } from "../../../src/services/Hour.ts"
import { ObjectStorage, ObjectStorageError } from "../../../src/services/ObjectStorage.ts"
import { Warehouse, WarehouseError } from "../../../src/services/Warehouse.ts"
import { event, hour, makeWorld, passTime, runOptions } from "../../fixtures/world.ts"

const [H20, H21, H22] = ["2025-11-10T20", "2025-11-10T21", "2025-11-10T22"] as const
const HOURS = { [H20]: [event("a")], [H21]: [event("b") + event("c")], [H22]: [] }
const keyOf = (text: string, format = "jsonl") => `${text.replace("T", "_")}.${format}`
const part = (clock: number, number = 0) => `123456_2025-11-10_${clock}#${number}.json`

/** A lake with three landed hours, of which the last has no events, and a warehouse in memory. */
const landed = Effect.fn(function* (
  store: ObjectStorageMemoryOptions = {},
  format: "jsonl" | "jsonl.gz" = "jsonl"
) {
  const world = yield* makeWorld({ amplitude: { hours: HOURS }, store })
  const depot = yield* WarehouseMemory.makeTest
  const layer = Layer.merge(world.layer, Layer.succeed(Warehouse, depot.service))
  yield* passTime(Effect.provide(allHours(runOptions(H20, H22, { format })), layer))
  world.calls.length = 0
  const load = (options: LoadOptions = {}) =>
    Effect.provide(passTime(loadHours({ prefix: "events/", ...options })), layer)
  const ledger = Effect.scoped(Effect.flatMap(depot.service.open("read"), ({ loads }) => loads))
  return { ...world, ...depot, layer, load, ledger }
})
type Lake = Effect.Effect.Success<ReturnType<typeof landed>>

/** Where a warehouse was loaded from, as it says. */
const placeOf = ({ service }: Pick<Lake, "service">) =>
  Effect.scoped(Effect.flatMap(service.open("read"), ({ lake }) => lake)).pipe(
    Effect.map((it) => Option.getOrUndefined(it)?.place)
  )

/** Puts other bytes, or other metadata, in the place of an object. */
const replaceObject = Effect.fn(function* (
  { store }: Pick<Lake, "store">,
  key: string,
  {
    metadata,
    text
  }: { readonly text?: string; readonly metadata?: Record<string, string> | undefined }
) {
  const head = Option.getOrThrow(yield* store.head(key))
  const old = yield* Stream.mkString(Stream.decodeText(store.get(key)))
  yield* store.remove(key)
  const bytes = Buffer.from(text ?? old)
  yield* store.put({
    key,
    size: bytes.length,
    sha256: createHash("sha256").update(bytes).digest("hex"),
    metadata: metadata === undefined ? head.metadata : { ...head.metadata, ...metadata },
    body: Stream.make(bytes)
  })
})

const linesOf = ({ lines }: Pick<Lake, "lines">) =>
  Object.fromEntries([...lines].map(([it, texts]) => [it, texts.join("\n")]))

const LINES = { [H20]: event("a").trim(), [H21]: `${event("b")}${event("c")}`.trim(), [H22]: "" }

describe("loadHours()", () => {
  for (const format of ["jsonl", "jsonl.gz"] as const) {
    it.effect(`loads every landed hour of ${format} with what it was loaded from`, () =>
      Effect.gen(function* () {
        const lake = yield* landed({}, format)
        const found = yield* lake.load({ version: "9.9.9" })
        assert.deepEqual([found.loaded, found.exitCode], [[H20, H21, H22], 0])
        assert.deepEqual([found.events, found.window], [3, { first: H20, last: H22 }])
        assert.deepEqual(linesOf(lake), LINES)
        const [, row] = yield* lake.ledger
        const { etag, metadata } = Option.getOrThrow(yield* lake.store.head(keyOf(H21, format)))
        assert.deepEqual(
          [row?.key, row?.format, row?.etag, row?.sha256, row?.lineset, row?.events],
          [`events/${keyOf(H21, format)}`, format, etag, metadata["sha256"], metadata["lineset"], 2]
        )
        assert.deepEqual([row?.landedBy, row?.loadedBy], ["0.0.0-test", "9.9.9"])
      })
    )
  }

  it.effect("loads no hour twice, and makes no request for an hour that is loaded", () =>
    Effect.gen(function* () {
      const lake = yield* landed()
      yield* lake.load()
      lake.calls.length = 0
      const found = yield* lake.load()
      assert.deepEqual([found.loaded, found.skipped, found.exitCode], [[], [H20, H21, H22], 0])
      assert.deepEqual(
        lake.calls.map(({ method }) => method),
        ["list"]
      )
      assert.deepEqual(linesOf(lake), LINES)
    })
  )

  it.effect("loads only the hours between its dates", () =>
    Effect.gen(function* () {
      const lake = yield* landed()
      assert.deepEqual((yield* lake.load({ start: hour(H21), end: hour(H21) })).loaded, [H21])
      assert.deepEqual((yield* lake.load({ end: hour(H21) })).loaded, [H20])
      assert.deepEqual((yield* lake.load({ start: hour(H22) })).loaded, [H22])
    })
  )

  it.effect("loads nothing of an object that is not what its metadata say", () =>
    Effect.gen(function* () {
      const lake = yield* landed()
      yield* replaceObject(lake, keyOf(H20), { text: event("z"), metadata: {} })
      yield* replaceObject(lake, keyOf(H21), { metadata: { malformed: "1" } })
      yield* replaceObject(lake, keyOf(H22), { metadata: { hour: H20 } })
      const found = yield* lake.load()
      assert.deepEqual([found.loaded, found.exitCode], [[], 8])
      assert.deepEqual(
        found.failed.map(({ error, hour: of }) => [of, error]),
        [H20, H21, H22].map((it) => [it, "LoadError.Differs"])
      )
      assert.match(found.failed[0]?.message ?? "", /2025-11-10_20\.jsonl" is not what its metadata/)
      assert.deepEqual(yield* lake.ledger, [])
    })
  )

  it.effect("loads nothing of a broken gzip file, and the hours beside it", () =>
    Effect.gen(function* () {
      const lake = yield* landed({}, "jsonl.gz")
      yield* replaceObject(lake, keyOf(H21, "jsonl.gz"), { text: "not gzip", metadata: {} })
      const found = yield* lake.load()
      assert.deepEqual([found.loaded, found.exitCode], [[H20, H22], 8])
      assert.equal(found.failed[0]?.error, "UnpackerError.Corrupt")
    })
  )

  it.effect("tries again where a body breaks off, and loads it once", () =>
    Effect.gen(function* () {
      const lake = yield* landed({
        failures: ({ count, key, method }) =>
          method === "get" && key === keyOf(H21) && count <= 2
            ? Option.some(
                new ObjectStorageError({ reason: "Unavailable", method, path: key, detail: "gone" })
              )
            : Option.none()
      })
      const found = yield* lake.load()
      assert.deepEqual([found.loaded, found.retries, found.exitCode], [[H20, H21, H22], 2, 0])
      assert.deepEqual(linesOf(lake), LINES)
    })
  )

  it.effect("names an object that cannot be read, and loads the others", () =>
    Effect.gen(function* () {
      const lake = yield* landed({
        failures: ({ key, method }) =>
          method === "get" && key === keyOf(H21)
            ? Option.some(
                new ObjectStorageError({ reason: "AccessDenied", method, path: key, detail: "no" })
              )
            : Option.none()
      })
      const found = yield* lake.load()
      assert.deepEqual([found.loaded, found.exitCode], [[H20, H22], 7])
      assert.deepEqual(
        found.failed.map(({ hour: of }) => of),
        [H21]
      )
    })
  )

  it.effect("replaces what an object says that it replaces", () =>
    Effect.gen(function* () {
      const lake = yield* landed()
      yield* lake.load()
      const [, before] = yield* lake.ledger
      const text = event("new")
      const sha256 = createHash("sha256").update(text).digest("hex")
      const fresh = yield* landedAs(text)
      yield* replaceObject(lake, keyOf(H21), {
        text,
        metadata: { ...fresh, sha256, replaces: before?.lineset ?? "", redacted: "1" }
      })
      const found = yield* lake.load()
      assert.deepEqual([found.replaced, found.loaded, found.exitCode], [[H21], [], 0])
      assert.deepEqual(linesOf(lake), { ...LINES, [H21]: text.trim() })
      const [, after] = yield* lake.ledger
      assert.notEqual(after?.loadId, before?.loadId)
      assert.equal(after?.redacted, 1)
    })
  )

  it.effect("removes the lines of an hour that was emptied by redaction", () =>
    Effect.gen(function* () {
      const lake = yield* landed()
      yield* lake.load()
      const [, before] = yield* lake.ledger
      const emptied = { ...(yield* landedAs("")), replaces: before?.lineset ?? "" }
      yield* replaceObject(lake, keyOf(H21), { text: "", metadata: emptied })
      assert.equal((yield* lake.load()).differing.length, 1)
      yield* replaceObject(lake, keyOf(H21), { text: "", metadata: { redacted: "2" } })
      const found = yield* lake.load()
      assert.deepEqual([found.replaced, found.exitCode], [[H21], 0])
      assert.deepEqual(linesOf(lake), { ...LINES, [H21]: "" })
      const [, after] = yield* lake.ledger
      assert.deepEqual([after?.events, after?.redacted], [0, 2])
    })
  )

  it.effect("loads an hour that had no events when it has some", () =>
    Effect.gen(function* () {
      const lake = yield* landed()
      yield* lake.load()
      const text = event("late")
      yield* replaceObject(lake, keyOf(H22), { text, metadata: yield* landedAs(text) })
      assert.deepEqual((yield* lake.load()).replaced, [H22])
      assert.deepEqual(linesOf(lake), { ...LINES, [H22]: text.trim() })
    })
  )

  it.effect("changes nothing over a conflict, names it each time, and replaces it on request", () =>
    Effect.gen(function* () {
      const lake = yield* landed()
      yield* lake.load()
      const text = event("other")
      const other = yield* landedAs(text)
      yield* replaceObject(lake, keyOf(H21), { text, metadata: other })
      for (let time = 0; time < 2; time++) {
        const found = yield* lake.load()
        assert.equal(found.exitCode, 8)
        const [conflict] = found.differing
        assert.deepEqual([conflict?.hour, conflict?.keys], [H21, [`events/${keyOf(H21)}`]])
        assert.deepEqual(conflict?.store, { events: 1, lineset: other["lineset"] })
        assert.equal(conflict?.warehouse?.events, 2)
        assert.deepEqual(linesOf(lake), LINES)
      }
      const found = yield* lake.load({ replace: hour(H21) })
      assert.deepEqual([found.replaced, found.exitCode], [[H21], 0])
      assert.deepEqual(linesOf(lake), { ...LINES, [H21]: text.trim() })
      assert.equal((yield* lake.load()).exitCode, 0)
    })
  )

  it.effect("loads neither of two objects of one hour until one is chosen, and then that one", () =>
    Effect.gen(function* () {
      const lake = yield* landed()
      const { metadata } = Option.getOrThrow(yield* lake.store.head(keyOf(H21)))
      const key = "dt=2025-11-10/hour=21/events.jsonl"
      const bytes = Buffer.from(event("b") + event("c"))
      const size = bytes.length
      const sha256 = metadata["sha256"] ?? ""
      yield* lake.store.put({ key, size, sha256, metadata, body: Stream.make(bytes) })
      for (const options of [{}, { replace: hour(H21) }]) {
        const found = yield* lake.load(options)
        assert.deepEqual([found.differing[0]?.isUndecided, found.exitCode], [true, 8])
        assert.equal(lake.lines.has(hour(H21)), false)
      }
      const chosen = { keep: keyOf(H21), user: "ada", retries: 0 }
      yield* Effect.provide(resolveConflict(hour(H21), chosen), lake.layer)
      const found = yield* lake.load()
      assert.deepEqual([found.loaded, found.differing, found.exitCode], [[H21], [], 0])
      assert.deepEqual(linesOf(lake), LINES)
      const row = (yield* lake.ledger).find((it) => it.hour === H21)
      assert.equal(row?.key, `events/${keyOf(H21)}`)
    })
  )

  it.effect("reads an object whose ETag changed, and then makes no request for it", () =>
    Effect.gen(function* () {
      const lake = yield* landed()
      yield* lake.load()
      const lines = `${event("c")}${event("b")}`
      yield* replaceObject(lake, keyOf(H21), { text: lines, metadata: yield* landedAs(lines) })
      lake.calls.length = 0
      const found = yield* lake.load()
      assert.deepEqual([found.relabelled, found.exitCode], [[H21], 0])
      const reads = lake.calls.filter(({ method }) => method === "get")
      assert.deepEqual(
        reads.map(({ key }) => key),
        [keyOf(H21)]
      )
      assert.deepEqual((yield* lake.load()).skipped, [H20, H21, H22])
      assert.deepEqual(linesOf(lake), LINES)
    })
  )

  it.effect("does not take the metadata's word for an object that was edited by hand", () =>
    Effect.gen(function* () {
      const lake = yield* landed()
      yield* lake.load()
      yield* replaceObject(lake, keyOf(H21), { text: `${event("b")}${event("X")}` })
      const found = yield* lake.load()
      const [conflict] = found.differing
      assert.deepEqual([conflict?.hour, conflict?.store, found.exitCode], [H21, undefined, 8])
      assert.match(conflict?.problems?.join() ?? "", /lineset \w+, metadata says/)
      assert.deepEqual(linesOf(lake), LINES)
    })
  )

  it.effect("agrees again once an edited object is removed and its hour is landed again", () =>
    Effect.gen(function* () {
      const lake = yield* landed()
      yield* lake.load()
      yield* replaceObject(lake, keyOf(H21), { text: `${event("b")}${event("X")}` })
      assert.equal((yield* lake.load()).exitCode, 8)
      yield* lake.store.remove(keyOf(H21))
      yield* passTime(Effect.provide(allHours(runOptions(H21)), lake.layer))
      const found = yield* lake.load()
      assert.deepEqual([found.differing, found.exitCode], [[], 0])
      assert.deepEqual(linesOf(lake), LINES)
    })
  )

  it.effect("keeps an hour that is no longer in the store", () =>
    Effect.gen(function* () {
      const lake = yield* landed()
      yield* lake.load()
      yield* lake.store.remove(keyOf(H21))
      const found = yield* lake.load()
      assert.deepEqual([found.kept, found.exitCode], [[H21], 0])
      assert.equal(found.olderGaps?.first, H21)
      assert.equal((yield* lake.load({ end: Hour.make(H20) })).olderGaps, null)
      assert.deepEqual(linesOf(lake), LINES)
    })
  )

  it.effect(
    "leaves hours that another pipeline landed unless they are requested, parts in their order",
    () =>
      Effect.gen(function* () {
        const lake = yield* landed({
          objects: {
            [part(18, 1)]: Buffer.from(event("2")),
            [part(18)]: Buffer.from(event("1").trim()),
            [`${part(19)}.gz`]: gzipSync(event("3"))
          }
        })
        const [H18, H19] = ["2025-11-10T18", "2025-11-10T19"]
        const found = yield* lake.load()
        assert.deepEqual([found.unverified, found.exitCode], [[H18, H19], 3])
        const all = yield* lake.load({ unverified: true })
        assert.deepEqual([all.loaded, all.exitCode], [[H18, H19], 0])
        assert.equal(linesOf(lake)[H18], `${event("1")}${event("2")}`.trim())
        const [row] = yield* lake.ledger
        assert.deepEqual(
          [row?.landedBy, row?.project, row?.key],
          ["other", "123456", `events/${part(18)}\nevents/${part(18, 1)}`]
        )
        assert.deepEqual((yield* lake.load()).exitCode, 0)
      })
  )

  it.effect("is stopped by its longest duration, and goes on from there", () =>
    Effect.gen(function* () {
      const lake = yield* landed()
      const store = {
        ...lake.store,
        get: (key: string) =>
          key === keyOf(H21) ? Stream.fromEffect(Effect.never) : lake.store.get(key)
      }
      const found = yield* loadHours({ maxDuration: "10 seconds" }).pipe(
        passTime,
        Effect.provideService(ObjectStorage, store),
        Effect.provide(lake.layer)
      )
      assert.deepEqual(
        [found.loaded, found.postponed, found.failed, found.exitCode],
        [[H20], [H21, H22], [], 0]
      )
      assert.deepEqual((yield* lake.load()).loaded, [H21, H22])
    })
  )

  it.effect("postpones everything if its time is over before the warehouse is open", () =>
    Effect.gen(function* () {
      const lake = yield* landed()
      const busy = Warehouse.of({
        ...lake.service,
        open: () =>
          Effect.delay(
            new WarehouseError({ reason: "Busy", method: "open", path: "it", detail: "no" }),
            "1 second"
          )
      })
      const run = (more: LoadOptions) =>
        loadHours({ maxDuration: "2 seconds", retries: 9, ...more }).pipe(
          passTime,
          Effect.provideService(Warehouse, busy),
          Effect.provide(lake.layer)
        )
      const found = yield* run({ landed: [hour(H20), hour(H21)] })
      assert.deepEqual(
        [found.postponed, found.failed, found.error, found.exitCode],
        [[H20, H21], [], undefined, 0]
      )
      assert.equal((yield* run({ start: hour(H20) })).exitCode, 3)
    })
  )

  it.effect("says what it had loaded when it is interrupted, and leaves no half hour", () =>
    Effect.gen(function* () {
      const lake = yield* landed()
      const isReading = yield* Deferred.make<void>()
      const store = {
        ...lake.store,
        get: (key: string) =>
          key === keyOf(H21)
            ? Stream.concat(
                lake.store.get(key),
                Stream.fromEffect(
                  Effect.zipRight(Deferred.succeed(isReading, undefined), Effect.never)
                )
              )
            : lake.store.get(key)
      }
      let told: LoadSummary | undefined
      const onInterrupt = (it: LoadSummary) =>
        Effect.sync(() => {
          told = it
        })
      const fiber = yield* loadHours({ onInterrupt }).pipe(
        Effect.provideService(ObjectStorage, store),
        Effect.provide(lake.layer),
        Effect.fork
      )
      yield* Deferred.await(isReading)
      yield* Fiber.interrupt(fiber)
      assert.deepEqual([told?.loaded, told?.window], [[H20], { first: H20, last: H22 }])
      assert.deepEqual(linesOf(lake), { [H20]: LINES[H20] })
    })
  )

  it.effect("says that the warehouse is busy, and what to expect of a later run", () =>
    Effect.gen(function* () {
      const lake = yield* landed()
      const found = yield* Effect.scoped(
        Effect.zipRight(lake.service.open("load"), lake.load({ retries: 2 }))
      )
      assert.deepEqual(
        [found.exitCode, found.error?.error, found.retries],
        [5, "WarehouseError.Busy", 2]
      )
      assert.equal((yield* lake.load()).exitCode, 0)
    })
  )

  it.effect("refuses a warehouse of another project", () =>
    Effect.gen(function* () {
      const lake = yield* landed()
      yield* claimed(lake, { place: lake.store.location, project: Option.some("999") })
      const here = yield* lake.load()
      assert.deepEqual([here.loaded, here.exitCode], [[], 8])
      yield* claimed(lake, { place: "s3://elsewhere/", project: Option.some("999") })
      const found = yield* lake.load()
      assert.deepEqual([found.error?.error, found.exitCode], ["LoadError.OtherProject", 2])
      assert.deepEqual(yield* lake.ledger, [])
    })
  )

  it.effect("follows a lake to another place if its loaded hours agree, and only then", () =>
    Effect.gen(function* () {
      const lake = yield* landed()
      const elsewhere = { place: "s3://elsewhere/", project: Option.some("123456") }
      yield* lake.load()
      yield* claimed(lake, elsewhere)
      assert.deepEqual((yield* lake.load()).skipped, [H20, H21, H22])
      yield* claimed(lake, elsewhere)
      const text = event("other")
      yield* replaceObject(lake, keyOf(H21), { text, metadata: yield* landedAs(text) })
      const differing = yield* lake.load()
      assert.deepEqual([differing.error?.error, differing.exitCode], ["LoadError.OtherPlace", 8])
      assert.match(differing.error?.message ?? "", /s3:\/\/elsewhere\/.*2025-11-10T21/)
    })
  )

  it.effect("lets a warehouse without hours be loaded from anywhere", () =>
    Effect.gen(function* () {
      const lake = yield* landed()
      yield* claimed(lake, { place: "s3://elsewhere/", project: Option.some("123456") })
      assert.deepEqual((yield* lake.load()).loaded, [H20, H21, H22])
      assert.deepEqual(yield* placeOf(lake), lake.store.location)
    })
  )

  it.effect("claims no warehouse for a place without hours, which may be a typo", () =>
    Effect.gen(function* () {
      const lake = yield* landed()
      for (const { key } of yield* Stream.runCollect(lake.store.list)) yield* lake.store.remove(key)
      assert.equal((yield* lake.load()).exitCode, 0)
      assert.equal(yield* placeOf(lake), undefined)
    })
  )

  it.effect("leaves a calendar of every hour since the first landed one", () =>
    Effect.gen(function* () {
      const lake = yield* landed()
      yield* lake.store.remove(keyOf(H21))
      yield* lake.load()
      const calendar = yield* lake.calendar
      assert.deepEqual(calendar.slice(0, 3), [
        { hour: H20, state: "landed", events: 1 },
        { hour: H21, state: "gap", events: undefined },
        { hour: H22, state: "empty", events: 0 }
      ])
      assert.equal(calendar.at(-1)?.hour, "2025-11-11T23")
    })
  )

  it.effect("cannot replace an hour that the store does not have", () =>
    Effect.gen(function* () {
      const lake = yield* landed()
      const found = yield* lake.load({ replace: hour("2025-11-10T19") })
      assert.deepEqual([found.error?.error, found.exitCode], ["LoadError.NotLanded", 2])
    })
  )
})

/** The metadata that an object of these lines has once it is landed. */
const landedAs = Effect.fn(function* (text: string) {
  const world = yield* makeWorld({ amplitude: { hours: { [H21]: [text] } } })
  yield* passTime(Effect.provide(allHours(runOptions(H21)), world.layer))
  const { hour: _, ...metadata } = Option.getOrThrow(yield* world.store.head(keyOf(H21))).metadata
  return metadata
})

const claimed = (
  { service }: Pick<Lake, "service">,
  lake: { readonly place: string; readonly project: Option.Option<string> }
) => Effect.scoped(Effect.flatMap(service.open("load"), ({ claim }) => claim(lake)))
