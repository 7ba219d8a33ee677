import assert from "node:assert/strict"
import * as fs from "node:fs/promises"
import { join } from "node:path"
import { it } from "@effect/vitest"
import { Effect } from "effect"
import { describe } from "vitest"
import { metricsText } from "../../../src/cli/telemetry/metricsText.ts"
import { pathsBelow, temporaryFolder } from "../../fixtures/disk.ts"
import { isLong } from "../../fixtures/long.ts"
import { run, start } from "../../fixtures/process/program.ts"
import { parsePrometheus } from "../../fixtures/shown/prometheus.ts"
import { answer, scriptedServer, silence } from "../../fixtures/servers/scriptedServer.ts"

const env = { AMP_API_KEY: "key", AMP_SECRET_KEY: "secret" }
const HOURS = ["--start-date", "2025-11-10T20", "--end-date", "2025-11-10T21"]
const FILE = ["--metrics-file", "metrics/lake.prom"]
const synthetic = ["all", "--dev", "--source", "synthetic", "--events-per-hour", "20", ...HOURS]

/** A folder with one for the file in it, and what the file says there. */
const lake = Effect.gen(function* () {
  const folder = yield* temporaryFolder
  const path = join(folder, "metrics", "lake.prom")
  yield* Effect.promise(() => fs.mkdir(join(folder, "metrics")))
  const read = Effect.promise(async () => {
    const samples = parsePrometheus(await fs.readFile(path, "utf8"))
    return (name: string, labels: object = {}) =>
      samples
        .filter((it) => it.name === `amplitude_lake_${name}`)
        .find((it) => Object.entries(labels).every(([key, value]) => it.labels[key] === value))
        ?.value
  })
  return { folder, path, read }
})

describe("A metrics file", { concurrent: true }, () => {
  it.scopedLive.runIf(isLong)(
    "has the figures of the last run's summary, and everybody can read it",
    () =>
      Effect.gen(function* () {
        const { folder, path, read } = yield* lake
        const before = Date.now() / 1000
        const nodeArguments = ["--import=data:text/javascript,process.umask(0o077)"]
        const ended = yield* run([...synthetic, ...FILE, "--json"], { folder, nodeArguments })
        assert.equal(ended.code, 0, ended.stderr)
        const { bytes, events } = JSON.parse(ended.stdout)
        const of = yield* read
        assert.equal(
          of("last_run_exit_code", { command: "all", store: "s3_dev/python-import/" }),
          0
        )
        assert.deepEqual([of("last_run_events"), of("last_run_bytes")], [events, bytes])
        assert.equal(of("last_run_outcomes", { outcome: "landed" }), 1)
        assert.equal(of("last_run_outcomes", { outcome: "empty" }), 1)
        assert.equal(of("last_run_outcomes", { outcome: "failed" }), 0)
        assert.equal(of("newest_hour_timestamp_seconds"), Date.UTC(2025, 10, 10, 21) / 1000)
        assert.equal(of("last_run_oldest_failed_hour_timestamp_seconds"), undefined)
        const time = of("last_run_timestamp_seconds") ?? 0
        assert.ok(before <= time && time <= Date.now() / 1000)
        assert.equal(of("last_success_timestamp_seconds"), time)
        assert.deepEqual(yield* pathsBelow(join(folder, "metrics")), ["lake.prom"])
        const { ino, mode } = yield* Effect.promise(() => fs.stat(path))
        assert.equal(mode & 0o777, 0o644)

        assert.equal((yield* run([...synthetic, ...FILE, "--dry-run"], { folder })).code, 0)
        assert.equal((yield* Effect.promise(() => fs.stat(path))).ino, ino)
        // Held open, so that its number is not given to the next file.
        const held = yield* Effect.promise(() => fs.open(path))
        assert.equal((yield* run([...synthetic, ...FILE], { folder })).code, 0)
        assert.notEqual((yield* Effect.promise(() => fs.stat(path))).ino, ino)
        assert.equal((yield* read)("last_run_outcomes", { outcome: "skipped" }), 2)
        yield* Effect.promise(() => held.close())
      })
  )

  it.scopedLive.runIf(isLong)("keeps the last success if a later run fails or is interrupted", () =>
    Effect.gen(function* () {
      const { folder, path, read } = yield* lake
      const earlier = { command: "all", store: "s3_dev/python-import/" }
      const run1 = { labels: earlier, exitCode: 0, begun: 0, ended: 4000, counted: [], before: "" }
      yield* Effect.promise(() => fs.writeFile(path, metricsText(run1)))
      const server = yield* scriptedServer([answer(503), answer(503), silence])
      const source = ["all", "--dev", "--amplitude-url", server.origin, ...HOURS, ...FILE]
      const once = ["--retries", "1", "--retry-base-ms", "1"]
      const failed = yield* run([...source, ...once], { folder, env })
      assert.equal(failed.code, 5, failed.stderr)
      const of = yield* read
      assert.equal(of("last_run_exit_code"), 5)
      assert.equal(of("last_success_timestamp_seconds"), 4)
      assert.equal(of("last_run_outcomes", { outcome: "failed" }), 2)
      assert.equal(of("last_run_failures", { error: "AmplitudeError.Unavailable" }), 2)
      assert.equal(of("last_run_retries"), 1)
      const oldest = Date.UTC(2025, 10, 10, 20) / 1000
      assert.equal(of("last_run_oldest_failed_hour_timestamp_seconds"), oldest)

      const program = yield* start(source, { folder, env })
      yield* Effect.promise(() => server.received(3))
      program.kill("SIGINT")
      assert.equal((yield* Effect.promise(() => program.ended)).code, 130)
      const after = yield* read
      assert.equal(after("last_run_exit_code"), 130)
      assert.equal(after("last_success_timestamp_seconds"), 4)
      assert.equal(after("last_run_outcomes", { outcome: "failed" }), 0)
    })
  )

  it.scopedLive.runIf(isLong)(
    "has the lake's gaps, conflicts and newest hour, of a run as of status",
    () =>
      Effect.gen(function* () {
        const { folder, path, read } = yield* lake
        const first = ["--start-date", "2025-11-10T01", "--end-date", "2025-11-10T01"]
        const all = ["all", "--dev", "--source", "synthetic", ...FILE]
        assert.equal((yield* run([...all, ...first], { folder })).code, 0)
        const NOW = ["--now", "2025-11-12T04:00:00Z"]
        const later = ["--start-date", "2025-11-10T20", "--end-date", "2025-11-10T21"]
        const ended = yield* run([...all, ...NOW, ...later], { folder })
        assert.equal(ended.code, 3, ended.stderr)
        const newest = Date.UTC(2025, 10, 10, 21) / 1000
        const oldest = Date.UTC(2025, 10, 10, 2) / 1000
        const gauges = Effect.map(read, (of) =>
          ["gaps", "oldest_gap", "newest_hour", "conflicts"].map((name) =>
            of(/_/.test(name) ? `${name}_timestamp_seconds` : name)
          )
        )
        // Settled up to 2025-11-11T03: 18 hours before the window and 6 after it.
        assert.deepEqual(yield* gauges, [24, oldest, newest, 0])

        const status = ["status", "--dev", ...NOW, ...FILE]
        const refused = yield* run(status, { folder })
        assert.equal(refused.code, 3)
        assert.match(
          refused.stderr,
          /WARN.*lake.prom.* holds the metrics of another command or lake/
        )
        assert.equal((yield* read)("last_run_exit_code", { command: "all" }), 3)

        yield* Effect.promise(() => fs.rm(path))
        const mark = "2025-11-10T20--000000000001--0123456789ab"
        const marks = join(folder, "s3_dev/python-import/.amplitude-lake-conflicts")
        yield* Effect.promise(async () => {
          await fs.mkdir(marks, { recursive: true })
          await fs.writeFile(join(marks, mark), "")
        })
        assert.equal((yield* run([...status, ...later], { folder })).code, 8)
        assert.deepEqual(yield* gauges, [24, oldest, newest, 1])
        const of = yield* read
        assert.equal(of("last_run_exit_code", { command: "status" }), 8)
        assert.equal(of("last_success_timestamp_seconds"), undefined)
        assert.equal(of("last_run_outcomes"), undefined)
        assert.equal(of("last_run_events"), undefined)

        yield* Effect.promise(() => fs.rm(path))
        const rest = ["--start-date", "2025-11-10T01", "--end-date", "2025-11-11T03"]
        assert.equal((yield* run([...all, ...NOW, ...rest], { folder })).code, 8)
        const settled = Date.UTC(2025, 10, 11, 3) / 1000
        assert.deepEqual(yield* gauges, [0, undefined, settled, 1])
      })
  )

  it.scopedLive.runIf(isLong)(
    "causes a warning if it cannot be written, and is refused if the exporter would ignore its name",
    () =>
      Effect.gen(function* () {
        const folder = yield* temporaryFolder
        const { code, stderr } = yield* run([...synthetic, ...FILE], { folder })
        assert.equal(code, 0, stderr)
        assert.match(stderr, /WARN.*--metrics-file .*lake.prom.* cannot be written \(ENOENT\)/)
        const misused = yield* run([...synthetic, "--metrics-file", "lake.txt"], { folder })
        assert.equal(misused.code, 2)
        assert.match(
          misused.stderr,
          /--metrics-file "lake.txt" is not a file whose name ends in .prom/
        )
      })
  )

  it("escapes labels, and carries over the last success of the same lake only", () => {
    const labels = { command: "all", store: 's3://a"b\\c\nd/' }
    const first = { labels, exitCode: 0, begun: 0, ended: 1500, counted: [], before: "" }
    const text = metricsText(first)
    for (const { labels } of parsePrometheus(text))
      assert.equal(labels["store"], first.labels.store)
    const successOf = (later: Partial<typeof first>) =>
      parsePrometheus(metricsText({ ...first, exitCode: 3, ended: 9000, before: text, ...later }))
        .filter(({ name }) => name === "amplitude_lake_last_success_timestamp_seconds")
        .map(({ value }) => value)
    assert.deepEqual(successOf({}), [1.5])
    assert.deepEqual(successOf({ exitCode: 0 }), [9])
    assert.deepEqual(successOf({ labels: { ...labels, store: "other" } }), [])
    assert.deepEqual(successOf({ before: "no metrics" }), [])
  })
})
