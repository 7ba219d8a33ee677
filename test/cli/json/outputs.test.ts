import assert from "node:assert/strict"
import { existsSync, readdirSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { describe, it } from "@effect/vitest"
import { Effect, Either, Fiber } from "effect"
import { runCommand } from "../../../src/cli/commands/runCommand.ts"
import { jsonCommands } from "../../../src/cli/json/outputs.ts"
import { type CommandLine, readCommandLine } from "../../../src/cli/settings/commandLine.ts"
import { resolveSettings } from "../../../src/cli/settings/resolve.ts"
import { withLogs } from "../../../src/cli/terminal/logging.ts"
import { temporaryFolder } from "../../fixtures/disk.ts"
import { isLong } from "../../fixtures/long.ts"
import { run } from "../../fixtures/process/program.ts"
import { assertPrinted, assertPublished } from "../../fixtures/shown/publishedSchemas.ts"
import { snowflakeAccount } from "../../fixtures/snowflake/account.ts"
import { ADMIN } from "../../fixtures/snowflake/catalog.ts"
import { scriptedServer, silence } from "../../fixtures/servers/scriptedServer.ts"
import * as S3Server from "../../fixtures/s3/s3Server.ts"

const NOW = "2025-11-12T12:00:00Z"
const DATES = ["--start-date", "2025-11-10T20", "--end-date", "2025-11-10T23"]
const SYNTHETIC = ["--source", "synthetic", "--events-per-hour", "20"]
const ROLE_ARN = "arn:aws:iam::111122223333:role/snowflake-reader"
const HOUR = "2025-11-10T21"

/** Keeps what is written to stdout meanwhile. */
const stdoutOf = <A, E, R>(self: Effect.Effect<A, E, R>) =>
  Effect.suspend(() => {
    const { write } = process.stdout
    let text = ""
    process.stdout.write = (chunk: string | Uint8Array, ...rest: ReadonlyArray<unknown>) => {
      text += String(chunk)
      for (const it of rest) if (typeof it === "function") it()
      return true
    }
    return self.pipe(
      Effect.map((code) => ({ code, text })),
      Effect.ensuring(
        Effect.sync(() => {
          process.stdout.write = write
        })
      )
    )
  })

/** A command of this process, without its log. */
const begun = (args: ReadonlyArray<string>, environment: Readonly<Record<string, string>> = {}) =>
  Effect.suspend(() => {
    const { command, flags } = readCommandLine(args) as CommandLine
    const sources = { flags, environment, file: {}, fileName: ".env", now: Date.parse(NOW) }
    const { settings } = Either.getOrThrowWith(
      resolveSettings(command, sources),
      (problems) => new Error(problems.join("\n"))
    )
    return runCommand(command, settings, {}, flags).pipe(
      withLogs({ logLevel: "none", logFormat: undefined }),
      Effect.orDie
    )
  })

/** What a command prints with `--json`, in this process, held against its JSON Schema. */
const printed = Effect.fn(function* (
  args: ReadonlyArray<string>,
  environment: Readonly<Record<string, string>> = {}
) {
  const { code, text } = yield* stdoutOf(begun([...args, "--json"], environment))
  assertPrinted(text, code)
  const fields = JSON.parse(text) as Readonly<Record<string, unknown>>
  const { command, lake } = assertPublished(fields)
  return { code, command, fields, lake }
})

describe("--json", () => {
  it.scopedLive("prints an error where nothing could be done, before or after it was begun", () =>
    Effect.gen(function* () {
      const folder = yield* temporaryFolder
      writeFileSync(join(folder, "file"), "")
      const dirs = ["--dev", "--local-dir", join(folder, "file")]
      const { code, fields } = yield* printed(["list", ...dirs])
      assert.ok(code > 0)
      assert.match((fields["error"] as { readonly error: string }).error, /^ObjectStorageError\./)
      assert.equal(fields["exitCode"], code)

      writeFileSync(join(folder, ".env"), "no line\n", { mode: 0o600 })
      const status = ["status", "--dev", "--json"]
      for (const [args, said] of [
        [status, /line 1/],
        [[...status, "--env-file", join(folder, "file"), "--lag-hours", "x"], /--lag-hours/]
      ] as const) {
        const ended = yield* run(args, { folder })
        const { error, lake } = JSON.parse(ended.stdout)
        assert.deepEqual([ended.code, lake, error.error], [2, null, "UsageError"])
        assert.match(error.message, said)
        assert.match(ended.stderr, /cannot run:\n.*\nNothing was changed/)
      }
      assert.equal((yield* run(["status", "--no-such-flag", "--json"], { folder })).stdout, "")
    })
  )

  it.scopedLive("prints an error if a signal ends a command that has nothing to report", () =>
    Effect.gen(function* () {
      const folder = yield* temporaryFolder
      const server = yield* scriptedServer([silence])
      const dirs = ["--dev", "--local-dir", folder, "--data-dir", folder, "--work-dir", folder]
      const args = [...dirs, "--amplitude-url", server.origin, "--now", NOW]
      const keys = { AMP_API_KEY: "key", AMP_SECRET_KEY: "secret" }
      const { text } = yield* stdoutOf(
        Effect.gen(function* () {
          const fiber = yield* Effect.fork(begun(["check", ...args, "--json"], keys))
          yield* Effect.promise(() => server.received(1))
          yield* Fiber.interrupt(fiber)
        })
      )
      assertPrinted(text, 130)
      assert.equal(JSON.parse(text).error.error, "Interrupted")
    })
  )

  it.scopedLive.runIf(isLong)(
    "prints what is published, from every command",
    () =>
      Effect.gen(function* () {
        const folder = yield* temporaryFolder
        const of = (lake: string, seed = "1") => {
          const dirs = [
            "--dev",
            "--local-dir",
            `${folder}/${lake}`,
            "--data-dir",
            `${folder}/${lake}.data`
          ]
          const work = ["--work-dir", `${folder}/${lake}.work`]
          return { dirs, work, source: [...SYNTHETIC, "--seed", seed, ...work, "--now", NOW] }
        }
        const { dirs, source, work } = of("lake")
        const seen = new Set<string>()
        const print = (
          args: ReadonlyArray<string>,
          environment?: Readonly<Record<string, string>>
        ) =>
          Effect.tap(printed(args, environment), ({ command, lake }) => {
            seen.add(command)
            const isLocal = environment === undefined
            const store = isLocal ? join(folder, "lake/python-import/") : "s3://lake/events/"
            assert.equal(lake?.store, store)
            assert.equal(lake?.prefix, isLocal ? "python-import/" : "events/")
          })

        assert.equal((yield* print(["fetch", ...dirs, ...source, ...DATES])).code, 0)
        assert.equal((yield* print(["sync", ...dirs, "--dry-run"])).fields["dryRun"], true)
        const { code, lake } = yield* print(["sync", ...dirs])
        assert.deepEqual([code, lake?.project], [0, "123456"])
        const planned = yield* print(["all", ...dirs, ...source, ...DATES, "--dry-run"])
        assert.deepEqual([planned.fields["dryRun"], planned.fields["missing"]], [true, []])
        const backfill = ["backfill", ...dirs, ...source, ...DATES]
        assert.equal((yield* print([...backfill, "--dry-run"])).fields["dryRun"], true)
        assert.equal((yield* print(backfill)).code, 0)
        assert.equal((yield* print(["list", ...dirs.slice(0, 3)])).code, 0)

        const objects = join(folder, "lake/python-import")
        const object = readdirSync(objects).find((name) => name.includes("_21"))
        rmSync(join(objects, object ?? ""))
        assert.equal((yield* print(["status", ...dirs, ...DATES, "--now", NOW])).code, 3)
        const listed = yield* print(["gaps", ...dirs, "--now", NOW])
        assert.deepEqual(listed.fields["acceptances"], [])
        const gap = ["--start-date", HOUR, "--end-date", HOUR, "--reason", "lost", "--now", NOW]
        const accepted = yield* print(["gaps", "accept", ...dirs, ...gap])
        const [{ name } = { name: "" }] = accepted.fields["accepted"] as ReadonlyArray<{
          readonly name: string
        }>
        assert.equal((yield* print(["gaps", "withdraw", name, ...dirs.slice(0, 3)])).code, 0)

        const { source: other } = of("lake", "2")
        assert.equal((yield* print(["all", ...dirs, ...other, ...DATES, "--recheck"])).code, 8)
        const checked = yield* print(["check", ...dirs, ...other])
        assert.equal(checked.code, 8)
        const conflicts = checked.fields["conflicts"] as ReadonlyArray<{ readonly hour: string }>
        const { hour } = conflicts[0] ?? { hour: "none" }
        const kept = yield* print(["resolve", hour, "--keep", "store", ...dirs, ...work])
        assert.equal(kept.code, 0)
        assert.equal((yield* print(["verify", ...dirs.slice(0, 3), "--now", NOW])).code, 8)
        const copied = ["--against", "--to-local-dir", join(folder, "other")]
        const compared = yield* print(["verify", ...dirs.slice(0, 3), ...copied, "--now", NOW])
        assert.ok("missingThere" in compared.fields)
        const copy = ["copy", ...dirs.slice(0, 3), "--to-prefix", "copy/"]
        assert.equal((yield* print(copy)).code, 8)
        const reland = ["reland", ...dirs, ...source, ...DATES, "--dry-run"]
        assert.equal((yield* print(reland)).code, 8)
        const redact = ["redact", ...dirs, ...work, "--user-id", "nobody"]
        const searched = yield* print(redact)
        assert.deepEqual([searched.fields["found"], searched.code], [[], 0])
        assert.equal(
          (yield* print(["snapshot", ...dirs.slice(0, 3), "--source", "synthetic"])).code,
          0
        )
        assert.equal((yield* print(["clean", ...dirs, ...work])).code, 0)

        const file = ["--warehouse-file", join(folder, "lake.duckdb")]
        assert.equal((yield* print(["load", ...dirs.slice(0, 3), ...file, "--dry-run"])).code, 0)
        assert.equal((yield* print(["load", ...dirs.slice(0, 3), ...file])).code, 8)
        // Without a store, there is no lake to name.
        const built = yield* printed(["model", ...file])
        seen.add(built.command)
        assert.deepEqual(
          [built.code, built.lake],
          [existsSync("dbt/compiled/plan.json") ? 0 : 2, null]
        )
        const reported = yield* printed(["report", ...file, "--out", join(folder, "report.html")])
        seen.add(reported.command)
        assert.equal(reported.code, built.code)
        const exported = yield* printed(["export", ...file, "--to", join(folder, "parquet")])
        seen.add(exported.command)
        assert.equal(exported.code, built.code)
        const loads = ["--warehouse", ...file, "--now", NOW]
        const status = yield* print(["status", ...dirs, ...DATES, ...loads])
        assert.ok("warehouse" in status.fields)
        assert.ok("warehouse" in (yield* print(["verify", ...dirs.slice(0, 3), ...loads])).fields)
        assert.equal((yield* print(["config", ...dirs])).code, 0)

        const bucket = ["--bucket", "lake", "--prefix", "events/"]
        assert.equal((yield* print(["setup", "iam", ...bucket], {})).code, 0)
        const one = yield* print(["setup", "iam", ...bucket, "--only", "writer"], {})
        assert.deepEqual(Object.keys(one.fields["policies"] as object), ["writer"])
        const snowflake = ["setup", "snowflake", ...bucket, "--aws-role-arn", ROLE_ARN]
        const names = {
          SNOWFLAKE_WAREHOUSE: "LOADING",
          SNOWFLAKE_DATABASE: "AMPLITUDE_LAKE",
          SNOWFLAKE_SCHEMA: "AMPLITUDE"
        }
        const script = yield* print([...snowflake, "--print"], names)
        assert.ok((script.fields["statements"] as ReadonlyArray<string>).length > 20)
        const { server } = yield* snowflakeAccount({ isNew: true })
        const token = { SNOWFLAKE_TOKEN: "canary", SNOWFLAKE_ROLE: ADMIN }
        const account = {
          ...names,
          ...token,
          SNOWFLAKE_ACCOUNT: "myorg-lake",
          SNOWFLAKE_HOST: server.origin
        }
        assert.equal((yield* print(snowflake, account)).code, 7)

        const { url } = yield* S3Server.make({ buckets: { lake: "eu-west-2" } })
        const keys = { AWS_ACCESS_KEY_ID: "AKTEST", AWS_SECRET_ACCESS_KEY: "SKTEST" }
        const aws = { ...keys, AWS_ENDPOINT_URL_S3: url, AWS_REGION: "eu-west-2" }
        // In a process of its own, whose environment the SDK reads.
        const args = ["setup", "bucket", ...bucket, "--json"]
        const { code: differs, stdout } = yield* run(args, { folder, env: aws })
        const setup = assertPublished(JSON.parse(stdout))
        seen.add(setup.command)
        assert.deepEqual([differs, setup.lake?.store], [3, "s3://lake/events/"])

        assert.deepEqual([...seen].sort(), [...jsonCommands].sort())
      }),
    240_000
  )
})
