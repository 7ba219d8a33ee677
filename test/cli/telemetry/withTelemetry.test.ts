import assert from "node:assert/strict"
import { execFile } from "node:child_process"
import * as fs from "node:fs/promises"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"
import { it } from "@effect/vitest"
import { Effect } from "effect"
import { describe } from "vitest"
import { temporaryFolder } from "../../fixtures/disk.ts"
import { isLong } from "../../fixtures/long.ts"
import { type OtlpReceiver, otlpReceiver } from "../../fixtures/servers/otlpReceiver.ts"
import { run, start } from "../../fixtures/process/program.ts"
import { answer, scriptedServer, silence } from "../../fixtures/servers/scriptedServer.ts"

const env = { AMP_API_KEY: "key", AMP_SECRET_KEY: "secret" }
const HOURS = ["--start-date", "2025-11-10T20", "--end-date", "2025-11-10T21"]
const synthetic = ["all", "--dev", "--source", "synthetic", "--events-per-hour", "20", ...HOURS]
const DIST = fileURLToPath(new URL("../../../dist", import.meta.url))

const sumOf = ({ points }: OtlpReceiver, name: string, attributes: object = {}) =>
  points()
    .filter((it) => it.name === `amplitude_lake.${name}` && it.kind === "sum")
    .filter((it) =>
      Object.entries(attributes).every(([key, value]) => it.attributes[key] === value)
    )
    .reduce((total, { value }) => total + value, 0)

const named = ({ spans }: OtlpReceiver, name: string) =>
  spans().filter((span) => span.name === `amplitude_lake.${name}`)

describe("OpenTelemetry", { concurrent: true }, () => {
  for (const protocol of [undefined, "http/json"]) {
    it.scopedLive.runIf(isLong || protocol === undefined)(
      `receives a run as one trace with its metrics, by ${protocol ?? "protobuf"}`,
      () =>
        Effect.gen(function* () {
          const folder = yield* temporaryFolder
          const receiver = yield* otlpReceiver()
          const ended = yield* run([...synthetic, "--json"], {
            folder,
            env: {
              OTEL_EXPORTER_OTLP_ENDPOINT: `${receiver.origin}/base`,
              ...(protocol === undefined ? {} : { OTEL_EXPORTER_OTLP_PROTOCOL: protocol })
            }
          })
          assert.equal(ended.code, 0, ended.stderr)
          assert.doesNotMatch(ended.stderr, /WARN|telemetry/)
          const summary = JSON.parse(ended.stdout)
          assert.deepEqual(
            new Set(receiver.posts.map(({ path }) => path)),
            new Set(["/base/v1/traces", "/base/v1/metrics"])
          )
          const type = protocol === undefined ? "application/x-protobuf" : "application/json"
          for (const { headers } of receiver.posts) assert.equal(headers["content-type"], type)

          const [root, ...roots] = named(receiver, "run")
          assert.ok(root)
          assert.deepEqual(roots, [])
          assert.equal(root.parentSpanId, "")
          const { run: id, ...attributes } = root.attributes
          assert.ok(ended.stderr.includes(`run=${id}`))
          assert.deepEqual(attributes, { command: "all", exit_code: 0 })

          const spans = receiver.spans()
          const inside = spans.filter((span) => span !== root && span.spanId !== root.spanId)
          assert.deepEqual(inside.map(({ name }) => name.slice(15)).sort(), [
            "put",
            "put",
            "request",
            "unpack"
          ])
          for (const span of spans) {
            assert.match(span.traceId, /^[0-9a-f]{32}$/)
            assert.match(span.spanId, /^[0-9a-f]{16}$/)
            assert.equal(span.traceId, root.traceId)
            assert.deepEqual(span.status, { code: 1, message: "" })
            assert.ok(span.nanoseconds > 0n && span.nanoseconds <= root.nanoseconds)
          }
          for (const span of inside) assert.equal(span.parentSpanId, root.spanId)
          const window = "2025-11-10T20..2025-11-10T21"
          const [request, unpack] = [named(receiver, "request")[0], named(receiver, "unpack")[0]]
          assert.ok(request && unpack)
          const size = request.attributes["bytes"]
          assert.ok(Number(size) > 0)
          assert.deepEqual(request.attributes, { window, attempt: 1, bytes: size })
          assert.deepEqual([request.kind, unpack.kind], [3, 1])
          assert.deepEqual(unpack.attributes, {
            window,
            bytes: size,
            hours: 1,
            events: summary.events
          })
          const put = named(receiver, "put").find(
            ({ attributes }) => attributes["hour"] === "2025-11-10T21"
          )
          assert.deepEqual(put?.attributes, {
            hour: "2025-11-10T21",
            key: "2025-11-10_21.jsonl",
            bytes: summary.bytes,
            events: summary.events,
            attempt: 1
          })

          assert.equal(sumOf(receiver, "hours", { outcome: "landed" }), 1)
          assert.equal(sumOf(receiver, "hours", { outcome: "empty" }), 1)
          assert.equal(sumOf(receiver, "events"), summary.events)
          assert.equal(sumOf(receiver, "bytes"), summary.bytes)
          for (const { name } of receiver.points()) assert.match(name, /^amplitude_lake\./)
          for (const { body } of receiver.posts)
            assert.ok(!body.toString("latin1").includes("file:"))
          for (const resource of receiver.resources()) {
            assert.equal(resource["service.name"], "amplitude-lake")
            assert.match(String(resource["service.version"]), /^\d+\.\d+\.\d+$/)
          }
        })
    )
  }

  it.scopedLive.runIf(isLong)(
    "receives why a run failed and each of its attempts, with the variables of the env file",
    () =>
      Effect.gen(function* () {
        const folder = yield* temporaryFolder
        const receiver = yield* otlpReceiver()
        const { origin } = yield* scriptedServer([answer(503), answer(503)])
        const lines = [
          `OTEL_EXPORTER_OTLP_ENDPOINT=${receiver.origin}`,
          "OTEL_EXPORTER_OTLP_HEADERS=x-team=s3cr3t%2Ftoken%3D,x-more=2",
          "OTEL_RESOURCE_ATTRIBUTES=service.name=no,deployment.environment.name=prod%20eu",
          "OTEL_SERVICE_NAME=overridden"
        ]
        yield* Effect.promise(() =>
          fs.writeFile(join(folder, ".env"), lines.join("\n"), { mode: 0o600 })
        )
        const source = ["all", "--dev", "--amplitude-url", origin, ...HOURS]
        const { code, stderr } = yield* run([...source, "--retries", "1", "--retry-base-ms", "1"], {
          folder,
          env: { ...env, OTEL_SERVICE_NAME: "lake" }
        })
        assert.equal(code, 5, stderr)
        assert.ok(!stderr.includes("s3cr3t"))
        for (const { headers } of receiver.posts) {
          assert.deepEqual([headers["x-team"], headers["x-more"]], ["s3cr3t/token=", "2"])
        }
        for (const resource of receiver.resources()) {
          assert.equal(resource["service.name"], "lake")
          assert.equal(resource["deployment.environment.name"], "prod eu")
        }
        const requests = named(receiver, "request")
        assert.deepEqual(
          requests.map(({ attributes }) => attributes["attempt"]),
          [1, 2]
        )
        for (const { attributes, events, status } of requests) {
          assert.equal(attributes["error.type"], "AmplitudeError.Unavailable")
          assert.equal(status.code, 2)
          assert.match(status.message, /^Cannot export .*HTTP 503/)
          assert.equal(events, 0)
          assert.ok(!("span.label" in attributes) && !("status.interrupted" in attributes))
        }
        const [root] = named(receiver, "run")
        assert.deepEqual(root?.status, { code: 2, message: "exit code 5" })
        assert.equal(root?.attributes["exit_code"], 5)
        assert.equal(sumOf(receiver, "failures", { error: "AmplitudeError.Unavailable" }), 2)
        assert.equal(sumOf(receiver, "hours", { outcome: "failed" }), 2)
        assert.equal(sumOf(receiver, "retries"), 1)
      })
  )

  it.scopedLive.runIf(isLong)("receives a run that a signal ended", () =>
    Effect.gen(function* () {
      const folder = yield* temporaryFolder
      const receiver = yield* otlpReceiver()
      const server = yield* scriptedServer([silence])
      const source = ["all", "--dev", "--amplitude-url", server.origin, ...HOURS]
      const program = yield* start(source, {
        folder,
        env: { ...env, OTEL_EXPORTER_OTLP_ENDPOINT: receiver.origin }
      })
      yield* Effect.promise(() => server.received(1))
      program.kill("SIGTERM")
      const { code, stderr } = yield* Effect.promise(() => program.ended)
      assert.equal(code, 143, stderr)
      for (const name of ["run", "request"]) {
        const [span] = named(receiver, name)
        assert.deepEqual(span?.status, { code: 2, message: "Interrupted" })
        assert.equal(span?.attributes["error.type"], "Interrupted")
      }
    })
  )

  it.scopedLive.runIf(isLong)(
    "causes one warning if it does not answer, a short wait, and no failure",
    () =>
      Effect.gen(function* () {
        const folder = yield* temporaryFolder
        const silent = yield* otlpReceiver("never")
        const cases = [
          [
            "http://127.0.0.1:9",
            /telemetry to 127.0.0.1:9: the connection failed \(ECONNREFUSED\)/
          ],
          [(yield* otlpReceiver(503)).origin, /telemetry to .*: it answered HTTP 503/],
          [(yield* otlpReceiver(307)).origin, /telemetry to .*: it answered HTTP 307/],
          [silent.origin, /telemetry to .*: no answer within 3 seconds/]
        ] as const
        yield* Effect.forEach(
          cases,
          Effect.fnUntraced(function* ([endpoint, said]) {
            const env = { OTEL_EXPORTER_OTLP_ENDPOINT: endpoint }
            const begun = performance.now()
            const { code, stderr } = yield* run(synthetic, { folder, env })
            assert.equal(code, 0, stderr)
            assert.match(stderr, said)
            assert.equal(stderr.match(/WARN/g)?.length, 1, stderr)
            assert.ok(performance.now() - begun < 25_000)
          }),
          { concurrency: cases.length, discard: true }
        )
      })
  )

  it.scopedLive.runIf(isLong)(
    "receives nothing from a dry run, if it is disabled, or without an endpoint",
    () =>
      Effect.gen(function* () {
        const folder = yield* temporaryFolder
        const receiver = yield* otlpReceiver()
        const settings = { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.origin }
        assert.equal((yield* run([...synthetic, "--dry-run"], { folder, env: settings })).code, 0)
        const disabled = { ...settings, OTEL_SDK_DISABLED: "true" }
        assert.equal((yield* run(synthetic, { folder, env: disabled })).code, 0)
        assert.deepEqual(receiver.posts, [])

        const copy = join(folder, "dist")
        yield* Effect.promise(async () => {
          await fs.cp(DIST, copy, { recursive: true })
          await fs.writeFile(join(folder, "package.json"), '{"type":"module"}')
          await fs.rm(join(copy, "program", "otlp.js"))
          const args = [join(copy, "main.js"), ...synthetic, "--local-dir", "again"]
          await promisify(execFile)(process.execPath, args, { cwd: folder })
        })
      })
  )
})
