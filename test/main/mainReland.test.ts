import assert from "node:assert/strict"
import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { temporaryFolder } from "../fixtures/disk.ts"
import { run } from "../fixtures/process/program.ts"

const DATES = ["--start-date", "2025-11-10T00", "--end-date", "2025-11-10T01"]
const from = (seed: number) => {
  const synthetic = ["--source", "synthetic", "--events-per-hour", "5", "--seed", String(seed)]
  return [...synthetic, "--now", "2025-11-12T12:00:00Z"]
}

describe("amplitude-lake reland", () => {
  it.scopedLive("shows what it would replace, then replaces it, and keeps what was there", () =>
    Effect.gen(function* () {
      const folder = yield* temporaryFolder
      const lake = (...args: ReadonlyArray<string>) =>
        run([...args, "--dev", "--log-level", "error"], { folder })
      assert.equal((yield* lake("all", ...DATES, ...from(1))).code, 0)
      const objects = join(folder, "s3_dev/python-import")
      const read = () => readFileSync(join(objects, "2025-11-10_00.jsonl"), "utf8")
      const before = read()

      const shown = yield* lake("reland", ...DATES, ...from(2), "--dry-run")
      assert.equal(shown.code, 0, shown.stderr)
      assert.match(shown.stdout, /^would replace 2 hours, listed below$/m)
      assert.equal(read(), before)

      const done = yield* lake("reland", ...DATES, ...from(2))
      assert.equal(done.code, 0, done.stderr)
      assert.match(done.stdout, /^replaced +2 hours, listed below$/m)
      assert.notEqual(read(), before)
      const [kept = ""] = readdirSync(join(objects, ".amplitude-lake-replaced")).sort()
      assert.match(done.stdout, new RegExp(`${kept} keeps what was there before`))
      assert.equal(readFileSync(join(objects, ".amplitude-lake-replaced", kept), "utf8"), before)
      assert.equal((yield* lake("verify", "--now", "2025-11-12T12:00:00Z")).code, 0)

      const undated = yield* lake("reland", ...from(2))
      assert.equal(undated.code, 2)
      assert.match(undated.stderr, /--start-date is missing: reland needs it/)
    })
  )
})
