import assert from "node:assert/strict"
import { readdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { temporaryFolder } from "../fixtures/disk.ts"
import { run } from "../fixtures/process/program.ts"

const DATES = ["--start-date", "2025-11-10T00", "--end-date", "2025-11-10T03"]
const NOW = ["--now", "2025-11-12T12:00:00Z"]
const SYNTHETIC = ["--source", "synthetic", "--events-per-hour", "40", "--seed", "1", ...NOW]

interface Event {
  readonly device_id: string | null
}

const deviceOf = (line: string) => (JSON.parse(line) as Event).device_id

describe("amplitude-lake redact", () => {
  it.scopedLive("counts one person's events, then removes them, and nobody else's", () =>
    Effect.gen(function* () {
      const folder = yield* temporaryFolder
      const lake = (...args: ReadonlyArray<string>) =>
        run([...args, "--dev", "--log-level", "error"], { folder })
      assert.equal(
        (yield* lake("all", ...DATES, ...SYNTHETIC, "--archive-dir", "archives")).code,
        0
      )
      const objects = join(folder, "s3_dev/python-import")
      const lines = () =>
        readdirSync(objects)
          .filter((name) => name.endsWith(".jsonl"))
          .flatMap((name) => readFileSync(join(objects, name), "utf8").split("\n"))
          .filter((line) => line !== "")
      const before = lines()
      const device = before.map(deviceOf).find((it) => it !== null) ?? ""
      const left = before.filter((line) => deviceOf(line) !== device)

      const counted = yield* lake("redact", "--device-id", device, "--archive-dir", "archives")
      assert.equal(counted.code, 3, counted.stderr)
      assert.match(counted.stdout, /^found +\d+ lines? in \d+ hours? in the store$/m)
      assert.match(counted.stdout, /^found +\d+ lines? in 1 kept archive$/m)
      assert.match(counted.stdout, /^Nothing was changed\. .*--yes/m)
      assert.deepEqual(lines(), before)

      writeFileSync(join(folder, "people.txt"), `# one\ndevice_id=${device}\n`)
      const people = ["--file", "people.txt", "--archive-dir", "archives"]
      const done = yield* lake("redact", ...people, "--yes", "--json")
      assert.equal(done.code, 0, done.stderr)
      assert.doesNotMatch(done.stdout + done.stderr, new RegExp(device))
      assert.deepEqual(lines(), left)
      const archives = readdirSync(join(folder, "archives"))
      assert.ok(!archives.some((name) => name.endsWith(".zip")))
      assert.equal((yield* lake("verify", ...NOW)).code, 0)
      const recheck = yield* lake("all", ...DATES, ...SYNTHETIC, "--recheck")
      assert.equal(recheck.code, 0, recheck.stdout)

      writeFileSync(join(folder, "people.txt"), `${device}\n`)
      const wrong = yield* lake("redact", ...people)
      assert.equal(wrong.code, 2)
      assert.match(wrong.stderr, /people\.txt.* cannot be used: line 1: it does not begin with/)
      assert.doesNotMatch(wrong.stderr, new RegExp(device))
      const nobody = yield* lake("redact")
      assert.match(nobody.stderr, /nobody is named: use --user-id/)
    })
  )
})
