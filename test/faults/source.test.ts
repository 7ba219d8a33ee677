import assert from "node:assert/strict"
import { writeFile } from "node:fs/promises"
import { join } from "node:path"
import { describe, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import * as ObjectStorageMemory from "../../src/layers/memory/ObjectStorageMemory.ts"
import * as SpoolMemory from "../../src/layers/memory/SpoolMemory.ts"
import type { Summary } from "../../src/programs/run/Summary.ts"
import { ObjectStorage } from "../../src/services/ObjectStorage.ts"
import { temporaryFolder } from "../fixtures/disk.ts"
import { isLong, SECONDS } from "../fixtures/long.ts"
import * as program from "../fixtures/process/program.ts"
import {
  answer,
  chunked,
  raw,
  type ScriptedServer,
  scriptedServer,
  type Step
} from "../fixtures/servers/scriptedServer.ts"
import { selfSigned } from "../fixtures/servers/selfSigned.ts"
import { textOf } from "../fixtures/world.ts"
import { part, zipOf } from "../fixtures/archive/zipCorpus.ts"
import {
  ARCHIVE,
  archiveOf,
  bySize,
  H20,
  H21,
  H22,
  HOURS,
  hoursAsked,
  keyOf,
  KEYS,
  LINES,
  makeLake,
  objectsOf,
  readFiles,
  whole
} from "./_lake.ts"

/** Two minutes are enough to cut an answer behind each of its bytes. */
const stepOf = (short: number) => (isLong ? Math.ceil(120 / SECONDS) : short)

const MIDNIGHT = "Mon, 10 Nov 2025 00:00:00 GMT"

const times = (count: number, step: Step) => Array.from({ length: count }, () => step)

const windowsOf = ({ requests }: ScriptedServer) =>
  requests.map((request) =>
    hoursAsked(request)
      .map((hour) => hour.slice(11))
      .join(" ")
  )

function assertFailed(
  { failed, landed, exitCode }: Summary,
  error: string,
  code: number,
  hours: ReadonlyArray<string> = HOURS
) {
  assert.deepEqual(
    failed.map((it) => [it.hour, it.error]),
    hours.map((hour) => [hour, error])
  )
  assert.deepEqual([landed.length, exitCode], [HOURS.length - hours.length, code])
}

/** Three hours from a server that answers so, one request after another, and then in full. */
const lakeFrom = Effect.fnUntraced(function* (
  script: ReadonlyArray<Step>,
  options: Partial<Parameters<typeof makeLake>[0]> = {}
) {
  const server = yield* scriptedServer([...script, ...times(20, whole())])
  const lake = yield* makeLake({ amplitude: server, ...options })
  return { server, ...lake }
})

/** What every failed request leaves: nothing that a later run could take for an hour. */
const assertNothing = Effect.fnUntraced(function* (
  lake: Effect.Effect.Success<ReturnType<typeof lakeFrom>>
) {
  assert.deepEqual([...(yield* lake.landed)], [])
  assert.deepEqual([...(yield* lake.staged)], [])
  assert.deepEqual(yield* lake.spooled, [])
})

/** What every fault has to leave possible: the next run lands the three hours, and leaves nothing in the spool. */
const assertLands = Effect.fnUntraced(function* (
  lake: Effect.Effect.Success<ReturnType<typeof lakeFrom>>
) {
  const summary = yield* lake.all(H20, H22)
  assert.deepEqual([summary.exitCode, summary.landed], [0, HOURS], summary.failed[0]?.message)
  assert.deepEqual(yield* lake.landed, objectsOf())
  assert.deepEqual(yield* lake.spooled, [])
  return summary
})

describe("a faulty source", { timeout: 60_000 + SECONDS * 2000 }, () => {
  for (const [status, reason] of [
    [401, "Unauthorized"],
    [403, "Forbidden"]
  ] as const) {
    it.scopedLive(`S1 asks once only after ${status}, stages nothing and exits 7`, () =>
      Effect.gen(function* () {
        const lake = yield* lakeFrom([answer(status, { body: "no" })])
        const summary = yield* lake.fetch(H20, H22)
        assertFailed(summary, `AmplitudeError.${reason}`, 7)
        assert.deepEqual([lake.server.requests.length, summary.retries], [1, 0])
        yield* assertNothing(lake)
        yield* assertLands(lake)
      })
    )
  }

  it.scopedLive("S2 lands settled hours that were answered 404 once for no reason", () =>
    Effect.gen(function* () {
      const lake = yield* lakeFrom([answer(404)])
      const summary = yield* assertLands(lake)
      assert.deepEqual(summary.empty, [])
      assert.equal(lake.server.requests.length, 2)
    })
  )

  it.scopedLive("S2 freezes no younger hour by a 404: the next run requests it again", () =>
    Effect.gen(function* () {
      const lake = yield* lakeFrom([answer(404)])
      const early = yield* lake.all(H20, H22, { now: "2025-11-11T12:00:00Z" })
      assert.deepEqual([early.pending, early.empty, early.exitCode], [HOURS, [], 0])
      yield* assertNothing(lake)
      yield* assertLands(lake)
    })
  )

  it.scopedLive("S2 marks settled hours as empty after a second 404, and asks no more", () =>
    Effect.gen(function* () {
      const lake = yield* lakeFrom([answer(404), answer(404)])
      const summary = yield* lake.all(H20, H22)
      assert.deepEqual([summary.empty, summary.exitCode], [HOURS, 0])
      assert.deepEqual([...(yield* lake.landed).values()], ["", "", ""])
      const next = yield* lake.all(H20, H22)
      assert.deepEqual([next.skipped, lake.server.requests.length], [HOURS, 2])
    })
  )

  it.scopedLive("S3 does not ask for hours that are not closed, and freezes none of them", () =>
    Effect.gen(function* () {
      const server = yield* scriptedServer([bySize(() => undefined)])
      const lake = yield* makeLake({ amplitude: server })
      const summary = yield* lake.all(H20, H22, { now: "2025-11-11T09:59:59Z" })
      assert.deepEqual([summary.landed, summary.open], [[H20], [H21, H22]])
      assert.equal(summary.exitCode, 3)
      assert.deepEqual(windowsOf(server), ["20"])
      assert.deepEqual([...(yield* lake.landed).keys()], [keyOf(H20)])
    })
  )

  it.scopedLive(
    "S4 requests a window in halves if it is too large, and names the hour that still is",
    () =>
      Effect.gen(function* () {
        const tooLarge = answer(400, { body: "The size of the export exceeds the limit of 4GB" })
        const step = bySize((hours) => (hours.includes(H21) ? tooLarge : undefined))
        const server = yield* scriptedServer(times(20, step))
        const lake = yield* makeLake({ amplitude: server })
        const summary = yield* lake.all(H20, H22)
        assertFailed(summary, "AmplitudeError.TooLarge", 3, [H21])
        assert.deepEqual(windowsOf(server), ["20 21 22", "20 21", "20", "21", "22"])
        assert.deepEqual([...(yield* lake.landed).keys()], [keyOf(H20), keyOf(H22)])
      })
  )

  for (const body of [
    "Bad Request",
    '{"error":{"message":"Invalid date"}}',
    "<html><title>400 Request Header Or Cookie Too Large</title></html>",
    ""
  ]) {
    it.scopedLive.runIf(isLong || body.startsWith("{"))(
      `S5 asks once only after a 400 for another reason: ${body || "no words"}`,
      () =>
        Effect.gen(function* () {
          const lake = yield* lakeFrom([answer(400, { body })])
          const summary = yield* lake.all(H20, H22)
          assertFailed(summary, "AmplitudeError.Rejected", 3)
          assert.deepEqual([lake.server.requests.length, summary.retries], [1, 0])
          yield* assertNothing(lake)
        })
    )
  }

  it.scopedLive.runIf(isLong)(
    "S6 honors Retry-After of 429 and 503, in seconds and as a date",
    () =>
      Effect.gen(function* () {
        const arrivals: Array<number> = []
        const timed =
          (step: Step): Step =>
          (socket, request) => {
            arrivals.push(performance.now())
            return step(socket, request)
          }
        const lake = yield* lakeFrom(
          [
            answer(429, { headers: { "Retry-After": "0.3" } }),
            answer(503, {
              headers: { "Retry-After": MIDNIGHT.replace("00 GMT", "01 GMT"), Date: MIDNIGHT }
            }),
            whole()
          ].map(timed)
        )
        const { retries } = yield* assertLands(lake)
        const [one = 0, two = 0, three = 0] = arrivals
        assert.equal(retries, 2)
        assert.ok(two - one >= 295 && two - one < 5000, `${two - one} ms`)
        assert.ok(three - two >= 990 && three - two < 9000, `${three - two} ms`)
      })
  )

  it.scopedLive("S6 gives up after its retries when it is always told to wait, and exits 5", () =>
    Effect.gen(function* () {
      const lake = yield* lakeFrom(times(4, answer(429)))
      assertFailed(yield* lake.all(H20, H22), "AmplitudeError.RateLimited", 5)
      assert.equal(lake.server.requests.length, 4)
      yield* assertNothing(lake)
      yield* assertLands(lake)
    })
  )

  for (const status of [408, 500, 502, 503, 599]) {
    it.scopedLive.runIf(isLong || status === 503)(
      `S7 tries again after ${status}, as often as it may and no oftener`,
      () =>
        Effect.gen(function* () {
          const lake = yield* lakeFrom([...times(4, answer(status)), ...times(3, answer(status))])
          assertFailed(yield* lake.all(H20, H22), "AmplitudeError.Unavailable", 5)
          assert.equal(lake.server.requests.length, 4)
          yield* assertNothing(lake)
          assert.equal((yield* assertLands(lake)).retries, 3)
        })
    )
  }

  it.scopedLive("S7 requests a window in halves if the gateway timed out (504)", () =>
    Effect.gen(function* () {
      const step = bySize(({ length }) => (length > 1 ? answer(504) : undefined))
      const server = yield* scriptedServer(times(20, step))
      yield* assertLands({ server, ...(yield* makeLake({ amplitude: server })) })
      assert.deepEqual(windowsOf(server), ["20 21 22", "20 21", "20", "21", "22"])
    })
  )

  it.scopedLive(
    "S8 tries again where the connection is refused or the name unknown, and exits 5",
    () =>
      Effect.gen(function* () {
        const gone = yield* Effect.scoped(scriptedServer([]))
        for (const [origin, said] of [
          [gone.origin, /refused the connection/],
          ["https://amplitude.invalid", /host name/]
        ] as const) {
          const lake = yield* makeLake({ amplitude: { origin } })
          const summary = yield* lake.all(H20, H22)
          assertFailed(summary, "AmplitudeError.Unavailable", 5)
          assert.equal(summary.retries, 3)
          assert.match(summary.failed[0]?.message ?? "", said)
          assert.deepEqual([...(yield* lake.landed)], [])
        }
      })
  )

  it.scopedLive(
    "S8 shows the keys to no certificate that nobody vouches for, and does not insist",
    () =>
      Effect.gen(function* () {
        const server = yield* scriptedServer([whole()], selfSigned(["127.0.0.1"]))
        const lake = yield* makeLake({ amplitude: server })
        const summary = yield* lake.all(H20, H22)
        assertFailed(summary, "AmplitudeError.Untrusted", 3)
        assert.deepEqual([summary.retries, server.requests.length], [0, 0])
        assert.deepEqual([...(yield* lake.landed)], [])
      })
  )

  it.scopedLive.runIf(isLong)(
    "S8 refuses a certificate that has expired, and shows it no keys",
    () =>
      Effect.gen(function* () {
        const day = 86_400_000
        const expired = selfSigned(["127.0.0.1"], Date.now() - 9 * day, Date.now() - day)
        const server = yield* scriptedServer([whole()], expired)
        const folder = yield* temporaryFolder
        const authorities = join(folder, "authorities.pem")
        yield* Effect.promise(() => writeFile(authorities, expired.cert))
        const dates = ["--start-date", H20, "--end-date", H22]
        const { code, stdout, stderr } = yield* program.run(
          ["all", "--dev", "--json", ...dates, "--amplitude-url", server.origin],
          {
            folder,
            env: {
              NODE_EXTRA_CA_CERTS: authorities,
              AMP_API_KEY: KEYS.api,
              AMP_SECRET_KEY: KEYS.secret
            }
          }
        )
        assert.equal(code, 3, stderr)
        assert.match(stdout, /CERT_HAS_EXPIRED/)
        assert.equal(server.requests.length, 0)
        assert.deepEqual([...(yield* readFiles(join(folder, "s3_dev")))], [])
      })
  )

  it.scopedLive("S9 gives up a silent answer and requests all of it again", () =>
    Effect.gen(function* () {
      const half = ARCHIVE.subarray(0, ARCHIVE.length / 2)
      const stall = answer(200, { body: half, length: ARCHIVE.length, ending: "silence" })
      const lake = yield* lakeFrom([stall], { http: { idleTimeout: 500 } })
      const { retries } = yield* assertLands(lake)
      assert.deepEqual([retries, lake.server.requests.length], [1, 2])
      assert.equal(lake.server.requests[1]?.headers["range"], undefined)
      assert.ok(
        lake.logs.some((log) => /AmplitudeError|Stalled/.test(log)),
        lake.logs.join("\n")
      )
    })
  )

  it.scopedLive("S10 tries again when the connection is reset, after however many bytes", () =>
    Effect.gen(function* () {
      const lengths = isLong ? [0, 1, 2, 3, 4, 29, 30, 31] : [0, 4]
      for (let length = 40; length < ARCHIVE.length; length += stepOf(499)) lengths.push(length)
      lengths.push(ARCHIVE.length - 1)
      for (const length of lengths) {
        const cut = whole({
          body: ARCHIVE.subarray(0, length),
          length: ARCHIVE.length,
          ending: "reset"
        })
        const lake = yield* Effect.scoped(
          Effect.gen(function* () {
            const lake = yield* lakeFrom([cut])
            assert.equal((yield* assertLands(lake)).retries, 1, `after ${length} bytes`)
            return lake
          })
        )
        assert.equal(lake.server.requests.length, 2)
      }
    })
  )

  it.scopedLive("S10 stages nothing if every answer is cut", () =>
    Effect.gen(function* () {
      const cut = whole({ body: ARCHIVE.subarray(0, -1), length: ARCHIVE.length, ending: "reset" })
      const lake = yield* lakeFrom(times(4, cut))
      assertFailed(yield* lake.fetch(H20, H22), "AmplitudeError.Unavailable", 5)
      yield* assertNothing(lake)
    })
  )

  it.scopedLive(
    "S11 takes no beginning of an archive for the archive, however cleanly it ends",
    () =>
      Effect.gen(function* () {
        const small = zipOf({ entries: [part(21, 0, LINES[H21] ?? "")] })
        const ends = (length: number) =>
          answer(200, { body: small.subarray(0, length), length: "none", ending: "end" })
        // The unpacker's own tests have every length.
        for (let length = 0; length < small.length; length += stepOf(61)) {
          yield* Effect.gen(function* () {
            const server = yield* scriptedServer([ends(length), ends(small.length)])
            const store = yield* ObjectStorageMemory.make()
            const lake = yield* makeLake({
              amplitude: server,
              folder: "never made",
              spool: SpoolMemory.layer(),
              store: Layer.succeed(ObjectStorage, store)
            })
            const summary = yield* lake.all(H21)
            assert.deepEqual([summary.landed, summary.retries], [[H21], 1], `${length} bytes`)
            assert.equal(yield* textOf(store, keyOf(H21)), LINES[H21])
          }).pipe(Effect.scoped)
        }
      })
  )

  it.scopedLive(
    "S11 names the hours of an archive that ends too early three times, and exits 8",
    () =>
      Effect.gen(function* () {
        const early = ARCHIVE.subarray(0, ARCHIVE.length - 30)
        const lake = yield* lakeFrom([
          whole({ body: early, length: "none", ending: "end" }),
          chunked([early]),
          // The last of three, then one for each half.
          ...Array.from({ length: 5 }, () => whole({ body: early }))
        ])
        assertFailed(yield* lake.fetch(H20, H22), "UnpackerError.Truncated", 8)
        assert.equal(lake.server.requests.length, 7)
        yield* assertNothing(lake)
        yield* assertLands(lake)
      })
  )

  for (const [title, body, shown] of [
    ["an HTML page", "<html><h1>Be right back</h1></html>", /Be right back/],
    ["JSON", '{"error":"busy"}', /busy/],
    ["nothing", "", /empty|no bytes/i]
  ] as const) {
    it.scopedLive.runIf(isLong || title === "an HTML page")(
      `S12 takes ${title} with 200 for no archive, shows it, and exits 8`,
      () =>
        Effect.gen(function* () {
          const lake = yield* lakeFrom(times(3, answer(200, { body })))
          const summary = yield* lake.all(H20, H22)
          assertFailed(summary, "UnpackerError.NotZip", 8)
          assert.match(summary.failed[0]?.message ?? "", shown)
          assert.equal(lake.server.requests.length, 3)
          yield* assertNothing(lake)
          yield* assertLands(lake)
        })
    )
  }

  for (const status of [301, 302, 303, 307, 308]) {
    it.scopedLive.runIf(isLong || status === 302)(
      `S13 follows a ${status} nowhere: the other server never hears of it`,
      () =>
        Effect.gen(function* () {
          const other = yield* scriptedServer(times(3, whole()))
          const lake = yield* lakeFrom([
            answer(status, { headers: { Location: `${other.origin}/api/2/export` } })
          ])
          const summary = yield* lake.all(H20, H22)
          assertFailed(summary, "AmplitudeError.Redirected", 3)
          assert.deepEqual([lake.server.requests.length, other.requests.length], [1, 0])
          yield* assertNothing(lake)
        })
    )
  }

  it.scopedLive("S14 refuses a compressed answer, and asks again", () =>
    Effect.gen(function* () {
      const lake = yield* lakeFrom([whole({ headers: { "Content-Encoding": "gzip" } })])
      assert.equal((yield* assertLands(lake)).retries, 1)
    })
  )

  it.scopedLive("S14 goes by the bytes, whatever type they are called", () =>
    Effect.gen(function* () {
      for (const type of ["text/html", "application/json", "application/zip", "gibberish"]) {
        const lake = yield* lakeFrom([whole({ headers: { "Content-Type": type } })])
        assert.equal((yield* assertLands(lake)).retries, 0)
      }
      const head = `HTTP/1.1 200 OK\r\nContent-Length: ${ARCHIVE.length}\r\n\r\n`
      const bare = yield* lakeFrom([raw(Buffer.concat([Buffer.from(head), ARCHIVE]))])
      assert.equal((yield* assertLands(bare)).retries, 0)
    })
  )

  const lines = ['{"uuid":"b"}\n', '{"uuid":"c"}\n', '{"uuid":"e"}\n']
  const exportOf = (order: ReadonlyArray<number>) =>
    answer(200, { body: archiveOf({ [H21]: order.map((index) => lines[index]).join("") }) })

  it.scopedLive(
    "S15 treats two exports of an hour as the same if only order and parts differ",
    () =>
      Effect.gen(function* () {
        const lake = yield* lakeFrom([exportOf([0, 1, 2]), exportOf([2, 0, 1])])
        yield* lake.fetch(H21)
        const elsewhere = yield* makeLake({
          amplitude: lake.server,
          folder: lake.folder,
          dataDir: join(lake.folder, "other")
        })
        yield* elsewhere.all(H21)
        const before = yield* lake.landed
        const summary = yield* lake.sync()
        assert.deepEqual([summary.skipped, summary.exitCode], [[H21], 0])
        assert.deepEqual(yield* lake.landed, before)
        assert.deepEqual([...(yield* lake.staged)], [])
      })
  )

  it.scopedLive(
    "S15 keeps both of two exports that differ, the first where it landed, and exits 8",
    () =>
      Effect.gen(function* () {
        const lake = yield* lakeFrom([exportOf([0, 1]), exportOf([0, 1, 2]), exportOf([0])])
        yield* lake.fetch(H21)
        const elsewhere = yield* makeLake({
          amplitude: lake.server,
          folder: lake.folder,
          dataDir: join(lake.folder, "other")
        })
        yield* elsewhere.all(H21)
        const summary = yield* lake.sync()
        assert.equal(summary.exitCode, 8)
        assert.equal(summary.failed[0]?.error, "LandingError.Conflict")
        assert.deepEqual(yield* lake.landed, objectsOf({ [H21]: lines.join("") }))
        const [[kept, text] = []] = yield* lake.staged
        assert.match(kept ?? "", /^failed_uploads\/2025-11-10_21\.[0-9a-f]{8}\.jsonl$/)
        assert.equal(text, `${lines[0]}${lines[1]}`)
        const recheck = yield* elsewhere.recheck(H21)
        assert.deepEqual([recheck.exitCode, recheck.failed[0]?.error], [8, "LandingError.Conflict"])
        assert.deepEqual(yield* lake.landed, objectsOf({ [H21]: lines.join("") }))
      })
  )
})
