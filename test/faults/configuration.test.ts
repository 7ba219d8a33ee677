import assert from "node:assert/strict"
import * as fs from "node:fs/promises"
import { gzipSync } from "node:zlib"
import { describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as fc from "fast-check"
import { advised } from "../../src/cli/text/advice.ts"
import type { Layout } from "../../src/services/HourKey.ts"
import { hourKey } from "../../src/services/HourKey.ts"
import { addHours, hourAt } from "../../src/services/Hour.ts"
import { Window } from "../../src/services/Window.ts"
import { temporaryFolder } from "../fixtures/disk.ts"
import { isLong } from "../fixtures/long.ts"
import * as program from "../fixtures/process/program.ts"
import * as S3Server from "../fixtures/s3/s3Server.ts"
import { answer, scriptedServer, type Step } from "../fixtures/servers/scriptedServer.ts"
import { hour } from "../fixtures/world.ts"
import { PROJECT, zipOf } from "../fixtures/archive/zipCorpus.ts"
import {
  BUCKET,
  bySize,
  H20,
  H21,
  H22,
  HOURS,
  keyOf,
  makeLake,
  objectsOf,
  s3Layer,
  whole
} from "./_lake.ts"

const times = (count: number, step: Step) => Array.from({ length: count }, () => step)

describe("a configuration that is wrong", () => {
  it.scopedLive(
    "C1 names all that is missing or wrong at once, shows no secret, and touches nothing",
    () =>
      Effect.gen(function* () {
        const folder = yield* temporaryFolder
        const server = yield* scriptedServer([])
        const { code, stdout, stderr } = yield* program.run(
          `all --dev --start-date 2025-02-30 --end-date soon --prefix ../up/ --request-hours 0 --lag-hours -1 --now 2999-01-01T00:00:00Z --amplitude-url ${server.origin}`.split(
            " "
          ),
          { folder, env: { AMP_API_KEY: " \t", AMP_SECRET_KEY: "canary-secret" } }
        )
        assert.equal(code, 2)
        assert.equal(stdout, "")
        for (const wrong of [
          "--start-date",
          "--end-date",
          "--prefix",
          "--request-hours",
          "--lag-hours",
          "--now",
          "AMP_API_KEY"
        ]) {
          assert.ok(stderr.includes(wrong), `${wrong} is not named: ${stderr}`)
        }
        assert.ok(!stderr.includes("canary"), stderr)
        assert.deepEqual(yield* Effect.promise(() => fs.readdir(folder)), [])
        assert.equal(server.requests.length, 0)
      })
  )

  for (const [title, args, said] of [
    ["an end before the start", ["--start-date", H22, "--end-date", H20], /is before/],
    ["a start in the future", ["--start-date", "2999-01-01"], /is in the future/],
    ["an absolute prefix", ["--prefix", "/up/"], /--prefix/],
    ["plain http beyond loopback", ["--amplitude-url", "http://example.com"], /--amplitude-url/]
  ] as const) {
    it.scopedLive(`C1 refuses ${title} before anything is touched: exit 2`, () =>
      Effect.gen(function* () {
        const folder = yield* temporaryFolder
        const { code, stderr } = yield* program.run(["all", "--dev", ...args], {
          folder,
          env: { AMP_API_KEY: "key", AMP_SECRET_KEY: "canary-secret" }
        })
        assert.equal(code, 2, stderr)
        assert.match(stderr, said)
        assert.deepEqual(yield* Effect.promise(() => fs.readdir(folder)), [])
      })
    )
  }

  for (const status of [401, 403]) {
    it.scopedLive.runIf(isLong || status === 401)(
      `C2 hints at the other region after ${status}, and exits 7`,
      () =>
        Effect.gen(function* () {
          const server = yield* scriptedServer([answer(status)])
          const lake = yield* makeLake({ amplitude: server })
          const summary = yield* lake.all(H20, H22)
          assert.equal(summary.exitCode, 7)
          const messages = summary.failed.map((hour) => advised(hour).message)
          assert.match(messages[0] ?? "", /other region \(--amplitude-region/)
        })
    )
  }
})

describe("a clock that is wrong", () => {
  const Date = "Tue, 11 Nov 2025 10:30:00 GMT"

  it.scopedLive(
    "T1 freezes no hour that is not closed by Amplitude's clock, days ahead as this one may be",
    () =>
      Effect.gen(function* () {
        const server = yield* scriptedServer([whole({ headers: { Date } }), bySize()])
        const lake = yield* makeLake({ amplitude: server, now: "2025-11-20T00:00:00Z" })
        const summary = yield* lake.all(H20, H22)
        assert.deepEqual([summary.landed, summary.open], [[H20, H21], [H22]])
        assert.equal(summary.exitCode, 3)
        assert.deepEqual([...(yield* lake.landed).keys()], [keyOf(H20), keyOf(H21)])
        assert.ok(lake.logs.some((log) => /clock is \d+ minutes ahead of Amplitude's/.test(log)))
        const next = yield* lake.all(H20, H22)
        assert.deepEqual([next.landed, next.exitCode], [[H22], 0])
        assert.deepEqual(yield* lake.landed, objectsOf())
      })
  )

  it.scopedLive("T1 marks no hour as empty that is not settled by Amplitude's clock", () =>
    Effect.gen(function* () {
      const server = yield* scriptedServer(times(2, answer(404, { headers: { Date } })))
      const lake = yield* makeLake({ amplitude: server, now: "2025-11-20T00:00:00Z" })
      const summary = yield* lake.all(H20, H21)
      assert.deepEqual([summary.pending, summary.empty], [[H20, H21], []])
      assert.deepEqual([...(yield* lake.landed)], [])
    })
  )

  it.scopedLive("T1 requests nothing yet while this clock is behind", () =>
    Effect.gen(function* () {
      const server = yield* scriptedServer([])
      const lake = yield* makeLake({ amplitude: server, now: "2025-11-08T00:00:00Z" })
      const summary = yield* lake.all(H20, H22)
      assert.deepEqual([summary.open, summary.exitCode], [HOURS, 3])
      assert.equal(server.requests.length, 0)
    })
  )

  it.scopedLive("T1 reports a clock that S3 does not accept, before it downloads", () =>
    Effect.gen(function* () {
      const s3 = yield* S3Server.make({
        buckets: { [BUCKET]: "us-east-1" },
        plan: () => ({ do: "answer", status: 403, code: "RequestTimeTooSkewed" })
      })
      const server = yield* scriptedServer([])
      const lake = yield* makeLake({ amplitude: server, store: s3Layer(s3) })
      const summary = yield* lake.all(H20, H22)
      assert.equal(summary.exitCode, 2)
      assert.match(summary.error?.message ?? "", /Misconfigured.*clock is wrong/)
      assert.equal(server.requests.length, 0)
    })
  )
})

const lineOf = (of: string) => `{"hour":"${of}"}\n`

/** Answers any window, a part an hour, named as Amplitude names them: the hour is not padded. */
const anyHour: Step = (socket, { method, target, ...request }) => {
  const query = new URL(target, "http://localhost").searchParams
  const [first, last] = [query.get("start"), query.get("end")].map((text) =>
    hour(String(text).replace(/^(\d{4})(\d{2})/, "$1-$2-"))
  )
  assert.ok(first !== undefined && last !== undefined)
  const entries = new Window({ first, last }).hours.map((one) => ({
    name: `${PROJECT}/${PROJECT}_${one.slice(0, 10)}_${Number(one.slice(11))}#0.json.gz`,
    data: gzipSync(lineOf(one))
  }))
  return answer(200, { body: zipOf({ entries }) })(socket, { method, target, ...request })
}

/** Lands a window, and holds every key against its hour. */
const assertKeys = Effect.fnUntraced(function* (
  first: string,
  last: string,
  layout: Layout = "hourly"
) {
  const server = yield* scriptedServer(times(20, anyHour))
  const lake = yield* makeLake({ amplitude: server, now: "2031-01-01T00:00:00Z" })
  const { hours } = new Window({ first: hour(first), last: hour(last) })
  const summary = yield* lake.all(first, last, { layout })
  assert.deepEqual([summary.landed, summary.exitCode], [hours, 0], summary.failed[0]?.message)
  const expected = hours.map((one) => [hourKey(one, layout, "jsonl"), lineOf(one)] as const)
  assert.deepEqual(yield* lake.landed, new Map(expected))
}, Effect.scoped)

describe("hours at the edges", { timeout: 600_000 }, () => {
  for (const zone of ["Pacific/Auckland", "America/New_York", "Asia/Kolkata", "Europe/Berlin"]) {
    it.scopedLive.runIf(isLong || zone === "America/New_York")(
      `T1 lands the hours of UTC in ${zone}, also when its clocks are changed`,
      () =>
        Effect.acquireUseRelease(
          Effect.sync(() => {
            const before = process.env["TZ"]
            process.env["TZ"] = zone
            return before
          }),
          () =>
            Effect.gen(function* () {
              assert.notEqual(new globalThis.Date(0).getTimezoneOffset(), 0)
              yield* assertKeys("2025-03-09T05", "2025-03-09T08")
              yield* assertKeys("2025-03-29T23", "2025-03-30T03")
              yield* assertKeys("2025-11-02T04", "2025-11-02T07")
            }),
          (before) =>
            Effect.sync(() => {
              if (before === undefined) delete process.env["TZ"]
              else process.env["TZ"] = before
            })
        )
    )
  }

  for (const [title, first, last] of [
    ["one digit and two", "2025-11-10T08", "2025-11-10T11"],
    ["two days", "2025-11-10T22", "2025-11-11T01"],
    ["two months", "2025-04-30T22", "2025-05-01T01"],
    ["two years", "2024-12-31T22", "2025-01-01T01"],
    ["a leap day and the day before", "2024-02-28T22", "2024-02-29T01"],
    ["a leap day and the day after", "2024-02-29T22", "2024-03-01T01"],
    ["February and March of another year", "2023-02-28T22", "2023-03-01T01"]
  ] as const) {
    it.live.runIf(isLong || title.startsWith("two"))(
      `T2 lands every hour under its key between ${title}`,
      () => Effect.zipRight(assertKeys(first, last), assertKeys(first, last, "hive"))
    )
  }

  it.live.runIf(isLong)("T2 lands every hour of any window under its key", () =>
    Effect.promise(() =>
      fc.assert(
        fc.asyncProperty(
          fc.integer({ min: 0, max: 15 * 365 * 24 }),
          fc.integer({ min: 0, max: 30 }),
          fc.constantFrom<Layout>("hourly", "hive"),
          (start, more, layout) => {
            const first = addHours(hourAt(globalThis.Date.UTC(2015, 0)), start)
            return Effect.runPromise(assertKeys(first, addHours(first, more), layout))
          }
        ),
        { numRuns: isLong ? 200 : 5 }
      )
    )
  )

  it.live("T2 knows no hour that the calendar lacks", () =>
    Effect.sync(() => {
      for (const text of ["2025-02-29T00", "2025-04-31T00", "2025-11-10T24", "2025-13-01T00"]) {
        assert.throws(() => hour(text), text)
      }
    })
  )
})
