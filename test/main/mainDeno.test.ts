import assert from "node:assert/strict"
import * as fs from "node:fs/promises"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { describe, it } from "@effect/vitest"
import { Effect, Option } from "effect"
import { deno } from "../fixtures/process/deno.ts"
import { liveRun, pathsBelow, temporaryFolder } from "../fixtures/disk.ts"
import { archive, HOUR, lines } from "../fixtures/archive/largeArchive.ts"
import { run, start, startSimulator } from "../fixtures/process/program.ts"
import * as S3Server from "../fixtures/s3/s3Server.ts"
import { answer, scriptedServer } from "../fixtures/servers/scriptedServer.ts"

const DIST = fileURLToPath(new URL("../../dist", import.meta.url))
const KEYS = { AMP_API_KEY: "key", AMP_SECRET_KEY: "secret" }
const FOLDERS = ".amplitude-lake,data,s3_dev"

interface Granted {
  readonly net: string
  readonly env?: ReadonlyArray<string>
}

/** The README's least set for these hosts and variables. */
function runtime({ net, env = Object.keys(KEYS) }: Granted) {
  return [
    Option.getOrThrow(deno),
    "run",
    "--no-prompt",
    `--allow-read=${DIST},.env,${FOLDERS}`,
    `--allow-write=${FOLDERS}`,
    `--allow-net=${net}`,
    "--allow-sys=osRelease,statfs",
    "--ignore-env",
    `--allow-env=${env.join()}`
  ] as const
}

const hostOf = (origin: string) => new URL(origin).host

/** What a run holds while it lives. */
const held = (paths: ReadonlyArray<string>) =>
  paths.filter((path) => /\.(zip|part)$|runs\/./.test(path))

const name = Option.match(deno, {
  onNone: () => "amplitude-lake under Deno, whose binary is not installed: skipped",
  onSome: () => "amplitude-lake under Deno"
})

describe.skipIf(Option.isNone(deno))(name, () => {
  it.scoped("lands a large archive, which a worker thread unpacks", () =>
    Effect.gen(function* () {
      const [folder, elsewhere] = [yield* temporaryFolder, yield* temporaryFolder]
      const { origin } = yield* scriptedServer([answer(200, { body: archive })])
      const audit = join(elsewhere, "audit.jsonl")
      const debug = ["--log-level", "debug"]
      const ended = yield* run(["all", "--dev", ...HOUR, "--amplitude-url", origin, ...debug], {
        folder,
        env: { ...KEYS, DENO_AUDIT_PERMISSIONS: audit },
        runtime: runtime({ net: hostOf(origin) })
      })
      assert.equal(ended.code, 0, ended.stderr)
      const landed = join(folder, "s3_dev/python-import/2025-11-10_05.jsonl")
      assert.ok((yield* Effect.promise(() => fs.readFile(landed, "utf8"))) === lines)
      const asked = yield* Effect.promise(() => fs.readFile(audit, "utf8"))
      // For the thread and then by it: where there may be none, the archive is digested without.
      assert.equal(asked.match(/program\/worker\.js"/g)?.length, 2)
      assert.doesNotMatch(
        ended.stderr,
        /ahead of its landing/,
        "the thread could not write the hour"
      )
      assert.deepEqual(held(yield* pathsBelow(folder)), [])
    })
  )

  it.scoped("lands the hours that simulate serves in S3", () =>
    Effect.gen(function* () {
      const folder = yield* temporaryFolder
      const s3 = yield* S3Server.make({ buckets: { lake: "eu-west-2" } })
      const simulator = yield* startSimulator(["--events-per-hour", "20"], {
        folder,
        env: KEYS,
        runtime: runtime({ net: "127.0.0.1" })
      })
      const env = {
        ...KEYS,
        AMPLITUDE_URL: simulator.origin,
        AWS_ACCESS_KEY_ID: "AKTEST",
        AWS_SECRET_ACCESS_KEY: "SKTEST",
        AWS_REGION: "eu-west-2",
        AWS_BUCKET_NAME: "lake",
        AWS_ENDPOINT_URL_S3: s3.url
      }
      const lake = (...hosts: ReadonlyArray<string>) => {
        const granted = {
          net: hosts.map(hostOf).join(),
          env: [...Object.keys(env), "HOME"]
        }
        return run(["all", ...HOUR, "--retries", "0"], { folder, env, runtime: runtime(granted) })
      }
      const refused = yield* lake(simulator.origin)
      assert.equal(refused.code, 7, refused.stderr)
      assert.match(refused.stderr, /is not permitted here/)
      const ended = yield* lake(simulator.origin, s3.url)
      assert.equal(ended.code, 0, ended.stderr)
      assert.ok(s3.buckets.get("lake")?.objects.has("python-import/2025-11-10_05.jsonl"))
      simulator.kill("SIGTERM")
      assert.equal((yield* Effect.promise(() => simulator.ended)).code, 143)
    })
  )

  it.scoped("names the folder, file or host that it has no permission for", () =>
    Effect.gen(function* () {
      const [folder, elsewhere] = [yield* temporaryFolder, yield* temporaryFolder]
      const lake = (...args: ReadonlyArray<string>) =>
        run(["all", "--dev", ...HOUR, ...args], {
          folder,
          env: KEYS,
          runtime: runtime({ net: "127.0.0.1" })
        })
      const store = yield* lake("--local-dir", elsewhere)
      assert.equal(store.code, 7)
      assert.match(store.stderr, /AccessDenied: Requires read access to .*--allow-read/)
      const file = yield* lake("--env-file", join(elsewhere, "cert.pem"))
      assert.equal(file.code, 2)
      assert.match(
        file.stderr,
        /cannot read the env file .*: Requires read access to .*--allow-read/
      )
      const host = yield* lake()
      assert.equal(host.code, 3)
      assert.match(host.stderr, /Rejected: a connection to analytics\.eu\..* is not permitted here/)
    })
  )

  it.scoped("cleans up on SIGTERM and exits 143", () =>
    Effect.gen(function* () {
      const folder = yield* temporaryFolder
      const body = archive.subarray(0, archive.length / 2)
      const { origin, received } = yield* scriptedServer([
        answer(200, { body, length: archive.length, ending: "silence" })
      ])
      const program = yield* start(["all", "--dev", ...HOUR, "--amplitude-url", origin], {
        folder,
        env: KEYS,
        runtime: runtime({ net: hostOf(origin) })
      })
      yield* Effect.promise(() => Promise.race([received(1), program.ended]))
      program.kill("SIGTERM")
      const ended = yield* Effect.promise(() => program.ended)
      assert.equal(ended.code, 143, ended.stderr)
      assert.match(ended.stderr, /Interrupted\. Partial work is cleaned up/)
      assert.deepEqual(held(yield* pathsBelow(folder)), [])
    })
  )

  it.scoped("takes nothing over from another run until that was inactive for half an hour", () =>
    Effect.gen(function* () {
      const folder = yield* temporaryFolder
      const [, pid] = (yield* liveRun).split("~")
      // Of runs under Deno, which may ask for no other process, whether one lives or not.
      const runs = [`hidden~${pid}`, "hidden~4194305"].map((name) =>
        join(folder, "data/.amplitude-lake/runs", `${name}~0~0123456789ab`)
      )
      for (const path of runs) {
        yield* Effect.promise(() => fs.mkdir(path, { recursive: true }))
        yield* Effect.promise(() => fs.writeFile(join(path, "0"), "draft"))
      }
      const clean = run(["clean", "--dev"], { folder, runtime: runtime({ net: "127.0.0.1" }) })
      assert.deepEqual([(yield* clean).stdout, runs.length], ["Nothing to clean.\n", 2])
      assert.equal(held(yield* pathsBelow(folder)).length, 4)
      yield* Effect.promise(() => Promise.all(runs.map((path) => fs.utimes(path, 1000, 1000))))
      assert.match((yield* clean).stdout, /^removed 2 items/m)
      assert.deepEqual(held(yield* pathsBelow(folder)), [])
    })
  )
})
