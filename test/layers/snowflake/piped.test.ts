import assert from "node:assert/strict"
import { describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { Hour } from "../../../src/services/Hour.ts"
import type { HourToLoad, OpenWarehouse, PipedLines } from "../../../src/services/Warehouse.ts"
import { hourToLoad } from "../../fixtures/hourToLoad.ts"
import { type SnowflakeAccount, snowflakeAccount } from "../../fixtures/snowflake/account.ts"

const [H20, H21, H22] = ["2025-11-10T20", "2025-11-10T21", "2025-11-10T22"] as const
const TWO = '{"a":1}\n{"a":2}\n'
const THREE = '{"b":1}\n{"b":2}\n{"b":3}\n'

const opened = <A, E>(
  { warehouse }: SnowflakeAccount,
  use: (piped: PipedLines, open: OpenWarehouse) => Effect.Effect<A, E>,
  to: "load" | "read" = "load"
) =>
  Effect.scoped(
    Effect.flatMap(warehouse.open(to), (open) =>
      open.piped === undefined ? Effect.die("no pipe") : use(open.piped, open)
    )
  )

/** Lets a pipe load the objects of hours. */
const piped = (account: SnowflakeAccount, ...hours: ReadonlyArray<HourToLoad<never, never>>) =>
  Effect.gen(function* () {
    yield* Effect.forEach(hours, account.put)
    yield* opened(account, () => Effect.void)
    yield* Effect.promise(() =>
      account.server.sessions.pipe({ names: hours.map(({ row }) => row.key) })
    )
  })

const rows = ({ server }: SnowflakeAccount, table: string) =>
  Effect.map(
    Effect.promise(() => server.sessions.behind(`select count(*)::int as rows from ${table}`)),
    ([row]) => row?.["rows"]
  )

const said = (account: SnowflakeAccount, key: string) =>
  opened(account, ({ refresh }) => Effect.sync(() => refresh(key)))

describe("WarehouseSnowflake, with a pipe", () => {
  it.scopedLive("counts the lines that are stored by hour and key, whoever has loaded them", () =>
    Effect.gen(function* () {
      const account = yield* snowflakeAccount()
      const [two, three] = [hourToLoad(H20, TWO), hourToLoad(H21, THREE)]
      yield* piped(account, two)
      yield* account.put(three)
      yield* opened(account, (_, open) => open.load(three))
      yield* Effect.promise(() =>
        account.server.sessions.behind(
          "insert into events_raw select * replace ('events/other.jsonl' as key) from events_raw where line = 3"
        )
      )
      const expected = [
        { hour: H20, key: two.row.key, lines: 2, numbers: 2 },
        { hour: H21, key: three.row.key, lines: 3, numbers: 3 },
        { hour: H21, key: "events/other.jsonl", lines: 1, numbers: 1 }
      ]
      const counted = (first?: string, last?: string) =>
        opened(
          account,
          ({ counts }) =>
            counts(
              first === undefined ? undefined : Hour.make(first),
              last === undefined ? undefined : Hour.make(last)
            ),
          "read"
        )
      assert.deepEqual(yield* counted(), expected)
      assert.deepEqual(yield* counted(H21), expected.slice(1))
      assert.deepEqual(yield* counted(undefined, H20), expected.slice(0, 1))
      assert.deepEqual(yield* counted(H22, H22), [])
    })
  )

  it.scopedLive("writes the ledger rows of hours together, as a load does", () =>
    Effect.gen(function* () {
      const account = yield* snowflakeAccount()
      const hours = [hourToLoad(H20, TWO), hourToLoad(H21, THREE), hourToLoad(H22, "")]
      yield* piped(account, ...hours.slice(0, 2))
      const written = yield* opened(account, ({ adopt }) => adopt.load(hours))
      assert.deepEqual(yield* opened(account, (_, { loads }) => loads, "read"), written)
      assert.deepEqual(
        written.map(({ events, hour }) => [hour, events]),
        [
          [H20, 2],
          [H21, 3],
          [H22, 0]
        ]
      )
      assert.equal(new Set(written.map(({ loadId }) => loadId)).size, 3)
      assert.equal(yield* rows(account, "events_raw"), 5)
    })
  )

  const wrong: ReadonlyArray<readonly [what: string, sql: string, says: RegExp]> = [
    ["a line is missing", "delete from events_raw where line = 2", /has 1 lines for the 2/],
    [
      "lines are there twice",
      "insert into events_raw select * from events_raw",
      /has 4 lines for the 2/
    ],
    [
      "a line is there twice in the place of another",
      "update events_raw set line = 2 where line = 1",
      /has 2 lines for the 2/
    ],
    ["lines are under another key", "update events_raw set key = 'other'", /has 2 lines for the 2/],
    [
      "lines are those of another object",
      "update events_raw set content_key = 'd41d8cd98f00b204e9800998ecf8427e'",
      /and 2 lines of another object/
    ],
    [
      "numbers go on after a blank line",
      "update events_raw set line = line + 1",
      /the last number 3/
    ]
  ]
  for (const [what, sql, says] of wrong) {
    it.scopedLive(`writes no ledger row if ${what}, and names the hour`, () =>
      Effect.gen(function* () {
        const account = yield* snowflakeAccount()
        const [good, bad] = [hourToLoad(H20, ""), hourToLoad(H21, TWO)]
        yield* piped(account, bad)
        yield* Effect.promise(() => account.server.sessions.behind(sql))
        const error = yield* opened(account, ({ adopt }) => Effect.flip(adopt.load([good, bad])))
        assert.equal(error.reason, "Differs")
        assert.match(error.detail, /^2025-11-10T21 /)
        assert.match(error.detail, says)
        assert.equal(yield* rows(account, "loads"), 0)
      })
    )
  }

  it.scopedLive("writes no ledger row that another has written, or that it may not write", () =>
    Effect.gen(function* () {
      const account = yield* snowflakeAccount()
      const hour = hourToLoad(H21, TWO)
      yield* piped(account, hour)
      const reading = yield* opened(account, ({ adopt }) => Effect.flip(adopt.load([hour])), "read")
      assert.equal(reading.reason, "Failed")
      yield* opened(account, ({ adopt }) => adopt.load([hour]))
      const error = yield* opened(account, ({ adopt }) => Effect.flip(adopt.load([hour])))
      assert.equal(error.reason, "Changed")
      assert.equal(yield* rows(account, "loads"), 1)
    })
  )

  it.scopedLive("says how the pipe tries objects again, by its whole name", () =>
    Effect.gen(function* () {
      const usual = yield* snowflakeAccount()
      assert.equal(
        yield* said(usual, "events/2025-11-10_2"),
        "ALTER PIPE AMPLITUDE_LAKE.AMPLITUDE.LAKE_PIPE REFRESH PREFIX = '2025-11-10_2'"
      )
      assert.equal(
        yield* said(usual, "events/"),
        "ALTER PIPE AMPLITUDE_LAKE.AMPLITUDE.LAKE_PIPE REFRESH"
      )
      const own = yield* snowflakeAccount({}, { pipe: "my pipe" })
      assert.match(yield* said(own, "events/"), /^ALTER PIPE AMPLITUDE_LAKE\.AMPLITUDE\."my pipe" /)
    })
  )
})
