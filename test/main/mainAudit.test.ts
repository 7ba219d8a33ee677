import assert from "node:assert/strict"
import * as fs from "node:fs/promises"
import { join } from "node:path"
import { describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { deadRun, liveRun, pathsBelow, temporaryFolder } from "../fixtures/disk.ts"
import { run } from "../fixtures/process/program.ts"
import * as S3Server from "../fixtures/s3/s3Server.ts"

const HOURS = ["--start-date", "2025-11-10T20", "--end-date", "2025-11-10T23"]
const SOURCE = ["--source", "synthetic", "--events-per-hour", "5", "--log-level", "none"]
const [SECOND, FOREIGN] = [
  "python-import/2025-11-10_21.jsonl",
  "python-import/123456_2025-11-09_0#0.json"
]

/** What a run of that name was downloading. */
const half = (name: string) =>
  `.amplitude-lake/spool/runs/${name}/0/id~2025-11-10T20~2025-11-10T20~1.zip.part`

/** A folder in which the hours of a window are landed, and what a user types there. */
const lakeIn = Effect.fn(function* (...landing: ReadonlyArray<string>) {
  const folder = yield* temporaryFolder
  const lake = (...args: ReadonlyArray<string>) => run([...args, "--dev"], { folder })
  const landed = yield* lake(...landing, ...SOURCE, ...HOURS)
  assert.equal(landed.code, 0, landed.stderr)
  const write = (path: string, text: string) =>
    Effect.promise(async () => {
      await fs.mkdir(join(folder, path, ".."), { recursive: true })
      await fs.writeFile(join(folder, path), text)
    })
  return { folder, lake, write }
})

describe("amplitude-lake, in daily use", () => {
  it.scoped("status draws the hours without escapes in a pipe, and exits 3 for a gap", () =>
    Effect.gen(function* () {
      const { folder, lake } = yield* lakeIn("all")
      yield* Effect.promise(() => fs.rm(join(folder, "s3_dev", SECOND)))
      const { code, stdout } = yield* lake("status", "--events", ...HOURS)
      assert.equal(code, 3)
      assert.match(stdout, /^2025-11-10 Mon .* 0 X [1-9] [1-9] +\d+$/m)
      assert.match(
        stdout,
        /^X 1 gap, the oldest 2025-11-10T21: amplitude-lake all --dev --start-date 2025-11-10T21 /m
      )
      assert.ok(!stdout.includes("\u001b"))
    })
  )

  it.scoped("verify names what differs, changes nothing and exits 8", () =>
    Effect.gen(function* () {
      const { folder, lake, write } = yield* lakeIn("all")
      yield* write(join("s3_dev", FOREIGN), '{"a":1}\n')
      const sound = yield* lake("verify", "--sample", "9", "--sample-seed", "7")
      assert.equal(sound.code, 0, sound.stdout)
      assert.match(sound.stdout, /^sample +5 hours; repeat it with --sample-seed 7$/m)
      assert.match(sound.stdout, /^unverified 1 hour, from another pipeline/m)

      yield* Effect.promise(() => fs.appendFile(join(folder, "s3_dev", SECOND), "x\n"))
      const before = yield* pathsBelow(folder)
      const { code, stdout } = yield* lake("verify", ...HOURS)
      assert.equal(code, 8)
      assert.match(stdout, /^differing +1 object/m)
      assert.match(
        stdout,
        /^2025-11-10T21 {2}2025-11-10_21\.jsonl differs:\n {2}bytes \d+, metadata says/m
      )
      const told = JSON.parse((yield* lake("verify", ...HOURS, "--json")).stdout)
      assert.deepEqual([told.exitCode, told.verified.length, told.differing.length], [8, 3, 1])
      assert.deepEqual(yield* pathsBelow(folder), before)
    })
  )

  it.scoped("clean shows, then removes what is no longer needed, and nothing of a live run", () =>
    Effect.gen(function* () {
      const { folder, lake, write } = yield* lakeIn("fetch")
      const [dead, live] = [yield* deadRun, yield* liveRun]
      yield* Effect.forEach([dead, live], (name) => write(half(name), "half"))
      yield* Effect.forEach([dead, live], (name) =>
        write(`data/.amplitude-lake/runs/${name}/0`, "draft")
      )
      yield* write("kept/2025-11-10T00--2025-11-10T23.zip", "old")
      yield* Effect.promise(() =>
        fs.utimes(join(folder, "kept/2025-11-10T00--2025-11-10T23.zip"), 1000, 1000)
      )
      // Landed a second time by a run of other folders, so that one hour stands on both sides.
      const others = ["--data-dir", "elsewhere", "--work-dir", "elsewhere"]
      const twice = yield* lake(
        "all",
        ...SOURCE,
        ...others,
        ...HOURS,
        "--start-date",
        "2025-11-10T23"
      )
      assert.equal(twice.code, 0, twice.stderr)
      const args = ["--archive-dir", "kept", "--archive-days", "30"]
      const before = yield* pathsBelow(folder)
      const planned = yield* lake("clean", ...args, "--dry-run")
      assert.equal(planned.code, 0, planned.stderr)
      assert.match(planned.stdout, /^would remove staged +2025-11-10_23\.jsonl, /m)
      assert.match(
        planned.stdout,
        /^would remove 4 items .*, would keep 3 items; nothing was changed$/m
      )
      assert.deepEqual(yield* pathsBelow(folder), before)

      const done = yield* lake("clean", ...args)
      assert.equal(done.code, 0, done.stderr)
      assert.match(done.stdout, /^removed 4 items .*, kept 3 items$/m)
      const after = yield* pathsBelow(folder)
      assert.ok(after.includes(half(live)) && after.includes(`data/.amplitude-lake/runs/${live}/0`))
      assert.ok(!after.some((path) => path.includes(dead) || path.startsWith("kept/")))
      assert.deepEqual(after.filter((path) => /^data\/2025.*jsonl$/.test(path)).length, 3)
    })
  )

  it.scoped("verify and clean need only the minimum policy, except for aborting uploads", () =>
    Effect.gen(function* () {
      const folder = yield* temporaryFolder
      const s3 = yield* S3Server.make({
        users: { AKTEST: { secret: "SKTEST", denied: ["s3:ListBucketMultipartUploads"] } },
        buckets: { lake: "eu-west-2" }
      })
      const env = {
        AWS_ACCESS_KEY_ID: "AKTEST",
        AWS_SECRET_ACCESS_KEY: "SKTEST",
        AWS_REGION: "eu-west-2",
        AWS_ENDPOINT_URL_S3: s3.url,
        AWS_BUCKET_NAME: "lake"
      }
      const lake = (...args: ReadonlyArray<string>) => run(args, { folder, env })
      assert.equal((yield* lake("all", ...SOURCE, ...HOURS)).code, 0)
      const verified = yield* lake("verify", ...HOURS)
      assert.equal(verified.code, 0, verified.stdout)
      assert.match(verified.stdout, /^verified +4 hours$/m)
      const cleaned = yield* lake("clean")
      assert.deepEqual([cleaned.code, cleaned.stdout], [0, "Nothing to clean.\n"])
      assert.match(cleaned.stderr, /Could not look for.*Allow s3:ListBucketMultipartUploads/)
      assert.equal((yield* lake("clean", "--abort-uploads")).code, 7)
    })
  )
})
