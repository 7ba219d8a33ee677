import assert from "node:assert/strict"
import * as fs from "node:fs/promises"
import { join } from "node:path"
import { describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { pathsBelow, temporaryFolder } from "../fixtures/disk.ts"
import { run } from "../fixtures/process/program.ts"
import { isLong } from "../fixtures/long.ts"

const DAY = ["--start-date", "2025-11-10", "--end-date", "2025-11-10"]
const SYNTHETIC = ["--source", "synthetic", "--events-per-hour", "20", ...DAY]
const NAME = "2025-11-10T00--2025-11-10T23.zip"

const objectsBelow = (folder: string) =>
  Effect.promise(async () => {
    const names = (await fs.readdir(folder)).sort()
    return Promise.all(
      names.map(async (name) => [name, await fs.readFile(join(folder, name), "utf8")])
    )
  })

describe("amplitude-lake all --archive-dir, all --from-archive", () => {
  it.scopedLive.runIf(isLong)(
    "lands the same hours from a kept archive as from Amplitude, without keys",
    () =>
      Effect.gen(function* () {
        const folder = yield* temporaryFolder
        const lake = (...args: ReadonlyArray<string>) => run(["all", "--dev", ...args], { folder })
        const first = yield* lake(...SYNTHETIC, "--archive-dir", "archives")
        assert.equal(first.code, 0, first.stderr)
        assert.match(first.stderr, /Kept the archive of 2025-11-10T00\.\.2025-11-10T23 in/)
        assert.deepEqual(
          (yield* pathsBelow(join(folder, "archives"))).filter((path) => path.endsWith(".zip")),
          [NAME]
        )
        assert.deepEqual(
          (yield* pathsBelow(join(folder, ".amplitude-lake"))).filter((path) =>
            path.endsWith(".zip")
          ),
          []
        )

        const archive = join(folder, "archives", NAME)
        const before = yield* Effect.promise(() => fs.readFile(archive))
        yield* Effect.promise(async () => {
          await fs.copyFile(archive, join(folder, "by hand.zip"))
          await fs.writeFile(join(folder, "broken.zip"), before.subarray(0, -9))
        })

        const named = yield* lake("--from-archive", archive, "--local-dir", "second")
        assert.equal(named.code, 0, named.stderr)
        assert.match(named.stdout, /landed {3}22 hours.*\nempty {4}2 hours/)
        const [one, two] = [
          yield* objectsBelow(join(folder, "s3_dev", "python-import")),
          yield* objectsBelow(join(folder, "second", "python-import"))
        ]
        assert.deepEqual([one.length, two], [24, one])

        const third = ["--local-dir", "third", "--json"]
        const hand = yield* lake("--from-archive", "broken.zip", "by hand.zip", ...third)
        const summary = JSON.parse(hand.stdout)
        assert.deepEqual([hand.code, summary.landed.length, summary.empty], [8, 22, []])
        assert.match(summary.error.message, /"broken\.zip": Truncated|"broken\.zip": Corrupt/)
        assert.ok(before.equals(yield* Effect.promise(() => fs.readFile(archive))))
        const files = (yield* pathsBelow(folder)).filter((path) => /(hand|broken)\.zip$/.test(path))
        assert.deepEqual(files, ["broken.zip", "by hand.zip"])
      })
  )
})
