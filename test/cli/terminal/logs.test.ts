import assert from "node:assert/strict"
import * as fs from "node:fs/promises"
import { join } from "node:path"
import { it } from "@effect/vitest"
import { Effect, Either } from "effect"
import { describe } from "vitest"
import { modeOf, pathsBelow, smallDisk, temporaryFolder } from "../../fixtures/disk.ts"
import { isLong } from "../../fixtures/long.ts"
import { run, start } from "../../fixtures/process/program.ts"
import { answer, scriptedServer, silence } from "../../fixtures/servers/scriptedServer.ts"

const env = { AMP_API_KEY: "key", AMP_SECRET_KEY: "secret" }
const [FIRST, LAST] = ["2025-11-10T20", "2025-11-10T21"]
const HOURS = ["--start-date", FIRST, "--end-date", LAST]
const synthetic = ["all", "--dev", "--source", "synthetic", "--events-per-hour", "20", ...HOURS]
const RUN = /^[0-9a-f]{6}$/

/** The lines of the one log file in a folder, and its name. */
const readLog = (folder: string) =>
  Effect.promise(async () => {
    const [name = "", ...more] = await fs.readdir(folder)
    assert.deepEqual(more, [])
    const text = await fs.readFile(join(folder, name), "utf8")
    assert.ok(text.endsWith("\n"), "the last line is whole")
    return { name, lines: text.trimEnd().split("\n") }
  })

interface Entry {
  readonly timestamp: string
  readonly level: string
  readonly run: string
  readonly message: string
  readonly hour?: string
}

const entriesOf = (lines: ReadonlyArray<string>) => lines.map((line): Entry => JSON.parse(line))

describe("The log", { concurrent: true }, () => {
  it.scopedLive("names the run in each line, and the hour if the line is about one", () =>
    Effect.gen(function* () {
      const folder = yield* temporaryFolder
      const json = yield* run([...synthetic, "--log-format", "json"], { folder })
      assert.equal(json.code, 0, json.stderr)
      const entries = entriesOf(json.stderr.trimEnd().split("\n"))
      for (const { hour, level, message, run, timestamp, ...internals } of entries) {
        assert.deepEqual([level, internals], ["INFO", {}], message)
        assert.match(timestamp, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
        assert.ok(hour === undefined || [FIRST, LAST].includes(hour), hour)
        assert.match(run, RUN)
      }
      const runs = new Set(entries.map(({ run }) => run))
      assert.equal(runs.size, 1)
      const [id = ""] = runs
      assert.match(id, RUN)
      const landed = entries.filter(({ message }) => message.startsWith("Landed"))
      assert.deepEqual(landed.map(({ hour }) => hour).sort(), [FIRST, LAST])

      const logfmt = yield* run(synthetic, { folder })
      for (const line of logfmt.stderr.trimEnd().split("\n")) {
        assert.match(
          line,
          /^timestamp=\S+Z level=INFO run=[0-9a-f]{6} message=("[^"\\]*(\\"[^"\\]*)*"|\S+)( hour=\S+)?$/
        )
        assert.ok(!line.includes(id), "another run has another name")
      }
      const pretty = yield* run([...synthetic, "--prefix", "/", "--log-format", "pretty"], {
        folder
      })
      const about = pretty.stderr.split("\n").filter((line) => line.includes("Landed"))
      assert.equal(about.length, 2)
      for (const line of about) {
        assert.match(
          line,
          /^\d\d:\d\d:\d\dZ [0-9a-f]{6} INFO {2}2025-11-10T2[01]: Landed \d+ events/
        )
      }
    })
  )

  it.scopedLive.runIf(isLong)("calls a warning as --log-level does, in every format", () =>
    Effect.gen(function* () {
      const folder = yield* temporaryFolder
      yield* Effect.promise(() =>
        fs.writeFile(join(folder, ".env"), "AMP_API_KEYS=near\n", { mode: 0o600 })
      )
      for (const [format, begin] of [
        ["pretty", /^\d\d:\d\d:\d\dZ [0-9a-f]{6} WARNING /],
        ["logfmt", /^timestamp=\S+ level=WARNING run=[0-9a-f]{6} message="/],
        ["json", /^\{"timestamp":"[^"]+","level":"WARNING","run":"[0-9a-f]{6}","message":"/]
      ] as const) {
        const args = [...synthetic, "--log-level", "warning", "--log-format", format]
        const { code, stderr } = yield* run(args, { folder })
        assert.equal(code, 0, stderr)
        const [line = "", ...more] = stderr.trimEnd().split("\n")
        assert.deepEqual(more, [])
        assert.match(line, begin)
        assert.match(line, /AMP_API_KEYS/)
      }
    })
  )

  it.scopedLive(
    "is kept in one file per run, readable by its owner only, from beginning to end",
    () =>
      Effect.gen(function* () {
        const folder = yield* temporaryFolder
        const logs = join(folder, "deep", "logs")
        const ended = yield* run([...synthetic, "--log-dir", "deep/logs"], { folder })
        assert.equal(ended.code, 0, ended.stderr)
        const { lines, name } = yield* readLog(logs)
        assert.match(name, /^\d{4}-\d\d-\d\dT\d\d-\d\d-\d\dZ_all_[0-9a-f]{6}\.log$/)
        assert.equal(yield* modeOf(join(logs, name)), 0o600)
        assert.match(lines[0] ?? "", /"amplitude-lake \d+\.\d+\.\d+ begins: all"/)
        assert.deepEqual(lines.slice(1, -1), ended.stderr.trimEnd().split("\n"))
        assert.match(lines.at(-1) ?? "", /"Ended with exit code 0"/)
        assert.equal((yield* run([...synthetic, "--log-dir", "deep/logs"], { folder })).code, 0)
        assert.equal((yield* pathsBelow(logs)).length, 2)
      })
  )

  it.scopedLive.runIf(isLong)("is complete in its file up to the last line of a killed run", () =>
    Effect.gen(function* () {
      const folder = yield* temporaryFolder
      const server = yield* scriptedServer([answer(503), answer(503), silence])
      const source = ["--amplitude-url", server.origin, "--retry-base-ms", "1", ...HOURS]
      const logs = ["--log-dir", "logs", "--log-format", "json"]
      const program = yield* start(["all", "--dev", ...source, ...logs], { folder, env })
      yield* Effect.promise(() => server.received(3))
      program.kill("SIGKILL")
      const { code, stderr } = yield* Effect.promise(() => program.ended)
      assert.equal(code, null)
      const { lines } = yield* readLog(join(folder, "logs"))
      assert.deepEqual(lines.slice(1), stderr.trimEnd().split("\n"))
      const messages = entriesOf(lines).map(({ message }) => message)
      assert.equal(messages.filter((message) => message.startsWith("Retrying: ")).length, 2)
      assert.equal(messages.at(-1), `Exporting ${FIRST}..${LAST} from Amplitude`)
    })
  )

  it.scopedLive.runIf(isLong)("records in its file what ended a run early", () =>
    Effect.gen(function* () {
      const folder = yield* temporaryFolder
      const server = yield* scriptedServer([silence])
      const source = ["--amplitude-url", server.origin, ...HOURS, "--log-dir", "logs"]
      const program = yield* start(["all", "--dev", ...source], { folder, env })
      yield* Effect.promise(() => server.received(1))
      program.kill("SIGTERM")
      const { code } = yield* Effect.promise(() => program.ended)
      assert.equal(code, 143)
      const { lines } = yield* readLog(join(folder, "logs"))
      assert.match(
        lines.at(-1) ?? "",
        /level=ERROR .*exit code 143: The run was interrupted by a signal/
      )
    })
  )

  it.scopedLive("is a usage error if its file cannot be created, before anything is changed", () =>
    Effect.gen(function* () {
      const folder = yield* temporaryFolder
      yield* Effect.promise(() => fs.writeFile(join(folder, "taken"), ""))
      const server = yield* scriptedServer([])
      const source = ["--amplitude-url", server.origin, ...HOURS]
      for (const logs of ["taken", "taken/logs"]) {
        const command = ["all", "--dev", ...source, "--log-dir", logs]
        const { code, stderr, stdout } = yield* run(command, { folder, env })
        assert.equal(code, 2)
        assert.equal(stdout, "")
        assert.match(stderr, /amplitude-lake all cannot run:\n {2}--log-dir "taken.*choose another/)
      }
      assert.deepEqual(yield* pathsBelow(folder), ["taken"])
      assert.equal(server.requests.length, 0)
    })
  )

  it.scopedLive.runIf(isLong)(
    "continues without its file, and says so once, when the disk is full",
    (context) =>
      Effect.gen(function* () {
        const folder = yield* temporaryFolder
        const disk = yield* Effect.either(smallDisk(join(folder, "logs"), "size=4k"))
        if (Either.isLeft(disk)) return context.skip("a disk cannot be mounted here")
        const days = ["--start-date", "2025-11-09", "--end-date", "2025-11-11"]
        const ended = yield* run([...synthetic, ...days, "--log-dir", "logs"], { folder })
        assert.equal(ended.code, 0, ended.stderr)
        const said = ended.stderr.match(
          /^Cannot write "logs.*_all_.*ENOSPC.*logging continues here only$/gm
        )
        assert.equal(said?.length, 1, ended.stderr)
        assert.ok((ended.stderr.match(/Landed/g)?.length ?? 0) > 40)
        const [name = ""] = yield* pathsBelow(disk.right)
        const kept = yield* Effect.promise(() => fs.readFile(join(disk.right, name), "utf8"))
        assert.match(kept, /begins: all/)
      })
  )
})
