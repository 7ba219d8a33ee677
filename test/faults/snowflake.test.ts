import assert from "node:assert/strict"
import { describe, it } from "@effect/vitest"
import { Effect, Logger, LogLevel, Option, Stream } from "effect"
import { isLong } from "../fixtures/long.ts"
import { sha256Of } from "../fixtures/newObject.ts"
import { start } from "../fixtures/process/program.ts"
import {
  HOURS,
  landedStore,
  nameOf,
  PREFIX,
  snowflakeLake,
  snowflakeOf
} from "../fixtures/snowflake/lake.ts"
import { hour as hourOf } from "../fixtures/world.ts"
import { workplace } from "../fixtures/snowflake/workplace.ts"
import type { SqlFault, SqlRequest } from "../fixtures/snowflake/server.ts"

const FAULTS: Readonly<Record<string, SqlFault>> = {
  "its answer is lost": { do: "lose" },
  ...(isLong
    ? {
        "it is answered with 429": { do: "answer", status: 429 },
        "its connection is cut": { do: "cut" },
        "it is answered with 503": { do: "answer", status: 503 }
      }
    : {})
}

const FIRST = HOURS[0] ?? ""
const KEY = nameOf(FIRST).slice(PREFIX.length)

/** A ledger of several pieces, so that there are requests for the others. */
const account = { partition: 3 }

const isLoad = ({ kind, statement }: SqlRequest) =>
  kind === "submit" && statement.includes("COPY INTO")

/** The numbers of the requests that go wrong, one after the other: in the short form the load's, and the first of each kind. */
function stepsOf(requests: ReadonlyArray<SqlRequest>): ReadonlyArray<number> {
  return requests.flatMap((request, step) =>
    isLong || request.index === 0 || isLoad(request) ? [step] : []
  )
}

const test = (what: string, run: Effect.Effect<void, unknown, never>) =>
  it.live(what, () => run.pipe(Logger.withMinimumLogLevel(LogLevel.None)), 120_000)

describe("A load into Snowflake", () => {
  for (const [what, fault] of Object.entries(FAULTS)) {
    test(
      `W6 brings every hour once, whichever request it is of which ${what}`,
      Effect.scoped(
        Effect.gen(function* () {
          const store = yield* landedStore
          const usual = yield* snowflakeOf(store, account)
          assert.equal((yield* usual.load()).exitCode, 0)
          const kinds = new Set(usual.server.requests.map(({ kind }) => kind))
          assert.deepEqual([...kinds].toSorted(), ["partition", "poll", "submit"])
          const events = yield* usual.counted("events_raw")
          for (const step of stepsOf(usual.server.requests)) {
            yield* Effect.scoped(
              Effect.gen(function* () {
                const { counted, load, server } = yield* snowflakeOf(store, account)
                server.setPlan(() => (server.requests.length === step + 1 ? fault : undefined))
                const found = yield* load()
                assert.deepEqual([found.loaded, found.exitCode], [HOURS, 0], `request ${step}`)
                assert.ok(found.retries >= 1, `request ${step} was not tried again`)
                assert.equal(yield* counted("events_raw"), events)
                assert.equal(yield* counted("loads"), HOURS.length)
                assert.equal(yield* counted("calendar where state = 'landed'"), HOURS.length)
                assert.equal(yield* counted("about where name = 'place'"), 1)
              })
            )
          }
        })
      )
    )
  }

  test(
    "W7 halves the hours that take longer than a statement may, and loads them",
    Effect.scoped(
      Effect.gen(function* () {
        const { counted, load, server } = yield* snowflakeOf(yield* landedStore)
        const message = "Statement reached its statement or warehouse timeout of 3,600 second(s)"
        server.setPlan((request) => {
          const files = request.statement.match(/\.jsonl'[,)]/g)?.length ?? 0
          return isLoad(request) && files > 12
            ? { do: "fail", at: 5, status: 408, code: "000630", message }
            : undefined
        })
        const found = yield* load()
        assert.deepEqual([found.loaded, found.exitCode], [HOURS, 0])
        assert.equal(server.requests.filter(isLoad).length, 3)
        assert.equal(yield* counted("events_raw"), found.events)
      })
    )
  )

  test(
    "W7 ends with 5 if one hour alone takes longer than a statement may, and says so",
    Effect.scoped(
      Effect.gen(function* () {
        const { counted, load, server } = yield* snowflakeOf(yield* landedStore)
        server.setPlan((request) =>
          isLoad(request)
            ? { do: "fail", at: 5, code: "000630", message: "Statement reached its timeout" }
            : undefined
        )
        const found = yield* load()
        assert.deepEqual([found.error?.error, found.exitCode], ["WarehouseError.TimedOut", 5])
        assert.match(found.error?.message ?? "", /timeout \(000630\); a larger compute warehouse/)
        assert.equal(yield* counted("loads"), 0)
      })
    )
  )

  test(
    "W8 ends with 5 while the compute warehouse is suspended, and loads once it runs",
    Effect.scoped(
      Effect.gen(function* () {
        const { counted, load, server } = yield* snowflakeLake
        const message =
          "Warehouse 'LOADING' cannot be resumed: the quota of its monitor is used up."
        server.setPlan((request) =>
          isLoad(request) ? { do: "fail", at: 5, code: "090073", message } : undefined
        )
        const suspended = yield* load({ retries: 1 })
        assert.deepEqual(
          [suspended.error?.error, suspended.exitCode],
          ["WarehouseError.Unavailable", 5]
        )
        assert.match(suspended.error?.message ?? "", /cannot be resumed/)
        assert.deepEqual([yield* counted("loads"), yield* counted("events_raw")], [0, 0])
        server.setPlan(() => undefined)
        const resumed = yield* load()
        assert.deepEqual([resumed.loaded, resumed.exitCode], [HOURS, 0])
      })
    )
  )

  test(
    "W9 lets two runs at once bring each hour once, whichever is faster",
    Effect.scoped(
      Effect.gen(function* () {
        const { counted, load, loadElsewhere } = yield* snowflakeLake
        // Makes the tables, which DuckDB, unlike Snowflake, cannot make twice at the same time.
        yield* load({ start: hourOf("2025-11-01T00"), end: hourOf("2025-11-01T00") })
        const both = yield* Effect.all([load(), loadElsewhere()], { concurrency: 2 })
        const loaded = both.flatMap((it) => it.loaded)
        assert.deepEqual(loaded.toSorted(), HOURS)
        for (const { exitCode, failed } of both) {
          const reasons = new Set(failed.map(({ error }) => error))
          assert.deepEqual([...reasons], failed.length === 0 ? [] : ["WarehouseError.Changed"])
          assert.equal(exitCode, failed.length === 0 ? 0 : 5)
        }
        assert.equal(yield* counted("loads"), HOURS.length)
        assert.equal(
          yield* counted("events_raw"),
          yield* counted("(select distinct hour, line from events_raw)")
        )
        assert.equal(
          yield* counted("calendar"),
          yield* counted("(select distinct hour from calendar)")
        )
        assert.equal((yield* load()).exitCode, 0)
      })
    )
  )

  const altered: ReadonlyArray<readonly [what: string, sql: string, says: RegExp, code: number]> = [
    [
      "a column is renamed",
      "alter table events_raw rename column malformed to broken",
      /malformed/i,
      3
    ],
    ["a table is dropped", "drop table calendar", /calendar/i, 2],
    ["its version is another", "update about set value = '2' where name = 'schema'", /version 2/, 2]
  ]
  for (const [what, sql, says, code] of altered) {
    test(
      `W10 loads nothing into tables of which ${what} by hand, and names it`,
      Effect.scoped(
        Effect.gen(function* () {
          const { counted, load, server } = yield* snowflakeLake
          yield* load({ end: hourOf(FIRST) })
          yield* Effect.promise(() => server.sessions.behind(sql))
          const found = yield* load()
          assert.deepEqual([found.loaded, found.exitCode], [[], code])
          assert.match(found.error?.message ?? "", says)
          assert.equal(yield* counted("loads"), 1)
        })
      )
    )
  }

  test(
    "W12 loads no hour whose object has other lines than it announces, names it, and loads the others",
    Effect.scoped(
      Effect.gen(function* () {
        const { counted, load, store } = yield* snowflakeLake
        const head = Option.getOrThrow(yield* store.head(KEY))
        const chunks = yield* Stream.runCollect(store.get(KEY))
        const bytes = Buffer.concat([...chunks, Buffer.from("{}\n")])
        yield* store.remove(KEY)
        yield* store.put({
          key: KEY,
          size: bytes.length,
          sha256: sha256Of(bytes),
          metadata: head.metadata,
          body: Stream.make(bytes)
        })
        const found = yield* load()
        assert.deepEqual([found.loaded, found.exitCode], [HOURS.slice(1), 8])
        assert.deepEqual(
          found.failed.map(({ error, hour }) => [hour, error]),
          [[FIRST, "WarehouseError.Differs"]]
        )
        assert.equal(yield* counted(`events_raw where key like '%${KEY}'`), 0)
      })
    )
  )

  test(
    "W13 names what a pipe has missed or loaded twice, and records the hours that agree",
    Effect.scoped(
      Effect.gen(function* () {
        const { counted, load, server } = yield* snowflakeLake
        yield* load({ start: hourOf("2025-11-01T00"), end: hourOf("2025-11-01T00") })
        const [first = "", second = "", ...others] = HOURS
        const pipe = (...hours: ReadonlyArray<string>) =>
          Effect.promise(() => server.sessions.pipe({ names: hours.map(nameOf) }))
        yield* pipe(...others)
        const missed = yield* load({ reconcile: true })
        assert.deepEqual(
          missed.piped?.holes.map(({ hour }) => hour),
          [first, second]
        )
        assert.deepEqual([missed.piped?.reconciled, missed.exitCode], [others, 3])
        yield* pipe(first, second)
        server.addDays(15)
        yield* pipe(second)
        const doubled = yield* load({ reconcile: true })
        assert.deepEqual(
          doubled.piped?.doubles.map(({ hour }) => hour),
          [second]
        )
        assert.deepEqual([doubled.piped?.reconciled, doubled.exitCode], [[first], 8])
        yield* load({ replace: hourOf(second) })
        assert.equal((yield* load({ reconcile: true })).exitCode, 0)
        assert.equal(
          yield* counted("events_raw"),
          yield* counted("(select distinct hour, line from events_raw)")
        )
      })
    )
  )

  it.scopedLive.runIf(isLong)(
    "W11 ends within ten seconds of SIGTERM, cancels what runs, and leaves nothing of it",
    () =>
      Effect.gen(function* () {
        const { lake, options, server } = yield* workplace
        const dates = ["--start-date", "2025-11-10T21", "--end-date", "2025-11-10T23"]
        yield* lake("all", ...dates, "--source", "synthetic", "--events-per-hour", "20")
        server.setPlan((request) => (isLoad(request) ? { do: "hang", at: 5 } : undefined))
        const hangs = server.hanging()
        const program = yield* start(["load", "--warehouse", "snowflake", "--json"], options)
        yield* Effect.promise(() => hangs)
        const signalled = performance.now()
        program.kill("SIGTERM")
        const ended = yield* Effect.promise(() => program.ended)
        assert.ok(performance.now() - signalled < 10_000)
        assert.equal(ended.code, 143, ended.stderr)
        assert.deepEqual(JSON.parse(ended.stdout).loaded, [])
        assert.equal(server.requests.filter(({ kind }) => kind === "cancel").length, 1)
        const [row] = yield* Effect.promise(() =>
          server.sessions.behind(
            "select (select count(*) from events_raw)::int as lines, (select count(*) from loads)::int as hours"
          )
        )
        assert.deepEqual(row, { lines: 0, hours: 0 })
        server.setPlan(() => undefined)
        assert.equal((yield* lake("load", "--warehouse", "snowflake")).code, 0)
      }),
    { timeout: 180_000 }
  )
})
