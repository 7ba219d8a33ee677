import assert from "node:assert/strict"
import { hostname } from "node:os"
import { it } from "@effect/vitest"
import { Effect } from "effect"
import { describe } from "vitest"
import { pathsBelow, temporaryFolder } from "../fixtures/disk.ts"
import { isLong } from "../fixtures/long.ts"
import { run, start } from "../fixtures/process/program.ts"
import { answer, scriptedServer, silence } from "../fixtures/servers/scriptedServer.ts"
import { webhookServer } from "../fixtures/servers/webhookServer.ts"

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
        const { text, host, ...printed } = JSON.parse(body)
        assert.deepEqual(printed, JSON.parse(failed.stdout))
        const { schema, command, run: id, version, lake } = printed
        assert.equal(
          text,
          "amplitude-lake all (s3_dev/python-import/): exit code 5, temporary: try again later; hours: 2 failed"
        )
        assert.deepEqual(lake, { store: "s3_dev/python-import/", prefix: "python-import/" })
        assert.equal(schema, 1)
        assert.equal(host, hostname())
        assert.equal(command, "all")
        assert.match(version, /^\d+\.\d+\.\d+$/)
        assert.ok(failed.stderr.includes(`run=${id}`))

        assert.equal((yield* run([...synthetic, ...hook], { folder })).code, 0)
        assert.equal(posted.length, 1)
      })
  )

  it.scopedLive.runIf(isLong)(
    "receives every result with --notify always, but none of a dry run",
    () =>
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
      const { command, exitCode, hours, text, totals } = JSON.parse(posted[0]?.body ?? "")
      assert.deepEqual([command, exitCode, totals.gap, hours], ["status", 3, 2, undefined])
      assert.match(text, /^amplitude-lake status \(s3_dev\/python-import\/\): exit code 3, /)
      assert.match(text, /; 2 hours missing$/)
    })
  )

  it.scopedLive.runIf(isLong)(
    "causes a warning with its host only if it fails, and changes no exit code",
    () =>
      Effect.gen(function* () {
        const folder = yield* temporaryFolder
        const elsewhere = yield* webhookServer(200)
        const broken = yield* webhookServer(500)
        const gone = yield* webhookServer(404)
        const moved = yield* webhookServer(307, { Location: elsewhere.origin })
        const failures = [
          [broken.origin, /WARN.*webhook at 127.0.0.1:\d+: Unavailable: .*HTTP 500/],
          [moved.origin, /WARN.*Redirected: .*HTTP 307/],
          [gone.origin, /WARN.*webhook at 127.0.0.1:\d+: Rejected: .*HTTP 404; check the URL/],
          ["http://127.0.0.1:9", /WARN.*webhook at 127.0.0.1:9: Unavailable: .*ECONNREFUSED/]
        ] as const
        for (const [origin, said] of isLong ? failures : failures.slice(0, 2)) {
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

  it.scopedLive.runIf(isLong)(
    "receives the end by a signal, and is not waited for if it does not answer",
    () =>
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
        assert.ok(performance.now() - begun < 10_000)
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
            /--notify has no effect without a webhook: use --webhook, or set AMPLITUDE_LAKE_WEBHOOK/
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

const PING = "ping/s3cr3t-uuid"

const paths = (posted: ReadonlyArray<{ readonly method: string; readonly path: string }>) =>
  posted.map(({ method, path }) => `${method} ${path}`)

describe("A heartbeat", { concurrent: true }, () => {
  it.scopedLive("requests its URL after a success, /fail after a failure, nothing if dry", () =>
    Effect.gen(function* () {
      const folder = yield* temporaryFolder
      const { origin, posted } = yield* webhookServer(200)
      const beat = ["--heartbeat", `${origin}/${PING}`]
      const dry = yield* run([...synthetic, ...beat, "--dry-run"], { folder })
      assert.equal(dry.code, 0, dry.stderr)
      assert.equal(posted.length, 0)
      const ended = yield* run([...synthetic, ...beat], { folder })
      assert.equal(ended.code, 0, ended.stderr)
      assert.deepEqual(paths(posted), [`GET /${PING}`])
      assert.deepEqual([posted[0]?.body, posted[0]?.contentType], ["", ""])

      const elsewhere = { folder: yield* temporaryFolder, env }
      const failed = yield* run([...(yield* refused), ...beat], elsewhere)
      assert.equal(failed.code, 5, failed.stderr)
      assert.deepEqual(paths(posted).slice(1), [`GET /${PING}/fail`])
      assert.doesNotMatch(failed.stdout + failed.stderr, /s3cr3t/)

      const settings = { HEARTBEAT_URL: `${origin}/${PING}/?create=1` }
      const status = ["status", "--dev", "--start-date", "2025-11-10T19", ...HOURS.slice(2)]
      assert.equal((yield* run(status, { folder, env: settings })).code, 3)
      assert.deepEqual(paths(posted).slice(2), [`GET /${PING}/fail?create=1`])
      const verify = ["verify", "--dev", ...HOURS]
      assert.equal((yield* run(verify, { folder, env: settings })).code, 0)
      assert.deepEqual(paths(posted).slice(3), [`GET /${PING}/?create=1`])
    })
  )

  it.scopedLive.runIf(isLong)(
    "causes a warning with its host only if it fails, and changes no exit code",
    () =>
      Effect.gen(function* () {
        const folder = yield* temporaryFolder
        const elsewhere = yield* webhookServer(200)
        const gone = yield* webhookServer(404)
        const moved = yield* webhookServer(302, { Location: elsewhere.origin })
        const failures = [
          [gone.origin, /WARN.*Cannot send the heartbeat to 127.0.0.1:\d+: Rejected: .*HTTP 404/],
          [moved.origin, /WARN.*Redirected: .*HTTP 302/],
          ["http://127.0.0.1:9", /WARN.*heartbeat to 127.0.0.1:9: Unavailable: .*ECONNREFUSED/]
        ] as const
        for (const [origin, said] of isLong ? failures : failures.slice(0, 2)) {
          const beat = ["--heartbeat", `${origin}/${PING}`]
          const { code, stderr, stdout } = yield* run([...synthetic, ...beat], { folder })
          assert.equal(code, 0, stderr)
          assert.match(stderr, said)
          assert.doesNotMatch(stdout + stderr, /s3cr3t/)
        }
        assert.deepEqual(elsewhere.posted, [])
        const unsafe = ["--heartbeat", `http://hooks.test/${PING}`]
        const { code, stderr } = yield* run([...synthetic, ...unsafe], { folder })
        assert.equal(code, 2)
        assert.match(stderr, /--heartbeat is not a heartbeat URL .*https, or plain http/)
        assert.doesNotMatch(stderr, /s3cr3t/)
      })
  )

  it.scopedLive.runIf(isLong)(
    "reports the end by a signal next to the webhook, and waits for neither",
    () =>
      Effect.gen(function* () {
        const folder = yield* temporaryFolder
        const { origin, posted } = yield* webhookServer(undefined)
        const server = yield* scriptedServer([silence])
        const source = ["--amplitude-url", server.origin, ...HOURS]
        const hooks = ["--webhook", `${origin}/${TOKEN}`, "--heartbeat", `${origin}/${PING}`]
        const program = yield* start(["all", "--dev", ...source, ...hooks], { folder, env })
        yield* Effect.promise(() => server.received(1))
        const begun = performance.now()
        program.kill("SIGTERM")
        assert.equal((yield* Effect.promise(() => program.ended)).code, 143)
        assert.ok(performance.now() - begun < 10_000)
        assert.deepEqual(paths(posted).sort(), [`GET /${PING}/fail`, `POST /${TOKEN}`])
      })
  )
})

describe("check --test-webhook", { concurrent: true }, () => {
  const check = ["check", "--dev", "--source", "synthetic"]

  it.scopedLive("posts one test message that names the lake, and nothing without the flag", () =>
    Effect.gen(function* () {
      const folder = yield* temporaryFolder
      const { origin, posted } = yield* webhookServer(200)
      const settings = { NOTIFY_WEBHOOK_URL: `${origin}/${TOKEN}` }
      const silent = yield* run(check, { folder, env: settings })
      assert.equal(silent.code, 0, silent.stderr)
      assert.doesNotMatch(silent.stdout, /webhook/)
      assert.equal(posted.length, 0)
      const tested = yield* run([...check, "--test-webhook"], { folder, env: settings })
      assert.equal(tested.code, 0, tested.stderr)
      assert.match(tested.stdout, /^ok +webhook +has accepted a test message$/m)
      assert.equal(posted.length, 1)
      const { text, command, lake, test } = JSON.parse(posted[0]?.body ?? "")
      assert.match(text, /^amplitude-lake check \(s3_dev\/python-import\/\): a test message/)
      assert.deepEqual([command, test], ["check", true])
      assert.deepEqual(lake, { store: "s3_dev/python-import/", prefix: "python-import/" })
    })
  )

  it.scopedLive.runIf(isLong)("exits 2 if it is refused, 5 if it may be delivered later", () =>
    Effect.gen(function* () {
      const folder = yield* temporaryFolder
      const answers = [
        [404, 2, "Rejected"],
        [503, 5, "Unavailable"],
        [302, 2, "Redirected"]
      ] as const
      for (const [status, expected, said] of isLong ? answers : answers.slice(0, 2)) {
        const { origin, posted } = yield* webhookServer(status)
        const hook = ["--webhook", `${origin}/${TOKEN}`]
        const { code, stdout } = yield* run([...check, "--test-webhook", ...hook], { folder })
        assert.equal(code, expected, stdout)
        assert.match(stdout, new RegExp(`^fail +webhook +Cannot post .*: ${said}: `, "m"))
        assert.doesNotMatch(stdout, /s3cr3t/)
        assert.equal(posted.length, 1)
      }
      const { code, stderr } = yield* run([...check, "--test-webhook"], { folder })
      assert.equal(code, 2)
      assert.match(
        stderr,
        /--test-webhook needs a webhook: use --webhook, or set AMPLITUDE_LAKE_WEBHOOK/
      )
    })
  )
})
