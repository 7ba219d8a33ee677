import assert from "node:assert/strict"
import * as fs from "node:fs/promises"
import { join } from "node:path"
import { it } from "@effect/vitest"
import { Deferred, Effect, Exit } from "effect"
import { describe } from "vitest"
import type { Summary } from "../../src/programs/run/Summary.ts"
import { temporaryFolder } from "../fixtures/disk.ts"
import { isLong } from "../fixtures/long.ts"
import { type Ended, run, start } from "../fixtures/process/program.ts"
import * as S3Server from "../fixtures/s3/s3Server.ts"
import { webhookServer } from "../fixtures/servers/webhookServer.ts"

const DAY = ["--start-date", "2025-11-10", "--end-date", "2025-11-10"]
const HOURS = Array.from({ length: 24 }, (_, hour) => `2025-11-10T${String(hour).padStart(2, "0")}`)
const PREFIX = "python-import/"
const keyOf = (hour: string) => `${PREFIX}${hour.replace("T", "_")}.jsonl`

/** A bucket whose put of one hour never ends, a webhook and a folder to run the program in. */
const stalling = Effect.fnUntraced(function* (hour?: string, stalls = () => "PutObject") {
  const folder = yield* temporaryFolder
  const hook = yield* webhookServer(200)
  const stalled = yield* Deferred.make<void>()
  const s3 = yield* S3Server.make({
    buckets: { lake: "eu-west-2" },
    plan: ({ key, operation }) => {
      if (hour === undefined || operation !== stalls() || key !== keyOf(hour)) return undefined
      Deferred.unsafeDone(stalled, Exit.void)
      return { do: "stall" }
    }
  })
  const env = {
    AWS_ACCESS_KEY_ID: "AKTEST",
    AWS_SECRET_ACCESS_KEY: "SKTEST",
    AWS_REGION: "eu-west-2",
    AWS_EC2_METADATA_DISABLED: "true",
    AWS_ENDPOINT_URL_S3: s3.url,
    NOTIFY_WEBHOOK_URL: `${hook.origin}/hook`
  }
  const source = ["--source", "synthetic", "--events-per-hour", "20"]
  const args = ["all", ...source, "--bucket", "lake", "--metrics-file", "lake.prom"]
  return {
    args: [...args, "--concurrency", "1", "--request-hours", "6"],
    options: { folder, env },
    /** Ends when the put has begun. */
    isStalled: Deferred.await(stalled),
    /** The bucket's objects. */
    objects: () => s3.buckets.get("lake")?.objects ?? new Map<string, never>(),
    /** The hours in the bucket. */
    stored: () => HOURS.filter((it) => s3.buckets.get("lake")?.objects.has(keyOf(it))),
    /** What the webhook heard. */
    heard: (): Summary & { readonly text: string } => JSON.parse(hook.posted.at(-1)?.body ?? "{}"),
    /** The counts of the metrics file, by outcome. */
    counted: Effect.promise(() => fs.readFile(join(folder, "lake.prom"), "utf8")).pipe(
      Effect.map((text) =>
        Object.fromEntries(
          [...text.matchAll(/_last_run_outcomes\{.*outcome="(\w+)"\} (\d+)/g)].map(
            ([, name, count]) => [name, Number(count)]
          )
        )
      )
    )
  }
})

const summaryOf = ({ stdout }: Ended): Summary => JSON.parse(stdout)
const errorLines = ({ stderr }: Ended) => stderr.split("\n").filter((it) => /level=ERROR/.test(it))

describe("a run that a signal ends", { timeout: 60_000 }, () => {
  for (const [signal, code] of [
    ["SIGINT", 130],
    ["SIGTERM", 143]
  ] as const) {
    it.scopedLive.runIf(isLong || signal === "SIGTERM")(
      `by ${signal} tells what landed before it, everywhere`,
      () =>
        Effect.gen(function* () {
          const { args, counted, heard, isStalled, options, stored } = yield* stalling(HOURS[10])
          const program = yield* start([...args, ...DAY, "--json"], options)
          yield* Effect.race(
            isStalled,
            Effect.promise(() => program.ended)
          )
          program.kill(signal)
          const ended = yield* Effect.promise(() => program.ended)
          assert.equal(ended.code, code, ended.stderr)
          const told = summaryOf(ended)
          const there = [...told.landed, ...told.empty].sort()
          assert.deepEqual(there, stored())
          assert.ok(there.length > 0 && there.length < 24, `${there.length} hours`)
          assert.ok(told.events > 0 && told.bytes > 0)
          assert.deepEqual(told.window, { first: HOURS[0], last: HOURS[23] })
          assert.deepEqual([told.failed, told.exitCode], [[], code])
          assert.equal(told.error?.error, "Interrupted")
          assert.deepEqual([...heard().landed, ...heard().empty].sort(), there)
          assert.match(heard().text, new RegExp(`${told.landed.length} landed`))
          const { empty = 0, landed = 0 } = yield* counted
          assert.deepEqual([landed, empty], [told.landed.length, told.empty.length])
        })
    )
  }

  it.scopedLive.runIf(isLong)("prints the same as text", () =>
    Effect.gen(function* () {
      const { args, isStalled, options, stored } = yield* stalling(HOURS[2])
      const program = yield* start([...args, ...DAY], options)
      yield* Effect.race(
        isStalled,
        Effect.promise(() => program.ended)
      )
      program.kill("SIGINT")
      const { code, stdout } = yield* Effect.promise(() => program.ended)
      assert.equal(code, 130)
      assert.match(stdout, /^window +2025-11-10T00 to 2025-11-10T23$/m)
      const counts = [...stdout.matchAll(/^(?:landed|empty) +(\d+) hour/gm)].map(([, it]) =>
        Number(it)
      )
      assert.equal(
        counts.reduce((sum, it) => sum + it, 0),
        stored().length
      )
    })
  )
})

describe("a command on a whole lake that a signal ends", { timeout: 120_000 }, () => {
  const quiet = ["--log-level", "error", "--concurrency", "1", "--json"]
  const bucket = ["--bucket", "lake"]
  const other = ["--source", "synthetic", "--seed", "2", "--request-hours", "6", ...DAY]
  const commands = {
    copy: { args: ["copy", ...bucket, "--to-local-dir", "copy"], stalls: "GetObject" },
    redact: { args: ["redact", ...bucket, "--file", "people", "--yes"], stalls: "PutObject" },
    reland: { args: ["reland", ...bucket, ...other], stalls: "PutObject" }
  } as const

  for (const [name, { args, stalls }] of Object.entries(commands)) {
    it.scopedLive.runIf(isLong)(`tells what ${name} did before it`, () =>
      Effect.gen(function* () {
        let operation = "none"
        const lake = yield* stalling(HOURS[10], () => operation)
        const landed = yield* run([...lake.args, ...DAY, "--log-level", "error"], lake.options)
        assert.equal(landed.code, 0, landed.stderr)
        const before = new Map([...lake.objects()].map(([key, { etag }]) => [key, etag]))
        const devices = [...lake.objects().values()].flatMap(({ bytes }) => {
          const [first = ""] = bytes.toString().split("\n")
          return first === "" ? [] : [`device_id=${JSON.parse(first).device_id}`]
        })
        yield* Effect.promise(() =>
          fs.writeFile(join(lake.options.folder, "people"), devices.join("\n"))
        )

        operation = stalls
        const program = yield* start([...args, ...quiet], lake.options)
        yield* Effect.race(
          lake.isStalled,
          Effect.promise(() => program.ended)
        )
        program.kill("SIGTERM")
        const ended = yield* Effect.promise(() => program.ended)
        assert.equal(ended.code, 143, ended.stderr)
        const told = JSON.parse(ended.stdout)
        assert.deepEqual([told.exitCode, told.error?.error], [143, "Interrupted"])
        const changed = HOURS.filter((hour) => {
          const key = keyOf(hour)
          return before.has(key) && lake.objects().get(key)?.etag !== before.get(key)
        })
        const done: ReadonlyArray<string> =
          name === "copy"
            ? told.copied
            : (name === "redact" ? told.found : told.replaced).map(
                (it: { readonly hour: string }) => it.hour
              )
        const there =
          name === "copy"
            ? (yield* Effect.promise(() => fs.readdir(join(lake.options.folder, "copy", PREFIX))))
                .filter((it) => it.endsWith(".jsonl"))
                .map((it) => it.slice(0, 13).replace("_", "T"))
            : changed
        assert.deepEqual(done.toSorted(), there.toSorted())
        assert.ok(done.length > 0 && done.length < 24, `${done.length} hours`)
      })
    )
  }
})

describe("a run that reaches its longest duration", { timeout: 60_000 }, () => {
  const limit = ["--max-duration", "10s"]

  it.scopedLive.runIf(isLong)("postpones the other hours in one line, without an error", () =>
    Effect.gen(function* () {
      const { args, counted, heard, options, stored } = yield* stalling(HOURS[10])
      const ended = yield* run([...args, ...DAY, ...limit, "--json"], options)
      const told = summaryOf(ended)
      assert.deepEqual(errorLines(ended), [])
      const lines = ended.stderr.split("\n").filter((it) => /longest duration/.test(it))
      assert.equal(lines.length, 1, ended.stderr)
      assert.match(lines[0] ?? "", new RegExp(`level=INFO .*${told.postponed.length} hours`))
      assert.deepEqual([...told.landed, ...told.empty].sort(), stored())
      assert.deepEqual(
        told.postponed,
        HOURS.filter((it) => !stored().includes(it))
      )
      assert.ok(told.postponed.includes(HOURS[10] as never))
      assert.deepEqual([told.failed, told.exitCode, ended.code], [[], 3, 3])
      assert.equal(heard().postponed.length, told.postponed.length)
      assert.match(heard().text, new RegExp(`${told.postponed.length} postponed`))
      const counts = yield* counted
      assert.deepEqual([counts["postponed"], counts["failed"]], [told.postponed.length, 0])
    })
  )

  it.scopedLive.runIf(isLong)("exits 0 if no postponed hour is settled or was named by date", () =>
    Effect.gen(function* () {
      const { args, options } = yield* stalling(HOURS[10])
      const fresh = ["--now", "2025-11-11T00:30:00Z", "--lag-hours", "0"]
      const ended = yield* run([...args, ...fresh, ...limit], options)
      assert.equal(ended.code, 0, ended.stderr)
      assert.match(ended.stdout, /^postponed +\d+ hours, left for the next run$/m)
      assert.deepEqual(errorLines(ended), [])
    })
  )
})

it.scopedLive.runIf(isLong)(
  "--yesterday before noon lands what is closed, names the rest as open, exits 0",
  () =>
    Effect.gen(function* () {
      const { args, options, stored } = yield* stalling()
      const now = ["--yesterday", "--now", "2025-11-11T06:00:00Z"]
      const ended = yield* run([...args, ...now], options)
      assert.equal(ended.code, 0, ended.stderr)
      assert.match(ended.stdout, /^open +6 hours, not closed yet$/m)
      assert.ok(stored().length > 0 && stored().every((hour) => hour <= "2025-11-10T17"))
    })
)
