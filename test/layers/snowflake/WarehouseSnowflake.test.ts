import assert from "node:assert/strict"
import { it } from "@effect/vitest"
import { Effect } from "effect"
import { Hour } from "../../../src/services/Hour.ts"
import { warehouseContract } from "../../contracts/warehouse.ts"
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

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}
