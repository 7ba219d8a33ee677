import assert from "node:assert/strict"
import { execFile, spawnSync } from "node:child_process"
import * as fs from "node:fs/promises"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"
import { describe, it } from "@effect/vitest"
import { Effect, type Scope } from "effect"
import { smallDisk, temporaryFolder } from "../fixtures/disk.ts"
import { isLong, SECONDS } from "../fixtures/long.ts"
import { part, zipOf } from "../fixtures/archive/zipCorpus.ts"
import * as program from "../fixtures/process/program.ts"
import * as S3Server from "../fixtures/s3/s3Server.ts"
import { answer, chunked, scriptedServer, type Step } from "../fixtures/servers/scriptedServer.ts"
import {
  ARCHIVE,
  archiveOf,
  BUCKET,
  bySize,
  countOf,
  H20,
  H21,
  H22,
  HOURS,
  keyOf,
  type Lake,
  LINES,
  makeLake,
  objectsIn,
  objectsOf,
  readFiles,
  s3Layer,
  whole
} from "./_lake.ts"

// As it was built, since a worker thread of node 20 loads no TypeScript.
const BUILT = new URL("../../dist/layers/unpack/UnpackerWorkers.js", import.meta.url).href
const UnpackerWorkers: typeof import("../../src/layers/unpack/UnpackerWorkers.ts") = await import(
  /* @vite-ignore */ BUILT
)

const MIB = 1024 * 1024

const serving = (...script: ReadonlyArray<Step>) =>
  scriptedServer([...script, ...Array.from({ length: 20 }, () => bySize())])

interface Skips {
  readonly skip: (note?: string) => never
}

/** A disk of its own; the test is left out, and says so, where this user may not mount one. */
const diskOr = (
  context: Skips,
  folder: string,
  options: string
): Effect.Effect<string, never, Scope.Scope> =>
  smallDisk(folder, options).pipe(
    Effect.catchAll(() => Effect.sync(() => context.skip("this user may not mount a disk")))
  )

/** About this many bytes of lines that hardly compress. */
function bulky(bytes: number): string {
  let state = 1
  const words = Array.from({ length: Math.ceil(bytes / 70) }, () => {
    const letters = Array.from({ length: 60 }, () => {
      state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fff_ffff
      return String.fromCharCode(97 + ((state >> 16) % 26))
    })
    return `{"w":"${letters.join("")}"}\n`
  })
  return words.join("")
}

/** The next run lands what Amplitude has, beside what stood there, and leaves nothing in the spool. */
const assertLands = Effect.fnUntraced(function* (lake: Lake, lines = LINES) {
  const summary = yield* lake.all(H20, H22)
  assert.equal(summary.exitCode, 0, summary.failed[0]?.message ?? summary.error?.message)
  assert.deepEqual(yield* lake.landed, objectsOf(lines))
  assert.deepEqual(yield* lake.spooled, [])
})

describe("a full disk", () => {
  it.scopedLive("D1 looks for the space before it downloads, and names path and need", (context) =>
    Effect.gen(function* () {
      const folder = yield* temporaryFolder
      const workDir = yield* diskOr(context, join(folder, "small"), "size=1m")
      // Nothing of the body ever comes: who waited for it would wait for ever.
      const large = answer(200, { length: 64 * MIB, ending: "silence" })
      const first = whole({ body: archiveOf({ [H20]: LINES[H20] ?? "" }) })
      const lake = yield* makeLake({ amplitude: yield* serving(first, large), folder, workDir })
      yield* lake.all(H20)
      const summary = yield* lake.all(H20, H22)
      assert.deepEqual(
        summary.failed.map(({ error }) => error),
        ["SpoolError.NoSpace", "SpoolError.NoSpace"]
      )
      assert.equal(summary.exitCode, 5)
      const [failed] = summary.failed
      assert.ok(failed?.message.includes(workDir), failed?.message)
      assert.match(failed?.message ?? "", new RegExp(`needs ${64 * MIB} bytes and \\d+ are free`))
      assert.deepEqual(yield* lake.landed, objectsOf({ [H20]: LINES[H20] ?? "" }))
      assert.deepEqual(yield* lake.spooled, [])
    })
  )

  it.scopedLive(
    "D1 removes what it wrote when a download of unknown size fills the disk",
    (context) =>
      Effect.gen(function* () {
        const folder = yield* temporaryFolder
        const workDir = yield* diskOr(context, join(folder, "small"), "size=2m")
        const endless = chunked([Buffer.alloc(3 * MIB)])
        const lake = yield* makeLake({ amplitude: yield* serving(endless), folder, workDir })
        const summary = yield* lake.all(H20, H22)
        assert.equal(summary.exitCode, 5)
        assert.match(summary.failed[0]?.message ?? "", /NoSpace.*after \d+ bytes/)
        assert.deepEqual([...(yield* lake.landed)], [])
        assert.deepEqual(yield* lake.spooled, [])
        yield* assertLands(lake)
      })
  )

  it.scopedLive.runIf(isLong)(
    "D1 stages the hours that fit, and the other one from the spool when there is room",
    (context) =>
      Effect.gen(function* () {
        const folder = yield* temporaryFolder
        const dataDir = yield* diskOr(context, join(folder, "small"), "size=2m")
        const large = bulky(3 * MIB)
        const entries = [
          part(20, 0, LINES[H20] ?? ""),
          part(21, 0, large),
          part(22, 0, LINES[H22] ?? "")
        ]
        const server = yield* serving(whole({ body: zipOf({ entries }) }))
        const lake = yield* makeLake({ amplitude: server, folder, dataDir })
        const summary = yield* lake.fetch(H20, H22)
        assert.deepEqual([summary.landed, summary.exitCode], [[H20, H22], 3])
        assert.match(summary.failed[0]?.message ?? "", /2025-11-10_21\.jsonl": NoSpace/)
        const { [H21]: _, ...small } = LINES
        assert.deepEqual(yield* lake.staged, objectsOf(small))
        assert.equal((yield* lake.spooled).length, 1)
        yield* Effect.promise(() =>
          promisify(execFile)("mount", ["-o", "remount,size=16m", "tmpfs", dataDir])
        )
        const next = yield* lake.fetch(H20, H22)
        assert.deepEqual([next.landed, next.exitCode], [[H21], 0])
        assert.equal((yield* lake.staged).get(keyOf(H21)), large)
        assert.deepEqual([yield* lake.spooled, server.requests.length], [[], 1])
      })
  )

  it.scopedLive.runIf(isLong)(
    "D1 lands the hours that fit of an archive that is written while it is verified",
    (context) =>
      Effect.gen(function* () {
        const folder = yield* temporaryFolder
        const dataDir = yield* diskOr(context, join(folder, "small"), "size=5m")
        const lines = bulky(2 * MIB)
        const hours = [H20, H21, H22]
        const entries = hours.map((at) => part(Number(at.slice(-2)), 0, lines))
        const server = yield* serving(whole({ body: zipOf({ entries }) }))
        const unpacker = UnpackerWorkers.layer({ smallArchive: 0 })
        const lake = yield* makeLake({ amplitude: server, folder, dataDir, unpacker })
        const summary = yield* lake.fetch(H20, H22)
        // Two fit, but two that are written at once may take the room from each other.
        const fitted = summary.landed.length
        assert.ok(fitted === 1 || fitted === 2, `${fitted} landed`)
        assert.equal(summary.exitCode, 3)
        assert.match(summary.failed[0]?.message ?? "", /2025-11-10_2\d\.jsonl": NoSpace/)
        yield* Effect.promise(() =>
          promisify(execFile)("mount", ["-o", "remount,size=16m", "tmpfs", dataDir])
        )
        const next = yield* lake.fetch(H20, H22)
        assert.deepEqual([next.landed.length, next.exitCode], [3 - fitted, 0])
        for (const at of hours) assert.equal((yield* lake.staged).get(keyOf(at)), lines)
        assert.deepEqual([yield* lake.spooled, server.requests.length], [[], 1])
      })
  )
})

/** Runs as a user who may not do everything: where this one is root, as nobody. */
const asNobody = <A, E, R>(self: Effect.Effect<A, E, R>) =>
  process.getuid?.() !== 0
    ? self
    : Effect.acquireUseRelease(
        Effect.sync(() => process.seteuid?.(65_534)),
        () => self,
        () => Effect.sync(() => process.seteuid?.(0))
      )

describe("a folder for reading only", () => {
  for (const [what, command] of [
    ["the store", "all"],
    ["staging", "fetch"]
  ] as const) {
    it.scopedLive(`D2 is found before anything is requested if it is ${what}: exit 7`, () =>
      Effect.gen(function* () {
        const folder = yield* temporaryFolder
        const server = yield* serving()
        const lake = yield* makeLake({ amplitude: server, folder })
        const place = command === "all" ? lake.storeDir : lake.dataDir
        yield* Effect.promise(async () => {
          await fs.mkdir(place, { recursive: true })
          await fs.writeFile(join(place, keyOf(H20)), "theirs\n")
          for (const path of [place, join(folder, "s3_dev"), folder]) {
            await fs.chmod(path, 0o555).catch(() => {})
          }
        })
        const summary = yield* asNobody(lake[command](H20, H22))
        yield* Effect.promise(() => fs.chmod(folder, 0o755))
        yield* Effect.promise(() => fs.chmod(place, 0o755))
        assert.equal(summary.exitCode, 7)
        assert.equal(summary.error?.error, "ObjectStorageError.AccessDenied")
        assert.ok(summary.error?.message.includes(folder), summary.error?.message)
        assert.equal(server.requests.length, 0)
        assert.deepEqual(yield* readFiles(place), new Map([[keyOf(H20), "theirs\n"]]))
      })
    )
  }

  it.scopedLive(
    "D2 ends the run before a byte of an archive is taken, where it is the spool: exit 7",
    () =>
      Effect.gen(function* () {
        const folder = yield* temporaryFolder
        const workDir = join(folder, "work")
        const server = yield* serving(answer(200, { length: 64 * MIB, ending: "silence" }))
        const lake = yield* makeLake({ amplitude: server, folder, workDir })
        yield* Effect.promise(async () => {
          await fs.mkdir(workDir, { mode: 0o755 })
          await fs.chmod(workDir, 0o555)
          await fs.chmod(folder, 0o777)
        })
        const summary = yield* asNobody(lake.all(H20, H22))
        yield* Effect.promise(() => fs.chmod(workDir, 0o755))
        assert.deepEqual(
          summary.failed.map(({ error }) => error),
          HOURS.map(() => "SpoolError.AccessDenied")
        )
        assert.equal(summary.exitCode, 7)
        assert.deepEqual([...(yield* lake.landed)], [])
      })
  )
})

const MAIN = fileURLToPath(new URL("../../dist/main.js", import.meta.url))
const STRACE = ["-f", "--seccomp-bpf", "-qq"]
const COMMAND =
  `all --source synthetic --dev --json --start-date ${H20} --end-date ${H22} --now 2025-11-12T12:00:00Z --events-per-hour 5 --concurrency 1 --retry-base-ms 1`.split(
    " "
  )

/** Whether calls of a process can be made to fail here. */
const canInject = () =>
  spawnSync("strace", [...STRACE, "-o", "/dev/null", "-e", "inject=fsync:error=EIO", "true"])
    .status === 0

interface Injected {
  readonly code: number
  readonly said: string
  readonly trace: string
}

/** Lands three made-up hours in a folder under strace; one thread does all that is done to files. */
const landUnder = (folder: string, options: ReadonlyArray<string>) =>
  Effect.promise(async (): Promise<Injected> => {
    const trace = join(folder, "trace")
    const ended = await new Promise<Omit<Injected, "trace">>((resolve) => {
      execFile(
        "strace",
        [...STRACE, "-o", trace, ...options, process.execPath, MAIN, ...COMMAND],
        {
          cwd: folder,
          env: { PATH: process.env["PATH"], HOME: folder, UV_THREADPOOL_SIZE: "1" },
          timeout: 30_000,
          killSignal: "SIGKILL"
        },
        (error, stdout, stderr) =>
          resolve({ code: error === null ? 0 : Number(error.code ?? -1), said: stdout + stderr })
      )
    })
    return { ...ended, trace: await fs.readFile(trace, "utf8") }
  })

const readStore = (folder: string) => readFiles(join(folder, "s3_dev"))

/** Every object is whole, whatever failed; then, without a fault, a run lands the rest and tidies. */
const assertRecovers = Effect.fnUntraced(function* (
  folder: string,
  oracle: ReadonlyMap<string, string>
) {
  for (const [key, text] of yield* readStore(folder)) assert.equal(text, oracle.get(key), key)
  const next = yield* program.run(COMMAND, { folder })
  assert.equal(next.code, 0, next.stderr)
  assert.deepEqual(yield* readStore(folder), oracle)
  assert.deepEqual([...(yield* readFiles(join(folder, "data")))], [])
  const left = yield* Effect.promise(() => fs.readdir(folder, { recursive: true }))
  assert.deepEqual(
    left.filter((path) => /\.(zip|part)$|runs\/./.test(path)),
    []
  )
})

const CALLS = ["fsync", "link", "pwrite64"] as const

/** A run without a fault: what it lands, and how often it makes each call. */
const clean = Effect.runSync(
  Effect.cached(
    Effect.scoped(
      Effect.gen(function* () {
        const folder = yield* temporaryFolder
        const { code, said, trace } = yield* landUnder(folder, ["-e", `trace=${CALLS.join(",")}`])
        assert.equal(code, 0, said)
        const oracle = yield* readStore(folder)
        assert.equal(oracle.size, 3)
        const made = (call: string) =>
          trace.split("\n").filter((it) => it.includes(` ${call}(`)).length
        return { oracle, made }
      })
    )
  )
)

describe("a disk that fails", { concurrent: true }, () => {
  const timeout = 60_000 + SECONDS * 1000

  for (const [row, call, error, codes, first] of [
    ["D1", "link", "ENOSPC", [3, 5], []],
    ["D3", "fsync", "EIO", [2, 3, 5], isLong ? [1] : []],
    ["D4", "link", "EXDEV", [2, 3], []],
    ["D4", "pwrite64", "EDQUOT", [3, 5], []]
  ] as const) {
    it.scopedLive.runIf(isLong || call === "fsync")(
      `${row} freezes nothing that ${call} answered by ${error}, and names what failed`,
      (context) =>
        Effect.gen(function* () {
          if (!canInject()) return context.skip("strace cannot make calls fail here")
          const { made, oracle } = yield* clean
          const [calls, until] = [made(call), Date.now() + SECONDS * 1000]
          assert.ok(calls >= 3, `${calls} calls of ${call}`)
          const every = Array.from({ length: calls }, (_, index) => index + 1)
          // The first makes a folder durable, or tries the store out; the one in the middle is an hour's.
          for (const when of isLong ? every : [...first, Math.ceil(calls / 2)]) {
            const folder = yield* temporaryFolder
            const inject = `inject=${call}:error=${error}:when=${when}`
            const { code, said } = yield* landUnder(folder, ["-e", inject])
            const message = `${call} number ${when} of ${calls}: exit ${code}\n${said}`
            assert.ok((codes as ReadonlyArray<number>).includes(code), message)
            assert.match(said, new RegExp(error), message)
            yield* assertRecovers(folder, oracle)
            if (isLong && Date.now() >= until) break
          }
        }),
      timeout
    )
  }

  const store = "s3_dev/python-import"
  for (const [title, when, path, code] of [
    ["tries again when too many files are open", "1", store, 0],
    ["exits 5 when too many files stay open to list the store", "1+", `${store}/`, 5],
    ["takes no hour for landed whose name cannot be made durable, and exits 5", "1+", store, 5]
  ] as const) {
    it.scopedLive.runIf(isLong)(
      `D4 ${title}`,
      (context) =>
        Effect.gen(function* () {
          if (!canInject()) return context.skip("strace cannot make calls fail here")
          const { oracle } = yield* clean
          const folder = yield* temporaryFolder
          yield* Effect.promise(() => fs.mkdir(join(folder, store), { recursive: true }))
          const inject = ["-e", `inject=openat:error=EMFILE:when=${when}`]
          const ended = yield* landUnder(folder, [...inject, "-P", path])
          assert.equal(ended.code, code, ended.said)
          assert.match(ended.said, /EMFILE/)
          yield* assertRecovers(folder, oracle)
        }),
      timeout
    )
  }
})

const s3Lake = Effect.fnUntraced(function* (plan?: S3Server.S3ServerOptions["plan"]) {
  const s3 = yield* S3Server.make({
    users: { AKTEST: { secret: "SKTEST" } },
    buckets: { [BUCKET]: "us-east-1" },
    ...(plan === undefined ? {} : { plan })
  })
  const server = yield* serving()
  const lake = yield* makeLake({ amplitude: server, store: s3Layer(s3) })
  return { s3, server, ...lake }
})

describe("after the power was lost", () => {
  for (const [title, left] of [
    ["nothing", 0],
    ["a half", ARCHIVE.length / 2],
    ["all but the last byte", ARCHIVE.length - 1]
  ] as const) {
    it.scopedLive.runIf(isLong || title === "a half")(
      `D6 asks again for a spooled archive of which ${title} reached the disk`,
      () =>
        Effect.gen(function* () {
          const lake = yield* s3Lake(({ operation, key }) =>
            operation === "PutObject" && !key.includes("probe")
              ? { do: "answer", status: 403, code: "AccessDenied" }
              : undefined
          )
          assert.equal((yield* lake.all(H20, H22)).exitCode, 7)
          const [path] = yield* lake.spooled
          assert.ok(path !== undefined)
          yield* Effect.promise(() => fs.truncate(join(lake.spoolDir, path), Math.floor(left)))
          lake.s3.setPlan(() => undefined)
          const summary = yield* lake.all(H20, H22)
          assert.deepEqual([summary.landed, summary.exitCode], [HOURS, 0])
          assert.deepEqual(objectsIn(lake.s3), objectsOf())
          assert.deepEqual([yield* lake.spooled, lake.server.requests.length], [[], 2])
        })
    )
  }

  for (const left of [0, 20]) {
    it.scopedLive.runIf(isLong || left > 0)(
      `D6 uploads no staged file of which ${left} bytes reached the disk: exit 8`,
      () =>
        Effect.gen(function* () {
          const lake = yield* s3Lake()
          yield* lake.fetch(H20, H22)
          yield* Effect.promise(() => fs.truncate(join(lake.dataDir, keyOf(H21)), left))
          const summary = yield* lake.sync()
          assert.deepEqual([summary.landed, summary.exitCode], [[H20, H22], 8])
          assert.equal(summary.failed[0]?.error, "LandingError.StagedFileChanged")
          assert.equal(countOf(lake.s3, "PutObject", keyOf(H21)), 0)
          // As the message says: without the file, the hour is fetched again.
          yield* Effect.promise(() => fs.rm(join(lake.dataDir, keyOf(H21))))
          yield* lake.all(H20, H22)
          assert.deepEqual(objectsIn(lake.s3), objectsOf())
        })
    )
  }
})

describe("a data folder that others write to", () => {
  it.scopedLive(
    "D7 uploads no file that was edited since it was staged, and keeps it: exit 8",
    () =>
      Effect.gen(function* () {
        const lake = yield* s3Lake()
        yield* lake.fetch(H20, H22)
        const edited = (LINES[H21] ?? "").replace('"b"', '"B"')
        yield* Effect.promise(() => fs.writeFile(join(lake.dataDir, keyOf(H21)), edited))
        const summary = yield* lake.sync()
        assert.deepEqual([summary.landed, summary.exitCode], [[H20, H22], 8])
        assert.equal(summary.failed[0]?.error, "LandingError.StagedFileChanged")
        assert.equal(countOf(lake.s3, "PutObject", keyOf(H21)), 0)
        assert.deepEqual(yield* lake.staged, new Map([[keyOf(H21), edited]]))
      })
  )

  it.scopedLive("D8 neither uploads nor removes files of others in staging, and says so", () =>
    Effect.gen(function* () {
      const lake = yield* s3Lake()
      yield* lake.fetch(H20, H22)
      const foreign = new Map([
        ["2025-11-10_19.jsonl", "theirs\n"],
        ["deep/2025-11-10_18.jsonl", "theirs\n"],
        ["notes.txt", "mine\n"],
        ["target", "somewhere else\n"]
      ])
      yield* Effect.promise(async () => {
        await fs.mkdir(join(lake.dataDir, "deep"))
        for (const [path, text] of foreign) await fs.writeFile(join(lake.dataDir, path), text)
        await fs.symlink("target", join(lake.dataDir, "2025-11-10_17.jsonl"))
      })
      const summary = yield* lake.sync()
      assert.deepEqual([summary.landed, summary.exitCode], [HOURS, 0])
      assert.deepEqual(objectsIn(lake.s3), objectsOf())
      assert.deepEqual(yield* lake.staged, foreign)
      const link = yield* Effect.promise(() =>
        fs.readlink(join(lake.dataDir, "2025-11-10_17.jsonl"))
      )
      assert.equal(link, "target")
      const said = lake.logs.filter((log) => log.startsWith("WARN")).join("\n")
      assert.match(said, /2025-11-10_19\.jsonl.*not created by this program/)
      assert.match(said, /2025-11-10_17\.jsonl.*not a regular file/)
    })
  )
})
