import assert from "node:assert/strict"
import * as fs from "node:fs/promises"
import { basename, join } from "node:path"
import { describe, it } from "@effect/vitest"
import { Effect } from "effect"
import type { RunOptions } from "../../src/programs/runPipeline.ts"
import type { Summary } from "../../src/programs/run/Summary.ts"
import { deadRun, earlierRun, pathsBelow } from "../fixtures/disk.ts"
import { isLong } from "../fixtures/long.ts"
import * as S3Server from "../fixtures/s3/s3Server.ts"
import { scriptedServer, type Step } from "../fixtures/servers/scriptedServer.ts"
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
import {
  type Call,
  callsOf,
  type Fault,
  type FaultyStoreLayerOptions,
  type FaultyStoreOptions,
  type Plan,
  PREFIX,
  type Refusal,
  type StoreKind,
  stores
} from "./_stores.ts"

/** Large enough to be streamed, and to be sent in parts where a test wants that. */
const LARGE = `{"pad":"${"0123456789abcdef".repeat(80_000)}"}\n`
/** Five hours as names in the store. */
const manyHours = () =>
  ["18", "19", "20", "21", "22"].map((hour) => `${PREFIX}2025-11-10_${hour}.jsonl`)

const refuse = (as: Refusal): Fault => ({ do: "refuse", as })

/** A fault of the first requests of a call, for hours only. */
const first =
  (call: Call, fault: Fault, times = 1, key = "_21"): Plan =>
  (request) =>
    request.call === call && request.key.includes(key) && request.count <= times ? fault : undefined

const always = (call: Call, fault: Fault, key = "_21"): Plan => first(call, fault, Infinity, key)

const lakeOn = Effect.fnUntraced(function* (
  kind: StoreKind,
  more: FaultyStoreOptions &
    FaultyStoreLayerOptions & { readonly lines?: Readonly<Record<string, string>> } = {}
) {
  const store = yield* kind.make(more)
  const lines = { ...LINES, ...more.lines }
  const server = yield* scriptedServer(Array.from({ length: 20 }, () => bySize(undefined, lines)))
  const lake = yield* makeLake({ amplitude: server, store: store.layer(more) })
  return { store, server, lines, ...lake }
})

type StoreLake = Effect.Effect.Success<ReturnType<typeof lakeOn>>

/** One run lands the three hours whatever went wrong meanwhile: each is put once, and nothing overwritten or removed. */
const assertLands = Effect.fnUntraced(function* (lake: StoreLake) {
  const summary = yield* lake.all(H20, H22)
  assert.equal(summary.exitCode, 0, summary.failed[0]?.message ?? summary.error?.message)
  assert.deepEqual([...summary.landed, ...summary.skipped].sort(), HOURS)
  assert.deepEqual(yield* lake.store.objects, objectsOf(lake.lines))
  assert.deepEqual(yield* lake.spooled, [])
  lake.store.assertGentle()
  return summary
})

/** What a run may not do before it knows that hours can land: ask Amplitude, or put any. */
const assertUntouched = Effect.fnUntraced(function* ({ server, store }: StoreLake) {
  assert.equal(server.requests.length, 0)
  assert.equal(callsOf(store, "put") + callsOf(store, "part"), 0)
  assert.equal((yield* store.objects).size, 0)
  store.assertGentle()
})

function assertHourFailed({ failed, landed, exitCode }: Summary, error: string, code: number) {
  assert.deepEqual(
    failed.map((it) => [it.hour, it.error]),
    [[H21, error]]
  )
  assert.deepEqual([landed, exitCode], [[H20, H22], code])
}

for (const [name, kind] of Object.entries(stores)) {
  // In the short form, S3 stands for the other stores in all but one test.
  const isS3 = name === "S3"
  const further = it.scopedLive.runIf(isLong || isS3)
  describe(`a faulty store, ${name}`, () => {
    for (const [permission, words] of kind.permissions) {
      further(`O1 finds before it downloads that it lacks ${permission}, and exits 7`, () =>
        Effect.gen(function* () {
          const lake = yield* lakeOn(kind)
          yield* lake.fetch(H20, H21)
          lake.store.deny(permission)
          const asked = lake.server.requests.length
          for (const run of [lake.all(H20, H22), lake.sync()]) {
            const { error, exitCode } = yield* run
            assert.deepEqual([exitCode, error?.error], [7, "ObjectStorageError.AccessDenied"])
            assert.ok(error?.message.includes(words), error?.message)
          }
          assert.equal(lake.server.requests.length, asked)
          assert.deepEqual([...(yield* lake.staged).keys()], [keyOf(H20), keyOf(H21)])
          assert.deepEqual([...(yield* lake.store.objects)], [])
          lake.store.assertGentle()
        })
      )
    }

    for (const call of ["put", "head"] as const) {
      it.scopedLive.runIf(isLong || (isS3 && call === "put"))(
        `O1 keeps the hour whose ${call} is refused, and exits 7`,
        () =>
          Effect.gen(function* () {
            const lake = yield* lakeOn(kind, { plan: always(call, refuse("denied")) })
            yield* lake.fetch(H20, H22)
            assertHourFailed(yield* lake.sync(), "ObjectStorageError.AccessDenied", 7)
            assert.deepEqual([...(yield* lake.staged).keys()], [keyOf(H21)])
            lake.store.setPlan(() => undefined)
            assert.equal((yield* lake.sync()).exitCode, 0)
            assert.deepEqual([...(yield* lake.staged).keys()], [])
            assert.deepEqual(yield* lake.store.objects, objectsOf())
            lake.store.assertGentle()
          })
      )
    }

    further("O2 finds before it downloads that there is no such place, and exits 2", () =>
      Effect.gen(function* () {
        const lake = yield* lakeOn(kind, { exists: false })
        const summary = yield* lake.all(H20, H22)
        assert.equal(summary.exitCode, 2)
        assert.equal(summary.error?.error, "ObjectStorageError.NotFound")
        yield* assertUntouched(lake)
      })
    )

    for (const as of ["busy", "broken", "slow"] as const) {
      for (const [size, lines] of [
        ["small", {}],
        ["large", { [H21]: LARGE }]
      ] as const) {
        const stands = as === "busy" && size === "small"
        it.scopedLive.runIf(isLong || (isS3 && stands))(
          `O3 sends a ${size} hour whole again to a store that is ${as}`,
          () =>
            Effect.gen(function* () {
              const lake = yield* lakeOn(kind, { plan: first("put", refuse(as), 2), lines })
              const { retries } = yield* assertLands(lake)
              assert.equal(retries, 2)
              assert.equal(callsOf(lake.store, "put", "_21"), 3)
            })
        )
      }
    }

    further("O3 keeps the archive of an hour that never gets through, and exits 3", () =>
      Effect.gen(function* () {
        const lake = yield* lakeOn(kind, { plan: always("put", refuse("busy")) })
        assertHourFailed(yield* lake.all(H20, H22), "ObjectStorageError.Unavailable", 3)
        assert.equal(callsOf(lake.store, "put", "_21"), 4)
        assert.equal((yield* lake.spooled).length, 1)
        lake.store.setPlan(() => undefined)
        yield* assertLands(lake)
        assert.equal(lake.server.requests.length, 1)
      })
    )

    further("O3 exits 5 if the store is down, without requesting anything", () =>
      Effect.gen(function* () {
        const lake = yield* lakeOn(kind, { plan: () => refuse("busy") })
        const summary = yield* lake.all(H20, H22)
        assert.deepEqual([summary.exitCode, summary.landed], [5, []])
        yield* assertUntouched(lake)
      })
    )

    for (const after of [0, 1, 700_000, LARGE.length - 1]) {
      it.scopedLive.runIf(isLong || (isS3 && after === 700_000))(
        `O4 sends an hour again that was cut off after ${after} bytes`,
        () =>
          Effect.gen(function* () {
            const lines = { [H21]: LARGE }
            yield* assertLands(
              yield* lakeOn(kind, { plan: first("put", { do: "reset", after }), lines })
            )
            const cut: Fault = { do: "reset", after: Math.min(after, 200_000) }
            const parts = yield* lakeOn(kind, { plan: first("part", cut), lines, inParts: true })
            yield* assertLands(parts)
            assert.equal(parts.store.leftUploads(), 0)
            assert.ok(callsOf(parts.store, "part", "_21") > 3)
          })
      )
    }

    for (const [title, call, lines, inParts] of [
      ["of a small put", "put", {}, false],
      ["of a large put", "put", { [H21]: LARGE }, false],
      ["of a completion", "complete", { [H21]: LARGE }, true]
    ] as const) {
      const stands = inParts || title === "of a small put"
      it.scopedLive.runIf(isLong || (isS3 && stands))(
        `O5 takes its own object for landed when the answer ${title} was lost`,
        () =>
          Effect.gen(function* () {
            const plan = first(call, { do: "storeThenDrop" })
            const lake = yield* lakeOn(kind, { plan, lines, inParts })
            yield* assertLands(lake)
            const stored = callsOf(lake.store, call, "_21")
            assert.ok(stored >= 1 && stored <= 2, `${stored} puts`)
            assert.equal(callsOf(lake.store, "part", "_21"), inParts ? 3 : 0)
          })
      )

      it.scopedLive.runIf(isLong)(
        `O5 removes the staged file only then, when the answer ${title} was lost`,
        () =>
          Effect.gen(function* () {
            const lake = yield* lakeOn(kind, { lines, inParts })
            yield* lake.fetch(H20, H22)
            let isStored = false
            lake.store.setPlan(({ call: it, key }) => {
              if (!key.includes("_21")) return undefined
              if (isStored) return it === "head" ? refuse("broken") : undefined
              isStored = it === call
              return isStored ? { do: "storeThenDrop" } : undefined
            })
            const summary = yield* lake.sync(undefined, undefined, { retries: 0 })
            assertHourFailed(summary, "ObjectStorageError.Unavailable", 3)
            assert.deepEqual([...(yield* lake.staged).keys()], [keyOf(H21)])
            lake.store.setPlan(() => undefined)
            const { skipped, exitCode } = yield* lake.sync()
            assert.deepEqual([skipped, exitCode], [[H21], 0])
            assert.deepEqual([...(yield* lake.staged)], [])
            assert.deepEqual(yield* lake.store.objects, objectsOf(lake.lines))
            lake.store.assertGentle()
          })
      )
    }

    for (const [title, call, lines, inParts] of [
      ["a put", "put", {}, false],
      ["a completion", "complete", { [H21]: LARGE }, true]
    ] as const) {
      it.scopedLive.runIf(isLong || (isS3 && inParts))(
        `O6 retries if ${title} met another write (409), and lands once`,
        () =>
          Effect.gen(function* () {
            const lake = yield* lakeOn(kind, {
              plan: first(call, refuse("conflict"), 2),
              lines,
              inParts
            })
            yield* assertLands(lake)
            assert.equal(lake.store.leftUploads(), 0)
            assert.equal(callsOf(lake.store, call, "_21"), 3)
          })
      )
    }

    further("O7 finds the same hour there, overwrites nothing and removes the staged file", () =>
      Effect.gen(function* () {
        const lake = yield* lakeOn(kind)
        yield* lake.fetch(H20, H22)
        const elsewhere = yield* makeLake({ amplitude: lake.server, store: lake.store.layer() })
        yield* elsewhere.all(H20, H22)
        const [before, puts] = [yield* lake.store.etags, callsOf(lake.store, "put")]
        const summary = yield* lake.sync()
        assert.deepEqual([summary.skipped, summary.exitCode], [HOURS, 0])
        assert.deepEqual([yield* lake.store.etags, callsOf(lake.store, "put")], [before, puts])
        assert.deepEqual([...(yield* lake.staged)], [])
        lake.store.assertGentle()
      })
    )

    further("O7 finds the same hour of a run that was quicker after it had listed", () =>
      Effect.gen(function* () {
        const lake = yield* lakeOn(kind)
        const elsewhere = yield* makeLake({ amplitude: lake.server, store: lake.store.layer() })
        yield* elsewhere.all(H20, H22)
        const bringBack = yield* lake.store.hide
        let back: Promise<void> | undefined
        // The objects come back between the listing and the first put.
        lake.store.setPlan(async ({ call, key }) => {
          if (call === "put" && !key.includes("probe")) await (back ??= bringBack())
          return undefined
        })
        const summary = yield* lake.all(H20, H22)
        assert.deepEqual([summary.skipped, summary.landed, summary.exitCode], [HOURS, [], 0])
        assert.deepEqual(yield* lake.store.objects, objectsOf())
        lake.store.assertGentle()
      })
    )

    further("O8 keeps both versions if the key has a different one, and exits 8", () =>
      Effect.gen(function* () {
        const lake = yield* lakeOn(kind)
        yield* lake.fetch(H20, H22)
        const lines = { ...LINES, [H21]: '{"uuid":"z"}\n' }
        const hours = objectsOf(lines)
        const theirs = yield* scriptedServer([bySize(undefined, lines)])
        yield* (yield* makeLake({ amplitude: theirs, store: lake.store.layer() })).all(H21)
        assertHourFailed(yield* lake.sync(), "LandingError.Conflict", 8)
        const landed = yield* lake.store.objects
        const [mark = "", ...others] = [...landed.keys()].filter((key) => !hours.has(key))
        assert.match(mark, /^\.amplitude-lake-conflicts\/2025-11-10T21--/)
        assert.deepEqual(others, [])
        landed.delete(mark)
        assert.deepEqual(landed, hours)
        const [[kept, text] = []] = yield* lake.staged
        assert.match(kept ?? "", /^failed_uploads\/2025-11-10_21\.[0-9a-f]{8}\.jsonl$/)
        assert.equal(text, LINES[H21])
        lake.store.assertGentle()
      })
    )

    further("O9 keeps the staged file when other bytes arrive, and exits 8", () =>
      Effect.gen(function* () {
        const lake = yield* lakeOn(kind, { plan: always("put", refuse("otherBytes")) })
        yield* lake.fetch(H20, H22)
        assertHourFailed(yield* lake.sync(), "ObjectStorageError.Corrupt", 8)
        assert.deepEqual(yield* lake.staged, objectsOf({ [H21]: LINES[H21] ?? "" }))
        lake.store.setPlan(() => undefined)
        assert.equal((yield* lake.sync()).exitCode, 0)
        assert.deepEqual(yield* lake.store.objects, objectsOf())
      })
    )

    further(
      "O9 keeps ours when the store holds another size than was put, and exits 8 each time",
      () =>
        Effect.gen(function* () {
          const lake = yield* lakeOn(kind)
          yield* lake.fetch(H20, H22)
          lake.store.setPlan(async ({ call, key }) => {
            if (call === "head" && key.includes("_21")) await lake.store.cut(keyOf(H21))
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

    further("O9 finds a landed object that was cut since by asking again, and exits 8", () =>
      Effect.gen(function* () {
        const lake = yield* lakeOn(kind)
        yield* lake.all(H20, H22)
        yield* Effect.promise(() => lake.store.cut(keyOf(H21)))
        const etags = yield* lake.store.etags
        const summary = yield* lake.recheck(H20, H22)
        assert.deepEqual(
          summary.failed.map(({ hour, error }) => [hour, error]),
          [[H21, "LandingError.Conflict"]]
        )
        assert.equal(summary.exitCode, 8)
        const after = yield* lake.store.etags
        assert.deepEqual(
          etags.filter((etag) => !after.includes(etag)),
          []
        )
        // The mark of the conflict.
        assert.equal(after.length, etags.length + 1)
      })
    )

    for (const [as, error, exit] of [
      ["otherBytes", "Corrupt", 8],
      ["denied", "AccessDenied", 7]
    ] as const) {
      it.scopedLive.runIf(isLong || (isS3 && as === "denied"))(
        `O11 leaves nothing of an upload in parts that keeps failing: ${error}`,
        () =>
          Effect.gen(function* () {
            const plan = always("part", refuse(as))
            const lake = yield* lakeOn(kind, { plan, lines: { [H21]: LARGE }, inParts: true })
            assertHourFailed(yield* lake.all(H20, H22), `ObjectStorageError.${error}`, exit)
            assert.equal(lake.store.leftUploads(), 0)
            assert.equal(callsOf(lake.store, "complete"), 0)
            lake.store.setPlan(() => undefined)
            yield* assertLands(lake)
          })
      )
    }

    further("O12 finds before it downloads that the store overwrites, and exits 2", () =>
      Effect.gen(function* () {
        const lake = yield* lakeOn(kind, { plan: () => ({ do: "ignoreConditions" }) })
        const summary = yield* lake.all(H20, H22)
        assert.equal(summary.exitCode, 2)
        assert.match(summary.error?.message ?? "", /Misconfigured.*ignores If-None-Match/)
        yield* assertUntouched(lake)
      })
    )

    for (const [title, as, exit] of [
      ["cannot be had", "broken", 5],
      ["may not be had", "denied", 7]
    ] as const) {
      it.scopedLive.runIf(isLong || (isS3 && as === "broken"))(
        `O13 plans nothing by half a listing, when its second page ${title}`,
        () =>
          Effect.gen(function* () {
            const lake = yield* lakeOn(kind, {
              pageSize: 2,
              plan: ({ isNextPage }) => (isNextPage ? refuse(as) : undefined)
            })
            for (const name of manyHours()) yield* lake.store.write(name, "{}\n")
            const summary = yield* lake.all(H20, H22)
            assert.deepEqual([summary.exitCode, summary.window], [exit, null])
            assert.deepEqual([lake.server.requests.length, callsOf(lake.store, "put")], [0, 0])
          })
      )
    }

    further("O13 reads every page, and takes no similar name for an hour", () =>
      Effect.gen(function* () {
        const lake = yield* lakeOn(kind, { pageSize: 2 })
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
        for (const name of [...manyHours().slice(0, 2), ...similar]) {
          yield* lake.store.write(name, "{}\n")
        }
        const before = new Set(yield* lake.store.etags)
        const summary = yield* lake.all("2025-11-10T18", H22)
        assert.deepEqual(summary.skipped, ["2025-11-10T18", "2025-11-10T19"])
        assert.deepEqual([summary.landed, summary.exitCode], [HOURS, 0])
        const after = new Set(yield* lake.store.etags)
        assert.ok([...before].every((etag) => after.has(etag)))
        const next = yield* lake.all("2025-11-10T18", H22)
        assert.deepEqual([next.landed, next.skipped.length], [[], 5])
      })
    )

    further("O14 names the hours after the credentials ran out, keeps them, and exits 7", () =>
      Effect.gen(function* () {
        let isExpired = false
        const lake = yield* lakeOn(kind, {
          plan: ({ call, key }) => {
            if (call === "put" && key.includes("_21")) isExpired = true
            return isExpired ? refuse("expired") : undefined
          }
        })
        const summary = yield* lake.all(H20, H22)
        assert.equal(summary.exitCode, 7)
        assert.ok(summary.failed.some(({ hour }) => hour === H21))
        // Hours that were put may be about to be compared: S3 refuses a HEAD without saying why.
        for (const { error, message } of summary.failed) {
          assert.equal(error, "ObjectStorageError.AccessDenied")
          assert.match(message, kind.expired)
        }
        assert.equal((yield* lake.spooled).length, 1)
        lake.store.setPlan(() => undefined)
        yield* assertLands(lake)
        assert.equal(lake.server.requests.length, 1)
      })
    )

    further("O14 renews expired credentials, and the next run lands", () =>
      Effect.gen(function* () {
        let secret = Buffer.alloc(64, "worn out").toString("base64")
        const lake = yield* lakeOn(kind, { secret: () => secret })
        assert.equal((yield* lake.all(H20, H22)).exitCode, 7)
        yield* assertUntouched(lake)
        secret = kind.secret
        yield* assertLands(lake)
      })
    )
  })

  describe(`two runs on one store, ${name}`, () => {
    for (const inParts of [false, true]) {
      const how = inParts ? "in parts" : "at once"
      it.scopedLive.runIf(isLong || inParts)(
        `X2 land every hour once from two hosts, ${how}, and both end well`,
        () =>
          Effect.gen(function* () {
            const lake = yield* lakeOn(kind, { lines: { [H21]: LARGE }, inParts })
            const elsewhere = yield* makeLake({
              amplitude: lake.server,
              store: lake.store.layer({ inParts })
            })
            const runs = [lake.all(H20, H22), elsewhere.all(H20, H22)]
            for (const { exitCode, failed } of yield* Effect.all(runs, { concurrency: 2 })) {
              assert.equal(exitCode, 0, failed[0]?.message)
            }
            assert.deepEqual(yield* lake.store.objects, objectsOf(lake.lines))
            assert.deepEqual([yield* lake.spooled, yield* elsewhere.spooled], [[], []])
            lake.store.assertGentle()
          })
      )
    }

    further(
      "X3 continues with the archive of a dead run, even if its process number is reused",
      () =>
        Effect.gen(function* () {
          const lake = yield* lakeOn(kind, { plan: always("put", refuse("denied")) })
          assert.equal((yield* lake.all(H20, H22)).exitCode, 7)
          lake.store.setPlan(() => undefined)
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
            yield* lake.store.remove(keyOf(H21))
            assert.deepEqual(yield* lake.spooled, [])
            lake.store.setPlan(always("put", refuse("denied")))
            assert.equal((yield* lake.all(H21)).exitCode, 7)
            lake.store.setPlan(() => undefined)
          }
          assert.deepEqual(yield* lake.store.objects, objectsOf())
          assert.deepEqual(yield* lake.spooled, [])
          assert.deepEqual(yield* pathsBelow(join(lake.spoolDir, "runs")), [])
          assert.equal(lake.server.requests.length, 2)
        })
    )

    further("X4 land every hour once if one syncs and the other downloads again", () =>
      Effect.gen(function* () {
        const lake = yield* lakeOn(kind, { lines: { [H21]: LARGE } })
        yield* lake.fetch(H20, H22)
        const elsewhere = yield* makeLake({ amplitude: lake.server, store: lake.store.layer() })
        const runs = [lake.sync(), elsewhere.all(H20, H22), lake.sync()]
        for (const { exitCode, failed } of yield* Effect.all(runs, { concurrency: 3 })) {
          assert.equal(exitCode, 0, failed[0]?.message)
        }
        assert.deepEqual(yield* lake.store.objects, objectsOf(lake.lines))
        assert.deepEqual([...(yield* lake.staged)], [])
        lake.store.assertGentle()
      })
    )

    further("X6 never end both well if they land the same hours in two forms", () =>
      Effect.gen(function* () {
        const store = yield* kind.make()
        const waiting: Array<() => void> = []
        // Neither run has an answer before both have planned.
        const together: Step = async (socket, request) => {
          await new Promise<void>((resolve) => {
            waiting.push(resolve)
            if (waiting.length === 2) for (const letGo of waiting) letGo()
          })
          await bySize()(socket, request)
        }
        const amplitude = yield* scriptedServer([together, together])
        const inForm = (run: Partial<RunOptions>) =>
          makeLake({ amplitude, store: store.layer(), run })
        const one = yield* inForm({ format: "jsonl" })
        const other = yield* inForm({ format: "jsonl.gz", layout: "hive" })
        const ended = yield* Effect.all([one.all(H20, H22), other.all(H20, H22)], {
          concurrency: 2
        })
        assert.ok(ended.some(({ conflicts, exitCode }) => exitCode === 8 && conflicts.length === 3))
        for (const run of [one.all(H20, H22), other.fetch(H20, H22), one.sync()]) {
          const { conflicts, exitCode } = yield* run
          assert.deepEqual([conflicts.map((it) => it.hour), exitCode], [HOURS, 8])
        }
        assert.equal((yield* store.objects).size, 6)
        store.assertGentle()
      })
    )
  })
}

describe("what only S3 can do", () => {
  const s3Lake = Effect.fnUntraced(function* (
    server: S3Server.S3ServerOptions,
    lines: Readonly<Record<string, string>> = LINES
  ) {
    const s3 = yield* S3Server.make({
      buckets: { [BUCKET]: "us-east-1" },
      leastPart: 1024,
      ...server
    })
    const amplitude = yield* scriptedServer([bySize(undefined, lines)])
    const store = s3Layer(s3, { multipartThreshold: 100 * 1024, chunkSize: 512 * 1024 })
    return { s3, amplitude, ...(yield* makeLake({ amplitude, store })) }
  })

  it.scopedLive(
    "O2 finds before it downloads that the bucket is in another region, and exits 2",
    () =>
      Effect.gen(function* () {
        const lake = yield* s3Lake({ buckets: { [BUCKET]: "eu-central-1" } })
        const summary = yield* lake.all(H20, H22)
        assert.equal(summary.exitCode, 2)
        assert.match(summary.error?.message ?? "", /region eu-central-1; set AWS_REGION/)
        assert.deepEqual([lake.amplitude.requests.length, countOf(lake.s3, "PutObject")], [0, 0])
        assertGentle(lake.s3)
      })
  )

  it.scopedLive.runIf(isLong)(
    "O10 takes an error within a completion's 200 for one, and completes again",
    () =>
      Effect.gen(function* () {
        const lines = { ...LINES, [H21]: LARGE }
        const lake = yield* s3Lake(
          {
            plan: ({ count, operation }) =>
              operation === "CompleteMultipartUpload" && count <= 2
                ? { do: "errorInOk", code: "InternalError" }
                : undefined
          },
          lines
        )
        assert.equal((yield* lake.all(H20, H22)).exitCode, 0)
        assert.deepEqual(objectsIn(lake.s3), objectsOf(lines))
        assert.equal(countOf(lake.s3, "CompleteMultipartUpload"), 3)
        assertGentle(lake.s3)
      })
  )

  it.scopedLive("O13 plans nothing from a listing that does not name its next page: exit 2", () =>
    Effect.gen(function* () {
      const lake = yield* s3Lake({
        pageSize: 2,
        plan: ({ operation }) => (operation === "ListObjectsV2" ? { do: "forgetToken" } : undefined)
      })
      const bytes = Buffer.from("{}\n")
      for (const name of manyHours()) {
        const object = { bytes, etag: '"theirs"', headers: {}, checksum: undefined }
        lake.s3.buckets.get(BUCKET)?.objects.set(name, object)
      }
      assert.equal((yield* lake.all(H20, H22)).exitCode, 2)
      assert.deepEqual([lake.amplitude.requests.length, countOf(lake.s3, "PutObject")], [0, 0])
    })
  )
})
