import assert from "node:assert/strict"
import * as fs from "node:fs/promises"
import { basename, join } from "node:path"
import { describe, it } from "@effect/vitest"
import { Effect, Redacted } from "effect"
import type * as ObjectStorageS3 from "../../src/layers/ObjectStorageS3.ts"
import type { Summary } from "../../src/programs/Summary.ts"
import { deadRun, earlierRun, pathsBelow } from "../fixtures/disk.ts"
import * as S3Server from "../fixtures/s3Server.ts"
import { scriptedServer } from "../fixtures/scriptedServer.ts"
import {
  assertGentle,
  BUCKET,
  bySize,
  countOf,
  H20,
  H21,
  H22,
  HOURS,
  keyOf,
  LINES,
  makeLake,
  objectsIn,
  objectsOf,
  s3Layer
} from "./_lake.ts"

type Plan = (request: S3Server.S3Request) => S3Server.S3Fault | undefined
type Options = Partial<ObjectStorageS3.ObjectStorageS3Options>

/** Large enough to be streamed, and to be sent in parts where that is asked for. */
const LARGE = `{"pad":"${"0123456789abcdef".repeat(80_000)}"}\n`
const KIB = 1024
/** Five hours as keys of the bucket. */
const manyHours = () =>
  ["18", "19", "20", "21", "22"].map((hour) => `python-import/2025-11-10_${hour}.jsonl`)

/** Every hour of more than 100 KiB goes in parts. */
const IN_PARTS: Options = { multipartThreshold: 100 * KIB, partSize: 512 * KIB }

const answer = (status: number, code: string): S3Server.S3Fault => ({ do: "answer", status, code })

/** A fault of the first requests of an operation, for hours only. */
const first =
  (operation: S3Server.S3Operation, fault: S3Server.S3Fault, times = 1, key = "_21"): Plan =>
  (request) =>
    request.operation === operation && request.key.includes(key) && request.count <= times
      ? fault
      : undefined

const always = (operation: S3Server.S3Operation, fault: S3Server.S3Fault, key = "_21"): Plan =>
  first(operation, fault, Infinity, key)

const s3Lake = Effect.fnUntraced(function* (
  more: {
    readonly plan?: Plan
    readonly server?: S3Server.S3ServerOptions
    readonly store?: Options
    readonly lines?: Readonly<Record<string, string>>
  } = {}
) {
  const s3 = yield* S3Server.make({
    users: { AKTEST: { secret: "SKTEST" } },
    buckets: { [BUCKET]: "us-east-1" },
    leastPart: KIB,
    ...more.server,
    ...(more.plan === undefined ? {} : { plan: more.plan })
  })
  const lines = { ...LINES, ...more.lines }
  const server = yield* scriptedServer(Array.from({ length: 20 }, () => bySize(undefined, lines)))
  const lake = yield* makeLake({ amplitude: server, store: s3Layer(s3, more.store) })
  return { s3, server, lines, ...lake }
})

type S3Lake = Effect.Effect.Success<ReturnType<typeof s3Lake>>

/** One run lands the three hours whatever went wrong meanwhile: each is put once, and nothing overwritten or removed. */
const assertLands = Effect.fnUntraced(function* (lake: S3Lake) {
  const summary = yield* lake.all(H20, H22)
  assert.equal(summary.exitCode, 0, summary.failed[0]?.message ?? summary.error?.message)
  assert.deepEqual([...summary.landed, ...summary.skipped].sort(), HOURS)
  assert.deepEqual(objectsIn(lake.s3), objectsOf(lake.lines))
  assert.deepEqual(yield* lake.spooled, [])
  assertGentle(lake.s3)
  return summary
})

/** What a run may not do before it knows that hours can land: ask Amplitude, or put any. */
function assertUntouched({ s3, server }: S3Lake) {
  assert.equal(server.requests.length, 0)
  assert.equal(countOf(s3, "PutObject") + countOf(s3, "CreateMultipartUpload"), 0)
  assert.equal(objectsIn(s3).size, 0)
  assertGentle(s3)
}

function assertHourFailed({ failed, landed, exitCode }: Summary, error: string, code: number) {
  assert.deepEqual(
    failed.map((it) => [it.hour, it.error]),
    [[H21, error]]
  )
  assert.deepEqual([landed, exitCode], [[H20, H22], code])
}

describe("a faulty store", { timeout: 60_000 }, () => {
  for (const [action, what] of [
    ["s3:ListBucket", "list"],
    ["s3:PutObject", "put"],
    ["s3:GetObject", "look up"]
  ] as const) {
    it.scopedLive(`O1 finds before it downloads that it may not ${what}, says so and exits 7`, () =>
      Effect.gen(function* () {
        const denied: Array<string> = []
        const lake = yield* s3Lake({ server: { users: { AKTEST: { secret: "SKTEST", denied } } } })
        yield* lake.fetch(H20, H21)
        denied.push(action)
        const asked = lake.server.requests.length
        for (const run of [lake.all(H20, H22), lake.sync()]) {
          const { error, exitCode } = yield* run
          assert.deepEqual([exitCode, error?.error], [7, "ObjectStorageError.AccessDenied"])
          assert.ok(error?.message.includes(`Allow ${action} on arn:aws:s3:::lake`), error?.message)
        }
        assert.equal(lake.server.requests.length, asked)
        assert.deepEqual([...(yield* lake.staged).keys()], [keyOf(H20), keyOf(H21)])
        assert.deepEqual([...objectsIn(lake.s3)], [])
        assertGentle(lake.s3)
      })
    )
  }

  for (const operation of ["PutObject", "HeadObject"] as const) {
    it.scopedLive(`O1 keeps the hour whose ${operation} is refused, and exits 7`, () =>
      Effect.gen(function* () {
        const plan = always(operation, answer(403, "AccessDenied"))
        const lake = yield* s3Lake({ plan })
        yield* lake.fetch(H20, H22)
        assertHourFailed(yield* lake.sync(), "ObjectStorageError.AccessDenied", 7)
        assert.deepEqual([...(yield* lake.staged).keys()], [keyOf(H21)])
        lake.s3.setPlan(() => undefined)
        assert.equal((yield* lake.sync()).exitCode, 0)
        assert.deepEqual([...(yield* lake.staged).keys()], [])
        assert.deepEqual(objectsIn(lake.s3), objectsOf())
        assertGentle(lake.s3)
      })
    )
  }

  it.scopedLive("O2 finds before it downloads that there is no such bucket, and exits 2", () =>
    Effect.gen(function* () {
      const lake = yield* s3Lake({ server: { buckets: {} } })
      const summary = yield* lake.all(H20, H22)
      assert.equal(summary.exitCode, 2)
      assert.equal(summary.error?.error, "ObjectStorageError.NotFound")
      assertUntouched(lake)
    })
  )

  it.scopedLive(
    "O2 finds before it downloads that the bucket is in another region, and exits 2",
    () =>
      Effect.gen(function* () {
        const lake = yield* s3Lake({ server: { buckets: { [BUCKET]: "eu-central-1" } } })
        const summary = yield* lake.all(H20, H22)
        assert.equal(summary.exitCode, 2)
        assert.match(summary.error?.message ?? "", /region eu-central-1: set AWS_REGION/)
        assertUntouched(lake)
      })
  )

  for (const [status, code] of [
    [503, "SlowDown"],
    [500, "InternalError"],
    [400, "RequestTimeout"]
  ] as const) {
    for (const [size, lines] of [
      ["small", {}],
      ["streamed", { [H21]: LARGE }]
    ] as const) {
      it.scopedLive(`O3 sends a ${size} hour whole again after ${code}`, () =>
        Effect.gen(function* () {
          const lake = yield* s3Lake({ plan: first("PutObject", answer(status, code), 2), lines })
          const { retries } = yield* assertLands(lake)
          assert.equal(retries, 2)
          assert.equal(countOf(lake.s3, "PutObject", "_21"), 3)
        })
      )
    }
  }

  it.scopedLive("O3 keeps the archive of an hour that never gets through, and exits 3", () =>
    Effect.gen(function* () {
      const lake = yield* s3Lake({ plan: always("PutObject", answer(503, "SlowDown")) })
      assertHourFailed(yield* lake.all(H20, H22), "ObjectStorageError.Unavailable", 3)
      assert.equal(countOf(lake.s3, "PutObject", "_21"), 4)
      assert.equal((yield* lake.spooled).length, 1)
      lake.s3.setPlan(() => undefined)
      yield* assertLands(lake)
      assert.equal(lake.server.requests.length, 1)
    })
  )

  it.scopedLive("O3 exits 5 where the store is down, having asked for nothing", () =>
    Effect.gen(function* () {
      const lake = yield* s3Lake({ plan: () => answer(503, "SlowDown") })
      const summary = yield* lake.all(H20, H22)
      assert.deepEqual([summary.exitCode, summary.landed], [5, []])
      assertUntouched(lake)
    })
  )

  for (const after of [0, 1, 700_000, LARGE.length - 1]) {
    it.scopedLive(`O4 sends an hour again that was cut off after ${after} bytes`, () =>
      Effect.gen(function* () {
        const plan = first("PutObject", { do: "reset", after })
        const lake = yield* s3Lake({ plan, lines: { [H21]: LARGE } })
        yield* assertLands(lake)
        const parts = yield* s3Lake({
          plan: first("UploadPart", { do: "reset", after: Math.min(after, 400_000) }),
          lines: { [H21]: LARGE },
          store: IN_PARTS
        })
        yield* assertLands(parts)
        assert.equal(parts.s3.buckets.get(BUCKET)?.uploads.size, 0)
      })
    )
  }

  for (const [title, operation, lines, store] of [
    ["of a small put", "PutObject", {}, {}],
    ["of a streamed put", "PutObject", { [H21]: LARGE }, {}],
    ["of a completion", "CompleteMultipartUpload", { [H21]: LARGE }, IN_PARTS]
  ] as const) {
    it.scopedLive(`O5 takes its own object for landed when the answer ${title} was lost`, () =>
      Effect.gen(function* () {
        const lake = yield* s3Lake({
          plan: first(operation, { do: "storeThenDrop" }),
          lines,
          store
        })
        yield* assertLands(lake)
        const stored = lake.s3.requests.filter(
          ({ operation: it, key }) => it === operation && key.includes("_21")
        )
        assert.ok(stored.length <= 2, `${stored.length} puts`)
        const uploads = countOf(lake.s3, "CreateMultipartUpload", "_21")
        assert.equal(uploads, operation === "PutObject" ? 0 : 1)
      })
    )

    it.scopedLive(`O5 removes the staged file only then, when the answer ${title} was lost`, () =>
      Effect.gen(function* () {
        const lake = yield* s3Lake({ lines, store })
        yield* lake.fetch(H20, H22)
        let isStored = false
        lake.s3.setPlan(({ operation: it, key }) => {
          if (!key.includes("_21")) return undefined
          if (isStored) return it === "HeadObject" ? answer(500, "InternalError") : undefined
          isStored = it === operation
          return isStored ? { do: "storeThenDrop" } : undefined
        })
        const summary = yield* lake.sync(undefined, undefined, { retries: 0 })
        assertHourFailed(summary, "ObjectStorageError.Unavailable", 3)
        assert.deepEqual([...(yield* lake.staged).keys()], [keyOf(H21)])
        lake.s3.setPlan(() => undefined)
        const { skipped, exitCode } = yield* lake.sync()
        assert.deepEqual([skipped, exitCode], [[H21], 0])
        assert.deepEqual([...(yield* lake.staged)], [])
        assert.deepEqual(objectsIn(lake.s3), objectsOf(lake.lines))
        assertGentle(lake.s3)
      })
    )
  }

  for (const [title, operation, lines, store] of [
    ["a put", "PutObject", {}, {}],
    ["a completion", "CompleteMultipartUpload", { [H21]: LARGE }, IN_PARTS]
  ] as const) {
    it.scopedLive(`O6 tries again where ${title} met another write (409), and lands once`, () =>
      Effect.gen(function* () {
        const conflict = answer(409, "ConditionalRequestConflict")
        const lake = yield* s3Lake({ plan: first(operation, conflict, 2), lines, store })
        yield* assertLands(lake)
        assert.equal(lake.s3.buckets.get(BUCKET)?.uploads.size, 0)
      })
    )
  }

  it.scopedLive(
    "O7 finds the same hour there, overwrites nothing and removes the staged file",
    () =>
      Effect.gen(function* () {
        const lake = yield* s3Lake()
        yield* lake.fetch(H20, H22)
        const elsewhere = yield* makeLake({ amplitude: lake.server, store: s3Layer(lake.s3) })
        yield* elsewhere.all(H20, H22)
        const etags = () =>
          [...(lake.s3.buckets.get(BUCKET)?.objects ?? [])].map(([, it]) => it.etag)
        const [before, puts] = [etags(), countOf(lake.s3, "PutObject")]
        const summary = yield* lake.sync()
        assert.deepEqual([summary.skipped, summary.exitCode], [HOURS, 0])
        assert.deepEqual([etags(), countOf(lake.s3, "PutObject")], [before, puts])
        assert.deepEqual([...(yield* lake.staged)], [])
        assertGentle(lake.s3)
      })
  )

  it.scopedLive("O7 finds the same hour of a run that was quicker after it had listed", () =>
    Effect.gen(function* () {
      const lake = yield* s3Lake()
      const elsewhere = yield* makeLake({ amplitude: lake.server, store: s3Layer(lake.s3) })
      const bucket = lake.s3.buckets.get(BUCKET)
      assert.ok(bucket !== undefined)
      yield* elsewhere.all(H20, H22)
      const objects = new Map(bucket.objects)
      bucket.objects.clear()
      // The objects come back between the listing and the first put.
      lake.s3.setPlan(({ operation, key }) => {
        if (operation === "PutObject" && !key.includes("probe")) {
          for (const [name, object] of objects) bucket.objects.set(name, object)
        }
        return undefined
      })
      const summary = yield* lake.all(H20, H22)
      assert.deepEqual([summary.skipped, summary.landed, summary.exitCode], [HOURS, [], 0])
      assert.deepEqual(objectsIn(lake.s3), objectsOf())
      assertGentle(lake.s3)
    })
  )

  it.scopedLive("O8 keeps both where another hour stands under the key, and exits 8", () =>
    Effect.gen(function* () {
      const lake = yield* s3Lake()
      yield* lake.fetch(H20, H22)
      const other = '{"uuid":"z"}\n'
      const lines = { ...LINES, [H21]: other }
      const theirs = yield* scriptedServer([bySize(undefined, lines)])
      yield* (yield* makeLake({ amplitude: theirs, store: s3Layer(lake.s3) })).all(H21)
      assertHourFailed(yield* lake.sync(), "LandingError.Conflict", 8)
      assert.deepEqual(objectsIn(lake.s3), objectsOf(lines))
      const [[kept, text] = []] = yield* lake.staged
      assert.match(kept ?? "", /^failed_uploads\/2025-11-10_21\.[0-9a-f]{8}\.jsonl$/)
      assert.equal(text, LINES[H21])
      assertGentle(lake.s3)
    })
  )

  for (const [status, code] of [
    [400, "BadDigest"],
    [400, "XAmzContentSHA256Mismatch"]
  ] as const) {
    it.scopedLive(`O9 keeps the staged file when other bytes arrive (${code}), and exits 8`, () =>
      Effect.gen(function* () {
        const lake = yield* s3Lake({ plan: always("PutObject", answer(status, code)) })
        yield* lake.fetch(H20, H22)
        assertHourFailed(yield* lake.sync(), "ObjectStorageError.Corrupt", 8)
        assert.deepEqual(yield* lake.staged, objectsOf({ [H21]: LINES[H21] ?? "" }))
        lake.s3.setPlan(() => undefined)
        assert.equal((yield* lake.sync()).exitCode, 0)
        assert.deepEqual(objectsIn(lake.s3), objectsOf())
      })
    )
  }

  it.scopedLive(
    "O9 keeps ours when the store holds another size than was put, and exits 8 each time",
    () =>
      Effect.gen(function* () {
        const lake = yield* s3Lake()
        yield* lake.fetch(H20, H22)
        const objects = lake.s3.buckets.get(BUCKET)?.objects
        assert.ok(objects !== undefined)
        lake.s3.setPlan(({ operation, key }) => {
          const object = objects.get(key)
          if (operation === "HeadObject" && key.includes("_21") && object !== undefined) {
            objects.set(key, {
              ...object,
              bytes: object.bytes.subarray(0, 20),
              checksum: undefined
            })
          }
          return undefined
        })
        assertHourFailed(yield* lake.sync(), "LandingError.NotVerified", 8)
        assert.deepEqual(yield* lake.staged, objectsOf({ [H21]: LINES[H21] ?? "" }))
        // The object's metadata still tell of our lines; its bytes decide.
        const again = yield* lake.sync()
        assert.equal(again.exitCode, 8)
        assert.deepEqual([...(yield* lake.staged).values()], [LINES[H21]])
      })
  )

  it.scopedLive("O9 finds a landed object that was cut since by asking again, and exits 8", () =>
    Effect.gen(function* () {
      const lake = yield* s3Lake()
      yield* lake.all(H20, H22)
      const objects = lake.s3.buckets.get(BUCKET)?.objects
      const key = `python-import/${keyOf(H21)}`
      const object = objects?.get(key)
      assert.ok(object !== undefined)
      const cut = { ...object, bytes: object.bytes.subarray(0, 20), checksum: undefined }
      objects?.set(key, cut)
      const summary = yield* lake.recheck(H20, H22)
      assert.deepEqual(
        summary.failed.map(({ hour, error }) => [hour, error]),
        [[H21, "LandingError.Conflict"]]
      )
      assert.equal(summary.exitCode, 8)
      assert.equal(objects?.get(key), cut)
    })
  )

  it.scopedLive("O10 takes an error within a completion's 200 for one, and completes again", () =>
    Effect.gen(function* () {
      const plan = first("CompleteMultipartUpload", { do: "errorInOk", code: "InternalError" }, 2)
      const lake = yield* s3Lake({ plan, lines: { [H21]: LARGE }, store: IN_PARTS })
      yield* assertLands(lake)
      assert.equal(countOf(lake.s3, "CompleteMultipartUpload"), 3)
    })
  )

  for (const [status, code, error, exit] of [
    [400, "BadDigest", "Corrupt", 8],
    [403, "AccessDenied", "AccessDenied", 7]
  ] as const) {
    it.scopedLive(`O11 leaves no part of an upload behind that fails for good: ${code}`, () =>
      Effect.gen(function* () {
        const plan = always("UploadPart", answer(status, code))
        const lake = yield* s3Lake({ plan, lines: { [H21]: LARGE }, store: IN_PARTS })
        assertHourFailed(yield* lake.all(H20, H22), `ObjectStorageError.${error}`, exit)
        assert.equal(lake.s3.buckets.get(BUCKET)?.uploads.size, 0)
        assert.equal(countOf(lake.s3, "AbortMultipartUpload"), 1)
        lake.s3.setPlan(() => undefined)
        yield* assertLands(lake)
      })
    )
  }

  it.scopedLive("O12 finds before it downloads that the store overwrites, and exits 2", () =>
    Effect.gen(function* () {
      const lake = yield* s3Lake({ plan: () => ({ do: "ignoreConditions" }) })
      const summary = yield* lake.all(H20, H22)
      assert.equal(summary.exitCode, 2)
      assert.match(summary.error?.message ?? "", /Misconfigured.*ignores If-None-Match/)
      assertUntouched(lake)
    })
  )

  const object = { bytes: Buffer.from("{}\n"), etag: '"theirs"', headers: {}, checksum: undefined }

  for (const [title, fault, exit] of [
    ["cannot be had", answer(500, "InternalError"), 5],
    ["may not be had", answer(403, "AccessDenied"), 7]
  ] as const) {
    it.scopedLive(`O13 plans nothing by half a listing, when its second page ${title}`, () =>
      Effect.gen(function* () {
        const lake = yield* s3Lake({
          server: { pageSize: 2 },
          plan: ({ operation, query }) =>
            operation === "ListObjectsV2" && query.has("continuation-token") ? fault : undefined
        })
        const objects = lake.s3.buckets.get(BUCKET)?.objects
        for (const key of manyHours()) objects?.set(key, object)
        const summary = yield* lake.all(H20, H22)
        assert.deepEqual([summary.exitCode, summary.window], [exit, null])
        assert.deepEqual([lake.server.requests.length, countOf(lake.s3, "PutObject")], [0, 0])
      })
    )
  }

  it.scopedLive("O13 plans nothing by a listing that does not say where it goes on: exit 2", () =>
    Effect.gen(function* () {
      const lake = yield* s3Lake({
        server: { pageSize: 2 },
        plan: ({ operation }) => (operation === "ListObjectsV2" ? { do: "forgetToken" } : undefined)
      })
      const objects = lake.s3.buckets.get(BUCKET)?.objects
      for (const key of manyHours()) objects?.set(key, object)
      const summary = yield* lake.all(H20, H22)
      assert.equal(summary.exitCode, 2)
      assert.deepEqual([lake.server.requests.length, countOf(lake.s3, "PutObject")], [0, 0])
    })
  )

  it.scopedLive("O13 reads every page, and takes no similar name for an hour", () =>
    Effect.gen(function* () {
      const lake = yield* s3Lake({ server: { pageSize: 2 } })
      const objects = lake.s3.buckets.get(BUCKET)?.objects
      assert.ok(objects !== undefined)
      const [, , h20 = "", h21 = "", h22 = ""] = manyHours()
      const similar = [
        `${h20}.bak`,
        `${h20}.tmp`,
        `${h21}~`,
        h21.replace("import/", "import/old/"),
        h21.replace("_21", "_2l"),
        h22.replace("11-10", "11-1O"),
        h22.replace("python-import", "python-import2"),
        h22.replace("jsonl", "JSONL")
      ]
      for (const key of [...manyHours().slice(0, 2), ...similar]) objects.set(key, object)
      const summary = yield* lake.all("2025-11-10T18", H22)
      assert.deepEqual(summary.skipped, ["2025-11-10T18", "2025-11-10T19"])
      assert.deepEqual([summary.landed, summary.exitCode], [HOURS, 0])
      for (const key of similar) assert.equal(objects.get(key), object)
      const next = yield* lake.all("2025-11-10T18", H22)
      assert.deepEqual([next.landed, next.skipped.length], [[], 5])
    })
  )

  it.scopedLive("O14 names the hours after the credentials ran out, keeps them, and exits 7", () =>
    Effect.gen(function* () {
      let isExpired = false
      const plan: Plan = ({ operation, key }) => {
        if (operation === "PutObject" && key.includes("_21")) isExpired = true
        return isExpired ? answer(400, "ExpiredToken") : undefined
      }
      const lake = yield* s3Lake({ plan })
      const summary = yield* lake.all(H20, H22)
      assert.equal(summary.exitCode, 7)
      assert.ok(summary.failed.some(({ hour }) => hour === H21))
      for (const { error, message } of summary.failed) {
        assert.equal(error, "ObjectStorageError.AccessDenied")
        assert.match(message, /credentials have run out/)
      }
      assert.equal((yield* lake.spooled).length, 1)
      lake.s3.setPlan(() => undefined)
      yield* assertLands(lake)
      assert.equal(lake.server.requests.length, 1)
    })
  )

  it.scopedLive("O14 asks for credentials anew once they ran out, and the next run lands", () =>
    Effect.gen(function* () {
      let secret = "worn out"
      const lake = yield* s3Lake({
        store: {
          credentials: () =>
            Promise.resolve({ accessKeyId: "AKTEST", secretAccessKey: Redacted.make(secret) })
        }
      })
      assert.equal((yield* lake.all(H20, H22)).exitCode, 7)
      assertUntouched(lake)
      secret = "SKTEST"
      yield* assertLands(lake)
    })
  )
})

describe("two runs on one bucket", { timeout: 60_000 }, () => {
  it.scopedLive("X2 land every hour once from two hosts, and both end well", () =>
    Effect.gen(function* () {
      const lake = yield* s3Lake({ lines: { [H21]: LARGE } })
      const elsewhere = yield* makeLake({ amplitude: lake.server, store: s3Layer(lake.s3) })
      const runs = [lake.all(H20, H22), elsewhere.all(H20, H22)]
      for (const { exitCode, failed } of yield* Effect.all(runs, { concurrency: 2 })) {
        assert.equal(exitCode, 0, failed[0]?.message)
      }
      assert.deepEqual(objectsIn(lake.s3), objectsOf(lake.lines))
      assert.deepEqual([yield* lake.spooled, yield* elsewhere.spooled], [[], []])
      assertGentle(lake.s3)
    })
  )

  it.scopedLive("X3 goes on from what a dead run held, also where its number is used again", () =>
    Effect.gen(function* () {
      const lake = yield* s3Lake({ plan: always("PutObject", answer(403, "AccessDenied")) })
      assert.equal((yield* lake.all(H20, H22)).exitCode, 7)
      lake.s3.setPlan(() => undefined)
      for (const dead of [yield* deadRun, earlierRun]) {
        const [path] = yield* lake.spooled
        assert.ok(path !== undefined)
        const held = join(lake.spoolDir, "runs", dead, "0")
        yield* Effect.promise(async () => {
          await fs.mkdir(held, { recursive: true })
          await fs.rename(join(lake.spoolDir, path), join(held, basename(path)))
          await fs.writeFile(join(held, `${basename(path)}.part`), "half")
        })
        const { landed, exitCode } = yield* lake.all(H21)
        assert.deepEqual([landed, exitCode], [[H21], 0])
        if (dead === earlierRun) break
        lake.s3.buckets.get(BUCKET)?.objects.delete(`python-import/${keyOf(H21)}`)
        assert.deepEqual(yield* lake.spooled, [])
        lake.s3.setPlan(always("PutObject", answer(403, "AccessDenied")))
        assert.equal((yield* lake.all(H21)).exitCode, 7)
        lake.s3.setPlan(() => undefined)
      }
      assert.deepEqual(objectsIn(lake.s3), objectsOf())
      assert.deepEqual(yield* lake.spooled, [])
      assert.deepEqual(yield* pathsBelow(join(lake.spoolDir, "runs")), [])
      assert.equal(lake.server.requests.length, 2)
    })
  )

  it.scopedLive("X4 land every hour once where one moves what is staged and one asks anew", () =>
    Effect.gen(function* () {
      const lake = yield* s3Lake({ lines: { [H21]: LARGE } })
      yield* lake.fetch(H20, H22)
      const elsewhere = yield* makeLake({ amplitude: lake.server, store: s3Layer(lake.s3) })
      const runs = [lake.sync(), elsewhere.all(H20, H22), lake.sync()]
      for (const { exitCode, failed } of yield* Effect.all(runs, { concurrency: 3 })) {
        assert.equal(exitCode, 0, failed[0]?.message)
      }
      assert.deepEqual(objectsIn(lake.s3), objectsOf(lake.lines))
      assert.deepEqual([...(yield* lake.staged)], [])
      assertGentle(lake.s3)
    })
  )
})
