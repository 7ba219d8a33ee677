import assert from "node:assert/strict"
import { readdirSync } from "node:fs"
import { join } from "node:path"
import { describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { temporaryFolder } from "../fixtures/disk.ts"
import { run, start } from "../fixtures/program.ts"

const DAY = ["--start-date", "2025-11-10", "--end-date", "2025-11-10"]
const SYNTHETIC = ["--source", "synthetic", "--now", "2025-11-12T12:00:00Z"]
const QUIET = ["--log-level", "error"]
const TARGET = ["--to-local-dir", "copy", "--to-prefix", "by-day/", "--to-layout", "hive"]
const FORM = ["--to-format", "jsonl.gz"]
const THERE = ["--dev", "--local-dir", "copy", "--prefix", "by-day/"]

const jsonOf = ({ stdout }: { readonly stdout: string }) => JSON.parse(stdout) as never

describe("amplitude-lake copy", () => {
  it.scopedLive("goes on where it was killed, and ends in a lake that verifies", () =>
    Effect.gen(function* () {
      const folder = yield* temporaryFolder
      const lake = (...args: ReadonlyArray<string>) => run([...args, ...QUIET], { folder })
      const landed = yield* lake("all", "--dev", ...DAY, ...SYNTHETIC, "--events-per-hour", "300")
      assert.equal(landed.code, 0)
      const copy = ["copy", "--dev", ...TARGET, ...FORM, "--json"]
      const planned: { readonly copied: ReadonlyArray<string> } = jsonOf(
        yield* lake(...copy, "--dry-run")
      )
      assert.equal(planned.copied.length, 24)

      const killed = yield* start([...copy, "--concurrency", "1", ...QUIET], { folder })
      const put = () => {
        try {
          return readdirSync(join(folder, "copy/by-day/dt=2025-11-10")).length
        } catch {
          return 0
        }
      }
      while (put() < 3) yield* Effect.promise(() => new Promise((then) => setImmediate(then)))
      killed.kill("SIGKILL")
      yield* Effect.promise(() => killed.ended)
      const left = put()
      assert.ok(left >= 3 && left < 24, `${left} hours were copied`)

      const second = yield* lake(...copy)
      const again: {
        readonly copied: ReadonlyArray<string>
        readonly skipped: ReadonlyArray<string>
        readonly exitCode: number
      } = jsonOf(second)
      assert.deepEqual([second.code, again.exitCode], [0, 0])
      assert.equal(again.copied.length + again.skipped.length, 24)
      const verified = yield* lake("verify", ...THERE, "--now", "2025-11-12T12:00:00Z")
      assert.equal(verified.code, 0, verified.stdout)
      assert.match(verified.stdout, /verified +24 hours/)
      assert.deepEqual(readdirSync(join(folder, "copy/.amplitude-lake/runs")), [])
    })
  )

  it.scopedLive("is refused where the target is the lake itself, or lacks a name", () =>
    Effect.gen(function* () {
      const folder = yield* temporaryFolder
      const lake = (...args: ReadonlyArray<string>) => run([...args, ...QUIET], { folder })
      const itself = yield* lake("copy", "--dev", "--to-local-dir", "s3_dev")
      assert.equal(itself.code, 2)
      assert.match(itself.stderr, /the target is the lake itself/)
      const unnamed = yield* lake("copy", "--dev", "--to-store", "s3")
      assert.equal(unnamed.code, 2)
      assert.match(unnamed.stderr, /the target's bucket is missing: use --to-bucket/)
      const mixed = yield* lake("copy", "--dev", "--to-local-dir", "copy", "--to-bucket", "lake")
      assert.match(mixed.stderr, /--to-bucket cannot be combined with a target in local/)
    })
  )
})
