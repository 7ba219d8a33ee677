import assert from "node:assert/strict"
import { createServer } from "node:http"
import * as HttpServer from "@effect/platform/HttpServer"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import { describe, it } from "@effect/vitest"
import { Effect, Layer, Option, Redacted } from "effect"
import { exportApi } from "../../../src/cli/simulate/exportApi.ts"
import * as ClockFixed from "../../../src/layers/clock/ClockFixed.ts"
import * as AmplitudeHttp from "../../../src/layers/http/AmplitudeHttp.ts"
import * as AmplitudeMemory from "../../../src/layers/memory/AmplitudeMemory.ts"
import { takeLake } from "../../../src/programs/plan/inventory.ts"
import { takeSnapshot } from "../../../src/programs/snapshot/takeSnapshot.ts"
import { Amplitude, AmplitudeError, type ReferenceStream } from "../../../src/services/Amplitude.ts"
import { ObjectStorage } from "../../../src/services/ObjectStorage.ts"
import { sha256Of } from "../../fixtures/newObject.ts"
import { realStores } from "../../fixtures/realStores.ts"
import { keysOf, passTime, textOf } from "../../fixtures/world.ts"

const keys = { apiKey: Redacted.make("key"), secretKey: Redacted.make("secret") }

const LISTS: Readonly<Record<ReferenceStream, string>> = {
  events: '{"data":[{"value":"a","totals":9007199254740993},{"value":"b"}]}',
  cohorts: '{"cohorts":[{"id":"c1"}]}',
  annotations: '{ "data": [] }\n'
}

const keyOf = (stream: string, date = "2025-11-10") =>
  `.amplitude-lake-reference/${date}/${stream}.json`
const KEYS = ["annotations", "cohorts", "events"].map((stream) => keyOf(stream))

type Reference = NonNullable<Amplitude["Type"]["reference"]>

/** Amplitude over a real socket, and the lists that were requested. */
const makeAmplitude = Effect.fnUntraced(function* (
  answer: Reference | undefined = undefined,
  credentials = keys
) {
  const requested: Array<string> = []
  const memory = yield* AmplitudeMemory.make({ hours: {}, reference: LISTS })
  const service = Amplitude.of({
    ...memory,
    reference: (stream) =>
      Effect.suspend(() => {
        requested.push(stream)
        return (answer ?? memory.reference)?.(stream) ?? Effect.die("none")
      })
  })
  const server = createServer()
  const context = yield* Layer.build(
    HttpServer.serve(exportApi(keys)).pipe(
      Layer.provide(Layer.succeed(Amplitude, service)),
      Layer.provideMerge(NodeHttpServer.layer(() => server, { port: 0, host: "127.0.0.1" }))
    )
  )
  yield* Effect.addFinalizer(() => Effect.sync(() => server.closeAllConnections()))
  const { address } = yield* Effect.provide(HttpServer.HttpServer, context)
  assert.ok(address._tag === "TcpAddress")
  const origin = `http://127.0.0.1:${address.port}`
  return { requested, client: yield* AmplitudeHttp.make({ ...credentials, origin }) }
})

const take = (
  store: ObjectStorage["Type"],
  client: Amplitude["Type"],
  { now = "2025-11-10T23:59:59Z", retries = 0 } = {}
) =>
  takeSnapshot({ retries, retryBase: "1 second", version: "0.0.0-test" }).pipe(
    Effect.provide(
      Layer.mergeAll(
        Layer.succeed(Amplitude, client),
        Layer.succeed(ObjectStorage, store),
        ClockFixed.layer(Date.parse(now))
      )
    )
  )

const stores = realStores("lake/")

describe.each(Object.entries(stores))("takeSnapshot() into %s", (_, makeStore) => {
  it.scopedLive("stores each list of a day once, byte for byte", () =>
    Effect.gen(function* () {
      const store = yield* makeStore
      const { client, requested } = yield* makeAmplitude()
      const first = yield* take(store, client)
      assert.equal(first.date, "2025-11-10")
      assert.equal(first.exitCode, 0)
      assert.deepEqual(
        first.lists.map(({ records, state, stream }) => [stream, state, records]),
        [
          ["events", "stored", 2],
          ["cohorts", "stored", 1],
          ["annotations", "stored", 0]
        ]
      )
      assert.deepEqual(yield* keysOf(store), KEYS)
      for (const stream of ["events", "cohorts", "annotations"] as const) {
        assert.equal(yield* textOf(store, keyOf(stream)), LISTS[stream])
      }
      const { metadata } = Option.getOrThrow(yield* store.head(keyOf("events")))
      assert.deepEqual(metadata, {
        stream: "events",
        records: "2",
        sha256: sha256Of(Buffer.from(LISTS.events)),
        time: "2025-11-10T23:59:59.000Z",
        version: "0.0.0-test"
      })
      const second = yield* take(store, client)
      assert.deepEqual(
        second.lists.map(({ records, state }) => [state, records]),
        [
          ["present", 2],
          ["present", 1],
          ["present", 0]
        ]
      )
      assert.deepEqual(requested, ["events", "cohorts", "annotations"])
      yield* take(store, client, { now: "2025-11-11T00:00:00Z" })
      assert.equal((yield* keysOf(store)).length, 6)
      // No hour, and no mark.
      const lake = yield* takeLake(store)
      assert.deepEqual(
        [lake.inventory.size, lake.conflicts, lake.acceptances, lake.resolved.size],
        [0, [], [], 0]
      )
    })
  )
})

describe("takeSnapshot()", () => {
  const folder = stores["a folder"]

  it.scopedLive("stores the other lists if one is refused, and names that one", () =>
    Effect.gen(function* () {
      const store = yield* folder
      const { client } = yield* makeAmplitude((stream) =>
        stream === "cohorts"
          ? new AmplitudeError({ reason: "Forbidden", stream, status: 403, detail: "no plan" })
          : Effect.succeed(Buffer.from(LISTS[stream]))
      )
      const { exitCode, lists } = yield* take(store, client)
      const failed = lists.find(({ state }) => state === "failed")
      assert.deepEqual([failed?.stream, failed?.error], ["cohorts", "AmplitudeError.Forbidden"])
      assert.match(
        failed?.message ?? "",
        /^Cannot request the list of cohorts: Forbidden \(HTTP 403\)/
      )
      assert.equal(exitCode, 7)
      assert.deepEqual(yield* keysOf(store), [keyOf("annotations"), keyOf("events")])
    })
  )

  it.scopedLive("names each list if the keys are wrong, and stores none", () =>
    Effect.gen(function* () {
      const store = yield* folder
      const wrong = { ...keys, secretKey: Redacted.make("other") }
      const { client, requested } = yield* makeAmplitude(undefined, wrong)
      const { exitCode, lists } = yield* take(store, client)
      assert.deepEqual(
        lists.map(({ error }) => error),
        Array.from({ length: 3 }, () => "AmplitudeError.Forbidden")
      )
      assert.equal(exitCode, 7)
      assert.deepEqual(requested, [])
      assert.deepEqual(yield* keysOf(store), [])
    })
  )

  for (const [what, answer] of [
    ["no JSON", "<html>"],
    ["JSON without the list", '{"data":{}}'],
    ["half of it", '{"data":[{"value":']
  ] as const) {
    it.scopedLive(`stores nothing of an answer that is ${what}`, () =>
      Effect.gen(function* () {
        const store = yield* folder
        const { client } = yield* makeAmplitude(() => Effect.succeed(Buffer.from(answer)))
        const { exitCode, lists } = yield* take(store, client)
        assert.ok(lists.every(({ error }) => error === "AmplitudeError.Unavailable"))
        assert.equal(exitCode, 5)
        assert.deepEqual(yield* keysOf(store), [])
      })
    )
  }

  it.scoped("requests a list again by the one schedule", () =>
    Effect.gen(function* () {
      const store = yield* folder
      let calls = 0
      const memory = yield* AmplitudeMemory.make({ hours: {}, reference: LISTS })
      const client: Amplitude["Type"] = {
        ...memory,
        reference: (stream) =>
          Effect.suspend(() =>
            ++calls <= 2
              ? new AmplitudeError({ reason: "RateLimited", stream, status: 429, detail: "wait" })
              : (memory.reference?.(stream) ?? Effect.die("none"))
          )
      }
      const { exitCode } = yield* passTime(take(store, client, { retries: 2 }))
      assert.deepEqual([exitCode, calls], [0, 5])
      assert.deepEqual(yield* keysOf(store), KEYS)
    })
  )

  it.scopedLive("leaves a list that another run has put meanwhile", () =>
    Effect.gen(function* () {
      const store = yield* folder
      const { client } = yield* makeAmplitude()
      const other = yield* makeAmplitude((stream) =>
        Effect.succeed(Buffer.from(LISTS[stream].replace("}", ' ,"other":1}').trim()))
      )
      yield* take(store, client)
      let looked = 0
      const blind: ObjectStorage["Type"] = {
        ...store,
        head: (key) => (++looked <= 3 ? Effect.succeedNone : store.head(key))
      }
      const { lists } = yield* take(blind, other.client)
      assert.ok(lists.every(({ state }) => state === "present"))
      assert.equal(yield* textOf(store, keyOf("events")), LISTS.events)
    })
  )
})
