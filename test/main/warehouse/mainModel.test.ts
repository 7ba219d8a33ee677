import assert from "node:assert/strict"
import { existsSync } from "node:fs"
import * as fs from "node:fs/promises"
import { join } from "node:path"
import { describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { pathsBelow, temporaryFolder } from "../../fixtures/disk.ts"
import { run } from "../../fixtures/process/program.ts"
import { isLong } from "../../fixtures/long.ts"

const DAY = ["--dev", "--start-date", "2025-11-10", "--end-date", "2025-11-10T05"]
const isCompiled = existsSync("dbt/compiled/plan.json")

describe("amplitude-lake model", () => {
  it.scopedLive.runIf(isLong && isCompiled)(
    "builds the models of a loaded lake, which sql then reads",
    () =>
      Effect.gen(function* () {
        const folder = yield* temporaryFolder
        const lake = (...args: ReadonlyArray<string>) => run(args, { folder })
        const synthetic = ["--source", "synthetic", "--events-per-hour", "200"]
        assert.equal((yield* lake("all", ...DAY, ...synthetic)).code, 0)
        assert.equal((yield* lake("load", "--dev")).code, 0)
        const ranges = "203.0.113.0,203.0.113.255,64496,Example\n"
        yield* Effect.promise(() => fs.writeFile(join(folder, "ranges.csv"), ranges))
        const built = yield* lake("model", "--ip-ranges", "ranges.csv", "--json")
        assert.equal(built.code, 0, built.stderr)
        const { ipRanges, models } = JSON.parse(built.stdout)
        assert.equal(ipRanges, 1)
        const rowsOf = (name: string) =>
          models.find((it: { readonly name: string }) => it.name === name)?.rows
        assert.equal(rowsOf("dim_ip_ranges"), 1)
        const counted = yield* lake("sql", "select count(*) as n from analytics.fct_events")
        assert.equal(counted.stdout, `n\n${rowsOf("fct_events")}\n`)
        const again = yield* lake("model")
        assert.match(again.stdout, /^analytics\.fct_events +[\d,]+ rows +\d+\.\d s$/m)
        assert.deepEqual(
          (yield* pathsBelow(folder)).filter((path) => path.startsWith("lake.")),
          ["lake.duckdb"]
        )
      })
  )

  it.scopedLive("refuses a wrong file and a missing warehouse with exit code 2", () =>
    Effect.gen(function* () {
      const folder = yield* temporaryFolder
      const absent = yield* run(["model", "--sites", "absent.csv"], { folder })
      assert.deepEqual([absent.code, absent.stdout], [2, ""])
      if (!isCompiled) return
      const { code, stderr } = yield* run(["model"], { folder })
      assert.equal(code, 2)
      assert.match(
        stderr,
        /There is no warehouse at \S+lake\.duckdb\S+: amplitude-lake load makes it, or name another file \(--warehouse-file\)/
      )
      assert.deepEqual(yield* pathsBelow(folder), [])
    })
  )
})
