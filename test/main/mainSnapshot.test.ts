import assert from "node:assert/strict"
import { readdirSync } from "node:fs"
import { join } from "node:path"
import { describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { temporaryFolder } from "../fixtures/disk.ts"
import { isLong } from "../fixtures/long.ts"
import { run, startSimulator } from "../fixtures/process/program.ts"

const DAY = ["--start-date", "2025-11-10T00", "--end-date", "2025-11-10T02"]
const SYNTHETIC = ["--source", "synthetic", "--events-per-hour", "20"]
const NOW = ["--now", "2025-11-12T12:00:00Z"]
const KEYS = { AMP_API_KEY: "key", AMP_SECRET_KEY: "secret" }
const REFERENCE = ".amplitude-lake-reference/2025-11-12"

describe("amplitude-lake snapshot", () => {
  it.scopedLive("lies beside the hours, where every other command leaves it alone", () =>
    Effect.gen(function* () {
      const folder = yield* temporaryFolder
      const lake = (...args: ReadonlyArray<string>) =>
        run([...args, "--log-level", "error"], { folder })
      const within = ["--start-date", "2025-11-10T00", "--end-date", "2025-11-10T02", ...NOW]
      assert.equal((yield* lake("all", "--dev", ...DAY, ...SYNTHETIC, ...NOW)).code, 0)
      const judged = [
        ["status", "--dev", ...within],
        ["verify", "--dev", ...within],
        ["load", "--dev", ...NOW, "--dry-run"],
        ["clean", "--dev"],
        ["redact", "--dev", "--user-id", "nobody"]
      ]
      const before = []
      for (const command of judged) before.push((yield* lake(...command)).code)
      const take = ["snapshot", "--dev", ...SYNTHETIC, ...NOW]
      const first = yield* lake(...take)
      assert.equal(first.code, 0, first.stderr)
      assert.match(first.stdout, /^day +2025-11-12$/m)
      assert.match(first.stdout, /^events +4 records, .*in \.amplitude-lake-reference\//m)
      const second = yield* lake(...take, "--json")
      const { exitCode, lists }: { exitCode: number; lists: ReadonlyArray<{ state: string }> } =
        JSON.parse(second.stdout) as never
      assert.equal(exitCode, 0)
      assert.ok(lists.every(({ state }) => state === "present"))
      const names = ["annotations.json", "cohorts.json", "events.json"]
      const place = (root: string) => join(folder, root, "python-import", REFERENCE)
      assert.deepEqual(readdirSync(place("s3_dev")).sort(), names)

      const after = []
      for (const command of judged) after.push((yield* lake(...command)).code)
      assert.deepEqual(after, before)
      assert.deepEqual(readdirSync(place("s3_dev")).sort(), names)
      const copied = yield* lake("copy", "--dev", "--to-local-dir", "copy")
      assert.equal(copied.code, 0, copied.stderr)
      assert.deepEqual(readdirSync(place("copy")).sort(), names)
    })
  )

  it.scopedLive.runIf(isLong)("comes from Amplitude into the warehouse, where SQL finds it", () =>
    Effect.gen(function* () {
      const folder = yield* temporaryFolder
      const { origin } = yield* startSimulator(["--events-per-hour", "20"], { folder, env: KEYS })
      const options = { folder, env: { ...KEYS, AMPLITUDE_URL: origin } }
      const lake = (...args: ReadonlyArray<string>) =>
        Effect.map(run([...args, "--log-level", "error"], options), (ended) => {
          assert.equal(ended.code, 0, `${args.join(" ")}: ${ended.stderr}`)
          return ended.stdout
        })
      yield* lake("all", "--dev", ...DAY, ...NOW)
      yield* lake("load", "--dev", ...NOW)
      yield* lake("snapshot", "--dev", ...NOW)
      assert.match(yield* lake("load", "--dev", ...NOW, "--dry-run"), /^lists +3 would be loaded$/m)
      assert.match(yield* lake("load", "--dev", ...NOW), /^lists +3 loaded$/m)
      assert.match(yield* lake("load", "--dev", ...NOW), /^lists +3 loaded already$/m)
      const query = (sql: string) => lake("sql", sql, "--output", "csv")
      assert.equal(
        yield* query("select date, stream, entries from amplitude.lists order by stream"),
        "date,stream,entries\n2025-11-12,annotations,1\n2025-11-12,cohorts,1\n2025-11-12,events,4\n"
      )
      assert.equal(
        yield* query(
          "select number, entry->>'value' as name from amplitude.event_types order by number limit 1"
        ),
        "number,name\n1,[Amplitude] Page Viewed\n"
      )
    })
  )
})
