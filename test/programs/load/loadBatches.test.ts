import assert from "node:assert/strict"
import { describe, it } from "@effect/vitest"
import { Effect, Layer, Logger, LogLevel, Option, Runtime, Stream } from "effect"
import * as ClockFixed from "../../../src/layers/clock/ClockFixed.ts"
import * as ObjectStorageMemory from "../../../src/layers/memory/ObjectStorageMemory.ts"
import * as SpoolMemory from "../../../src/layers/memory/SpoolMemory.ts"
import * as AmplitudeSynthetic from "../../../src/layers/synthetic/AmplitudeSynthetic.ts"
import * as UnpackerZip from "../../../src/layers/unpack/UnpackerZip.ts"
import { loadHours, type LoadOptions } from "../../../src/programs/load/loadHours.ts"
import { allHours } from "../../../src/programs/runPipeline.ts"
import { ObjectStorage } from "../../../src/services/ObjectStorage.ts"
import { Staging } from "../../../src/services/Staging.ts"
import { Warehouse } from "../../../src/services/Warehouse.ts"
import { snowflakeAccount } from "../../fixtures/snowflake/account.ts"
import type { SqlRequest } from "../../fixtures/snowflake/server.ts"
import { hour as hourOf, runOptions } from "../../fixtures/world.ts"

const PREFIX = "events/"
const FIRST = "2025-11-10T10"
const HOURS = Array.from({ length: 8 }, (_, index) => `2025-11-10T${10 + index}`)
const BAD = "2025-11-10T15"

const isLoad = ({ kind, statement }: SqlRequest) =>
  kind === "submit" && statement.includes("COPY INTO")

/** Eight landed hours, and a Snowflake whose stage is their store. */
const landed = Effect.gen(function* () {
  const store = yield* ObjectStorageMemory.make({ prefix: PREFIX })
  const runtime = yield* Effect.runtime()
  const objectAt = (name: string) =>
    Runtime.runPromise(runtime)(
      Effect.gen(function* () {
        const key = name.slice(PREFIX.length)
        const head = yield* store.head(key)
        if (Option.isNone(head)) return undefined
        const chunks = yield* Stream.runCollect(store.get(key))
        return { bytes: Buffer.concat([...chunks]), etag: head.value.etag }
      })
    )
  const { server, warehouse } = yield* snowflakeAccount({ objectAt })
  const layers = Layer.mergeAll(
    AmplitudeSynthetic.layer({ seed: 1, eventsPerHour: 20 }),
    ClockFixed.layer(Date.parse("2025-11-12T12:00:00Z")),
    Layer.succeed(ObjectStorage, store),
    Layer.effect(Staging, ObjectStorageMemory.make()),
    SpoolMemory.layer(),
    UnpackerZip.layer(),
    Layer.succeed(Warehouse, warehouse)
  )
  yield* Effect.provide(allHours(runOptions(FIRST, HOURS.at(-1))), layers)
  const load = (options: LoadOptions = {}) =>
    Effect.provide(loadHours({ prefix: PREFIX, retryBase: "1 millis", ...options }), layers)
  const counted = (table: string) =>
    Effect.map(
      Effect.promise(() => server.sessions.behind(`select count(*)::int as rows from ${table}`)),
      ([row]) => row?.["rows"]
    )
  return { store, server, load, counted }
})

/** Lets an object's metadata announce a line too many. */
const spoil = Effect.fn(function* (store: ObjectStorage["Type"], key: string) {
  const head = Option.getOrThrow(yield* store.head(key))
  const chunks = yield* Stream.runCollect(store.get(key))
  const events = String(Number(head.metadata["events"]) + 1)
  yield* store.remove(key)
  yield* store.put({
    key,
    size: head.size,
    sha256: head.metadata["sha256"] ?? "",
    metadata: { ...head.metadata, events },
    body: Stream.make(Buffer.concat([...chunks]))
  })
})

describe("loadHours() into a warehouse that loads hours together", () => {
  it.scopedLive("loads all hours in one transaction, once", () =>
    Effect.gen(function* () {
      const { counted, load, server } = yield* landed
      const [first, again] = [yield* load(), yield* load()]
      assert.deepEqual([first.loaded, first.exitCode], [HOURS, 0])
      assert.deepEqual([again.loaded, again.skipped, again.exitCode], [[], HOURS, 0])
      assert.equal(server.requests.filter(isLoad).length, 1)
      assert.equal(yield* counted("events_raw"), first.events)
      assert.equal(yield* counted("loads"), HOURS.length)
      assert.equal(yield* counted("calendar where state = 'landed'"), HOURS.length)
    }).pipe(Logger.withMinimumLogLevel(LogLevel.None))
  )

  it.scopedLive(
    "halves the hours until the wrong one is alone, names it and loads the others",
    () =>
      Effect.gen(function* () {
        const { counted, load, server, store } = yield* landed
        yield* spoil(store, `${BAD.replace("T", "_")}.jsonl`)
        const found = yield* load()
        assert.deepEqual(
          found.loaded,
          HOURS.filter((it) => it !== BAD)
        )
        const [failed, ...others] = found.failed
        assert.deepEqual([failed?.hour, failed?.error, others], [BAD, "WarehouseError.Differs", []])
        assert.match(failed?.message ?? "", /2025-11-10T15 has \d+ lines for the \d+ that were/)
        assert.equal(found.exitCode, 8)
        // Eight, four, four, two, two, one, one.
        assert.equal(server.requests.filter(isLoad).length, 7)
        assert.equal(yield* counted("events_raw"), found.events)
        assert.equal(yield* counted("loads"), HOURS.length - 1)
      }).pipe(Logger.withMinimumLogLevel(LogLevel.None))
  )

  it.scopedLive("loads the hours once if the answer is lost", () =>
    Effect.gen(function* () {
      const { counted, load, server } = yield* landed
      let isLost = false
      server.setPlan((request) => {
        if (isLost || !isLoad(request)) return undefined
        isLost = true
        return { do: "lose" }
      })
      const found = yield* load()
      assert.deepEqual([found.loaded, found.retries, found.exitCode], [HOURS, 1, 0])
      assert.equal(yield* counted("events_raw"), found.events)
    }).pipe(Logger.withMinimumLogLevel(LogLevel.None))
  )

  it.scopedLive("ends the run if Snowflake refuses, and exits with 7", () =>
    Effect.gen(function* () {
      const { counted, load, server } = yield* landed
      server.setPlan((request) =>
        isLoad(request)
          ? { do: "answer", status: 422, code: "003001", message: "Insufficient privileges" }
          : undefined
      )
      const found = yield* load()
      assert.deepEqual(
        [found.loaded, found.error?.error, found.exitCode],
        [[], "WarehouseError.AccessDenied", 7]
      )
      assert.equal(yield* counted("loads"), 0)
    }).pipe(Logger.withMinimumLogLevel(LogLevel.None))
  )

  it.scopedLive("replaces one hour alone that a person names", () =>
    Effect.gen(function* () {
      const { counted, load, server } = yield* landed
      yield* load()
      yield* Effect.promise(() => server.sessions.behind("delete from events_raw where line = 1"))
      const found = yield* load({ replace: hourOf(BAD) })
      assert.deepEqual([found.replaced, found.exitCode], [[BAD], 0])
      assert.equal(yield* counted("events_raw where line = 1"), 1)
    }).pipe(Logger.withMinimumLogLevel(LogLevel.None))
  )
})
