import assert from "node:assert/strict"
import { describe, it } from "@effect/vitest"
import { Effect, Logger, LogLevel, Option, Stream } from "effect"
import type { ObjectStorage } from "../../../src/services/ObjectStorage.ts"
import { HOURS, snowflakeLake } from "../../fixtures/snowflake/lake.ts"
import type { SqlRequest } from "../../fixtures/snowflake/server.ts"
import { hour as hourOf } from "../../fixtures/world.ts"

const BAD = "2025-11-10T15"

const isLoad = ({ kind, statement }: SqlRequest) =>
  kind === "submit" && statement.includes("COPY INTO")

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
      const { counted, load, server } = yield* snowflakeLake
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
        const { counted, load, server, store } = yield* snowflakeLake
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
      const { counted, load, server } = yield* snowflakeLake
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
      const { counted, load, server } = yield* snowflakeLake
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
      const { counted, load, server } = yield* snowflakeLake
      yield* load()
      yield* Effect.promise(() => server.sessions.behind("delete from events_raw where line = 1"))
      const found = yield* load({ replace: hourOf(BAD) })
      assert.deepEqual([found.replaced, found.exitCode], [[BAD], 0])
      assert.equal(yield* counted("events_raw where line = 1"), 1)
    }).pipe(Logger.withMinimumLogLevel(LogLevel.None))
  )
})
