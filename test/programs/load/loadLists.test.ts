import assert from "node:assert/strict"
import { describe, it } from "@effect/vitest"
import { Effect, Layer, Option } from "effect"
import * as WarehouseMemory from "../../../src/layers/memory/WarehouseMemory.ts"
import { loadHours, type LoadOptions } from "../../../src/programs/load/loadHours.ts"
import { planLoad } from "../../../src/programs/load/planLoad.ts"
import { Shard } from "../../../src/programs/plan/Shard.ts"
import { allHours } from "../../../src/programs/runPipeline.ts"
import { referenceStreams, type ReferenceStream } from "../../../src/services/Amplitude.ts"
import { referenceKey } from "../../../src/services/LakeMark.ts"
import { ObjectStorageError } from "../../../src/services/ObjectStorage.ts"
import { type ReferenceList, Warehouse, WarehouseError } from "../../../src/services/Warehouse.ts"
import { objectOf, sha256Of } from "../../fixtures/newObject.ts"
import { event, hour, makeWorld, passTime, runOptions } from "../../fixtures/world.ts"

const H21 = "2025-11-10T21"
const DAYS = ["2025-11-09", "2025-11-10", "2025-11-11"] as const
const EVENTS = ['{"value":"a","totals":9007199254740993}', '{"value":"b"}']

interface Put {
  readonly text?: string
  readonly metadata?: Readonly<Record<string, string>>
}

/** A lake with one landed hour, and with the lists that are put, and a warehouse in memory. */
const lakeWith = Effect.fn(function* ({
  hours = [H21],
  isGone = () => false
}: {
  readonly hours?: ReadonlyArray<string>
  /** Whether the store does not answer for a key. */
  readonly isGone?: (key: string) => boolean
} = {}) {
  const world = yield* makeWorld({
    amplitude: { hours: { [H21]: [event("a")] } },
    store: {
      failures: ({ key, method }) =>
        method === "get" && isGone(key)
          ? Option.some(
              new ObjectStorageError({ reason: "Unavailable", method, path: key, detail: "gone" })
            )
          : Option.none()
    }
  })
  const depot = yield* WarehouseMemory.makeTest
  const provided = (warehouse: Warehouse["Type"]) =>
    Layer.merge(world.layer, Layer.succeed(Warehouse, warehouse))
  const layer = provided(depot.service)
  for (const it of hours) yield* passTime(Effect.provide(allHours(runOptions(it)), layer))
  const put = (date: string, stream: ReferenceStream, { metadata = {}, text }: Put = {}) => {
    const content =
      text ?? `{ "${referenceStreams[stream].field}" : [${stream === "events" ? EVENTS : ""}] }`
    const object = objectOf(referenceKey(date, stream), content)
    const { sha256 } = object
    const records = stream === "events" ? "2" : "0"
    return world.store.put({ ...object, metadata: { stream, records, sha256, ...metadata } })
  }
  const load = (options: LoadOptions = {}, warehouse = depot.service) =>
    Effect.provide(
      passTime(loadHours({ prefix: "events/", retries: 1, ...options })),
      provided(warehouse)
    )
  const plan = (options: LoadOptions = {}) => Effect.provide(planLoad(options), layer)
  /** The names of the loaded lists. */
  const loaded = () => [...depot.lists.keys()].sort()
  return { ...world, ...depot, put, load, plan, loaded }
})

/** A warehouse that waits before it loads a list. */
const delayed = (
  service: Warehouse["Type"],
  wait: (list: ReferenceList) => Effect.Effect<void>
): Warehouse["Type"] => ({
  ...service,
  open: (to) =>
    Effect.map(service.open(to), (open) => ({
      ...open,
      loadList: (list, entries) => Effect.zipRight(wait(list), open.loadList(list, entries))
    }))
})

describe("loadHours() and lists", () => {
  it.effect("loads each list of the store once, after its hours", () =>
    Effect.gen(function* () {
      const lake = yield* lakeWith()
      yield* lake.put("2025-11-10", "events")
      yield* lake.put("2025-11-10", "annotations")
      lake.calls.length = 0
      const found = yield* lake.load()
      assert.deepEqual([found.loaded, found.exitCode], [[H21], 0])
      assert.deepEqual(found.lists, { loaded: 2, skipped: 0, postponed: 0, failed: [] })
      assert.deepEqual(lake.lists.get("2025-11-10/events")?.entries, EVENTS)
      const row = lake.lists.get("2025-11-10/events")?.row
      assert.deepEqual(
        { ...row },
        {
          date: "2025-11-10",
          stream: "events",
          key: "events/.amplitude-lake-reference/2025-11-10/events.json",
          entries: 2,
          sha256: sha256Of(Buffer.from(`{ "data" : [${EVENTS}] }`)),
          loadedAt: Date.parse("2025-11-12T12:00:00Z")
        }
      )
      assert.deepEqual(
        lake.calls.flatMap(({ key, method }) =>
          key === "" || key.startsWith(".") ? [`${method} ${key.split("/").at(-1)}`] : []
        ),
        [
          "list ",
          "head annotations.json",
          "get annotations.json",
          "head events.json",
          "get events.json"
        ]
      )

      lake.calls.length = 0
      const again = yield* lake.load()
      assert.deepEqual(again.lists, { loaded: 0, skipped: 2, postponed: 0, failed: [] })
      assert.deepEqual([again.loaded, again.exitCode], [[], 0])
      assert.deepEqual(
        lake.calls.map(({ method }) => method),
        ["list"]
      )
    })
  )

  it.effect("says and asks nothing of lists where the store has none", () =>
    Effect.gen(function* () {
      const lake = yield* lakeWith()
      const blind: Warehouse["Type"] = {
        ...lake.service,
        open: (to) =>
          Effect.map(lake.service.open(to), (open) => ({ ...open, lists: Effect.die("asked") }))
      }
      const found = yield* lake.load({}, blind)
      assert.deepEqual([found.loaded, found.lists], [[H21], undefined])
      assert.equal("lists" in (yield* lake.plan()), false)
    })
  )

  const wrong: ReadonlyArray<readonly [what: string, put: Put, problem: RegExp]> = [
    [
      "whose bytes are others",
      { metadata: { sha256: "0".repeat(64) } },
      /its SHA-256 is [0-9a-f]{64} instead of 0{64}$/
    ],
    [
      "with another number of entries",
      { metadata: { records: "3" } },
      /has 2 entries instead of 3$/
    ],
    ["whose metadata say nothing", { metadata: { records: "" } }, /has 2 entries instead of $/],
    ["that is no list", { text: '{"data":{}}' }, /no JSON with a list under "data"$/]
  ]
  for (const [what, put, problem] of wrong) {
    it.effect(`loads nothing of a list ${what}, and the hours and lists beside it`, () =>
      Effect.gen(function* () {
        const lake = yield* lakeWith()
        yield* lake.put("2025-11-10", "events", put)
        yield* lake.put("2025-11-11", "events")
        const found = yield* lake.load()
        assert.deepEqual([found.loaded, found.exitCode], [[H21], 8])
        assert.deepEqual([found.lists?.loaded, found.lists?.failed.length], [1, 1])
        const [failed] = found.lists?.failed ?? []
        assert.deepEqual(
          [failed?.date, failed?.stream, failed?.error],
          ["2025-11-10", "events", "LoadError.Differs"]
        )
        assert.match(failed?.message ?? "", problem)
        assert.match(
          failed?.message ?? "",
          /2025-11-10\/events\.json" is not what its metadata say/
        )
        assert.deepEqual(lake.loaded(), ["2025-11-11/events"])
      })
    )
  }

  it.effect("loads no list without metadata, and does not read it", () =>
    Effect.gen(function* () {
      const lake = yield* lakeWith()
      const key = referenceKey("2025-11-10", "events")
      yield* lake.store.put({ ...objectOf(key, "{}"), metadata: {} })
      lake.calls.length = 0
      const found = yield* lake.load()
      assert.match(found.lists?.failed[0]?.message ?? "", /no number of records and no SHA-256$/)
      assert.equal(found.exitCode, 8)
      assert.ok(lake.calls.every(({ key: of, method }) => method !== "get" || of !== key))
    })
  )

  it.effect("tries a list again, and loads the others if the store does not answer for it", () =>
    Effect.gen(function* () {
      const key = referenceKey("2025-11-10", "events")
      const lake = yield* lakeWith({ isGone: (it) => it === key })
      yield* lake.put("2025-11-10", "events")
      yield* lake.put("2025-11-11", "events")
      const found = yield* lake.load()
      assert.deepEqual(
        found.lists?.failed.map(({ date, error }) => [date, error]),
        [["2025-11-10", "ObjectStorageError.Unavailable"]]
      )
      assert.deepEqual([found.exitCode, found.retries], [3, 1])
      assert.deepEqual(lake.loaded(), ["2025-11-11/events"])
    })
  )

  it.effect("loads the lists of the dates, and of the shard, that are named", () =>
    Effect.gen(function* () {
      const lake = yield* lakeWith()
      for (const day of DAYS) yield* lake.put(day, "events")
      const loadedBy = (options: LoadOptions) =>
        Effect.map(lake.load(options), () => {
          const found = lake.loaded().map((it) => it.slice(0, 10))
          lake.lists.clear()
          return found
        })
      const [ninth, tenth, eleventh] = DAYS
      assert.deepEqual(yield* loadedBy({}), DAYS)
      assert.deepEqual(yield* loadedBy({ start: hour(H21) }), [tenth, eleventh])
      assert.deepEqual(yield* loadedBy({ end: hour("2025-11-10T00") }), [ninth, tenth])
      assert.deepEqual(yield* loadedBy({ start: hour(H21), end: hour(H21) }), [tenth])
      assert.deepEqual(yield* loadedBy({ yesterday: true }), [eleventh])
      const shards = yield* Effect.forEach([1, 2], (shard) =>
        loadedBy({ shard: new Shard({ shard, shards: 2 }) })
      )
      assert.deepEqual(shards.flat().sort(), DAYS)
      assert.ok(shards.every(({ length }) => length > 0))
    })
  )

  it.effect("leaves lists alone where an hour is replaced", () =>
    Effect.gen(function* () {
      const lake = yield* lakeWith()
      yield* lake.put("2025-11-10", "events")
      const found = yield* lake.load({ replace: hour(H21) })
      assert.deepEqual([found.loaded, found.lists], [[H21], undefined])
      assert.deepEqual(lake.loaded(), [])
    })
  )

  it.effect("loads no list of a store without hours, which no warehouse holds yet", () =>
    Effect.gen(function* () {
      const lake = yield* lakeWith({ hours: [] })
      yield* lake.put("2025-11-10", "events")
      assert.equal((yield* lake.load()).lists, undefined)
      assert.deepEqual(lake.loaded(), [])
    })
  )

  it.effect("takes nothing else below the folder of lists for a list", () =>
    Effect.gen(function* () {
      const lake = yield* lakeWith()
      for (const name of [
        "2025-02-30/events",
        "2025-11-10/other",
        "2025-11-10/x/events",
        "x/events"
      ]) {
        yield* lake.store.put(objectOf(`.amplitude-lake-reference/${name}.json`, "{}"))
      }
      assert.equal((yield* lake.load()).lists, undefined)
    })
  )

  it.effect("leaves lists that it does not reach in its longest duration for the next run", () =>
    Effect.gen(function* () {
      const lake = yield* lakeWith()
      for (const day of DAYS) yield* lake.put(day, "events")
      const slow = delayed(lake.service, ({ date }) =>
        date === "2025-11-10" ? Effect.interruptible(Effect.sleep("1 hour")) : Effect.void
      )
      const found = yield* lake.load({ maxDuration: "1 minute" }, slow)
      assert.deepEqual(found.lists, { loaded: 1, skipped: 0, postponed: 2, failed: [] })
      assert.equal(found.exitCode, 0)
      assert.deepEqual(lake.loaded(), ["2025-11-09/events"])
      const named = { start: hour("2025-11-10T00"), end: hour("2025-11-11T00") }
      assert.equal((yield* lake.load({ maxDuration: "1 minute", ...named }, slow)).exitCode, 3)
    })
  )

  it.effect("counts a list once that is committed just as the time is over", () =>
    Effect.gen(function* () {
      const lake = yield* lakeWith()
      for (const day of DAYS) yield* lake.put(day, "events")
      const slow = delayed(lake.service, () => Effect.sleep("61 seconds"))
      const found = yield* lake.load({ maxDuration: "1 minute" }, slow)
      assert.deepEqual(found.lists, { loaded: 1, skipped: 0, postponed: 2, failed: [] })
      assert.deepEqual(lake.loaded(), ["2025-11-09/events"])
    })
  )

  it.effect("ends at a warehouse that takes no list, with its hours loaded", () =>
    Effect.gen(function* () {
      const lake = yield* lakeWith()
      for (const day of DAYS) yield* lake.put(day, "events")
      const [reason, method, path] = ["Misconfigured", "load", "here"] as const
      const old: Warehouse["Type"] = {
        ...lake.service,
        open: (to) =>
          Effect.map(lake.service.open(to), (open) => ({
            ...open,
            loadList: () => new WarehouseError({ reason, method, path, detail: "no table" })
          }))
      }
      const found = yield* lake.load({}, old)
      assert.deepEqual([found.loaded, found.exitCode], [[H21], 3])
      assert.equal(found.error?.error, "WarehouseError.Misconfigured")
    })
  )

  it.effect("says what it would load", () =>
    Effect.gen(function* () {
      const lake = yield* lakeWith()
      yield* lake.put("2025-11-09", "events")
      const [date, stream] = ["2025-11-09", "events"] as const
      assert.deepEqual((yield* lake.plan()).lists, [{ date, stream }])
      yield* lake.load()
      yield* lake.put("2025-11-10", "cohorts")
      assert.deepEqual((yield* lake.plan()).lists, [{ date: "2025-11-10", stream: "cohorts" }])
      assert.equal((yield* lake.plan({ end: hour("2025-11-09T23") })).lists, undefined)
    })
  )
})
