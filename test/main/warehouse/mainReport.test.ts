import assert from "node:assert/strict"
import { existsSync } from "node:fs"
import * as fs from "node:fs/promises"
import { join } from "node:path"
import { describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { isLong } from "../../fixtures/long.ts"
import { temporaryFolder } from "../../fixtures/disk.ts"
import { run } from "../../fixtures/process/program.ts"

const DAY = ["--dev", "--start-date", "2025-11-10", "--end-date", "2025-11-10T05"]
const isCompiled = existsSync("dbt/compiled/plan.json")

describe("amplitude-lake report", () => {
  it.scopedLive.runIf(isCompiled && isLong)(
    "loads and models first with --build, and writes the same bytes of the same warehouse",
    () =>
      Effect.gen(function* () {
        const folder = yield* temporaryFolder
        const lake = (...args: ReadonlyArray<string>) => run(args, { folder })
        const pageOf = (name: string) =>
          Effect.promise(() => fs.readFile(join(folder, name), "utf8"))
        const synthetic = ["--source", "synthetic", "--events-per-hour", "200"]
        assert.equal((yield* lake("all", ...DAY, ...synthetic)).code, 0)

        const built = yield* lake("report", "--build", "--dev", "--json")
        assert.equal(built.code, 0, built.stderr)
        const { captured, counting, file, load, model } = JSON.parse(built.stdout)
        assert.equal(file, "report.html")
        assert.equal(load.loaded.length, 6)
        assert.equal(counting.loadedHours, 6)
        assert.equal(counting.lines, load.events)
        assert.equal(counting.behindHours, 0)
        assert.ok(model.models.length > 10 && captured.types.length > 3)
        const page = yield* pageOf("report.html")
        assert.match(page, /<h1>What your events say<\/h1>/)
        assert.match(page, /Every hour from/)

        const again = yield* lake("report", "--out", "again.html")
        assert.equal(again.code, 0, again.stderr)
        assert.match(again.stdout, /^report +again\.html, [\d.]+ kB$/m)
        assert.match(again.stdout, /^holds +6 hours with [\d,]+ lines$/m)
        assert.equal(yield* pageOf("again.html"), page)
        const { mode } = yield* Effect.promise(() => fs.stat(join(folder, "again.html")))
        assert.equal(mode & 0o077, 0)
      })
  )

  it.scopedLive.runIf(isLong)(
    "refuses a warehouse without models with exit code 2, and writes nothing",
    () =>
      Effect.gen(function* () {
        const folder = yield* temporaryFolder
        const lake = (...args: ReadonlyArray<string>) => run(args, { folder })
        assert.equal((yield* lake("all", ...DAY, "--source", "synthetic")).code, 0)
        assert.equal((yield* lake("load", "--dev")).code, 0)
        const { code, stderr } = yield* lake("report")
        assert.equal(code, 2)
        assert.match(stderr, /NotModelled/)
        assert.ok(!existsSync(join(folder, "report.html")))
      })
  )
})
