import assert from "node:assert/strict"
import { cpSync, readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { temporaryFolder } from "../fixtures/disk.ts"
import { type Ended, run } from "../fixtures/process/program.ts"

const HOUR = "2025-11-10T00"
const NOW = ["--now", "2025-11-11T01:30:00Z"]
const SYNTHETIC = ["--source", "synthetic", "--events-per-hour", "5"]
const DATES = ["--start-date", HOUR, "--end-date", HOUR]
const QUIET = ["--log-level", "error"]

const sourceOf = (seed: number) => [...SYNTHETIC, "--seed", String(seed)]
const from = (seed: number) => [...sourceOf(seed), ...NOW]
const codeOf = ({ code }: Ended) => code

/** A lake in a folder that has refused another version of its one hour. */
const conflict = Effect.gen(function* () {
  const folder = yield* temporaryFolder
  const lake = (...args: ReadonlyArray<string>) => run([...args, "--dev", ...QUIET], { folder })
  const staged = yield* lake("fetch", ...DATES, ...from(2))
  const other = ["--data-dir", "first/data", "--work-dir", "first/work"]
  const landed = yield* lake("all", ...DATES, ...from(1), ...other)
  assert.deepEqual([landed, staged].map(codeOf), [0, 0])
  const key = join(folder, "s3_dev/python-import/2025-11-10_00.jsonl")
  const theirs = readFileSync(key, "utf8")
  const refused = yield* lake("all", ...DATES, ...from(1))
  return { folder, lake, key, theirs, refused, all: lake("all", ...DATES, ...from(1)) }
})

const failedUploads = (folder: string) => readdirSync(join(folder, "data/failed_uploads"))

describe("A conflict", () => {
  it.scopedLive("fails every command on every machine until the store's version is kept", () =>
    Effect.gen(function* () {
      const { all, folder, key, lake, refused, theirs } = yield* conflict
      assert.equal(refused.code, 8)
      assert.match(refused.stdout, /amplitude-lake resolve 2025-11-10T00 .*--dev --keep store/)
      const elsewhere = ["--data-dir", "other/data", "--work-dir", "other/work"]
      const commands = [
        all,
        lake("status", ...NOW),
        lake("status", ...NOW, "--data-dir", "other/data"),
        lake("sync", "--data-dir", "other/data"),
        lake("check", ...from(1), ...elsewhere),
        lake("all", ...DATES, ...from(1), ...elsewhere)
      ]
      for (const command of commands) {
        const ended = yield* command
        assert.equal(ended.code, 8)
        const text = ended.stdout.replaceAll(/\s+/g, " ")
        assert.match(text, /2025-11-10T00 has two versions .*--keep store/)
        assert.match(text, /data\/failed_uploads\/2025-11-10_00\.[0-9a-f]{8}\.jsonl on /)
      }
      assert.equal(failedUploads(folder).length, 1)
      assert.equal((yield* lake("resolve", HOUR)).code, 2)
      assert.equal((yield* lake("resolve", "2025-11-10T01", "--keep", "store")).code, 2)
      assert.equal((yield* lake("resolve", HOUR, "--keep", "store")).code, 0)
      assert.deepEqual(failedUploads(folder), [])
      assert.equal(readFileSync(key, "utf8"), theirs)
      assert.deepEqual([yield* all, yield* lake("check", ...from(1))].map(codeOf), [0, 0])
    })
  )

  it.scopedLive("ends with our version in place of the store's, which is kept", () =>
    Effect.gen(function* () {
      const { all, folder, key, lake, theirs } = yield* conflict
      const [copy = ""] = failedUploads(folder)
      const ours = readFileSync(join(folder, "data/failed_uploads", copy), "utf8")
      const resolved = yield* lake("resolve", HOUR, "--keep", "ours", "--json")
      assert.equal(resolved.code, 0)
      assert.equal(readFileSync(key, "utf8"), ours)
      const { replaced } = JSON.parse(resolved.stdout) as { readonly replaced: string }
      assert.equal(readFileSync(join(folder, replaced), "utf8"), theirs)
      assert.deepEqual([yield* all, yield* lake("status", ...NOW)].map(codeOf), [0, 0])
    })
  )

  it.scopedLive("is resolved on a machine without our copy by a new request", () =>
    Effect.gen(function* () {
      const { key, lake, theirs } = yield* conflict
      const ours = ["resolve", HOUR, "--keep", "ours", "--data-dir", "other"]
      const without = yield* lake(...ours)
      assert.deepEqual([without.code, /CopyElsewhere/.test(without.stderr)], [2, true])
      assert.equal((yield* lake(...ours, ...sourceOf(3))).code, 8)
      assert.equal(readFileSync(key, "utf8"), theirs)
      assert.equal((yield* lake(...ours, ...sourceOf(2))).code, 0)
      assert.notEqual(readFileSync(key, "utf8"), theirs)
    })
  )

  it.scopedLive("of two objects ends once one is chosen, and the command removes the other", () =>
    Effect.gen(function* () {
      const folder = yield* temporaryFolder
      const lake = (...args: ReadonlyArray<string>) => run([...args, "--dev", ...QUIET], { folder })
      assert.equal((yield* lake("all", ...DATES, ...from(1))).code, 0)
      const object = join(folder, "s3_dev/python-import/2025-11-10_00.jsonl")
      cpSync(object, `${object}.gz`)
      const named = yield* lake("status", ...NOW)
      assert.equal(named.code, 8)
      const keep = /amplitude-lake (resolve \S+ --dev --keep 2025-11-10_00\.jsonl),/.exec(
        named.stdout
      )?.[1]
      const resolved = yield* run([...(keep ?? "").split(" "), ...QUIET], { folder })
      assert.equal(resolved.code, 0, resolved.stderr)
      const status = yield* lake("status", ...NOW)
      const removal = /superseded {2}\S+; what removes it: (rm .*)$/m
      for (const { code, stdout } of [resolved, status]) {
        assert.deepEqual(
          [code, removal.exec(stdout)?.[1]],
          [0, "rm s3_dev/python-import/2025-11-10_00.jsonl.gz"]
        )
      }
    })
  )
})
