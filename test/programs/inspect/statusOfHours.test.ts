import assert from "node:assert/strict"
import { describe, it } from "@effect/vitest"
import { Effect, Layer, Redacted, Stream } from "effect"
import * as ClockFixed from "../../../src/layers/clock/ClockFixed.ts"
import * as ObjectStorageMemory from "../../../src/layers/memory/ObjectStorageMemory.ts"
import * as ObjectStorageS3 from "../../../src/layers/s3/ObjectStorageS3.ts"
import { allHours, fetchHours } from "../../../src/programs/runPipeline.ts"
import { statusOfHours } from "../../../src/programs/inspect/statusOfHours.ts"
import { hourKey } from "../../../src/services/HourKey.ts"
import { type ObjectInfo, ObjectStorage } from "../../../src/services/ObjectStorage.ts"
import { Staging } from "../../../src/services/Staging.ts"
import { Window } from "../../../src/services/Window.ts"
import * as S3Server from "../../fixtures/s3/s3Server.ts"
import { event, hour, makeWorld, passTime, runOptions } from "../../fixtures/world.ts"

const status = Effect.fnUntraced(function* (first: string, last: string) {
  return yield* statusOfHours(runOptions(first, last, { lagHours: 2 }))
})

const asFolder = (info: ObjectInfo): ObjectInfo => ({ ...info, metadata: undefined })
const asS3 = (info: ObjectInfo): ObjectInfo => ({ ...asFolder(info), hasMetadata: undefined })

describe("statusOfHours()", () => {
  it.effect("distinguishes every state of an hour", () =>
    Effect.gen(function* () {
      const hours = { "2025-11-11T00": [event("a")], "2025-11-11T10": [event("b")] }
      const world = yield* makeWorld({
        amplitude: { hours },
        store: { objects: { "123456_2025-11-11_2#0.json.gz": Buffer.from("x") } },
        now: "2025-11-12T09:30:00Z"
      })
      const landing = runOptions("2025-11-11T00", "2025-11-11T01")
      yield* passTime(Effect.provide(allHours(landing), world.layer))
      yield* Effect.provide(fetchHours(runOptions("2025-11-11T10")), world.layer)

      const found = yield* Effect.provide(status("2025-11-11T00", "2025-11-12T09"), world.layer)
      const stateOf = (text: string) => found.hours.find((it) => it.hour === hour(text))?.state
      assert.equal(stateOf("2025-11-11T00"), "landed")
      assert.equal(stateOf("2025-11-11T01"), "empty")
      assert.equal(stateOf("2025-11-11T02"), "unverified")
      assert.equal(stateOf("2025-11-11T08"), "gap")
      assert.equal(stateOf("2025-11-11T09"), "pending")
      assert.equal(stateOf("2025-11-12T06"), "pending")
      assert.equal(stateOf("2025-11-12T07"), "open")
      assert.deepEqual(
        found.hours.filter(({ staged }) => staged).map((it) => it.hour),
        ["2025-11-11T10"]
      )
      assert.deepEqual(found.totals, {
        landed: 1,
        empty: 1,
        unverified: 1,
        doubled: 0,
        gap: 6,
        pending: 22,
        open: 3,
        accepted: 0,
        unlanded: 0
      })
      assert.equal(found.exitCode, 3)
      assert.equal(found.oldestGap, hour("2025-11-11T03"))
      assert.equal(found.newestLanded, hour("2025-11-11T02"))
    })
  )

  it.effect(
    "tells events where the listing gives metadata, and looks where that costs nothing",
    () =>
      Effect.gen(function* () {
        const hours = { "2025-11-11T00": [event("a") + event("b")] }
        const world = yield* makeWorld({ amplitude: { hours } })
        yield* Effect.provide(allHours(runOptions("2025-11-11T00")), world.layer)
        const eventsBy = Effect.fn(function* (change: (info: ObjectInfo) => ObjectInfo) {
          world.calls.length = 0
          const store = { ...world.store, list: Stream.map(world.store.list, change) }
          const options = { ...runOptions("2025-11-11T00"), withEvents: true }
          const found = yield* statusOfHours(options).pipe(
            Effect.provideService(ObjectStorage, store),
            Effect.provide(world.layer)
          )
          return [found.hours[0]?.events, world.calls.map(({ method }) => method)]
        })
        assert.deepEqual(yield* eventsBy((info) => info), [2, ["list"]])
        assert.deepEqual(yield* eventsBy(asFolder), [2, ["list", "head"]])
        assert.deepEqual(yield* eventsBy(asS3), [undefined, ["list"]])
      })
  )

  it.scopedLive("asks S3 for one listing of a year, and for nothing else", () =>
    Effect.gen(function* () {
      const s3 = yield* S3Server.make({ buckets: { lake: "eu-west-2" } })
      const hours = new Window({ first: hour("2024-11-12T00"), last: hour("2025-11-11T23") }).hours
      const stored = { bytes: Buffer.from("{}\n"), etag: '"1"', headers: {}, checksum: undefined }
      for (const one of hours) {
        s3.buckets.get("lake")?.objects.set(hourKey(one, "hourly", "jsonl"), stored)
      }
      const layers = Layer.mergeAll(
        ObjectStorageS3.layer({
          bucket: "lake",
          region: "eu-west-2",
          endpoint: s3.url,
          credentials: { accessKeyId: "AKTEST", secretAccessKey: Redacted.make("SKTEST") }
        }),
        Layer.effect(Staging, ObjectStorageMemory.make()),
        ClockFixed.layer(Date.parse("2025-11-13T12:00:00Z"))
      )
      const found = yield* Effect.provide(status("2024-11-12T00", "2025-11-11T23"), layers)
      assert.deepEqual([found.totals.landed, found.exitCode], [8760, 0])
      assert.deepEqual(
        s3.requests.map(({ operation }) => operation),
        Array.from({ length: 9 }, () => "ListObjectsV2")
      )
    })
  )

  it.effect("looks at nothing but listings, and exits 0 without a gap", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld({ amplitude: { hours: { "2025-11-11T00": [event("a")] } } })
      yield* Effect.provide(allHours(runOptions("2025-11-11T00")), world.layer)
      world.calls.length = 0
      const found = yield* Effect.provide(status("2025-11-11T00", "2025-11-11T00"), world.layer)
      assert.deepEqual([found.exitCode, found.totals.landed], [0, 1])
      assert.deepEqual(
        world.calls.map(({ method }) => method),
        ["list"]
      )
    })
  )
})
