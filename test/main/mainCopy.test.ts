import assert from "node:assert/strict"
import { readdirSync } from "node:fs"
import * as fs from "node:fs/promises"
import { join } from "node:path"
import { describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { temporaryFolder } from "../fixtures/disk.ts"
import { isLong } from "../fixtures/long.ts"
import { run, start } from "../fixtures/process/program.ts"

const DAY = ["--start-date", "2025-11-10", "--end-date", "2025-11-10"]
const SYNTHETIC = ["--source", "synthetic", "--now", "2025-11-12T12:00:00Z"]
const QUIET = ["--log-level", "error"]
const TARGET = ["--to-local-dir", "copy", "--to-prefix", "by-day/", "--to-layout", "hive"]
const FORM = ["--to-format", "jsonl.gz"]
const THERE = ["--dev", "--local-dir", "copy", "--prefix", "by-day/"]

const jsonOf = ({ stdout }: { readonly stdout: string }) => JSON.parse(stdout) as never

describe("amplitude-lake copy", () => {
  it.scopedLive.runIf(isLong)("goes on where it was killed, and ends in a lake that verifies", () =>
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

  it.scopedLive.runIf(isLong)("is compared with its lake by verify, whatever its form", () =>
    Effect.gen(function* () {
      const folder = yield* temporaryFolder
      const lake = (...args: ReadonlyArray<string>) => run([...args, ...QUIET], { folder })
      const against = ["verify", "--dev", "--against", ...TARGET.slice(0, 4)]
      yield* lake("all", "--dev", ...DAY, ...SYNTHETIC, "--events-per-hour", "20")
      yield* lake("copy", "--dev", ...TARGET, ...FORM)
      const same = yield* lake(...against)
      assert.equal(same.code, 0, same.stdout + same.stderr)
      assert.match(same.stdout, /same +24 hours, \d+ events/)
      yield* Effect.promise(() =>
        fs.rm(join(folder, "copy/by-day/dt=2025-11-10/hour=20"), { recursive: true })
      )
      const lacking = yield* lake(...against)
      assert.equal(lacking.code, 3)
      assert.match(
        lacking.stdout,
        /not there +1 hour, listed below: .* copy --dev with the same --to-… flags copies them/
      )
      assert.match(lacking.stdout, /^2025-11-10T20 {2}is not there$/m)
      const found: { readonly missingHere: ReadonlyArray<string>; readonly exitCode: number } =
        jsonOf(
          yield* lake(
            "verify",
            ...THERE,
            "--against",
            "--to-local-dir",
            "s3_dev",
            "--to-prefix",
            "python-import/",
            "--json"
          )
        )
      assert.deepEqual([found.missingHere, found.exitCode], [["2025-11-10T20"], 3])
    })
  )

  it.scopedLive("is compared only where that is meant", () =>
    Effect.gen(function* () {
      const folder = yield* temporaryFolder
      const lake = (...args: ReadonlyArray<string>) => run([...args, ...QUIET], { folder })
      const unmeant = yield* lake("verify", "--dev", "--to-prefix", "copy/")
      assert.equal(unmeant.code, 2)
      assert.match(unmeant.stderr, /--to-prefix has no effect without --against/)
      const mixed = yield* lake(
        "verify",
        "--dev",
        "--against",
        "--to-prefix",
        "copy/",
        "--sample",
        "3"
      )
      assert.match(mixed.stderr, /--against cannot be combined with --sample/)
      const itself = yield* lake("verify", "--dev", "--against")
      assert.equal(itself.code, 2)
      assert.match(itself.stderr, /it is the lake itself; name another one to compare with/)
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
