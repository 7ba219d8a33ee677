import assert from "node:assert/strict"
import * as fs from "node:fs/promises"
import { join } from "node:path"
import { describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { readCompiledModels } from "../../../src/cli/commands/compiledModels.ts"
import { temporaryFolder } from "../../fixtures/disk.ts"

const PLAN = [
  {
    name: "ranges",
    schema: "analytics",
    materialized: "seed",
    file: "ranges.csv",
    columns: { asn: "bigint" }
  },
  { name: "staged", schema: "analytics", materialized: "view", file: "staged.sql" }
]

describe("readCompiledModels()", () => {
  it.scopedLive("reads the plan in its order, with the rows of seeds", () =>
    Effect.gen(function* () {
      const folder = yield* temporaryFolder
      yield* Effect.promise(async () => {
        await fs.writeFile(join(folder, "plan.json"), JSON.stringify(PLAN))
        await fs.writeFile(join(folder, "ranges.csv"), 'asn,company\n1,"A, B"\n,\n')
        await fs.writeFile(join(folder, "staged.sql"), "select 1 as a")
      })
      assert.deepEqual(yield* readCompiledModels(folder), [
        {
          schema: "analytics",
          name: "ranges",
          kind: "rows",
          columns: { asn: "bigint", company: "varchar" },
          rows: [
            ["1", "A, B"],
            [null, null]
          ],
          areExamples: true
        },
        { schema: "analytics", name: "staged", kind: "view", sql: "select 1 as a" }
      ])
    })
  )

  it.scopedLive("says what is wrong where there are none", () =>
    Effect.gen(function* () {
      const folder = yield* temporaryFolder
      const { exitCode, message } = yield* Effect.flip(readCompiledModels(folder))
      assert.equal(exitCode, 2)
      assert.match(message, /ENOENT.*plan\.json.*install amplitude-lake again/)
    })
  )
})
