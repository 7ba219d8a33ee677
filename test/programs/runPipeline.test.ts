import assert from "node:assert/strict"
import { gunzipSync } from "node:zlib"
import { describe, it } from "@effect/vitest"
import { zipSync } from "fflate"
import { Deferred, Duration, Effect, Layer, Logger, Option, Stream, TestClock } from "effect"
import type { Step } from "../../src/layers/memory/AmplitudeMemory.ts"
import * as ClockSystem from "../../src/layers/clock/ClockSystem.ts"
import {
  allHours,
  fetchHours,
  planHours,
  recheckWindow,
  syncHours
} from "../../src/programs/runPipeline.ts"
import { Amplitude, AmplitudeError } from "../../src/services/Amplitude.ts"
import { metadataFromText } from "../../src/services/HourMetadata.ts"
import { ObjectStorage, ObjectStorageError } from "../../src/services/ObjectStorage.ts"
import { Spool, type SpooledArchive, SpoolError } from "../../src/services/Spool.ts"
import { Staging } from "../../src/services/Staging.ts"
import { Window } from "../../src/services/Window.ts"
import { event, hour, keysOf, makeWorld, passTime, runOptions, textOf } from "../fixtures/world.ts"

const [h20, h21, h22] = ["2025-11-10T20", "2025-11-10T21", "2025-11-10T22"] as const
const three = { [h20]: [event("a")], [h21]: [event("b"), event("c")], [h22]: [event("d")] }

const failing =
  (reason: AmplitudeError["reason"], more: Partial<AmplitudeError> = {}): Step =>
  (window: Window) =>
    new AmplitudeError({ reason, window, detail: "as told", ...more })

const storeFailure = (reason: ObjectStorageError["reason"], method: "put" | "head" | "list") =>
  new ObjectStorageError({ reason, method, path: "memory", detail: "as told" })

describe("allHours()", () => {
  it.effect("lands each hour under its key, parts in order, and says what it did", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld({ amplitude: { hours: three } })
      const summary = yield* Effect.provide(allHours(runOptions(h20, h22)), world.layer)
      assert.deepEqual(summary.landed, [h20, h21, h22])
      assert.deepEqual([summary.events, summary.exitCode], [4, 0])
      assert.deepEqual(summary.window, { first: h20, last: h22 })
      assert.deepEqual(yield* world.requests, ["2025-11-10T20..2025-11-10T22"])
      assert.equal(yield* textOf(world.store, "2025-11-10_21.jsonl"), event("b") + event("c"))
      const head = Option.getOrThrow(yield* world.store.head("2025-11-10_21.jsonl"))
      const metadata = Option.getOrThrow(metadataFromText(head.metadata))
      assert.deepEqual(
        [metadata.hour, metadata.events, metadata.parts, metadata.project, metadata.version],
        [h21, 2, 2, "123456", "0.0.0-test"]
      )
    })
  )

  it.effect("asks and puts nothing when all is there", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld({ amplitude: { hours: three } })
      const run = Effect.provide(allHours(runOptions(h20, h22)), world.layer)
      yield* run
      world.calls.length = 0
      const summary = yield* run
      assert.deepEqual(summary.skipped, [h20, h21, h22])
      assert.deepEqual([summary.landed, summary.exitCode], [[], 0])
      assert.equal((yield* world.requests).length, 1)
      assert.deepEqual(
        world.calls.map(({ method }) => method),
        ["list"]
      )
    })
  )

  it.effect("never lands an hour in a second form", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld({
        amplitude: { hours: three },
        store: { objects: { "123456_2025-11-10_21#0.json": Buffer.from(event("b")) } }
      })
      const options = runOptions(h20, h22)
      yield* Effect.provide(allHours(options), world.layer)
      const again = { ...options, format: "jsonl.gz", layout: "hive" } as const
      yield* Effect.provide(allHours(again), world.layer)
      assert.deepEqual(yield* keysOf(world.store), [
        "123456_2025-11-10_21#0.json",
        "2025-11-10_20.jsonl",
        "2025-11-10_22.jsonl"
      ])
      assert.deepEqual(yield* world.requests, [h22, h20])
    })
  )

  it.effect("lands gzip members as they came in the hive layout", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld({ amplitude: { hours: { [h21]: ["{}", event("c")] } } })
      const options = runOptions(h21, h21, { format: "jsonl.gz", layout: "hive" })
      yield* Effect.provide(allHours(options), world.layer)
      const key = "dt=2025-11-10/hour=21/events.jsonl.gz"
      const chunks = yield* Stream.runCollect(world.store.get(key))
      assert.equal(String(gunzipSync(Buffer.concat([...chunks]))), `{}\n${event("c")}`)
    })
  )

  it.effect("marks a settled hour that its archive lacks as empty, and leaves a younger one", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld({
        amplitude: { hours: { [h20]: [event("a")], [h22]: [event("d")] } },
        now: "2025-11-11T22:30:00Z"
      })
      const young = { lagHours: 0 }
      const first = yield* Effect.provide(allHours(runOptions(h20, h22, young)), world.layer)
      assert.deepEqual([first.empty, first.pending, first.exitCode], [[h21], [], 0])
      const head = Option.getOrThrow(yield* world.store.head("2025-11-10_21.jsonl"))
      assert.deepEqual([head.size, head.metadata["events"]], [0, "0"])

      const later = runOptions("2025-11-10T23", "2025-11-11T00", { lagHours: 0 })
      const second = yield* passTime(Effect.provide(allHours(later), world.layer))
      assert.deepEqual(second.pending, ["2025-11-10T23", "2025-11-11T00"])
      assert.deepEqual([second.empty, second.exitCode], [[], 0])
    })
  )

  it.effect("accepts a 404 for settled hours only if a second request confirms it", () =>
    Effect.gen(function* () {
      const odd = yield* makeWorld({ amplitude: { hours: three, plan: ["none"] } })
      const landed = yield* passTime(Effect.provide(allHours(runOptions(h20, h22)), odd.layer))
      assert.deepEqual([landed.landed, landed.empty], [[h20, h21, h22], []])

      const world = yield* makeWorld({ amplitude: { hours: {} } })
      const empty = yield* passTime(Effect.provide(allHours(runOptions(h20, h22)), world.layer))
      assert.deepEqual(empty.empty, [h20, h21, h22])
      assert.equal((yield* world.requests).length, 2)
    })
  )

  it.effect("asks once only for a 404 of hours that are not settled", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld({
        amplitude: { hours: {} },
        now: "2025-11-11T12:00:00Z"
      })
      const summary = yield* Effect.provide(allHours(runOptions(h21)), world.layer)
      assert.deepEqual([summary.pending, summary.empty], [[h21], []])
      assert.equal((yield* world.requests).length, 1)
    })
  )

  it.effect("leaves hours open that are not closed by Amplitude's own clock", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld({
        amplitude: { hours: three, date: Date.parse("2025-11-11T10:30:00Z") }
      })
      const summary = yield* Effect.provide(allHours(runOptions(h20, h22)), world.layer)
      assert.deepEqual([summary.landed, summary.open], [[h20, h21], [h22]])
      assert.equal(summary.exitCode, 3)
      assert.deepEqual(yield* keysOf(world.store), ["2025-11-10_20.jsonl", "2025-11-10_21.jsonl"])
    })
  )

  it.effect("trusts Amplitude's clock if its own, days ahead, is corrected meanwhile", () =>
    Effect.gen(function* () {
      const date = Date.parse("2025-11-11T10:30:00Z")
      const world = yield* makeWorld({ amplitude: { hours: three, date } })
      yield* TestClock.setTime(Date.parse("2025-11-20T00:00:00Z"))
      const given = yield* Effect.provide(Amplitude, world.layer)
      const amplitude = {
        ...given,
        export: (window: Window) => Effect.tap(given.export(window), () => TestClock.setTime(date))
      }
      const summary = yield* allHours(runOptions(h20, h22)).pipe(
        Effect.provide(
          Layer.mergeAll(world.layer, ClockSystem.layer(), Layer.succeed(Amplitude, amplitude))
        )
      )
      assert.deepEqual([summary.landed, summary.open], [[h20, h21], [h22]])
      assert.equal(summary.durationMs, 0)
    })
  )

  for (const reason of ["TooLarge", "GatewayTimeout"] as const) {
    it.effect(`halves a window that is ${reason} down to one hour`, () =>
      Effect.gen(function* () {
        const world = yield* makeWorld({
          amplitude: { hours: three, plan: [failing(reason), failing(reason)] }
        })
        const summary = yield* Effect.provide(allHours(runOptions(h20, h22)), world.layer)
        assert.deepEqual([summary.landed, summary.retries], [[h20, h21, h22], 0])
        assert.deepEqual(yield* world.requests, [
          "2025-11-10T20..2025-11-10T22",
          "2025-11-10T20..2025-11-10T21",
          h20,
          h21,
          h22
        ])
      })
    )
  }

  it.effect("names an hour that is too large by itself, and lands the others", () =>
    Effect.gen(function* () {
      const large = Array.from({ length: 3000 }, (_, index) => event(`${index}-${Math.sin(index)}`))
      const world = yield* makeWorld({
        amplitude: { hours: { ...three, [h21]: [large.join("")] }, maxBytes: 2000 }
      })
      const summary = yield* Effect.provide(allHours(runOptions(h20, h22)), world.layer)
      assert.deepEqual([summary.landed, summary.exitCode], [[h20, h22], 3])
      assert.equal(summary.failed[0]?.hour, h21)
      assert.match(
        summary.failed[0]?.message ?? "",
        /smallest possible export, so this one cannot be exported$/
      )
    })
  )

  it.effect("retries transient failures, honors Retry-After, and counts", () =>
    Effect.gen(function* () {
      const retryAfter = Duration.toMillis("2 minutes")
      const plan = [
        failing("Unavailable"),
        failing("RateLimited", { retryAfter }),
        { cutAfter: 10 },
        failing("Stalled")
      ] satisfies ReadonlyArray<Step>
      const world = yield* makeWorld({ amplitude: { hours: three, plan } })
      const summary = yield* passTime(Effect.provide(allHours(runOptions(h20, h22)), world.layer))
      assert.deepEqual([summary.retries, summary.exitCode], [4, 0])
      assert.ok(summary.durationMs >= retryAfter, `${summary.durationMs} ms`)
    })
  )

  it.effect("waits no longer than ten minutes, whatever Retry-After says", () =>
    Effect.gen(function* () {
      const plan = [failing("RateLimited", { retryAfter: Duration.toMillis("3 days") })]
      const world = yield* makeWorld({ amplitude: { hours: three, plan } })
      const run = Effect.provide(allHours(runOptions(h20, h22)), world.layer)
      const summary = yield* passTime(run, "20 seconds")
      assert.equal(summary.exitCode, 0)
      assert.ok(summary.durationMs <= Duration.toMillis("11 minutes"), `${summary.durationMs} ms`)
    })
  )

  it.effect("gives up after the retries that it was given", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld({
        amplitude: { hours: three, plan: Array.from({ length: 9 }, () => failing("Unavailable")) }
      })
      const options = runOptions(h20, h22, { retries: 2 })
      const summary = yield* passTime(Effect.provide(allHours(options), world.layer))
      assert.equal((yield* world.requests).length, 3)
      assert.deepEqual([summary.exitCode, summary.failed.length], [5, 3])
    })
  )

  it.effect("requests a broken archive three times, and then names its hours", () =>
    Effect.gen(function* () {
      const broken = { bytes: Buffer.from("<html>Bad gateway</html>") }
      const world = yield* makeWorld({
        amplitude: { hours: three, plan: [broken, broken, broken, broken] }
      })
      const summary = yield* passTime(Effect.provide(allHours(runOptions(h20, h22)), world.layer))
      assert.equal((yield* world.requests).length, 3)
      assert.equal(summary.exitCode, 8)
      assert.deepEqual(
        summary.failed.map(({ hour: at, error }) => [at, error]),
        [h20, h21, h22].map((at) => [at, "UnpackerError.NotZip"])
      )
      assert.deepEqual(yield* world.spool.list("memory-123456"), [])
    })
  )

  it.effect(
    "lands the other hours of an archive that is refused three times because of one part",
    () =>
      Effect.gen(function* () {
        const world = yield* makeWorld({
          amplitude: { hours: { ...three, [h21]: ["<html></html>\n"] } }
        })
        const summary = yield* passTime(Effect.provide(allHours(runOptions(h20, h22)), world.layer))
        assert.deepEqual([summary.landed, summary.exitCode], [[h20, h22], 8])
        assert.deepEqual(
          summary.failed.map(({ hour: at, error }) => [at, error]),
          [[h21, "UnpackerError.NotJsonLines"]]
        )
        assert.equal((yield* world.requests).length, 3)
        const again = yield* passTime(Effect.provide(allHours(runOptions(h20, h22)), world.layer))
        assert.deepEqual([again.skipped, again.empty, again.exitCode], [[h20, h22], [], 8])
        assert.deepEqual((yield* world.requests).slice(3), [h21, h21, h21])
      })
  )

  it.effect("takes no spooled archive without parts for proof that hours have no events", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld({ amplitude: { hours: three } })
      const window = new Window({ first: hour(h20), last: hour(h22) })
      const askedAt = Date.parse("2025-11-12T11:00:00Z")
      const bytes = Stream.make(zipSync({}))
      const name = { identity: "memory-123456", window, askedAt }
      yield* Effect.scoped(world.spool.save(name, bytes, Option.none()))
      const summary = yield* passTime(Effect.provide(allHours(runOptions(h20, h22)), world.layer))
      assert.deepEqual([summary.landed, summary.empty], [[h20, h21, h22], []])
      assert.deepEqual(yield* world.spool.list("memory-123456"), [])
    })
  )

  it.effect("requests a window in halves whose archives have a bad directory", () =>
    Effect.gen(function* () {
      const bad = { bytes: zipSync({ "readme.txt": new Uint8Array([1]) }) }
      const world = yield* makeWorld({ amplitude: { hours: three, plan: [bad, bad, bad] } })
      const summary = yield* passTime(Effect.provide(allHours(runOptions(h20, h22)), world.layer))
      assert.deepEqual([summary.landed, summary.exitCode], [[h20, h21, h22], 0])
      assert.equal((yield* world.requests).length, 5)
    })
  )

  for (const reason of ["Unauthorized", "Forbidden"] as const) {
    it.effect(`asks once only when it is ${reason}`, () =>
      Effect.gen(function* () {
        const world = yield* makeWorld({
          amplitude: { hours: three, plan: [failing(reason)] }
        })
        const options = runOptions("2025-11-08T00", h22, { requestHours: 6 })
        const summary = yield* passTime(Effect.provide(allHours(options), world.layer))
        assert.equal(summary.exitCode, 7)
        const asked = (yield* world.requests).length
        assert.ok(asked <= 2, `${asked} requests`)
      })
    )
  }

  it.effect("does not retry what Amplitude rejects, and shows its message", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld({
        amplitude: { hours: three, plan: [failing("Rejected", { detail: "Invalid chart" })] }
      })
      const summary = yield* Effect.provide(allHours(runOptions(h20, h22)), world.layer)
      assert.equal((yield* world.requests).length, 1)
      assert.equal(summary.exitCode, 3)
      assert.match(summary.failed[0]?.message ?? "", /Invalid chart/)
    })
  )

  it.effect("one hour's failing put stops no other, and the next run starts from the spool", () =>
    Effect.gen(function* () {
      let isDown = true
      const world = yield* makeWorld({
        amplitude: { hours: three },
        store: {
          failures: ({ method, key }) =>
            isDown && method === "put" && key.includes("_21")
              ? Option.some(storeFailure("Unavailable", "put"))
              : Option.none()
        }
      })
      const run = passTime(Effect.provide(allHours(runOptions(h20, h22)), world.layer))
      const first = yield* run
      assert.deepEqual([first.landed, first.exitCode], [[h20, h22], 3])
      assert.equal(first.failed[0]?.hour, h21)
      assert.equal(first.retries, 5)
      isDown = false
      const second = yield* run
      assert.deepEqual([second.landed, second.exitCode], [[h21], 0])
      assert.equal((yield* world.requests).length, 1)
      assert.deepEqual(yield* world.spool.list("memory-123456"), [])
    })
  )

  it.effect("accepts an hour that is already there if it is the same", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld({
        amplitude: { hours: { [h21]: [event("b"), event("c")] } }
      })
      const other = yield* world.of({ hours: { [h21]: [event("c") + event("b")] } })
      yield* Effect.provide(allHours(runOptions(h21)), world.layer)
      // Another run that listed the store before this one put the hour.
      const blind = { ...world.store, list: Stream.empty }
      const summary = yield* Effect.provide(
        Effect.provideService(allHours(runOptions(h21)), ObjectStorage, blind),
        other.layer
      )
      assert.deepEqual([summary.skipped, summary.exitCode], [[h21], 0])
    })
  )

  it.effect("refuses the archive of a different project before anything lands", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld({ amplitude: { hours: { [h20]: [event("a")] } } })
      yield* Effect.provide(allHours(runOptions(h20)), world.layer)
      const other = yield* world.of({ project: "654321", hours: three })
      const summary = yield* Effect.provide(allHours(runOptions(h20, h22)), other.layer)
      assert.deepEqual([summary.landed, summary.exitCode], [[], 8])
      assert.match(summary.failed[0]?.message ?? "", /654321.*123456/)
      assert.deepEqual(yield* keysOf(world.store), ["2025-11-10_20.jsonl"])
    })
  )

  it.effect(
    "finds the project in an old key where the newest hours do not name it, or says so",
    () =>
      Effect.gen(function* () {
        const newer = Array.from({ length: 12 }, (_, index) => [
          `2025-11-09_${index + 10}.jsonl`,
          Buffer.from(event("x"))
        ])
        const logs: Array<string> = []
        const logger = Logger.replace(
          Logger.defaultLogger,
          Logger.make(({ message }) => void logs.push(String(message)))
        )
        const land = Effect.fnUntraced(function* (old: string) {
          const objects = Object.fromEntries([...newer, [old, Buffer.from(event("y"))]])
          const world = yield* makeWorld({ amplitude: { hours: three }, store: { objects } })
          return yield* Effect.provide(allHours(runOptions(h21)), Layer.merge(world.layer, logger))
        })
        const refused = yield* land("654321_2025-11-09_3#0.json")
        assert.equal(refused.failed[0]?.error, "LandingError.OtherProject")
        const warned = /None of the newest hours in memory names its Amplitude project/
        assert.ok(!logs.some((line) => warned.test(line)))
        const admitted = yield* land("2025-11-09_09.jsonl")
        assert.deepEqual(admitted.landed, [h21])
        assert.ok(logs.some((line) => warned.test(line)))
      })
  )

  it.effect("lands what another process has staged between its sync and its plan", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld({ amplitude: { hours: three } })
      yield* Effect.provide(fetchHours(runOptions(h21)), world.layer)
      let lists = 0
      const late: ObjectStorage["Type"] = {
        ...world.staging,
        list: Stream.suspend(() => {
          lists += 1
          return lists === 1 ? Stream.empty : world.staging.list
        })
      }
      const summary = yield* Effect.provide(
        allHours(runOptions(h20, h21)),
        Layer.merge(world.layer, Layer.succeed(Staging, late))
      )
      assert.deepEqual([summary.landed, summary.skipped, summary.exitCode], [[h20, h21], [], 0])
      assert.deepEqual(yield* keysOf(world.staging), [])
      assert.equal((yield* keysOf(world.store)).length, 2)
    })
  )

  it.effect("begins nothing after its longest duration, and keeps what it landed", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld({
        amplitude: { hours: three, plan: ["ok", { hangAfter: 20 }] }
      })
      const options = runOptions(h20, h22, {
        requestHours: 1,
        maxDuration: Duration.minutes(1),
        concurrency: 1
      })
      const summary = yield* passTime(Effect.provide(allHours(options), world.layer))
      assert.deepEqual([summary.postponed.length, summary.failed], [1, []])
      assert.equal(summary.exitCode, 3)
    })
  )
})

describe("fetchHours() and syncHours()", () => {
  it.effect("stage the missing hours, and move each once", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld({ amplitude: { hours: three } })
      const options = runOptions(h20, h22)
      const fetched = yield* Effect.provide(fetchHours(options), world.layer)
      assert.deepEqual([fetched.landed, yield* keysOf(world.store)], [[h20, h21, h22], []])
      const again = yield* Effect.provide(fetchHours(options), world.layer)
      assert.deepEqual(again.skipped, [h20, h21, h22])

      const synced = yield* Effect.provide(syncHours(options), world.layer)
      assert.deepEqual([synced.landed, synced.events, synced.exitCode], [[h20, h21, h22], 4, 0])
      assert.deepEqual(yield* keysOf(world.staging), [])
      assert.equal(yield* textOf(world.store, "2025-11-10_22.jsonl"), event("d"))
      assert.equal((yield* world.requests).length, 1)

      const nothing = yield* Effect.provide(syncHours(options), world.layer)
      assert.deepEqual([nothing.window, nothing.exitCode], [null, 0])
    })
  )

  it.effect("remove a staged hour that is in the store in another form", () =>
    Effect.gen(function* () {
      const objects = {
        "123456/123456_2025-11-10_21#1.json": Buffer.from(event("c")),
        "123456/123456_2025-11-10_21#0.json": Buffer.from(event("b"))
      }
      const world = yield* makeWorld({
        amplitude: { hours: { [h21]: three[h21] } },
        store: { objects }
      })
      const blind = yield* makeWorld({ amplitude: { hours: { [h21]: three[h21] } } })
      yield* Effect.provide(fetchHours(runOptions(h21)), blind.layer)
      const summary = yield* Effect.provide(
        syncHours(runOptions(h21)),
        Layer.merge(world.layer, Layer.succeed(Staging, blind.staging))
      )
      assert.deepEqual([summary.skipped, summary.exitCode], [[h21], 0])
      assert.deepEqual(yield* keysOf(blind.staging), [])
      assert.equal((yield* keysOf(world.store)).length, 2)
    })
  )

  it.effect("keep both sides of a conflict", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld({ amplitude: { hours: { [h21]: [event("x")] } } })
      const other = yield* makeWorld({ amplitude: { hours: { [h21]: [event("y")] } } })
      yield* Effect.provide(allHours(runOptions(h21)), world.layer)
      yield* Effect.provide(fetchHours(runOptions(h21)), other.layer)
      const summary = yield* Effect.provide(
        syncHours(runOptions(h21)),
        Layer.merge(world.layer, Layer.succeed(Staging, other.staging))
      )
      assert.equal(summary.exitCode, 8)
      assert.equal(summary.failed[0]?.error, "LandingError.Conflict")
      assert.equal(yield* textOf(world.store, "2025-11-10_21.jsonl"), event("x"))
      const [copy] = yield* keysOf(other.staging)
      assert.match(copy ?? "", /^failed_uploads\/2025-11-10_21\.[0-9a-f]{8}\.jsonl$/)
      assert.equal(yield* textOf(other.staging, copy ?? ""), event("y"))
    })
  )

  it.effect("leave files of others in staging alone", () =>
    Effect.gen(function* () {
      const objects = { "2025-11-10_21.jsonl": Buffer.from(event("half")) }
      const world = yield* makeWorld({ amplitude: { hours: three }, staging: { objects } })
      const summary = yield* Effect.provide(syncHours(runOptions()), world.layer)
      assert.deepEqual([summary.landed, summary.exitCode], [[], 0])
      assert.deepEqual(yield* keysOf(world.store), [])
      assert.deepEqual(yield* keysOf(world.staging), ["2025-11-10_21.jsonl"])
    })
  )

  it.effect("lose nothing while the store is down", () =>
    Effect.gen(function* () {
      let isDown = true
      const world = yield* makeWorld({
        amplitude: { hours: three },
        store: {
          failures: ({ method }) =>
            isDown && method === "put"
              ? Option.some(storeFailure("Unavailable", "put"))
              : Option.none()
        }
      })
      yield* Effect.provide(fetchHours(runOptions(h20, h22)), world.layer)
      const sync = passTime(Effect.provide(syncHours(runOptions()), world.layer))
      assert.equal((yield* sync).exitCode, 5)
      assert.equal((yield* keysOf(world.staging)).length, 3)
      isDown = false
      assert.deepEqual((yield* sync).landed, [h20, h21, h22])
    })
  )
})

describe("recheckWindow()", () => {
  it.effect("changes nothing if Amplitude sends the same lines, in any order", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld({ amplitude: { hours: { [h21]: [event("b"), event("c")] } } })
      yield* Effect.provide(allHours(runOptions(h21)), world.layer)
      const other = yield* world.of({ hours: { [h21]: [event("c"), event("b")] } })
      const summary = yield* Effect.provide(recheckWindow(runOptions(h21)), other.layer)
      assert.deepEqual([summary.skipped, summary.exitCode], [[h21], 0])
    })
  )

  it.effect("names an hour that differs, and changes nothing", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld({ amplitude: { hours: { [h21]: [event("b")] } } })
      yield* Effect.provide(allHours(runOptions(h21)), world.layer)
      const other = yield* world.of({ hours: { [h21]: [event("b"), event("late")] } })
      const summary = yield* Effect.provide(recheckWindow(runOptions(h21)), other.layer)
      assert.deepEqual([summary.failed[0]?.hour, summary.exitCode], [h21, 8])
      assert.equal(yield* textOf(world.store, "2025-11-10_21.jsonl"), event("b"))
      assert.deepEqual(yield* keysOf(world.staging), [])
    })
  )

  it.effect("replaces the mark of an empty hour that has events now", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld({ amplitude: { hours: {} } })
      yield* passTime(Effect.provide(allHours(runOptions(h21)), world.layer))
      const other = yield* world.of({ hours: three })
      const summary = yield* Effect.provide(recheckWindow(runOptions(h21)), other.layer)
      assert.deepEqual([summary.landed, summary.exitCode], [[h21], 0])
      assert.equal(yield* textOf(world.store, "2025-11-10_21.jsonl"), event("b") + event("c"))
    })
  )

  it.effect("names what it replaces and keeps it, also if another pipeline wrote it", () =>
    Effect.gen(function* () {
      const KEY = "2025-11-10_21.jsonl"
      const world = yield* makeWorld({
        amplitude: { hours: three },
        store: { objects: { [KEY]: new Uint8Array() } }
      })
      const summary = yield* Effect.provide(recheckWindow(runOptions(h21)), world.layer)
      assert.deepEqual([summary.landed, summary.exitCode], [[h21], 0])
      const head = Option.getOrThrow(yield* world.store.head(KEY))
      assert.equal(head.metadata["replaces"], "000000000000")
      assert.deepEqual(yield* keysOf(world.store), [
        `.amplitude-lake-replaced/${KEY}.000000000000`,
        KEY
      ])
    })
  )
})

describe("planHours()", () => {
  it.effect("asks and writes nothing", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld({ amplitude: { hours: three } })
      const plan = yield* Effect.provide(planHours(runOptions(h20, h22)), world.layer)
      assert.deepEqual(plan.requests.map(String), ["2025-11-10T20..2025-11-10T22"])
      assert.deepEqual([yield* world.requests, yield* keysOf(world.store)], [[], []])
      assert.deepEqual(plan.missing, [h20, h21, h22].map(hour))
    })
  )
})

describe("allHours() after a run that died at its last hour", () => {
  it.effect("drops an archive from the spool whose hours all stand by now", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld({ amplitude: { hours: three } })
      const run = Effect.provide(allHours(runOptions(h20, h22)), world.layer)
      yield* run
      const name = {
        identity: "memory-123456",
        window: new Window({ first: hour(h20), last: hour(h22) }),
        askedAt: Date.parse("2025-11-12T11:00:00Z")
      }
      const body = Stream.make(Buffer.from("PK"))
      yield* Effect.scoped(world.spool.save(name, body, Option.none()))
      assert.equal((yield* world.spool.list("memory-123456")).length, 1)
      yield* run
      assert.deepEqual(yield* world.spool.list("memory-123456"), [])
      assert.equal((yield* world.requests).length, 1)
    })
  )
})

describe("what only one project may do", () => {
  const other = { project: "654321", hours: { [h20]: [event("x")], [h21]: [event("y")] } }

  it.effect("a recheck replaces no empty hour by another project's", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld({ amplitude: { hours: { [h20]: [event("a")] } } })
      yield* Effect.provide(allHours(runOptions(h20, h21)), world.layer)
      const foreign = yield* world.of(other)
      const summary = yield* Effect.provide(recheckWindow(runOptions(h21)), foreign.layer)
      assert.deepEqual([summary.landed, summary.exitCode], [[], 8])
      assert.equal(yield* textOf(world.store, "2025-11-10_21.jsonl"), "")
    })
  )

  it.effect("sync leaves an hour of another project in staging", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld({ amplitude: { hours: { [h20]: [event("a")] } } })
      yield* Effect.provide(allHours(runOptions(h20)), world.layer)
      const foreign = yield* makeWorld({ amplitude: other })
      yield* Effect.provide(fetchHours(runOptions(h21)), foreign.layer)
      const layers = Layer.merge(world.layer, Layer.succeed(Staging, foreign.staging))
      const summary = yield* Effect.provide(syncHours(runOptions()), layers)
      assert.deepEqual([summary.landed, summary.failed, summary.exitCode], [[], [], 0])
      assert.deepEqual(summary.stagedElsewhere, [
        { lake: "memory:", project: "654321", hours: 1, first: h21, last: h21, isAdoptable: false }
      ])
      assert.deepEqual(yield* keysOf(foreign.staging), ["2025-11-10_21.jsonl"])
    })
  )
})

describe("syncHours() of an hour that is staged in two forms", () => {
  it.effect("lands one of them and removes the other", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld({ amplitude: { hours: { [h21]: [event("b")] } } })
      const packed = yield* makeWorld({ amplitude: { hours: { [h21]: [event("b")] } } })
      yield* Effect.provide(fetchHours(runOptions(h21)), world.layer)
      yield* Effect.provide(fetchHours(runOptions(h21, h21, { format: "jsonl.gz" })), packed.layer)
      const key = "2025-11-10_21.jsonl.gz"
      const { metadata, size } = Option.getOrThrow(yield* packed.staging.head(key))
      const sha256 = metadata["sha256"] ?? ""
      yield* world.staging.put({ key, size, sha256, metadata, body: packed.staging.get(key) })

      const summary = yield* Effect.provide(syncHours(runOptions()), world.layer)
      assert.deepEqual([summary.landed, summary.events, summary.exitCode], [[h21], 1, 0])
      assert.equal((yield* keysOf(world.store)).length, 1)
      assert.deepEqual(yield* keysOf(world.staging), [])
    })
  )
})

/** Leaves an archive in the spool that is none. */
const leave = (world: Effect.Effect.Success<ReturnType<typeof makeWorld>>) =>
  Effect.scoped(
    world.spool.save(
      {
        identity: "memory-123456",
        window: new Window({ first: hour(h20), last: hour(h22) }),
        askedAt: Date.parse("2025-11-12T11:00:00Z")
      },
      Stream.make(Buffer.from("PK")),
      Option.none()
    )
  )

describe("an archive in the spool", () => {
  it.effect("is neither used nor dropped by a recheck, which asks Amplitude", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld({ amplitude: { hours: { [h21]: [event("b")] } } })
      yield* Effect.provide(allHours(runOptions(h21)), world.layer)
      yield* leave(world)
      const summary = yield* Effect.provide(recheckWindow(runOptions(h21)), world.layer)
      assert.deepEqual([summary.skipped, summary.exitCode], [[h21], 0])
      assert.deepEqual(yield* world.requests, [h21, h21])
      assert.equal((yield* world.spool.list("memory-123456")).length, 1)
    })
  )

  for (const method of ["list", "claim"] as const) {
    it.effect(`keeps no run from its hours when it cannot ${method}`, () =>
      Effect.gen(function* () {
        const world = yield* makeWorld({ amplitude: { hours: three } })
        yield* leave(world)
        const error = new SpoolError({
          reason: "AccessDenied",
          method,
          path: "spool",
          detail: "as told"
        })
        const spool = { ...world.spool, [method]: () => Effect.fail(error) }
        const run = Effect.provideService(allHours(runOptions(h20, h22)), Spool, spool)
        const summary = yield* Effect.provide(run, world.layer)
        assert.deepEqual([summary.landed, summary.exitCode], [[h20, h21, h22], 0])
        assert.equal((yield* Effect.provide(run, world.layer)).exitCode, 0)
      })
    )
  }
})

describe("a new archive", () => {
  it.effect("is verified while it is flushed", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld({ amplitude: { hours: three } })
      const isFlushing = yield* Deferred.make<void>()
      const seen = new Set<boolean>()
      const saved = (archive: SpooledArchive): SpooledArchive => ({
        ...archive,
        read: (...given) =>
          Effect.gen(function* () {
            yield* Effect.repeatN(Effect.yieldNow(), 1000)
            seen.add(yield* Deferred.isDone(isFlushing))
            return yield* archive.read(...given)
          })
      })
      const spool = Spool.of({
        ...world.spool,
        save: (...given) => Effect.map(world.spool.save(...given), saved),
        flush: () => Effect.asVoid(Deferred.succeed(isFlushing, undefined))
      })
      const run = Effect.provideService(allHours(runOptions(h20, h22)), Spool, spool)
      const summary = yield* Effect.provide(run, world.layer)
      assert.deepEqual([summary.landed, [...seen]], [[h20, h21, h22], [true]])
    })
  )
})

describe("an archive that is being flushed", () => {
  it.effect("lands none of its hours before that has ended", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld({ amplitude: { hours: three } })
      const landed: Array<ReadonlyArray<string>> = []
      const flush = () =>
        Effect.gen(function* () {
          yield* Effect.sleep("1 minute")
          landed.push(yield* keysOf(world.store))
        }).pipe(Effect.orDie)
      const spool = Spool.of({ ...world.spool, flush })
      const run = Effect.provideService(allHours(runOptions(h20, h22)), Spool, spool)
      const summary = yield* passTime(Effect.provide(run, world.layer))
      assert.deepEqual([summary.landed, landed], [[h20, h21, h22], [[]]])
    })
  )
})

describe("an archive that cannot be flushed", () => {
  it.effect("lands none of its hours, and does not stay in the spool", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld({ amplitude: { hours: three } })
      const error = new SpoolError({
        reason: "NoSpace",
        method: "save",
        path: "spool",
        detail: "as told"
      })
      const spool = { ...world.spool, flush: () => Effect.fail(error) }
      const run = Effect.provideService(allHours(runOptions(h20, h22)), Spool, spool)
      const summary = yield* Effect.provide(run, world.layer)
      assert.deepEqual([summary.landed, summary.exitCode], [[], 5])
      assert.deepEqual(
        summary.failed.map(({ error }) => error),
        ["SpoolError.NoSpace", "SpoolError.NoSpace", "SpoolError.NoSpace"]
      )
      assert.deepEqual(yield* world.spool.list("memory-123456"), [])
    })
  )
})

describe("allHours() when it fails after it moved what was staged", () => {
  it.effect("reports both the moved hours and the error", () =>
    Effect.gen(function* () {
      let lists = 0
      const world = yield* makeWorld({
        amplitude: { hours: three },
        store: {
          failures: ({ method }) =>
            method === "list" && (lists += 1) === 3
              ? Option.some(storeFailure("AccessDenied", "list"))
              : Option.none()
        }
      })
      yield* Effect.provide(fetchHours(runOptions(h20)), world.layer)
      const summary = yield* Effect.provide(allHours(runOptions(h20, h22)), world.layer)
      assert.deepEqual([summary.landed, summary.exitCode], [[h20], 7])
      assert.equal(summary.error?.error, "ObjectStorageError.AccessDenied")
    })
  )
})

describe("fetchHours() with another program's file in staging", () => {
  it.effect("names the hour as failed rather than done", () =>
    Effect.gen(function* () {
      const objects = { "2025-11-10_21.jsonl": Buffer.from(event("b") + event("c")) }
      const world = yield* makeWorld({ amplitude: { hours: three }, staging: { objects } })
      const summary = yield* Effect.provide(fetchHours(runOptions(h20, h22)), world.layer)
      assert.deepEqual([summary.landed, summary.exitCode], [[h20, h22], 3])
      assert.equal(summary.failed[0]?.error, "LandingError.ForeignFile")
    })
  )
})
