import assert from "node:assert/strict"
import { it } from "@effect/vitest"
import { Effect } from "effect"
import { describe } from "vitest"
import { pathsBelow, temporaryFolder } from "../fixtures/disk.ts"
import { run, start } from "../fixtures/program.ts"
import { answer, scriptedServer, silence } from "../fixtures/scriptedServer.ts"
import { webhookServer } from "../fixtures/webhookServer.ts"

const env = { AMP_API_KEY: "key", AMP_SECRET_KEY: "secret" }
const TOKEN = "services/s3cr3t/token"
const HOURS = ["--start-date", "2025-11-10T20", "--end-date", "2025-11-10T21"]
const once = ["--retries", "0", "--retry-base-ms", "1"]
const synthetic = ["all", "--dev", "--source", "synthetic", "--events-per-hour", "20", ...HOURS]

/** A run that Amplitude has no time for. */
const refused = Effect.map(scriptedServer([answer(503), answer(503)]), ({ origin }) => [
  "all",
  "--dev",
  "--amplitude-url",
  origin,
  ...HOURS,
  ...once
])

describe("A webhook", { concurrent: true }, () => {
  it.scopedLive(
    "receives the summary of a failed run, once, and nothing from a successful one",
    () =>
      Effect.gen(function* () {
        const folder = yield* temporaryFolder
        const { origin, posted } = yield* webhookServer(200)
        const hook = ["--webhook", `${origin}/${TOKEN}`]
        const failed = yield* run([...(yield* refused), ...hook, "--json"], { folder, env })
        assert.equal(failed.code, 5, failed.stderr)
        const [{ body, ...post } = { body: "" }, ...more] = posted
        assert.deepEqual(more, [])
        assert.deepEqual(post, {
          method: "POST",
          path: `/${TOKEN}`,
          contentType: "application/json"
        })
        const { text, command, run: id, version, ...summary } = JSON.parse(body)
        assert.deepEqual(summary, JSON.parse(failed.stdout))
        assert.equal(
          text,
          "amplitude-lake all: exit code 5, temporary: try again later; hours: 2 failed"
        )
        assert.equal(command, "all")
        assert.match(version, /^\d+\.\d+\.\d+$/)
        assert.ok(failed.stderr.includes(`run=${id}`))

        assert.equal((yield* run([...synthetic, ...hook], { folder })).code, 0)
        assert.equal(posted.length, 1)
      })
  )

  it.scopedLive("receives every result with --notify always, but none of a dry run", () =>
    Effect.gen(function* () {
      const folder = yield* temporaryFolder
      const { origin, posted } = yield* webhookServer(204)
      const settings = { NOTIFY_WEBHOOK_URL: `${origin}/${TOKEN}` }
      const always = [...synthetic, "--notify", "always"]
      const dry = yield* run([...always, "--dry-run"], { folder, env: settings })
      assert.equal(dry.code, 0, dry.stderr)
      assert.equal(posted.length, 0)
      const landed = yield* run(always, { folder, env: settings })
      assert.equal(landed.code, 0, landed.stderr)
      assert.equal(posted.length, 1)
      const told = JSON.parse(posted[0]?.body ?? "")
      assert.equal(told.landed.length + told.empty.length, 2)
      assert.equal(told.exitCode, 0)
    })
  )

  it.scopedLive("hears from status that there are gaps", () =>
    Effect.gen(function* () {
      const folder = yield* temporaryFolder
      const { origin, posted } = yield* webhookServer(200)
      const hook = ["--webhook", `${origin}/${TOKEN}`]
      const { code } = yield* run(["status", "--dev", ...HOURS, ...hook], { folder })
      assert.equal(code, 3)
      const { command, exitCode, totals } = JSON.parse(posted[0]?.body ?? "")
      assert.deepEqual([command, exitCode, totals.gap], ["status", 3, 2])
    })
  )

  it.scopedLive("causes a warning with its host only if it fails, and changes no exit code", () =>
    Effect.gen(function* () {
      const folder = yield* temporaryFolder
      const elsewhere = yield* webhookServer(200)
      const broken = yield* webhookServer(500)
      const moved = yield* webhookServer(307, { Location: elsewhere.origin })
      for (const [origin, said] of [
        [broken.origin, /WARN.*webhook at 127.0.0.1:\d+: Rejected: .*HTTP 500/],
        [moved.origin, /WARN.*Redirected: .*HTTP 307/],
        ["http://127.0.0.1:9", /WARN.*webhook at 127.0.0.1:9: Unavailable: .*ECONNREFUSED/]
      ] as const) {
        const hook = ["--webhook", `${origin}/${TOKEN}`, "--notify", "always"]
        const { code, stderr, stdout } = yield* run([...synthetic, ...hook], { folder })
        assert.equal(code, 0, stderr)
        assert.match(stderr, said)
        assert.ok(!(stdout + stderr).includes("s3cr3t"))
      }
      assert.deepEqual([broken.posted.length, moved.posted.length], [1, 1])
      assert.deepEqual(elsewhere.posted, [])
    })
  )

  it.scopedLive("receives the end by a signal, and is not waited for if it does not answer", () =>
    Effect.gen(function* () {
      const folder = yield* temporaryFolder
      const { origin, posted } = yield* webhookServer(undefined)
      const server = yield* scriptedServer([silence])
      const source = ["--amplitude-url", server.origin, ...HOURS]
      const hook = ["--webhook", `${origin}/${TOKEN}`]
      const program = yield* start(["all", "--dev", ...source, ...hook], { folder, env })
      yield* Effect.promise(() => server.received(1))
      const begun = performance.now()
      program.kill("SIGTERM")
      const { code, stderr } = yield* Effect.promise(() => program.ended)
      assert.equal(code, 143, stderr)
      assert.ok(performance.now() - begun < 8000)
      assert.match(stderr, /WARN.*TimedOut: no answer within 2 seconds/)
      const { exitCode, error, text, landed } = JSON.parse(posted[0]?.body ?? "")
      assert.deepEqual([exitCode, error.error, landed], [143, "Interrupted", []])
      assert.match(text, /exit code 143, terminated/)
    })
  )

  it.scopedLive(
    "is refused if its URL is unsafe, as is --notify without one; the URL is not repeated",
    () =>
      Effect.gen(function* () {
        const folder = yield* temporaryFolder
        for (const [args, said] of [
          [["--webhook", `http://hooks.test/${TOKEN}`], /--webhook is not .*https, or plain http/],
          [["--webhook", `ftp://127.0.0.1/${TOKEN}`], /--webhook is not .*https, or plain http/],
          [["--webhook", `https://s3cr3t:x@hooks.test/`], /--webhook is not .*user or password/],
          [["--webhook", `${TOKEN}`], /--webhook is not a webhook URL/],
          [
            ["--notify", "always"],
            /--notify has no effect without a webhook: use --webhook, or set NOTIFY_WEBHOOK_URL/
          ]
        ] as const) {
          const { code, stderr } = yield* run([...synthetic, ...args], { folder })
          assert.equal(code, 2, stderr)
          assert.match(stderr, said)
          assert.ok(!stderr.includes("s3cr3t"), stderr)
        }
        assert.deepEqual(yield* pathsBelow(folder), [])
      })
  )
})
