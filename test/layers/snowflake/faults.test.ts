import assert from "node:assert/strict"
import { describe, it } from "@effect/vitest"
import { Clock, Effect, Fiber } from "effect"
import * as WarehouseSnowflake from "../../../src/layers/snowflake/WarehouseSnowflake.ts"
import { addHours, Hour } from "../../../src/services/Hour.ts"
import type { HourToLoad, OpenWarehouse, WarehouseError } from "../../../src/services/Warehouse.ts"
import { hourToLoad } from "../../fixtures/hourToLoad.ts"
import { isLong } from "../../fixtures/long.ts"
import { type SnowflakeAccount, snowflakeAccount } from "../../fixtures/snowflake/account.ts"
import type { SqlFault, SqlRequest } from "../../fixtures/snowflake/server.ts"

const [H20, H21, H22] = ["2025-11-10T20", "2025-11-10T21", "2025-11-10T22"] as const
const TWO = '{"a":1}\n{"a":2}\n'
const OTHER = '{"b":1}\n{"b":2}\n{"b":3}\n'

const isLoad = ({ kind, statement }: SqlRequest) =>
  kind === "submit" && statement.includes("COPY INTO")

/** What is wrong with the first request that a test finds. */
const first = (
  { server }: SnowflakeAccount,
  isIt: (request: SqlRequest) => boolean,
  fault: SqlFault
) => {
  let isDone = false
  server.setPlan((request) => {
    if (isDone || !isIt(request)) return undefined
    isDone = true
    return fault
  })
}

const opened = <A, E>(
  { warehouse }: Pick<SnowflakeAccount, "warehouse">,
  use: (open: OpenWarehouse) => Effect.Effect<A, E>
) => Effect.scoped(Effect.flatMap(warehouse.open("load"), use))

const loaded = (account: SnowflakeAccount, hour: HourToLoad<never, never>) =>
  Effect.zipRight(
    account.put(hour),
    opened(account, (it) => it.load(hour))
  )

const counts = ({ server }: SnowflakeAccount) =>
  Effect.promise(async () => {
    const rows = await server.sessions.behind(
      "select (select count(*) from events_raw)::int as lines, (select count(*) from loads)::int as hours, (select sum(events) from loads)::int as announced"
    )
    return [rows[0]?.["lines"], rows[0]?.["hours"], rows[0]?.["announced"]]
  })

const again = <A>(load: Effect.Effect<A, WarehouseError>) =>
  Effect.catchIf(
    load,
    ({ isTransient }) => isTransient,
    () => load
  )

/** A second passes between two looks at the clock: tokens of one second are the same text. */
function eachSecondLater(): Clock.Clock {
  let seconds = 0
  return Object.assign(Clock.make(), {
    currentTimeMillis: Effect.sync(() => Date.now() + 1000 * seconds++)
  })
}

describe("WarehouseSnowflake, when something goes wrong", () => {
  const lost: ReadonlyArray<readonly [what: string, (it: SqlRequest) => boolean, SqlFault]> = [
    ["the connection is cut before a load", isLoad, { do: "cut" }],
    ["the answer to a load is lost", isLoad, { do: "lose" }],
    ["the answer to a poll is lost", ({ kind }) => kind === "poll", { do: "lose" }],
    ["a load is answered with 503", isLoad, { do: "answer", status: 503 }],
    ["a load is answered with 429", isLoad, { do: "answer", status: 429 }],
    [
      "the compute warehouse is suspended",
      isLoad,
      {
        do: "fail",
        at: 5,
        code: "090073",
        message:
          "Warehouse 'LOADING' cannot be resumed because resource monitor has exceeded its quota."
      }
    ],
    [
      "a load waits too long for a lock",
      isLoad,
      { do: "fail", at: 1, code: "000625", message: "Statement has locked table LOAD_LOCK" }
    ],
    [
      "a proxy answers with its own page",
      isLoad,
      { do: "answer", status: 200, body: "<html>Sign in</html>" }
    ]
  ]
  for (const [what, isIt, fault] of lost) {
    it.scopedLive(`loads an hour once if ${what}, and the run tries again`, () =>
      Effect.gen(function* () {
        const account = yield* snowflakeAccount()
        const hour = hourToLoad(H21, TWO)
        yield* account.put(hour)
        yield* opened(account, (open) =>
          Effect.gen(function* () {
            first(account, isIt, fault)
            const error = yield* Effect.flip(open.load(hour))
            assert.equal(error.isTransient, true, error.message)
            yield* open.load(hour)
            assert.equal((yield* open.loads).length, 1)
          })
        )
        assert.deepEqual(yield* counts(account), [2, 1, 2])
      })
    )
  }

  it.scopedLive("sends what may have been carried out with the same request ID, and says so", () =>
    Effect.gen(function* () {
      const account = yield* snowflakeAccount()
      const hour = hourToLoad(H21, TWO)
      yield* account.put(hour)
      first(account, isLoad, { do: "lose" })
      yield* opened(account, (open) => again(open.load(hour)))
      const sent = account.server.requests.filter(isLoad)
      assert.deepEqual(
        sent.map(({ isRetry }) => isRetry),
        [false, true]
      )
      assert.equal(sent[0]?.requestId, sent[1]?.requestId)
      assert.equal(sent[0]?.statement, sent[1]?.statement)
    })
  )

  it.scopedLive(
    "does not load twice what was committed, even if Snowflake forgot the request",
    () =>
      Effect.gen(function* () {
        const account = yield* snowflakeAccount()
        const hour = hourToLoad(H21, TWO)
        yield* account.put(hour)
        yield* opened(account, (open) =>
          Effect.gen(function* () {
            first(account, isLoad, { do: "lose" })
            yield* Effect.flip(open.load(hour))
            const [sent] = account.server.requests.filter(isLoad)
            yield* Effect.promise(() =>
              account.server.sessions.run(sent?.statement ?? "", 8, { before: async () => {} })
            )
          })
        )
        assert.deepEqual(yield* counts(account), [2, 1, 2])
      })
  )

  it.scopedLive("waits as long as a 429 says", () =>
    Effect.gen(function* () {
      const account = yield* snowflakeAccount()
      first(account, isLoad, { do: "answer", status: 429, headers: { "retry-after": "7" } })
      const error = yield* Effect.flip(loaded(account, hourToLoad(H21, TWO)))
      assert.equal(error.retryAfter, 7000)
    })
  )

  it.scopedLive.runIf(isLong)(
    "makes another token if the last one has expired, also while a load runs",
    () =>
      Effect.gen(function* () {
        const account = yield* snowflakeAccount()
        yield* loaded(account, hourToLoad(H20, TWO))
        let polls = 0
        account.server.setPlan(({ kind }) => {
          if (kind === "poll" && ++polls === 1) account.server.expireTokens()
          return undefined
        })
        yield* loaded(account, hourToLoad(H21, TWO))
        // One with the old token, one with the new.
        assert.equal(polls, 2)
        assert.equal(account.server.requests.filter(isLoad).length, 2)
        assert.deepEqual(yield* counts(account), [4, 2, 4])
      }).pipe(Effect.withClock(eachSecondLater()))
  )

  it.scopedLive("looks at a statement until it is finished, and sends it once", () =>
    Effect.gen(function* () {
      const account = yield* snowflakeAccount()
      let polls = 0
      account.server.setPlan(({ kind }) =>
        kind === "poll" && ++polls <= 5 ? { do: "running" } : undefined
      )
      yield* loaded(account, hourToLoad(H21, TWO))
      assert.equal(polls, 6)
      assert.equal(account.server.requests.filter(isLoad).length, 1)
      assert.deepEqual(yield* counts(account), [2, 1, 2])
    })
  )

  it.scopedLive.runIf(isLong)(
    "loads a thousand hours in one transaction, and no more",
    () =>
      Effect.gen(function* () {
        const account = yield* snowflakeAccount()
        const start = Hour.make("2025-01-01T00")
        const hours = Array.from({ length: 1000 }, (_, index) =>
          hourToLoad(addHours(start, index), `{"n":${index}}\n`)
        )
        yield* Effect.forEach(hours, account.put)
        const most = yield* opened(account, ({ together }) =>
          Effect.as(together?.load(hours) ?? Effect.die("no batches"), together?.most)
        )
        assert.equal(most, 1000)
        assert.equal(account.server.requests.filter(isLoad).length, 1)
        assert.deepEqual(yield* counts(account), [1000, 1000, 1000])
      }),
    { timeout: 120_000 }
  )

  it.scopedLive("leaves nothing of an hour whose object is gone, and names it", () =>
    Effect.gen(function* () {
      const account = yield* snowflakeAccount()
      const hour = hourToLoad(H21, TWO)
      const error = yield* Effect.flip(opened(account, (it) => it.load(hour)))
      assert.equal(error.reason, "Unreadable")
      assert.match(error.message, /2025-11-10_21\.jsonl' was not found/)
      assert.deepEqual(yield* counts(account), [0, 0, null])
    })
  )

  it.scopedLive("leaves nothing of an hour of which Snowflake read another object", () =>
    Effect.gen(function* () {
      const account = yield* snowflakeAccount()
      yield* account.put(hourToLoad(H21, '{"c":1}\n{"c":2}\n'))
      const hour = hourToLoad(H21, TWO)
      const error = yield* Effect.flip(opened(account, (it) => it.load(hour)))
      assert.equal(error.reason, "Differs")
      assert.match(error.detail, /^2025-11-10T21 has 2 lines .* and 2 lines of another object$/)
      assert.deepEqual(yield* counts(account), [0, 0, null])
    })
  )

  it.scopedLive("refuses an hour with blank lines if Snowflake numbers them", () =>
    Effect.gen(function* () {
      const account = yield* snowflakeAccount({ numbersBlankLines: true })
      const error = yield* Effect.flip(loaded(account, hourToLoad(H21, "{}\n\n[]\n")))
      assert.equal(error.reason, "Differs")
      assert.match(
        error.detail,
        /has 2 lines for the 2 that were announced, the last number 3, as if blank lines were numbered,/
      )
    })
  )

  it.scopedLive("loads none of several hours if one of them is wrong", () =>
    Effect.gen(function* () {
      const account = yield* snowflakeAccount()
      const hours = [
        hourToLoad(H20, TWO),
        hourToLoad(H21, OTHER, { events: 4 }),
        hourToLoad(H22, "")
      ]
      yield* Effect.forEach(hours, account.put)
      const error = yield* opened(account, ({ together }) =>
        Effect.flip(together?.load(hours) ?? Effect.die("no batches"))
      )
      assert.equal(error.reason, "Differs")
      assert.match(error.detail, /^2025-11-10T21 has 3 lines for the 4/)
      assert.deepEqual(yield* counts(account), [0, 0, null])
      const good = hours.filter((_, index) => index !== 1)
      yield* opened(account, ({ together }) => together?.load(good) ?? Effect.die("no batches"))
      assert.deepEqual(yield* counts(account), [2, 2, 2])
    })
  )

  it.scopedLive("lets two loaders take turns, and the second one find the first one's hours", () =>
    Effect.gen(function* () {
      const account = yield* snowflakeAccount()
      const other = { warehouse: yield* WarehouseSnowflake.make(account.options) }
      // DuckDB, unlike Snowflake, cannot make tables twice at the same time.
      yield* opened(account, () => Effect.void)
      const hour = hourToLoad(H21, TWO)
      yield* account.put(hour)
      const outcomes = yield* Effect.forEach(
        [account, other],
        (it) => opened(it, (open) => Effect.either(open.load(hour))),
        { concurrency: 2 }
      )
      const reasons = outcomes.map((it) => (it._tag === "Left" ? it.left.reason : it._tag))
      assert.deepEqual(reasons.toSorted(), ["Changed", "Right"])
      assert.deepEqual(yield* counts(account), [2, 1, 2])
    })
  )

  it.scopedLive("puts the row of the lock back that somebody has removed", () =>
    Effect.gen(function* () {
      const account = yield* snowflakeAccount()
      yield* loaded(account, hourToLoad(H20, TWO))
      yield* Effect.promise(() => account.server.sessions.behind("delete from load_lock"))
      yield* loaded(account, hourToLoad(H21, TWO))
      const rows = yield* Effect.promise(() =>
        account.server.sessions.behind("select turn::int as turns from load_lock")
      )
      assert.deepEqual(rows, [{ turns: 1 }])
    })
  )

  it.scopedLive("loads what COPY remembers as loaded, and what it has forgotten", () =>
    Effect.gen(function* () {
      const account = yield* snowflakeAccount()
      const hour = hourToLoad(H21, TWO)
      for (const days of [0, 65]) {
        account.server.addDays(days)
        const [before] = yield* opened(account, ({ loads }) => loads)
        yield* account.put(hour)
        yield* opened(account, (it) => it.load({ ...hour, replaces: before?.loadId }))
        assert.deepEqual(yield* counts(account), [2, 1, 2])
      }
    })
  )

  it.scopedLive("names a column that somebody has renamed, and loads nothing", () =>
    Effect.gen(function* () {
      const account = yield* snowflakeAccount()
      yield* loaded(account, hourToLoad(H20, TWO))
      yield* Effect.promise(() =>
        account.server.sessions.behind("alter table events_raw rename column malformed to broken")
      )
      const error = yield* Effect.flip(loaded(account, hourToLoad(H21, TWO)))
      assert.equal(error.reason, "Failed")
      assert.match(error.detail, /malformed/i)
      assert.deepEqual(yield* counts(account), [2, 1, 2])
    })
  )

  it.scopedLive("names a table that somebody has dropped, and makes none in its place", () =>
    Effect.gen(function* () {
      const account = yield* snowflakeAccount()
      yield* loaded(account, hourToLoad(H20, TWO))
      yield* Effect.promise(() => account.server.sessions.behind("drop table calendar"))
      const error = yield* Effect.flip(loaded(account, hourToLoad(H21, TWO)))
      assert.equal(error.reason, "Foreign")
      assert.match(error.message, /Cannot open .*CALENDAR does not exist.*hidden from the role/i)
      assert.deepEqual(yield* counts(account), [2, 1, 2])
    })
  )

  const rows: ReadonlyArray<readonly [what: string, sql: string]> = [
    ["removed", "delete from events_raw where line = 2"],
    ["added", "insert into events_raw select * from events_raw"],
    ["left under another key", "update events_raw set key = 'other'"]
  ]
  for (const [what, sql] of rows) {
    it.scopedLive(`replaces an hour whose rows somebody has ${what}`, () =>
      Effect.gen(function* () {
        const account = yield* snowflakeAccount()
        const { loadId } = yield* loaded(account, hourToLoad(H21, TWO))
        yield* Effect.promise(() => account.server.sessions.behind(sql))
        yield* loaded(account, { ...hourToLoad(H21, OTHER), replaces: loadId })
        assert.deepEqual(yield* counts(account), [3, 1, 3])
      })
    )
  }

  it.scopedLive("cancels the statement of an interrupted load, and leaves nothing of it", () =>
    Effect.gen(function* () {
      const account = yield* snowflakeAccount()
      const hour = hourToLoad(H21, TWO)
      yield* account.put(hour)
      yield* opened(account, (open) =>
        Effect.gen(function* () {
          first(account, isLoad, { do: "hang", at: 6 })
          const hangs = account.server.hanging()
          const fiber = yield* Effect.fork(open.load(hour))
          yield* Effect.promise(() => hangs)
          const exit = yield* Fiber.interrupt(fiber)
          assert.equal(exit._tag, "Failure")
          assert.equal(account.server.requests.filter(({ kind }) => kind === "cancel").length, 1)
          yield* open.load(hour)
        })
      )
      assert.deepEqual(yield* counts(account), [2, 1, 2])
    })
  )

  it.scopedLive("puts the pieces of a long ledger together", () =>
    Effect.gen(function* () {
      const account = yield* snowflakeAccount({ partition: 2 })
      const hours = Array.from({ length: 5 }, (_, index) => hourToLoad(`2025-11-10T1${index}`, TWO))
      yield* Effect.forEach(hours, account.put)
      yield* opened(account, ({ together }) => together?.load(hours) ?? Effect.void)
      const found = yield* opened(account, ({ loads }) => loads)
      assert.deepEqual(
        found.map(({ hour }) => hour),
        hours.map(({ row }) => row.hour)
      )
    })
  )
})
