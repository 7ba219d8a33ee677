import assert from "node:assert/strict"
import { describe, it } from "@effect/vitest"
import { Effect, Logger, LogLevel } from "effect"
import { isLong } from "../../fixtures/long.ts"
import { HOURS, landedStore, snowflakeOf } from "../../fixtures/snowflake/lake.ts"
import type { SqlFault, SqlRequest } from "../../fixtures/snowflake/server.ts"

const FAULTS: Readonly<Record<string, SqlFault>> = {
  "its answer is lost": { do: "lose" },
  "it is answered with 429": { do: "answer", status: 429 },
  ...(isLong
    ? {
        "its connection is cut": { do: "cut" },
        "it is answered with 503": { do: "answer", status: 503 }
      }
    : {})
}

/** A ledger of several pieces, so that there are requests for the others. */
const account = { partition: 3 }

const isLoad = ({ kind, statement }: SqlRequest) =>
  kind === "submit" && statement.includes("COPY INTO")

const test = (what: string, run: Effect.Effect<void, unknown, never>) =>
  it.live(what, () => run.pipe(Logger.withMinimumLogLevel(LogLevel.None)), 120_000)

describe("A load into Snowflake", () => {
  for (const [what, fault] of Object.entries(FAULTS)) {
    test(
      `brings every hour once, whichever request it is of which ${what}`,
      Effect.scoped(
        Effect.gen(function* () {
          const store = yield* landedStore
          const usual = yield* snowflakeOf(store, account)
          assert.equal((yield* usual.load()).exitCode, 0)
          const kinds = new Set(usual.server.requests.map(({ kind }) => kind))
          assert.deepEqual([...kinds].toSorted(), ["partition", "poll", "submit"])
          const events = yield* usual.counted("events_raw")
          for (let step = 0; step < usual.server.requests.length; step++) {
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
    "halves the hours that take longer than a statement may, and loads them",
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
    "ends with 5 if one hour alone takes longer than a statement may, and says so",
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
})
