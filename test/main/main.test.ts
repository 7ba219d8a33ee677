import assert from "node:assert/strict"
import { createHash } from "node:crypto"
import { once } from "node:events"
import { existsSync, readdirSync, watch } from "node:fs"
import * as fs from "node:fs/promises"
import http from "node:http"
import net from "node:net"
import { join } from "node:path"
import { gunzipSync } from "node:zlib"
import { it, layer } from "@effect/vitest"
import { Context, Effect, Layer } from "effect"
import { describe } from "vitest"
import { closedPort } from "../fixtures/servers/closedPort.ts"
import { type CountingProxy, countingProxy } from "../fixtures/servers/countingProxy.ts"
import { pathsBelow, temporaryFolder } from "../fixtures/disk.ts"
import { isLong } from "../fixtures/long.ts"
import { type Ended, run, start, startSimulator } from "../fixtures/process/program.ts"

const KEYS = { AMP_API_KEY: "canary/api+K%C3?", AMP_SECRET_KEY: "canary=secret&$#" }
const PROJECT = "77"
const EVENTS = ["--events-per-hour", "20"]
const DATE = "2025-11-10"
const DAY = ["--start-date", DATE, "--end-date", DATE]
const HOURS = Array.from({ length: 24 }, (_, hour) => `${DATE}T${String(hour).padStart(2, "0")}`)
const QUIET = ["--log-level", "warning"]

/** What most tests ask: a simulator, and the lines that it serves. */
class Simulated extends Context.Tag("test/Simulated")<
  Simulated,
  {
    readonly origin: string
    /** Of the day, by hour; none for an hour without events. */
    readonly lines: ReadonlyMap<string, Buffer>
  }
>() {}

const world = (project: string, seed: string) => [...EVENTS, "--project", project, "--seed", seed]

const simulated = Layer.scoped(
  Simulated,
  Effect.gen(function* () {
    const folder = yield* temporaryFolder
    const { origin } = yield* startSimulator(world(PROJECT, "1"), { folder, env: KEYS })
    const dump = yield* run(["simulate", "--dump", ".", ...DAY, ...world(PROJECT, "1")], { folder })
    assertCode(dump, 0)
    const files = yield* readStore(folder)
    const hours = [...files].map(([file, lines]) => {
      const [, date, clock] = /^(.{10})_(..)\.jsonl$/.exec(file) ?? []
      return [`${date}T${clock}`, lines] as const
    })
    return { origin, lines: new Map(hours) }
  })
)

function from(origin: string): ReadonlyArray<string> {
  return ["--amplitude-url", origin, "--retry-base-ms", "1"]
}

/** A folder of a test's own, and the program run in it. */
const workplace = Effect.gen(function* () {
  const { origin, lines } = yield* Simulated
  const folder = yield* temporaryFolder
  const amplitude = yield* countingProxy(origin)
  const options = { folder, env: KEYS }
  return {
    folder,
    lines,
    amplitude,
    options,
    source: from(amplitude.origin),
    store: join(folder, "s3_dev", "python-import"),
    lake: (...args: ReadonlyArray<string>) => run(args, options)
  }
})

const readStore = (store: string) =>
  Effect.promise(async () => {
    const entries = await fs.readdir(store, { recursive: true, withFileTypes: true })
    const files = entries
      .filter((entry) => entry.isFile())
      .map((it) => join(it.parentPath, it.name))
    const contents = await Promise.all(
      files.map(async (path) => [path.slice(store.length + 1), await fs.readFile(path)] as const)
    )
    return new Map(contents.sort(([one], [other]) => (one < other ? -1 : 1)))
  })

const hourlyKey = (hour: string, format = "jsonl") => `${hour.replace("T", "_")}.${format}`
const hiveKey = (hour: string, format = "jsonl") =>
  `dt=${hour.slice(0, 10)}/hour=${hour.slice(11)}/events.${format}`

/** Every hour of the day is there once, under its key, with the lines of the dump. */
const assertWholeDay = (
  store: string,
  lines: ReadonlyMap<string, Buffer>,
  keyOf = (hour: string) => hourlyKey(hour)
) =>
  Effect.map(readStore(store), (objects) => {
    const keys = [...objects.keys()].filter((key) => key.includes(DATE))
    assert.deepEqual(keys, HOURS.map(keyOf))
    for (const hour of HOURS) {
      const object = objects.get(keyOf(hour)) ?? Buffer.alloc(0)
      const text = keyOf(hour).endsWith(".gz") ? gunzipSync(object) : object
      assert.ok(text.equals(lines.get(hour) ?? Buffer.alloc(0)), `${hour} has other lines`)
    }
    return objects
  })

/** CRC-32 of IEEE 802.3, bit by bit. */
function crc32(bytes: Uint8Array): number {
  let crc = 0xffffffff
  for (const byte of bytes) {
    crc ^= byte
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1
  }
  return (crc ^ 0xffffffff) >>> 0
}

function eventsOf(bytes: Buffer): ReadonlyArray<string> {
  return bytes
    .toString("utf8")
    .split("\n")
    .filter((line) => line !== "")
}

function linesetOf(bytes: Buffer): string {
  const sum = eventsOf(bytes).reduce((sum, line) => sum + crc32(Buffer.from(line)), 0)
  return (sum % 2 ** 48).toString(16).padStart(12, "0")
}

/** What the local store says of an object. */
const metadataOf = (folder: string, key: string) =>
  Effect.promise(async () => {
    const sidecars = join(folder, "s3_dev", ".amplitude-lake", "metadata", "python-import", key)
    const [name = "", ...more] = await fs.readdir(sidecars)
    assert.deepEqual(more, [])
    return JSON.parse(await fs.readFile(join(sidecars, name), "utf8")).metadata
  })

/** Every path below a folder with its inode, size and time of its last change. */
const snapshot = (folder: string) =>
  Effect.flatMap(
    pathsBelow(folder),
    Effect.forEach((path) =>
      Effect.promise(async () => {
        const { ino, size, mtimeMs } = await fs.stat(join(folder, path))
        return { path, ino, size, mtimeMs }
      })
    )
  )

function summaryOf({ stdout, stderr }: Ended) {
  assert.match(stdout, /^\{.*\}\n$/, stderr)
  return JSON.parse(stdout)
}

function assertCode({ code, stdout, stderr }: Ended, expected: number): void {
  assert.equal(code, expected, `${stdout}\n${stderr}`)
}

/** No form of the keys occurs in a text. */
function assertNoKeys(text: string): void {
  const { AMP_API_KEY: api, AMP_SECRET_KEY: secret } = KEYS
  for (const key of [api, secret, `${api}:${secret}`]) {
    for (const form of [key, encodeURIComponent(key), Buffer.from(key).toString("base64")]) {
      assert.ok(!text.includes(form.replace(/=+$/, "")), `${form} is in ${text}`)
    }
  }
}

const assertNoKeysBelow = (folder: string) =>
  Effect.flatMap(
    pathsBelow(folder),
    Effect.forEach((path) =>
      Effect.promise(async () => {
        assertNoKeys(path)
        const isFile = (await fs.stat(join(folder, path))).isFile()
        if (isFile) assertNoKeys(await fs.readFile(join(folder, path), "utf8"))
      })
    )
  )

/** Nothing of a run is left: no spooled archive, no draft, no run's folder. */
const assertTidy = (folder: string) =>
  Effect.map(pathsBelow(folder), (paths) =>
    assert.deepEqual(
      paths.filter((path) => /\.zip|\.part$|\/runs\/./.test(path)),
      []
    )
  )

/** Watches a folder while the scope is open; `appeared` resolves when this many objects are new in it. */
const objectsAppear = (folder: string, count: number) =>
  Effect.map(
    Effect.acquireRelease(
      Effect.promise(async () => {
        await fs.mkdir(folder, { recursive: true })
        return watch(folder)
      }),
      (watcher) => Effect.sync(() => watcher.close())
    ),
    (watcher) => ({
      appeared: new Promise<void>((resolve) => {
        const seen = new Set<string>()
        watcher.on("change", (_, name) => {
          if (String(name).endsWith(".jsonl")) seen.add(String(name))
          if (seen.size === count) resolve()
        })
      })
    })
  )

describe("amplitude-lake", { concurrent: true }, () => {
  layer(simulated, { timeout: "60 seconds", excludeTestServices: true })("on a day", (it) => {
    it.scoped("lands every hour byte for byte and once, with correct metadata", () =>
      Effect.gen(function* () {
        const { folder, amplitude, lake, lines, source, store } = yield* workplace
        const landed = yield* lake("all", "--dev", ...source, ...DAY, "--json")
        assertCode(landed, 0)
        assert.deepEqual(amplitude.windows, ["20251110T00..20251110T23"])
        const objects = yield* assertWholeDay(store, lines)
        const empty = HOURS.filter((hour) => !lines.has(hour))
        assert.ok(empty.length > 0, "the day has an hour without events")

        let [events, bytes] = [0, 0]
        for (const hour of HOURS) {
          const object = objects.get(hourlyKey(hour)) ?? Buffer.alloc(0)
          const { parts, version, ...metadata } = yield* metadataOf(folder, hourlyKey(hour))
          assert.deepEqual(metadata, {
            hour,
            events: String(eventsOf(object).length),
            bytes: String(object.length),
            sha256: createHash("sha256").update(object).digest("hex"),
            lineset: linesetOf(object),
            project: PROJECT
          })
          assert.match(parts, lines.has(hour) ? /^[1-9]\d*$/ : /^0$/)
          assert.match(version, /^\d+\.\d+\.\d+$/)
          events += eventsOf(object).length
          bytes += object.length
        }
        const { durationMs, run: id, version, ...summary } = summaryOf(landed)
        assert.ok(durationMs > 0)
        assert.match(version, /^\d+\.\d+\.\d+$/)
        assert.match(landed.stderr, new RegExp(`run=${id} `))
        assert.deepEqual(summary, {
          schema: 1,
          command: "all",
          lake: { store: "s3_dev/python-import/", prefix: "python-import/", project: PROJECT },
          window: { first: HOURS[0], last: HOURS[23] },
          landed: HOURS.filter((hour) => lines.has(hour)),
          empty,
          skipped: [],
          pending: [],
          open: [],
          accepted: [],
          postponed: [],
          failed: [],
          events,
          bytes,
          retries: 0,
          olderGaps: null,
          newerGaps: null,
          conflicts: [],
          stagedElsewhere: [],
          exitCode: 0
        })
        yield* assertTidy(folder)
        yield* assertNoKeysBelow(folder)

        const before = yield* snapshot(folder)
        const again = yield* lake("all", "--dev", ...source, ...DAY, "--json")
        assertCode(again, 0)
        assert.deepEqual(summaryOf(again).skipped, HOURS)
        assert.equal(amplitude.windows.length, 1)
        assert.deepEqual(yield* snapshot(folder), before)
      })
    )

    it.scoped.runIf(isLong)(
      "uploads with sync what fetch staged, and leaves nothing to do for all",
      () =>
        Effect.gen(function* () {
          const { folder, amplitude, lake, lines, source, store } = yield* workplace
          assertCode(yield* lake("fetch", "--dev", ...source, ...DAY, ...QUIET), 0)
          const staged = yield* lake("status", "--dev", ...DAY)
          assert.match(staged.stdout, /^s 24 hours in staging: run sync to upload/m)

          assertCode(yield* lake("sync", "--dev", ...QUIET), 0)
          yield* assertWholeDay(store, lines)
          assert.deepEqual(
            (yield* pathsBelow(join(folder, "data"))).filter((path) => /jsonl/.test(path)),
            []
          )
          const before = yield* snapshot(folder)
          const again = yield* lake("sync", "--dev", "--json")
          assertCode(again, 0)
          assert.deepEqual(summaryOf(again).landed, [])
          assertCode(yield* lake("all", "--dev", ...source, ...DAY, ...QUIET), 0)
          assert.deepEqual(yield* snapshot(folder), before)
          assert.equal(amplitude.windows.length, 1)
          yield* assertTidy(folder)

          const { code, stdout } = yield* lake("status", "--dev", ...DAY, "--json")
          assert.equal(code, 0)
          assert.equal(JSON.parse(stdout).totals.landed, lines.size)
          assert.equal(JSON.parse(stdout).totals.empty, 24 - lines.size)
        })
    )

    for (const [layout, format, keyOf] of [
      ["hourly", "jsonl.gz", hourlyKey],
      ["hive", "jsonl", hiveKey],
      ["hive", "jsonl.gz", hiveKey]
    ] as const) {
      it.scoped.runIf(isLong)(
        `lands ${format} in the ${layout} layout, and no hour again in another form`,
        () =>
          Effect.gen(function* () {
            const { amplitude, lake, lines, source, store } = yield* workplace
            const form = ["--layout", layout, "--format", format]
            assertCode(yield* lake("all", "--dev", ...source, ...DAY, ...form, ...QUIET), 0)
            yield* assertWholeDay(store, lines, (hour) => keyOf(hour, format))
            const again = yield* lake("all", "--dev", ...source, ...DAY, "--json")
            assertCode(again, 0)
            assert.deepEqual(summaryOf(again).skipped, HOURS)
            yield* assertWholeDay(store, lines, (hour) => keyOf(hour, format))
            assert.equal(amplitude.windows.length, 1)
          })
      )
    }

    // S4 of test/faults/source.test.ts stands for it.
    it.scoped.runIf(isLong)("requests windows that are too large in halves", () =>
      Effect.gen(function* () {
        const { folder, lake, lines, options, store } = yield* workplace
        const simulator = yield* startSimulator(
          [...EVENTS, "--project", PROJECT, "--max-bytes", "30000"],
          options
        )
        const { origin, windows } = yield* countingProxy(simulator.origin)
        assertCode(yield* lake("all", "--dev", ...from(origin), ...DAY, ...QUIET), 0)
        yield* assertWholeDay(store, lines)
        assert.equal(windows[0], "20251110T00..20251110T23")
        assert.ok(windows.includes("20251110T00..20251110T11"), windows.join())
        assert.ok(windows.includes("20251110T12..20251110T23"), windows.join())
        yield* assertTidy(folder)
      })
    )

    it.scoped.runIf(isLong)(
      "lands closed hours only, and exits 3 for open ones requested by date",
      () =>
        Effect.gen(function* () {
          const { amplitude, lake, lines, source } = yield* workplace
          const early = ["--now", `${DATE}T10:30:00Z`, "--lag-hours", "1"]
          const hours = ["--start-date", `${DATE}T07`, "--end-date", `${DATE}T10`]
          const ended = yield* lake("all", "--dev", ...source, ...early, ...hours, "--json")
          assertCode(ended, 3)
          const { landed, open, exitCode } = summaryOf(ended)
          assert.deepEqual(
            landed,
            [`${DATE}T07`, `${DATE}T08`].filter((hour) => lines.has(hour))
          )
          assert.deepEqual(open, [`${DATE}T09`, `${DATE}T10`])
          assert.equal(exitCode, 3)
          assert.deepEqual(amplitude.windows, ["20251110T07..20251110T08"])
        })
    )

    it.scoped.runIf(isLong)("uploads nothing in a dry run of sync", () =>
      Effect.gen(function* () {
        const { folder, lake, source } = yield* workplace
        assertCode(yield* lake("fetch", "--dev", ...source, ...DAY), 0)
        const before = readdirSync(join(folder, "data")).sort()
        const shown = yield* lake("sync", "--dev", "--dry-run", "--json")
        assertCode(shown, 0)
        const { staged } = JSON.parse(shown.stdout) as { staged: ReadonlyArray<string> }
        assert.ok(staged.length > 0)
        assert.deepEqual(readdirSync(join(folder, "data")).sort(), before)
        assert.ok(!existsSync(join(folder, "s3_dev")))
      })
    )

    it.scoped.runIf(isLong)("writes a machine-readable log, each line once", () =>
      Effect.gen(function* () {
        const { lake, source } = yield* workplace
        const ended = yield* lake("all", "--dev", ...source, ...DAY, "--log-format", "json")
        assertCode(ended, 0)
        const messages = ended.stderr
          .trim()
          .split("\n")
          .map((line) => (JSON.parse(line) as { message: string }).message)
        assert.equal(messages.filter((message) => message.startsWith("Exporting ")).length, 1)
      })
    )

    it.scoped("requests and writes nothing in a dry run", () =>
      Effect.gen(function* () {
        const { folder, amplitude, lake, source } = yield* workplace
        for (const command of ["all", "fetch"]) {
          const shown = yield* lake(command, "--dev", ...source, ...DAY, "--dry-run", "--json")
          assertCode(shown, 0)
          const { dryRun, missing, requests } = summaryOf(shown)
          assert.deepEqual([dryRun, missing], [true, HOURS])
          assert.deepEqual(requests, [{ first: HOURS[0], last: HOURS[23] }])
        }
        assert.deepEqual(amplitude.windows, [])
        assert.deepEqual(yield* pathsBelow(folder), [])
      })
    )

    it.scoped.runIf(isLong)(
      "keeps a landed hour that Amplitude now sends differently, and refuses another project",
      () =>
        Effect.gen(function* () {
          const { amplitude, folder, lake, options, source, store } = yield* workplace
          const other = yield* startSimulator(world(PROJECT, "2"), options)
          const foreign = yield* startSimulator(world("78", "1"), options)
          const hours = ["--start-date", `${DATE}T12`, "--end-date", `${DATE}T15`]
          assertCode(yield* lake("all", "--dev", ...source, ...hours, ...QUIET), 0)
          // A conflict leaves a mark beside the hours, and touches none of them.
          const ofHours = Effect.map(snapshot(join(folder, "s3_dev")), (found) =>
            found.filter(({ path }) => /\d\.jsonl$/.test(path))
          )
          const before = yield* ofHours

          const recheck = (origin: string) =>
            lake("all", "--dev", ...from(origin), ...hours, "--recheck", "--json")
          const same = yield* recheck(amplitude.origin)
          assertCode(same, 0)
          assert.deepEqual(summaryOf(same).skipped, HOURS.slice(12, 16))
          assert.equal(amplitude.windows.length, 2)

          const changed = yield* recheck(other.origin)
          assertCode(changed, 8)
          assert.deepEqual(
            summaryOf(changed).failed.map(({ hour }: { hour: string }) => hour),
            HOURS.slice(12, 16)
          )
          assert.match(summaryOf(changed).failed[0].error, /Conflict/)
          assert.deepEqual(yield* ofHours, before)

          const next = ["--start-date", `${DATE}T16`, "--end-date", `${DATE}T19`]
          const refused = yield* lake("all", "--dev", ...from(foreign.origin), ...next, "--json")
          assertCode(refused, 8)
          assert.match(summaryOf(refused).failed[0].error, /OtherProject/)
          assert.match(summaryOf(refused).failed[0].message, /project 78/)
          const keys = [...(yield* readStore(store)).keys()]
          assert.deepEqual(
            keys.filter((key) => !key.startsWith(".amplitude-lake-conflicts/")),
            HOURS.slice(12, 16).map((hour) => hourlyKey(hour))
          )
          yield* assertTidy(folder)
        })
    )

    it.scoped.runIf(isLong)(
      "replaces an object without events with the events that a recheck finds",
      () =>
        Effect.gen(function* () {
          const { folder, lake, lines, options, source, store } = yield* workplace
          const hour = HOURS[0] ?? ""
          const one = ["--start-date", hour, "--end-date", hour, "--json"]
          const empty = yield* lake("all", "--dev", ...source, ...one)
          assert.deepEqual([summaryOf(empty).empty, lines.has(hour)], [[hour], false])

          const other = yield* startSimulator(world(PROJECT, "2"), options)
          const recheck = yield* lake("all", "--dev", ...from(other.origin), ...one, "--recheck")
          assertCode(recheck, 0)
          assert.deepEqual(summaryOf(recheck).landed, [hour])
          const object = (yield* readStore(store)).get(hourlyKey(hour)) ?? Buffer.alloc(0)
          const { events, lineset } = yield* metadataOf(folder, hourlyKey(hour))
          assert.ok(object.length > 0)
          assert.deepEqual([events, lineset], [String(eventsOf(object).length), linesetOf(object)])
        })
    )

    it.scoped.runIf(isLong)("says why keys are refused, and never shows them", () =>
      Effect.gen(function* () {
        const { folder, amplitude, lake, options } = yield* workplace
        const other = { AMP_API_KEY: "another", AMP_SECRET_KEY: "pair" }
        const simulator = yield* startSimulator(EVENTS, { ...options, env: other })
        const refused = yield* lake("all", "--dev", ...from(simulator.origin), ...DAY)
        assertCode(refused, 7)
        assert.match(refused.stderr, /Invalid API Key/)
        assert.match(refused.stdout, /other region \(--amplitude-region/)

        const echo = yield* Effect.acquireRelease(
          Effect.async<http.Server>((resume) => {
            const server = http.createServer(({ headers }, response) => {
              const { authorization = "" } = headers
              const keys = Buffer.from(authorization.replace("Basic ", ""), "base64").toString()
              const parts = keys.split(":").map(encodeURIComponent).join(" ")
              response.writeHead(403).end(`You sent ${authorization}: ${keys}, ${parts}`)
            })
            server.listen(0, "127.0.0.1", () => resume(Effect.succeed(server)))
          }),
          (server) =>
            Effect.async<void>((resume) => {
              server.close(() => resume(Effect.void))
              server.closeAllConnections()
            })
        )
        const { port } = echo.address() as net.AddressInfo
        const echoed = yield* lake(
          "fetch",
          "--dev",
          ...from(`http://127.0.0.1:${port}`),
          ...DAY,
          "--json",
          "--log-level",
          "debug"
        )
        assertCode(echoed, 7)
        assert.match(echoed.stderr, /You sent Basic/)
        for (const { stdout, stderr } of [refused, echoed]) assertNoKeys(stdout + stderr)
        yield* assertNoKeysBelow(folder)
        assert.deepEqual(amplitude.windows, [])
      })
    )

    it.scoped("names everything that is missing or wrong, and changes nothing", () =>
      Effect.gen(function* () {
        const folder = yield* temporaryFolder
        const missing = yield* run(["all", ...DAY], { folder })
        assertCode(missing, 2)
        assert.equal(missing.stdout, "")
        for (const name of ["AMP_API_KEY", "AMP_SECRET_KEY", "--bucket"]) {
          assert.ok(missing.stderr.includes(name), `${name} is not named in: ${missing.stderr}`)
        }
        const wrong = yield* run(
          ["all", "--dev", "--concurrency", "-1", "--start-date", "2025-02-30", "--layout", "odd"],
          { folder, env: KEYS }
        )
        assertCode(wrong, 2)
        for (const name of ["--concurrency", "--start-date", "--layout"]) {
          assert.ok(wrong.stderr.includes(name), `${name} is not named in: ${wrong.stderr}`)
        }
        const unknown = yield* run(["all", "--dev", "--no-such-flag"], { folder, env: KEYS })
        assertCode(unknown, 2)
        assert.match(unknown.stderr, /--no-such-flag/)
        assert.equal(unknown.stdout, "")
        assert.deepEqual(yield* pathsBelow(folder), [])
      })
    )

    it.scoped.runIf(isLong)(
      "exits 5 when Amplitude is down, and 3 from status if there are gaps",
      () =>
        Effect.gen(function* () {
          const { folder, lake } = yield* workplace
          const down = from(`http://127.0.0.1:${yield* closedPort}`)
          const ended = yield* lake("all", "--dev", ...down, ...DAY, "--retries", "1", "--json")
          assertCode(ended, 5)
          const { failed, retries } = summaryOf(ended)
          assert.deepEqual(
            failed.map(({ hour }: { hour: string }) => hour),
            HOURS
          )
          assert.equal(retries, 1)
          yield* assertTidy(folder)

          const status = yield* lake("status", "--dev", ...DAY)
          assertCode(status, 3)
          assert.match(
            status.stdout,
            new RegExp(`^X 24 gap, the oldest ${HOURS[0]}: amplitude-lake all --dev `, "m")
          )
        })
    )

    it.scoped.runIf(isLong)(
      "takes the keys from an env file, and warns when others can read it",
      () =>
        Effect.gen(function* () {
          const { folder, lines, source, store } = yield* workplace
          const file = join(folder, ".env")
          yield* Effect.promise(async () => {
            const { AMP_API_KEY, AMP_SECRET_KEY } = KEYS
            await fs.writeFile(file, `API_TOKEN='${AMP_API_KEY}'\nSECRET_KEY='${AMP_SECRET_KEY}'\n`)
            await fs.chmod(file, 0o644)
          })
          const open = yield* run(["all", "--dev", ...source, ...DAY], { folder })
          assertCode(open, 0)
          assert.match(open.stderr, /\.env.*chmod 600/)
          assertNoKeys(open.stdout + open.stderr)
          yield* assertWholeDay(store, lines)

          yield* Effect.promise(() => fs.chmod(file, 0o600))
          const closed = yield* run(["all", "--dev", ...source, ...DAY], { folder })
          assertCode(closed, 0)
          assert.doesNotMatch(closed.stderr, /chmod/)
        })
    )

    for (const count of [9]) {
      it.scoped.runIf(isLong)(`lands every hour after it was killed at object ${count}`, () =>
        Effect.gen(function* () {
          const { amplitude, folder, lake, lines, options, source, store } = yield* workplace
          const { appeared } = yield* objectsAppear(store, count)
          const args = ["all", "--dev", ...source, ...DAY, "--concurrency", "1"]
          const killed = yield* start(args, options)
          yield* Effect.promise(() => Promise.race([appeared, killed.ended]))
          killed.kill("SIGKILL")
          yield* Effect.promise(() => killed.ended)

          // Two hours more, so that this run has something to do however late the kill came.
          const more = ["--start-date", DATE, "--end-date", "2025-11-11T01"]
          const again = yield* lake("all", "--dev", ...source, ...more, "--json")
          assertCode(again, 0)
          assert.ok(summaryOf(again).skipped.length >= count)
          assert.deepEqual(amplitude.windows, [
            "20251110T00..20251110T23",
            "20251111T00..20251111T01"
          ])
          yield* assertWholeDay(store, lines)
          yield* assertTidy(folder)
        })
      )
    }

    // test/faults/killed.test.ts kills in the short form, too.
    it.scoped.runIf(isLong)(
      "lands every hour after it was killed in the middle of a download",
      () =>
        Effect.gen(function* () {
          const { folder, lake, lines, source, store, ...more } = yield* workplace
          yield* endMidway("SIGKILL", { ...more, source })
          assertCode(yield* lake("all", "--dev", ...source, ...DAY, ...QUIET), 0)
          yield* assertWholeDay(store, lines)
          yield* assertTidy(folder)
        })
    )

    for (const [signal, code] of [
      ["SIGTERM", 143],
      ["SIGINT", 130]
    ] as const) {
      it.scoped.runIf(isLong)(`exits ${code} on ${signal}, and leaves nothing half written`, () =>
        Effect.gen(function* () {
          const { folder, lake, lines, source, store, ...more } = yield* workplace
          const { ended, took } = yield* endMidway(signal, { ...more, source })
          assertCode(ended, code)
          assert.match(ended.stderr, /Interrupted\. Partial work is cleaned up/)
          assert.ok(took < 5000, `it took ${took} ms`)
          assert.deepEqual(
            (yield* pathsBelow(folder)).filter((path) => /jsonl|\.zip|\.part|\/runs\/./.test(path)),
            []
          )
          assertCode(yield* lake("all", "--dev", ...source, ...DAY, ...QUIET), 0)
          yield* assertWholeDay(store, lines)
        })
      )
    }
  })

  it.scopedLive.runIf(isLong)(
    "simulate ends at once, even while clients are connected and receiving",
    () =>
      Effect.gen(function* () {
        const folder = yield* temporaryFolder
        const simulator = yield* startSimulator(EVENTS, { folder, env: KEYS })
        const { host, port } = new URL(simulator.origin)
        const connect = Effect.acquireRelease(
          Effect.sync(() => net.connect(Number(port), "127.0.0.1").on("error", () => {})),
          (socket) => Effect.sync(() => socket.destroy())
        )
        const [silent, idle, busy] = [yield* connect, yield* connect, yield* connect]
        yield* Effect.promise(async () => {
          await once(silent, "connect")
          idle.write(`GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n`)
          await once(idle, "data")
          const keys = Buffer.from(`${KEYS.AMP_API_KEY}:${KEYS.AMP_SECRET_KEY}`).toString("base64")
          const path = "/api/2/export?start=20250901T00&end=20251130T23"
          busy.write(
            `GET ${path} HTTP/1.1\r\nHost: ${host}\r\nAuthorization: Basic ${keys}\r\n\r\n`
          )
          await once(busy, "data")
          busy.pause()
        })
        const sent = performance.now()
        simulator.kill("SIGINT")
        const ended = yield* Effect.promise(() => simulator.ended)
        assertCode(ended, 130)
        assert.ok(performance.now() - sent < 30_000, `it took ${performance.now() - sent} ms`)
        assert.equal(ended.stdout, `${simulator.origin}\n`)
      })
  )

  it.scopedLive.runIf(isLong)("simulate says in one sentence that its port is in use", () =>
    Effect.gen(function* () {
      const folder = yield* temporaryFolder
      const { origin } = yield* startSimulator(EVENTS, { folder, env: KEYS })
      const { port } = new URL(origin)
      const second = yield* run(["simulate", "--port", port], { folder, env: KEYS })
      assertCode(second, 2)
      assert.match(second.stderr, new RegExp(`^Cannot serve on 127\\.0\\.0\\.1:${port}: .+\\n$`))
      assert.equal(second.stdout, "")
    })
  )

  it.scopedLive("--help loads no layer, no SDK and no module outside the program's own files", () =>
    Effect.gen(function* () {
      const folder = yield* temporaryFolder
      const { code, stdout, stderr } = yield* run(["--help"], {
        folder,
        nodeArguments: ["--import", LISTING]
      })
      assert.equal(code, 0)
      assert.match(stdout, /Usage: amplitude-lake/)
      const loaded = stderr.split("\n").filter((line) => line.startsWith("file:"))
      assert.ok(loaded.some((url) => url.endsWith("dist/main.js")))
      const files = loaded.map((url) => /\/dist\/(.*)$/.exec(url)?.[1])
      assert.ok(
        files.every((file) => file !== undefined && !/Amplitude|Storage|Spool|Zip|cjs/.test(file)),
        files.join()
      )
    })
  )
})

/** A module that lists on stderr what is loaded after it. */
const LISTING = `data:text/javascript,${encodeURIComponent(`
  import { register } from "node:module"
  register("data:text/javascript," + encodeURIComponent(\`
    import { writeSync } from "node:fs"
    export async function load(url, context, next) {
      writeSync(2, url + "\\\\n")
      return next(url, context)
    }
  \`))
`)}`

/** Ends a run while Amplitude's answer is stuck halfway, and measures how long it takes to go. */
const endMidway = (
  signal: NodeJS.Signals,
  {
    amplitude,
    options,
    source
  }: {
    readonly amplitude: CountingProxy
    readonly options: { readonly folder: string; readonly env: Readonly<Record<string, string>> }
    readonly source: ReadonlyArray<string>
  }
) =>
  Effect.gen(function* () {
    const stuck = amplitude.stall()
    const program = yield* start(["all", "--dev", ...source, ...DAY], options)
    yield* Effect.promise(() => Promise.race([stuck, program.ended]))
    const sent = performance.now()
    program.kill(signal)
    const ended = yield* Effect.promise(() => program.ended)
    amplitude.flow()
    return { ended, took: performance.now() - sent }
  })
