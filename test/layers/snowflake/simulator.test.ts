import assert from "node:assert/strict"
import { describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { snowflakeAccount } from "../../fixtures/snowflake/account.ts"

const refused: ReadonlyArray<readonly [what: string, sql: string, count: number, says: RegExp]> = [
  ["a statement that it does not know", "DROP TABLE LOADS", 1, /unexpected 'DROP TABLE LOADS'/],
  [
    "a table that holds data made again",
    "CREATE OR REPLACE TABLE LOADS (A VARCHAR)",
    1,
    /unexpected/
  ],
  [
    "a function that it does not know",
    "SELECT TRY_PARSE_JSON('{}')",
    1,
    /unexpected 'TRY_PARSE_JSON'/
  ],
  ["another number of statements", "SELECT 1; SELECT 2", 1, /count 2 did not match .* count 1/],
  ["a COMMIT without BEGIN", "SELECT 1; COMMIT", 2, /COMMIT without BEGIN/],
  ["a string that is not closed", "SELECT 'a", 1, /not closed/],
  ["a COPY of another form", "COPY INTO LOADS FROM @LAKE", 1, /a COPY of another form/]
]

describe("The simulator of Snowflake's SQL API", () => {
  for (const [what, sql, count, says] of refused) {
    it.scopedLive(`refuses ${what}`, () =>
      Effect.gen(function* () {
        const { server } = yield* snowflakeAccount()
        const run = server.sessions.run(sql, count, { before: async () => {} })
        yield* Effect.promise(() => assert.rejects(run, says))
      })
    )
  }

  it.scopedLive("refuses a request without a token, and a body with unknown fields", () =>
    Effect.gen(function* () {
      const { server } = yield* snowflakeAccount({ tokens: ["a-token"] })
      const status = (headers: Readonly<Record<string, string>>, body: object) =>
        Effect.promise(async () => {
          const sent = await fetch(`${server.origin}/api/v2/statements?requestId=1`, {
            method: "POST",
            headers: {
              "content-type": "application/json",
              "user-agent": "amplitude-lake",
              ...headers
            },
            body: JSON.stringify(body)
          })
          return [sent.status, await sent.text()] as const
        })
      const whole = {
        statement: "SELECT 1",
        timeout: 60,
        ...server.context,
        parameters: { MULTI_STATEMENT_COUNT: "1" }
      }
      const authorization = "Bearer a-token"
      assert.equal((yield* status({}, whole))[0], 401)
      assert.equal((yield* status({ authorization: "Bearer eyJ.eyJ.x" }, whole))[0], 401)
      assert.equal((yield* status({ authorization }, whole))[0], 200)
      for (const odd of [
        { binding: 1 },
        { timeout: "60" },
        { parameters: { AUTOCOMMIT: "false" } }
      ]) {
        const [code, text] = yield* status({ authorization }, { ...whole, ...odd })
        assert.equal(code, 400, text)
      }
    })
  )
})
