import assert from "node:assert/strict"
import { it } from "@effect/vitest"
import { Effect } from "effect"
import { Hour } from "../../../src/services/Hour.ts"
import { ReferenceList, referenceTables } from "../../../src/services/Warehouse.ts"
import { warehouseContract } from "../../contracts/warehouse.ts"
import { hourToLoad } from "../../fixtures/hourToLoad.ts"
import { snowflakeAccount } from "../../fixtures/snowflake/account.ts"
import { variantText } from "../../fixtures/snowflake/dialect.ts"

warehouseContract(
  "WarehouseSnowflake",
  Effect.map(snowflakeAccount(), ({ put, server, warehouse }) => ({
    warehouse,
    setLines: (hour, texts) =>
      Effect.promise(() =>
        server.sessions.behind(
          `insert into events_raw (hour, key, line, malformed, loaded_at) values ${texts
            .map(
              (text, index) =>
                `('${hour}:00:00', 'other', ${index + 1}, '${text}', now()::timestamp)`
            )
            .join(", ")}`
        )
      ),
    entries: (stream) =>
      Effect.map(
        Effect.promise(() =>
          server.sessions.behind(
            `select strftime(date, '%Y-%m-%d') as date, number as number, entry as entry from ${referenceTables[stream]} order by date, number`
          )
        ),
        (found) =>
          found.map(
            ({ date, entry, number }) => [String(date), Number(number), String(entry)] as const
          )
      ),
    store: { put, kept: (text: string) => (isJson(text) ? variantText(text) : text) },
    rows: Effect.promise(() =>
      server.sessions.behind(
        "select strftime(hour, '%Y-%m-%dT%H') as hour, line as number, coalesce(malformed, event) as text from events_raw order by hour, number"
      )
    ).pipe(
      Effect.map((rows) =>
        rows.map(({ hour, number, text }) => [String(hour), Number(number), String(text)] as const)
      )
    )
  }))
)

it.scopedLive("WarehouseSnowflake says what to use for what it cannot do", () =>
  Effect.gen(function* () {
    const { warehouse } = yield* snowflakeAccount()
    const open = yield* warehouse.open("load")
    const model = { schema: "main", name: "facts", kind: "view", sql: "select 1" } as const
    for (const [work, instead] of [
      [open.storedHours, /status/],
      [open.digestOf(Hour.make("2025-11-10T21")), /status/],
      [open.query("select 1"), /Snowsight/],
      [open.build(model), /dbt/],
      [open.setIpRanges([]), /IP_RANGES/]
    ] as const) {
      const { detail, reason } = yield* Effect.flip(work as typeof open.storedHours)
      assert.equal(reason, "Misconfigured")
      assert.match(detail, /is not available for Snowflake yet: /)
      assert.match(detail, instead)
    }
  })
)

const list = (entries: number) =>
  new ReferenceList({
    date: "2025-11-10",
    stream: "events",
    key: "events/list.json",
    entries,
    sha256: "0",
    loadedAt: 0
  })

it.scopedLive("WarehouseSnowflake without tables for lists loads hours, and names the setup", () =>
  Effect.gen(function* () {
    const { put, server, warehouse } = yield* snowflakeAccount()
    yield* Effect.scoped(warehouse.open("load"))
    for (const table of ["lists", ...Object.values(referenceTables)]) {
      yield* Effect.promise(() => server.sessions.behind(`drop table ${table}`))
    }
    const open = yield* warehouse.open("load")
    assert.deepEqual(yield* open.lists, [])
    const { detail, isTransient, reason } = yield* Effect.flip(open.loadList(list(1), ["1"]))
    assert.deepEqual([reason, isTransient], ["Misconfigured", false])
    assert.match(detail, /tables for lists are missing/)
    const hour = hourToLoad("2025-11-10T21", "{}\n")
    yield* put(hour)
    assert.equal((yield* open.load(hour)).events, 1)
  })
)

it.scopedLive("WarehouseSnowflake loads no list with an entry that fits into no statement", () =>
  Effect.gen(function* () {
    const { warehouse } = yield* snowflakeAccount()
    const open = yield* warehouse.open("load")
    const long = `"${"x".repeat(1_000_000)}"`
    const { detail, reason } = yield* Effect.flip(open.loadList(list(2), ["1", long]))
    assert.equal(reason, "Unreadable")
    assert.match(detail, /^entry 2 of "events\/list\.json" is longer/)
    assert.deepEqual(yield* open.lists, [])
  })
)

it.scopedLive(
  "WarehouseSnowflake writes no ledger row of a list that another run has changed",
  () =>
    Effect.gen(function* () {
      const { warehouse } = yield* snowflakeAccount()
      const open = yield* warehouse.open("load")
      yield* open.loadList(list(1), ["1"])
      // As if one of three requests had been undone.
      const long = Array.from({ length: 2 }, (_, n) => `"${String(n).repeat(500_000)}"`)
      const { reason } = yield* Effect.flip(open.loadList(list(3), long))
      assert.equal(reason, "Changed")
      assert.deepEqual(yield* open.lists, [])
    })
)

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}
