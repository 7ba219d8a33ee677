import assert from "node:assert/strict"
import * as fs from "node:fs/promises"
import { join } from "node:path"
import { it } from "@effect/vitest"
import { Effect } from "effect"
import { describe } from "vitest"
import { makeProgressTally } from "../../../src/cli/terminal/progressTally.ts"
import { progressText, type Standing } from "../../../src/cli/text/progressText.ts"
import { temporaryFolder } from "../../fixtures/disk.ts"
import { isLong } from "../../fixtures/long.ts"
import { run } from "../../fixtures/process/program.ts"
import { answer, scriptedServer } from "../../fixtures/servers/scriptedServer.ts"
import { hasTerminal, runOnTerminal } from "../../fixtures/process/terminal.ts"

const standing: Standing = {
  noun: "hours",
  planned: 24,
  done: 6,
  received: 16_200_000,
  receiving: 2_100_000,
  sent: 40_100_000,
  sending: 0,
  elapsed: 60_000,
  retried: []
}

describe("progressText()", () => {
  it("shows hours, bytes, rates and the time left, with a bar if there is room", () => {
    const text = "6/24 hours  in 16.2 MB (2.1 MB/s)  out 40.1 MB  3:00 left"
    assert.equal(progressText(standing, 80), text)
    assert.equal(progressText(standing, 100), `[${"#".repeat(3)}${"-".repeat(11)}]  ${text}`)
    assert.equal(progressText(standing, 200), `[${"#".repeat(10)}${"-".repeat(30)}]  ${text}`)
  })

  it("estimates no time before anything is done or after everything is", () => {
    for (const more of [{ done: 0 }, { done: 24 }, { elapsed: 1000 }]) {
      assert.doesNotMatch(progressText({ ...standing, ...more }, 80), /left/)
    }
    const long = progressText({ ...standing, done: 1, elapsed: 1_000_000 }, 80)
    assert.match(long, /6:23:20 left$/)
    assert.match(progressText({ ...standing, done: 23, elapsed: 92_000 }, 80), /0:04 left$/)
  })

  it("names retries on lines that fit, and counts the rest", () => {
    const reasons = ["one\n\x1b[31mtwo", "x".repeat(200), "three", "four"]
    const lines = progressText({ ...standing, retried: reasons }, 60).split("\n")
    assert.deepEqual(lines.slice(1), [
      "retrying: one [31mtwo",
      `retrying: ${"x".repeat(46)}...`,
      "and 2 more"
    ])
    for (const line of lines) assert.ok(line.length < 60, line)
  })
})

describe("makeProgressTally()", () => {
  it("has no progress before something is planned, and adds up reports from then on", () => {
    let [now, news] = [1000, 0]
    const { listener, standing } = makeProgressTally(
      () => now,
      () => {
        news += 1
      }
    )
    listener.received(10)
    assert.equal(standing(), undefined)
    listener.planned(3, "files")
    now = 3000
    listener.planned(1)
    listener.done(2)
    listener.sent(5)
    const [first, second] = [listener.retrying("first"), listener.retrying("second")]
    first()
    const { noun, planned, done, received, sent, elapsed, retried } = standing() ?? {}
    assert.deepEqual(
      { noun, planned, done, received, sent, elapsed, retried },
      {
        noun: "files",
        planned: 4,
        done: 2,
        received: 10,
        sent: 5,
        elapsed: 2000,
        retried: ["second"]
      }
    )
    second()
    assert.equal(news, 9)
  })

  it("measures the rates of the last seconds", () => {
    let now = 0
    const { listener, standing } = makeProgressTally(
      () => now,
      () => {}
    )
    listener.planned(1)
    standing()
    for (now = 1000; now <= 10_000; now += 1000) {
      listener.received(now <= 5000 ? 100 : 300)
      standing()
    }
    now = 10_000
    assert.equal(standing()?.receiving, 300)
    now = 20_000
    assert.equal(standing()?.receiving, 0)
  })
})

const DAY = ["--start-date", "2025-11-10", "--end-date", "2025-11-10"]
const LIVE = /\d+\/\d+ hours/
// oxlint-disable-next-line no-control-regex
const COLOR = /\x1b\[3\dm/
const synthetic = ["all", "--dev", "--source", "synthetic", "--events-per-hour", "500", ...DAY]

describe.skipIf(!hasTerminal)("On a terminal", { concurrent: true }, () => {
  it.scopedLive.runIf(isLong)(
    "the progress is drawn below complete log lines, and is gone at the end",
    () =>
      Effect.gen(function* () {
        const folder = yield* temporaryFolder
        const logs = ["--log-format", "logfmt", "--log-dir", "logs"]
        const { code, raw, screen } = yield* runOnTerminal([...synthetic, ...logs], { folder })
        assert.equal(code, 0, raw)
        assert.match(raw, /\d+\/24 hours {2}in [\d.]+ [kM]?B/)
        assert.deepEqual(
          screen.filter((line) => LIVE.test(line)),
          []
        )
        const file = join(
          folder,
          "logs",
          (yield* Effect.promise(() => fs.readdir(join(folder, "logs"))))[0] ?? ""
        )
        const lines = (yield* Effect.promise(() => fs.readFile(file, "utf8"))).trimEnd().split("\n")
        assert.ok(lines.length > 25)
        assert.deepEqual(screen.slice(0, lines.length - 2), lines.slice(1, -1))
        assert.match(screen[lines.length - 2] ?? "", /^window {3}2025-11-10T00 to 2025-11-10T23$/)
      })
  )

  it.scopedLive.runIf(isLong)("retries are named below the progress", () =>
    Effect.gen(function* () {
      const { code, raw, screen } = yield* waiting()
      assert.equal(code, 5, raw)
      assert.match(raw, LIVE)
      assert.match(raw, /retrying: Cannot export .*503/)
      assert.ok(!/retrying|hours {2}/.test(screen.join("\n")), screen.join("\n"))
    })
  )

  it.scopedLive.runIf(isLong)("nothing of it remains when Ctrl-C ends the run", () =>
    Effect.gen(function* () {
      const folder = yield* temporaryFolder
      const args = [...synthetic, "--events-per-hour", "5000", "--log-level", "error"]
      const { code, raw, screen } = yield* runOnTerminal(args, { folder, interruptAt: LIVE })
      assert.equal(code, 130, raw)
      const lines = screen.filter((line) => line !== "")
      assert.match(lines.at(-1) ?? "", /^(\^C)?Interrupted\. Partial work is cleaned up/)
      assert.match(lines[0] ?? "", /^(\^C)?window /)
      assert.ok(!lines.some((line) => LIVE.test(line)), lines.join("\n"))
    })
  )

  for (const [why, env, ...more] of [
    ["TERM=dumb", { TERM: "dumb" }],
    ["CI", { CI: "true" }],
    ["--log-level none", {}, "--log-level", "none"]
  ] as const) {
    it.scopedLive.runIf(isLong)(`nothing is drawn with ${why}`, () =>
      Effect.gen(function* () {
        const { code, raw } = yield* waiting(env, ...more)
        assert.equal(code, 5, raw)
        assert.doesNotMatch(raw, LIVE)
        assert.doesNotMatch(raw, /retrying/)
        assert.ok(!raw.includes("\x1b[?2026h"))
      })
    )
  }

  it.scopedLive.runIf(isLong)(
    "the progress is drawn with CI=false, and with NO_COLOR without colours",
    () =>
      Effect.gen(function* () {
        const colored = yield* waiting()
        assert.match(colored.raw, LIVE)
        assert.match(colored.raw, COLOR)
        const plain = yield* waiting({ NO_COLOR: "1", CI: "false" })
        assert.match(plain.raw, LIVE)
        assert.doesNotMatch(plain.raw, COLOR)
      })
  )
})

/** A run that waits a while for a server that does not want to answer, and then gives up. */
const waiting = (env: Readonly<Record<string, string>> = {}, ...more: ReadonlyArray<string>) =>
  Effect.gen(function* () {
    const folder = yield* temporaryFolder
    const server = yield* scriptedServer([answer(503), answer(503)])
    const source = ["--amplitude-url", server.origin, "--retries", "1", "--retry-base-ms", "700"]
    const keys = { AMP_API_KEY: "key", AMP_SECRET_KEY: "secret" }
    return yield* runOnTerminal(
      ["all", "--dev", ...source, ...DAY, "--log-level", "error", ...more],
      { folder, env: { ...keys, ...env } }
    )
  })

describe("In a pipe", () => {
  it.scopedLive("nothing is drawn", () =>
    Effect.gen(function* () {
      const folder = yield* temporaryFolder
      const { stderr, stdout } = yield* run(synthetic, { folder, env: { TERM: "xterm" } })
      assert.doesNotMatch(stderr + stdout, LIVE)
      assert.ok(!stderr.includes("\x1b"))
    })
  )
})
