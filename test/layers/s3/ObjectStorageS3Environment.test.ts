import { execFile } from "node:child_process"
import { createServer } from "node:http"
import { mkdtemp, rm, writeFile } from "node:fs/promises"
import { type AddressInfo, connect } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { Duplex } from "node:stream"
import { fileURLToPath } from "node:url"
import { describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { build } from "rolldown"
import { afterAll, assert, beforeAll } from "vitest"
import { isLong } from "../../fixtures/long.ts"
import * as S3Server from "../../fixtures/s3/s3Server.ts"
import { selfSigned } from "../../fixtures/servers/selfSigned.ts"

const CHILD = fileURLToPath(new URL("../../fixtures/s3/s3Child.mjs", import.meta.url))

/** The child in few files: to load the SDK from its own takes each process a second. */
let bundle = ""
beforeAll(async () => {
  bundle = await mkdtemp(join(tmpdir(), "amplitude-lake-"))
  const output = { dir: bundle, entryFileNames: "[name].mjs", chunkFileNames: "[name].mjs" }
  await build({ input: { child: CHILD }, platform: "node", output })
}, 60_000)
afterAll(() => rm(bundle, { recursive: true }))

/**
 * Runs the store in a process of its own, whose environment holds what is given and no trace of
 * this machine's AWS.
 */
const run = (environment: Readonly<Record<string, string>>) =>
  Effect.async<{ readonly result: unknown; readonly stderr: string }>((resume) => {
    const own = Object.entries(process.env).filter(([name]) => !name.startsWith("AWS_"))
    const env = {
      ...Object.fromEntries(own),
      AWS_EC2_METADATA_DISABLED: "true",
      AWS_CONFIG_FILE: "/nonexistent",
      AWS_SHARED_CREDENTIALS_FILE: "/nonexistent",
      ...environment
    }
    execFile(process.execPath, [join(bundle, "child.mjs")], { env }, (error, stdout, stderr) =>
      resume(
        error === null
          ? Effect.succeed({ result: JSON.parse(stdout) as unknown, stderr })
          : Effect.die(error)
      )
    )
  })

const PAIR = { AWS_ACCESS_KEY_ID: "AKTEST", AWS_SECRET_ACCESS_KEY: "SKTEST" }

const serverIn = (region: string) => S3Server.make({ buckets: { lake: region } })

/** A file that is gone with the test. */
const fileOf = (text: string) =>
  Effect.map(
    Effect.acquireRelease(
      Effect.promise(async () => {
        const folder = await mkdtemp(join(tmpdir(), "amplitude-lake-"))
        const path = join(folder, "file")
        await writeFile(path, text)
        return { folder, path }
      }),
      ({ folder }) => Effect.promise(() => rm(folder, { recursive: true }))
    ),
    ({ path }) => path
  )

/** A proxy that wants a user, and connects every name to one port of this machine. */
const proxyTo = (port: number) =>
  Effect.acquireRelease(
    Effect.async<{ readonly url: string; readonly asked: Array<string>; close(): void }>(
      (resume) => {
        const asked: Array<string> = []
        const sockets = new Set<Duplex>()
        const server = createServer().on("connect", ({ headers, url = "" }, socket) => {
          asked.push(url)
          const user = Buffer.from("user:pass word").toString("base64")
          if (headers["proxy-authorization"] !== `Basic ${user}`) {
            socket.end("HTTP/1.1 407 Proxy Authentication Required\r\n\r\n")
            return
          }
          const through = connect(port, "127.0.0.1", () => {
            socket.write("HTTP/1.1 200 Connection established\r\n\r\n")
            through.pipe(socket)
            socket.pipe(through)
          })
          for (const end of [socket, through]) sockets.add(end.on("error", () => end.destroy()))
        })
        server.listen(0, "127.0.0.1", () => {
          const url = `127.0.0.1:${(server.address() as AddressInfo).port}`
          const close = () => {
            for (const socket of sockets) socket.destroy()
            server.close()
          }
          resume(Effect.succeed({ url, asked, close }))
        })
      }
    ),
    (proxy) => Effect.sync(() => proxy.close())
  )

describe("ObjectStorageS3, told by the environment alone", () => {
  it.scoped("finds endpoint, keys and region there, and prints nothing", () =>
    Effect.gen(function* () {
      const { url, buckets } = yield* serverIn("eu-central-1")
      for (const name of ["AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"]) {
        buckets.get("lake")?.objects.clear()
        const asked = yield* run({ ...PAIR, [name]: url, AWS_REGION: "eu-central-1" })
        assert.deepStrictEqual(asked, { result: true, stderr: "" })
      }
    })
  )

  it.scoped.runIf(isLong)("finds the region from the bucket if none is set", () =>
    Effect.gen(function* () {
      const { requests, url } = yield* serverIn("eu-north-1")
      const asked = yield* run({ ...PAIR, AWS_ENDPOINT_URL_S3: url })
      assert.deepStrictEqual(asked, { result: true, stderr: "" })
      assert.strictEqual(requests[0]?.operation, "HeadBucket")
    })
  )

  it.scoped.runIf(isLong)(
    "follows a profile, to its keys, region and endpoint, and prints nothing of other keys",
    () =>
      Effect.gen(function* () {
        const { requests, url } = yield* serverIn("eu-west-3")
        const asked = yield* run({
          AWS_ACCESS_KEY_ID: "AKOTHER",
          AWS_SECRET_ACCESS_KEY: "other",
          AWS_PROFILE: "lake",
          AWS_CONFIG_FILE: yield* fileOf(
            `[profile lake]\nregion = eu-west-3\nservices = local\n[services local]\ns3 =\n  endpoint_url = ${url}\n`
          ),
          AWS_SHARED_CREDENTIALS_FILE: yield* fileOf(
            "[lake]\naws_access_key_id = AKTEST\naws_secret_access_key = SKTEST\n"
          )
        })
        assert.deepStrictEqual(asked, { result: true, stderr: "" })
        assert.isFalse(requests.some(({ operation }) => operation === "HeadBucket"))
      })
  )

  it.scoped.runIf(isLong)("says where it looked if there are no credentials", () =>
    Effect.gen(function* () {
      const { requests, url } = yield* serverIn("us-east-1")
      const { result, stderr } = yield* run({ AWS_ENDPOINT_URL_S3: url })
      assert.include(JSON.stringify(result), "No AWS credentials found")
      assert.strictEqual(stderr, "")
      assert.deepStrictEqual(requests, [])
    })
  )

  it.scoped.runIf(isLong)("prints nothing when it fails, either", () =>
    Effect.gen(function* () {
      const { setPlan, url } = yield* serverIn("us-east-1")
      setPlan(({ operation }) =>
        operation === "PutObject" ? { do: "answer", status: 503, code: "SlowDown" } : undefined
      )
      const { result, stderr } = yield* run({ ...PAIR, AWS_ENDPOINT_URL_S3: url })
      assert.include(JSON.stringify(result), "Unavailable")
      assert.strictEqual(stderr, "")
    })
  )

  it.scoped.runIf(isLong)(
    "uses the proxy of the environment, and bypasses it for hosts in NO_PROXY",
    () =>
      Effect.gen(function* () {
        const tls = selfSigned(["s3.lake.test"])
        const { requests, url } = yield* S3Server.make({ buckets: { lake: "us-east-1" }, tls })
        const proxy = yield* proxyTo(Number(new URL(url).port))
        const environment = {
          ...PAIR,
          AWS_ENDPOINT_URL_S3: "https://s3.lake.test",
          AWS_REGION: "us-east-1",
          HTTPS_PROXY: `http://user:pass%20word@${proxy.url}`,
          NODE_EXTRA_CA_CERTS: yield* fileOf(tls.cert)
        }
        assert.deepStrictEqual(yield* run(environment), { result: true, stderr: "" })
        assert.deepStrictEqual(new Set(proxy.asked), new Set(["s3.lake.test:443"]))
        assert.isAtLeast(requests.length, 4)

        const stranger = yield* run({ ...environment, HTTPS_PROXY: `http://${proxy.url}` })
        assert.include(JSON.stringify(stranger.result), "HTTP 407")
        const asked = proxy.asked.length
        const around = yield* run({ ...environment, NO_PROXY: "other.test, .lake.test" })
        assert.include(JSON.stringify(around.result), "Unavailable")
        assert.strictEqual(proxy.asked.length, asked)

        const untrusted = yield* run({
          ...environment,
          NODE_EXTRA_CA_CERTS: "",
          NODE_TLS_REJECT_UNAUTHORIZED: "0"
        })
        assert.include(JSON.stringify(untrusted.result), "NODE_EXTRA_CA_CERTS")
      })
  )
})
