import assert from "node:assert/strict"
import * as fs from "node:fs/promises"
import { dirname, join } from "node:path"
import { gzipSync } from "node:zlib"
import { describe, it } from "@effect/vitest"
import { Effect, Layer, Option, type Scope } from "effect"
import * as ClockFixed from "../../../src/layers/clock/ClockFixed.ts"
import * as ObjectStorageFileSystem from "../../../src/layers/disk/ObjectStorageFileSystem.ts"
import { countLines } from "../../../src/layers/unpack/linesDigest.ts"
import { refusal } from "../../../src/layers/unpack/refusal.ts"
import * as UnpackerZip from "../../../src/layers/unpack/UnpackerZip.ts"
import { verifyHours } from "../../../src/programs/inspect/verifyHours.ts"
import { planSync, syncHours } from "../../../src/programs/runPipeline.ts"
import { HourMetadata, metadataToText } from "../../../src/services/HourMetadata.ts"
import { ObjectStorage, ObjectStorageError } from "../../../src/services/ObjectStorage.ts"
import { Staging } from "../../../src/services/Staging.ts"
import { temporaryFolder } from "../../fixtures/disk.ts"
import { objectOf } from "../../fixtures/newObject.ts"
import { realStores } from "../../fixtures/realStores.ts"
import { hour, keysOf, textOf } from "../../fixtures/world.ts"
import { isLong } from "../../fixtures/long.ts"

const [H20, H21, H21_GZ] = ["2025-11-10_20.jsonl", "2025-11-10_21.jsonl", "2025-11-10_21.jsonl.gz"]

/** A line as Amplitude exports it, of an hour such as 21. */
const line = (uuid: string, clock = "21", app = 7) =>
  `{"app":${app},"server_upload_time":"2025-11-10 ${clock}:07:01.123000","uuid":"${uuid}"}\n`

type Storage = ObjectStorage["Type"]
type Files = Readonly<Record<string, string | Uint8Array>>

const stores = realStores("lake/")

/** A store, and a folder in which others have left files. */
const makeLake = Effect.fnUntraced(function* <E>(
  files: Files,
  makeStore: Effect.Effect<Storage, E, Scope.Scope>,
  now = "2025-11-12T12:00:00Z"
) {
  const store = yield* makeStore
  const root = yield* temporaryFolder
  const write = (path: string, body: string | Uint8Array) =>
    Effect.promise(async () => {
      await fs.mkdir(dirname(join(root, path)), { recursive: true })
      await fs.writeFile(join(root, path), body)
    })
  for (const [path, body] of Object.entries(files)) yield* write(path, body)
  const staging = yield* ObjectStorageFileSystem.make({ root })
  const layersOf = (wrap: (it: Storage) => Storage) =>
    Layer.mergeAll(
      ClockFixed.layer(Date.parse(now)),
      Layer.succeed(ObjectStorage, wrap(store)),
      Layer.succeed(Staging, wrap(staging)),
      UnpackerZip.layer()
    )
  const layers = layersOf((it) => it)
  const options = { retries: 0, adoptForeign: { user: "ops" } }
  return {
    store,
    staging,
    write,
    adopt: (wrap: (it: Storage) => Storage = (it) => it) =>
      Effect.provide(syncHours(options), layersOf(wrap)),
    plan: Effect.provide(planSync(options), layers),
    verify: Effect.provide(verifyHours({ retries: 0 }), layers)
  }
})

/** Lands an hour as this program does. */
const land = Effect.fnUntraced(function* (
  store: Storage,
  key: string,
  text: string,
  at = `${key.slice(0, 10)}T${key.slice(11, 13)}`
) {
  const object = objectOf(key, text)
  const counter = countLines(refusal("test"), false)
  counter.update(Buffer.from(text))
  const metadata = new HourMetadata({
    hour: hour(at),
    ...counter.finish().digest,
    sha256: object.sha256,
    parts: 1,
    project: "7",
    version: "0"
  })
  assert.ok(yield* store.put({ ...object, metadata: metadataToText(metadata) }))
})

const hoursIn = (keys: ReadonlyArray<string>) => keys.filter((key) => !key.startsWith("."))

describe.each(Object.entries(stores))("adoptForeign() into %s", (_, makeStore) => {
  it.scopedLive("uploads files of others as unverified hours that count", () =>
    Effect.gen(function* () {
      const gz = gzipSync(line("b"))
      const lake = yield* makeLake({ [H20]: line("a", "20"), [H21_GZ]: gz }, makeStore)
      yield* land(lake.store, "2025-11-10_19.jsonl", line("z", "19"))
      const summary = yield* lake.adopt()
      assert.deepEqual(summary.adoption, {
        adopted: [H20, H21_GZ],
        conflicted: [],
        refused: []
      })
      assert.deepEqual(
        [summary.landed, summary.events, summary.exitCode],
        [["2025-11-10T20", "2025-11-10T21"], 2, 0]
      )
      assert.deepEqual(yield* keysOf(lake.staging), [])
      assert.equal(yield* textOf(lake.store, H20), line("a", "20"))
      const head = Option.getOrThrow(yield* lake.store.head(H21_GZ))
      assert.deepEqual([head.size, head.metadata], [gz.length, {}])
      // After a verified hour, an unverified one would be a conflict without its decision.
      const verified = yield* lake.verify
      assert.deepEqual(
        [verified.unverified, verified.conflicts, verified.exitCode],
        [["2025-11-10T20", "2025-11-10T21"], [], 0]
      )
    })
  )

  it.scopedLive("moves a file to failed_uploads/ where the store has other lines", () =>
    Effect.gen(function* () {
      const lake = yield* makeLake({ [H21]: line("theirs") }, makeStore)
      yield* land(lake.store, H21, line("ours"))
      const summary = yield* lake.adopt()
      assert.deepEqual([summary.adoption?.conflicted, summary.exitCode], [[H21], 8])
      assert.equal(summary.failed[0]?.error, "LandingError.Conflict")
      const [copy = "", ...others] = yield* keysOf(lake.staging)
      assert.match(copy, /^failed_uploads\/2025-11-10_21\.[0-9a-f]{8}\.jsonl$/)
      assert.deepEqual(others, [])
      assert.equal(yield* textOf(lake.staging, copy), line("theirs"))
      assert.equal(yield* textOf(lake.store, H21), line("ours"))
      // The mark names it from now on.
      assert.equal((yield* lake.adopt()).conflicts.length, 1)
    })
  )
})

const folder = stores["a folder"]

describe("adoptForeign()", () => {
  it.scopedLive("removes a file whose lines the store has, in whatever form", () =>
    Effect.gen(function* () {
      const lake = yield* makeLake({ [H21_GZ]: gzipSync(line("b") + line("a")) }, folder)
      const key = "dt=2025-11-10/hour=21/events.jsonl"
      yield* land(lake.store, key, line("a") + line("b"), "2025-11-10T21")
      const summary = yield* lake.adopt()
      assert.deepEqual([summary.adoption?.adopted, summary.exitCode], [[H21_GZ], 0])
      assert.deepEqual(summary.skipped, ["2025-11-10T21"])
      assert.deepEqual(yield* keysOf(lake.staging), [])
      // The hour is verified, so there is nothing to decide.
      assert.deepEqual(yield* keysOf(lake.store), [key])
    })
  )

  const whole = gzipSync(Array.from({ length: 500 }, (_, index) => line(`u${index}`)).join(""))
  const bad: ReadonlyArray<readonly [string, string, string | Uint8Array, RegExp]> = [
    ["a line that is no JSON", H21, `${line("a")}theirs\n`, /^line 2 is not a JSON object$/],
    ["an array", H21, "[1]\n", /^line 1 is not a JSON object$/],
    ["half a line at the end", H21, line("a") + line("b").slice(0, 30), /^line 2 is not a JSON/],
    [
      "another hour's event",
      H21,
      line("a") + line("b", "20"),
      /^line 2 was uploaded at 2025-11-10 20/
    ],
    ["an event without its time", H21, '{"uuid":"a"}\n', /^line 1 has no server_upload_time$/],
    ["two projects", H21, line("a") + line("b", "21", 8), /project 8, those before it are of 7$/],
    ["no lines", H21, "", /^it has no lines/],
    ["a gzip that ends early", H21_GZ, whole.subarray(0, whole.length - 9), /./],
    ["lines under the name of a gzip", H21_GZ, line("a"), /./],
    ["another name", "notes.jsonl", line("a"), /^its name is not that of an hour/],
    ["an hour that does not exist", "2025-11-10_24.jsonl", line("a"), /^its name is not/],
    ["one of several parts", "7_2025-11-10_21#0.json", line("a"), /^it is a part of 2025-11-10T21/]
  ]
  for (const [what, key, body, why] of bad) {
    it.scopedLive(`leaves and names a file with ${what}`, () =>
      Effect.gen(function* () {
        const lake = yield* makeLake({ [key]: body, [H20]: line("a", "20") }, folder)
        const summary = yield* lake.adopt()
        const [refused, ...others] = summary.adoption?.refused ?? []
        assert.deepEqual([refused?.file, others], [key, []])
        assert.match(refused?.message ?? "", why)
        assert.deepEqual([summary.landed, summary.exitCode], [["2025-11-10T20"], 3])
        assert.deepEqual(yield* keysOf(lake.staging), [key])
        assert.deepEqual(hoursIn(yield* keysOf(lake.store)), [H20])
      })
    )
  }

  it.scopedLive("leaves a file whose hour is not over", () =>
    Effect.gen(function* () {
      const lake = yield* makeLake({ [H21]: line("a") }, folder, "2025-11-10T21:59:59Z")
      const summary = yield* lake.adopt()
      assert.equal(summary.adoption?.refused[0]?.message, "its hour is not over")
      assert.deepEqual(yield* keysOf(lake.staging), [H21])
    })
  )

  it.scopedLive("refuses events of another project than the lake's", () =>
    Effect.gen(function* () {
      const lake = yield* makeLake({ [H21]: line("a", "21", 8) }, folder)
      yield* land(lake.store, H20, line("a", "20"))
      const summary = yield* lake.adopt()
      assert.equal(summary.failed[0]?.error, "LandingError.OtherProject")
      assert.equal(summary.exitCode, 8)
      assert.deepEqual(yield* keysOf(lake.staging), [H21])
      assert.deepEqual(yield* keysOf(lake.store), [H20])
    })
  )

  it.scopedLive("compares a second file of an hour with the first", () =>
    Effect.gen(function* () {
      const files = { [H21]: line("a"), [H21_GZ]: gzipSync(line("b")) }
      const lake = yield* makeLake(files, folder)
      const summary = yield* lake.adopt()
      assert.deepEqual(
        [summary.adoption?.adopted, summary.adoption?.conflicted, summary.exitCode],
        [[H21], [H21_GZ], 8]
      )
      assert.deepEqual(hoursIn(yield* keysOf(lake.store)), [H21])
    })
  )

  it.scopedLive("keeps a file that was written to while it was read", () =>
    Effect.gen(function* () {
      const lake = yield* makeLake({ [H21]: line("a") }, folder)
      const summary = yield* lake.adopt((it) => ({
        ...it,
        put: (object, options) =>
          Effect.tap(it.put(object, options), () =>
            object.key === H21 ? lake.write(H21, line("a") + line("b")) : Effect.void
          )
      }))
      assert.equal(summary.exitCode, 0)
      assert.equal(yield* textOf(lake.staging, H21), line("a") + line("b"))
    })
  )

  it.scopedLive("shows what it would look at, and changes nothing", () =>
    Effect.gen(function* () {
      const lake = yield* makeLake({ [H21]: line("a"), "notes.txt": "mine" }, folder)
      assert.deepEqual((yield* lake.plan).files, [H21, "notes.txt"])
      assert.deepEqual(yield* keysOf(lake.staging), [H21, "notes.txt"])
      assert.deepEqual(yield* keysOf(lake.store), [])
    })
  )

  /** Runs with the nth write failing, then undisturbed. */
  const stopped = Effect.fnUntraced(function* (
    theirs: string,
    ours: string | undefined,
    nth: number
  ) {
    const lake = yield* makeLake({ [H21]: theirs }, folder)
    if (ours !== undefined) yield* land(lake.store, H21, ours)
    let writes = 0
    const stop = <A, E>(
      key: string,
      self: Effect.Effect<A, E>
    ): Effect.Effect<A, E | ObjectStorageError> =>
      Effect.suspend((): Effect.Effect<A, E | ObjectStorageError> =>
        ++writes === nth
          ? Effect.fail(
              new ObjectStorageError({ reason: "Failed", method: "put", path: key, detail: "test" })
            )
          : self
      )
    yield* lake.adopt((it) => ({
      ...it,
      put: (object, options) => stop(object.key, it.put(object, options)),
      remove: (key) => stop(key, it.remove(key))
    }))
    const texts = Effect.fnUntraced(function* (store: Storage) {
      const keys = hoursIn(yield* keysOf(store))
      return yield* Effect.forEach(keys, (key) => textOf(store, key))
    })
    const halfway = [...(yield* texts(lake.staging)), ...(yield* texts(lake.store))]
    assert.ok(halfway.includes(theirs), `lost after write ${nth}`)
    const summary = yield* lake.adopt()
    return {
      writes,
      summary,
      staged: yield* texts(lake.staging),
      landed: yield* texts(lake.store),
      marks: (yield* keysOf(lake.store)).filter((key) => key.startsWith("."))
    }
  })

  it.scopedLive.runIf(isLong)("goes on after a failure at any write, and loses nothing", () =>
    Effect.gen(function* () {
      for (let nth = 1; nth <= 4; nth++) {
        const { landed, marks, staged, summary, writes } = yield* stopped(line("a"), undefined, nth)
        assert.deepEqual([landed, staged, marks.length], [[line("a")], [], 1], `write ${nth}`)
        assert.match(marks[0] ?? "", /^\.amplitude-lake-resolved\/2025-11-10T21--/)
        assert.equal(summary.exitCode, 0)
        assert.equal(writes, Math.min(nth, 3))
      }
      for (let nth = 1; nth <= 4; nth++) {
        const { landed, marks, staged, summary } = yield* stopped(line("a"), line("b"), nth)
        assert.deepEqual([landed, staged], [[line("b")], [line("a")]], `write ${nth}`)
        assert.equal(marks.length, 1)
        assert.equal(summary.exitCode, 8)
      }
    })
  )
})
