import assert from "node:assert/strict"
import { gzipSync } from "node:zlib"
import { describe, it } from "@effect/vitest"
import { Effect, Layer, Logger, LogLevel, Stream } from "effect"
import * as ClockFixed from "../../../src/layers/clock/ClockFixed.ts"
import * as ObjectStorageMemory from "../../../src/layers/memory/ObjectStorageMemory.ts"
import { countLines } from "../../../src/layers/unpack/linesDigest.ts"
import { refusal } from "../../../src/layers/unpack/refusal.ts"
import * as UnpackerZip from "../../../src/layers/unpack/UnpackerZip.ts"
import { copyLake } from "../../../src/programs/copy/copyLake.ts"
import { compareLakes, type CompareOptions } from "../../../src/programs/inspect/compareLakes.ts"
import { CopyTarget } from "../../../src/services/CopyTarget.ts"
import { type Format, hourKey, type Layout } from "../../../src/services/HourKey.ts"
import { HourMetadata, metadataToText } from "../../../src/services/HourMetadata.ts"
import { ObjectStorage, ObjectStorageError } from "../../../src/services/ObjectStorage.ts"
import { sha256Of } from "../../fixtures/newObject.ts"
import { realStores } from "../../fixtures/realStores.ts"
import { event, hour } from "../../fixtures/world.ts"

type Store = ObjectStorage["Type"]
const [H10, H11, H12, H13] = [10, 11, 12, 13].map((it) => `2025-11-10T${it}`) as [
  string,
  string,
  string,
  string
]

const services = Layer.merge(
  UnpackerZip.layer(),
  ClockFixed.layer(Date.parse("2025-11-12T12:00:00Z"))
)

interface Landed {
  readonly at: string
  readonly lines: ReadonlyArray<string>
  readonly layout?: Layout
  readonly format?: Format
  readonly replaces?: ReadonlyArray<string>
  /** Whether another pipeline landed it. */
  readonly isForeign?: boolean
}

/** Lands an hour as this program does, and returns its lineset. */
const land = Effect.fn(function* (store: Store, it: Landed) {
  const { at, format = "jsonl", isForeign, layout = "hourly", lines, replaces = [] } = it
  const plain = Buffer.from(lines.join(""))
  const bytes = format === "jsonl" ? plain : gzipSync(plain)
  const counter = countLines(refusal("test"), false)
  counter.update(plain)
  const { digest } = counter.finish()
  const metadata = new HourMetadata({
    ...digest,
    hour: hour(at),
    sha256: sha256Of(bytes),
    parts: 1,
    project: "77",
    version: "0.0.9",
    replaces
  })
  yield* store.put({
    key: hourKey(hour(at), layout, format),
    size: bytes.length,
    sha256: sha256Of(bytes),
    metadata: isForeign === true ? {} : metadataToText(metadata),
    body: Stream.make(new Uint8Array(bytes))
  })
  return digest.lineset
})

let made = 0
const memory = Effect.map(ObjectStorageMemory.make(), (store) => ({
  ...store,
  isDurable: true,
  location: `memory:${made++}`
}))

const compare = (here: Store, there: Store, options: CompareOptions = {}) =>
  compareLakes({ retries: 0, ...options }).pipe(
    Effect.provideService(ObjectStorage, here),
    Effect.provideService(CopyTarget, there),
    Effect.provide(services),
    Logger.withMinimumLogLevel(LogLevel.None)
  )

const LINES = [event("a"), event("b")]
const stores = realStores("events/")

describe("compareLakes()", () => {
  for (const [from, makeHere] of Object.entries(stores)) {
    for (const [to, makeThere] of Object.entries(stores)) {
      if (from === to && from !== "a folder") continue
      it.scopedLive(`finds a copy of ${from} in ${to} the same, in another layout and format`, () =>
        Effect.gen(function* () {
          const [here, there] = [yield* makeHere, yield* makeThere]
          yield* land(here, { at: H10, lines: LINES })
          yield* land(here, { at: H11, lines: [] })
          yield* land(here, { at: H12, lines: LINES, isForeign: true })
          yield* copyLake({ retries: 0, layout: "hive", format: "jsonl.gz" }).pipe(
            Effect.provideService(ObjectStorage, here),
            Effect.provideService(CopyTarget, there),
            Effect.provide(services)
          )
          yield* land(there, { at: H13, lines: LINES })
          const found = yield* compare(here, there)
          assert.deepEqual(
            [found.same, found.missingHere, found.missingThere, found.differing, found.failed],
            [[H10, H11, H12], [H13], [], [], []]
          )
          assert.deepEqual([found.events, found.exitCode], [4, 3])
          assert.equal(found.against, there.place)
          const back = yield* compare(there, here, { end: hour(H12), start: hour(H10) })
          assert.deepEqual([back.same, back.exitCode], [[H10, H11, H12], 0])
        })
      )
    }
  }

  it.scopedLive("names hours that differ, and which side has replaced the other's lines", () =>
    Effect.gen(function* () {
      const [here, there] = [yield* memory, yield* memory]
      const earlier = yield* land(there, { at: H10, lines: LINES })
      yield* land(here, { at: H10, lines: LINES.slice(1), replaces: [earlier] })
      yield* land(here, { at: H11, lines: [event("a"), event("b")] })
      // The same number of lines.
      yield* land(there, { at: H11, lines: [event("a"), event("c")] })
      yield* land(here, { at: H12, lines: LINES })
      yield* land(there, { at: H12, lines: LINES.toReversed() })
      const found = yield* compare(here, there)
      assert.deepEqual([found.same, found.exitCode], [[H12], 8])
      assert.deepEqual(
        found.differing.map((it) => it.hour),
        [H10, H11]
      )
      const [first, second] = found.differing.map(({ problems }) => problems.join())
      assert.match(
        first ?? "",
        /^1 events here \(lineset \w{12}\), 2 there .*; the lake here had those lines, and replaced them$/
      )
      assert.match(second ?? "", /2 there \(lineset \w{12}\)$/)
      const [back] = (yield* compare(there, here)).differing
      assert.match(
        back?.problems.join() ?? "",
        /; the other lake had the lines of here, and replaced them$/
      )
    })
  )

  it.scopedLive("reads both, and believes no metadata", () =>
    Effect.gen(function* () {
      const [here, there] = [yield* memory, yield* memory]
      yield* land(here, { at: H10, lines: LINES })
      yield* land(there, { at: H10, lines: LINES })
      const changed: Store = {
        ...there,
        get: () => Stream.make(new Uint8Array(Buffer.from([event("a"), event("x")].join(""))))
      }
      const found = yield* compare(here, changed)
      assert.equal(found.exitCode, 8)
      assert.match(found.differing[0]?.problems.join() ?? "", /lineset \w+, metadata says/)
    })
  )

  it.scopedLive("goes on after an hour that cannot be read", () =>
    Effect.gen(function* () {
      const [here, there] = [yield* memory, yield* memory]
      for (const at of [H10, H11]) {
        yield* land(here, { at, lines: LINES })
        yield* land(there, { at, lines: LINES })
      }
      const refusing: Store = {
        ...there,
        get: (key) =>
          key.includes("_10")
            ? Stream.fail(
                new ObjectStorageError({
                  reason: "AccessDenied",
                  method: "get",
                  path: key,
                  detail: "no"
                })
              )
            : there.get(key)
      }
      const found = yield* compare(here, refusing)
      assert.deepEqual([found.same, found.exitCode], [[H11], 7])
      assert.deepEqual(
        found.failed.map((it) => [it.hour, it.error]),
        [[H10, "ObjectStorageError.AccessDenied"]]
      )
    })
  )

  it.scopedLive("exits 3 where neither has an hour, and refuses the lake itself", () =>
    Effect.gen(function* () {
      const [here, there] = [yield* memory, yield* memory]
      assert.equal((yield* compare(here, there)).exitCode, 3)
      const refused = yield* Effect.flip(compare(here, here))
      assert.equal(refused._tag === "ObjectStorageError" && refused.reason, "Misconfigured")
    })
  )
})
