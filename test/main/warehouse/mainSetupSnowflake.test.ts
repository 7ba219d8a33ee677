import assert from "node:assert/strict"
import { chmod, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { temporaryFolder } from "../../fixtures/disk.ts"
import { isLong } from "../../fixtures/long.ts"
import { sha256Of } from "../../fixtures/newObject.ts"
import { run } from "../../fixtures/process/program.ts"
import * as S3Server from "../../fixtures/s3/s3Server.ts"
import {
  ACCOUNT,
  ENCRYPTED_KEY,
  PASSPHRASE,
  snowflakeAccount,
  USER
} from "../../fixtures/snowflake/account.ts"
import { ADMIN } from "../../fixtures/snowflake/catalog.ts"
import { CONTEXT } from "../../fixtures/snowflake/server.ts"

const ROLE_ARN = "arn:aws:iam::111122223333:role/snowflake-reader"
const NAMES = {
  SNOWFLAKE_WAREHOUSE: CONTEXT.warehouse,
  SNOWFLAKE_DATABASE: CONTEXT.database,
  SNOWFLAKE_SCHEMA: CONTEXT.schema
}

/** A bucket, and a Snowflake with nothing of a lake; a folder whose env file describes both. */
const workplace = Effect.gen(function* () {
  const folder = yield* temporaryFolder
  const s3 = yield* S3Server.make({ buckets: { lake: "eu-west-2" } })
  const { server } = yield* snowflakeAccount({
    isNew: true,
    prefix: "python-import/",
    objectAt: (name) => {
      const object = s3.buckets.get("lake")?.objects.get(name)
      return Promise.resolve(
        object && { bytes: object.bytes, etag: object.etag ?? sha256Of(object.bytes) }
      )
    }
  })
  const variables = {
    AWS_ACCESS_KEY_ID: "AKTEST",
    AWS_SECRET_ACCESS_KEY: "SKTEST",
    AWS_REGION: "eu-west-2",
    AWS_BUCKET_NAME: "lake",
    AWS_ENDPOINT_URL_S3: s3.url,
    ...NAMES,
    SNOWFLAKE_ACCOUNT: ACCOUNT,
    SNOWFLAKE_USER: USER,
    SNOWFLAKE_PRIVATE_KEY_PATH: "key.p8",
    SNOWFLAKE_PRIVATE_KEY_PASSPHRASE: PASSPHRASE,
    SNOWFLAKE_HOST: server.origin,
    AMPLITUDE_LAKE_AWS_ROLE_ARN: ROLE_ARN,
    AMPLITUDE_LAKE_PIPE: "true"
  }
  const lines = Object.entries(variables).map(([name, value]) => `${name}="${value}"`)
  const setEnv = (...more: ReadonlyArray<string>) =>
    Effect.promise(async () => {
      await writeFile(join(folder, ".env"), [...lines, ...more].join("\n"))
      await chmod(join(folder, ".env"), 0o600)
    })
  yield* Effect.promise(() => writeFile(join(folder, "key.p8"), ENCRYPTED_KEY, { mode: 0o600 }))
  yield* setEnv()
  const as = (role: string, ...args: ReadonlyArray<string>) =>
    run([...args, "--retry-base-ms", "1"], {
      folder,
      env: { AWS_EC2_METADATA_DISABLED: "true", SNOWFLAKE_ROLE: role }
    })
  const setup = (...args: ReadonlyArray<string>) => as(ADMIN, "setup", "snowflake", ...args)
  return { as, folder, s3, server, setEnv, setup }
})

describe("amplitude-lake setup snowflake", () => {
  it.scopedLive.runIf(isLong)(
    "goes from nothing to loaded hours, with the trust policy, and as the loader alone",
    () =>
      Effect.gen(function* () {
        const { as, folder, server, setEnv, setup } = yield* workplace
        const early = yield* setup("--describe")
        assert.equal(early.code, 2, early.stderr)
        assert.match(early.stderr, /storage integration AMPLITUDE_LAKE.* setup snowflake --apply/)

        const shown = yield* setup()
        assert.equal(shown.code, 3, shown.stderr)
        assert.match(
          shown.stdout,
          /^would change {2}stage LAKE +missing -> url s3:\/\/lake\/python-import\//m
        )
        assert.match(shown.stdout, /21 parts would change; nothing was changed\. .*--apply/)

        const applied = yield* setup("--apply")
        assert.equal(applied.code, 0, applied.stdout)
        assert.match(applied.stdout, /^changed {7}pipe LAKE_PIPE /m)
        const again = yield* setup("--apply", "--json")
        assert.equal(again.code, 0, again.stdout)
        const { items, place } = JSON.parse(again.stdout)
        assert.equal(place, `snowflake://${ACCOUNT}/AMPLITUDE_LAKE/AMPLITUDE`)
        assert.ok(items.every(({ state }: { readonly state: string }) => state === "same"))

        const described = yield* setup("--describe")
        assert.match(
          described.stdout,
          /^AMPLITUDE_LAKE_TRUSTED_ARN="arn:aws:iam::123456789012:user/m
        )
        assert.match(described.stdout, /^AMPLITUDE_LAKE_NOTIFY_QUEUE="arn:aws:sqs:/m)
        yield* setEnv(described.stdout)
        const trust = yield* run(["setup", "iam", "--only", "trust"], { folder })
        assert.equal(trust.code, 0, trust.stderr)
        const [{ Condition, Principal }] = JSON.parse(trust.stdout).Statement
        assert.match(Principal.AWS, /^arn:aws:iam::123456789012:user\//)
        assert.match(Condition.StringEquals["sts:ExternalId"], /^MYORG_SFCRole=/)

        const hours = ["--start-date", "2025-11-10T21", "--end-date", "2025-11-10T23"]
        const synthetic = ["--source", "synthetic", "--events-per-hour", "20"]
        const landed = yield* as(ADMIN, "all", ...hours, ...synthetic)
        assert.equal(landed.code, 0, landed.stderr)
        yield* Effect.promise(() =>
          server.sessions.pipe({ names: ["python-import/2025-11-10_21.jsonl"] })
        )
        const load = ["load", "--warehouse", "snowflake"]
        const reconciled = yield* as("AMPLITUDE_LOADER", ...load, "--reconcile")
        assert.equal(reconciled.code, 3, reconciled.stderr)
        assert.match(reconciled.stdout, /^reconciled {2}1 hour, which the ledger has now$/m)
        const loaded = yield* as("AMPLITUDE_LOADER", ...load)
        assert.equal(loaded.code, 0, loaded.stderr)
        assert.match(loaded.stdout, /loaded {6}2 hours/)
        const output = [early, shown, applied, again, described, landed, reconciled, loaded]
          .map(({ stderr, stdout }) => stdout + stderr)
          .join()
        assert.doesNotMatch(output, /SKTEST|a passphrase of its own|BEGIN|eyJ/)
      }),
    120_000
  )

  it.scopedLive("prints the statements without an account, which make what is wanted", () =>
    Effect.gen(function* () {
      const { server, setup } = yield* workplace
      const folder = yield* temporaryFolder
      const args = ["--bucket", "lake", "--aws-role-arn", ROLE_ARN, "--pipe"]
      const printed = yield* run(["setup", "snowflake", ...args, "--print"], { folder, env: NAMES })
      assert.equal(printed.code, 0, printed.stderr)
      const statements = printed.stdout.trimEnd().replace(/;$/, "").split(/;\n\n/)
      yield* Effect.promise(() =>
        server.sessions.run(
          statements.join(";\n"),
          statements.length,
          { before: async () => {} },
          {
            role: ADMIN
          }
        )
      )
      const { code, stdout } = yield* setup()
      assert.equal(code, 0, stdout)
    })
  )

  it.scopedLive("takes account, key and names from connections.toml, as Snowflake's tools do", () =>
    Effect.gen(function* () {
      const { folder, server } = yield* workplace
      const toml = [
        "[lake]",
        `account = "${ACCOUNT}"`,
        `user = "${USER}"`,
        'private_key_file = "key.p8"',
        `private_key_file_pwd = "${PASSPHRASE}"`,
        `role = "${ADMIN}"`,
        `host = "${server.origin}"`,
        `warehouse = "${CONTEXT.warehouse}"`,
        `database = "${CONTEXT.database}"`,
        `schema = "${CONTEXT.schema}"`
      ].join("\n")
      yield* Effect.promise(async () => {
        await writeFile(join(folder, "connections.toml"), toml)
        await chmod(join(folder, "connections.toml"), 0o644)
        await writeFile(join(folder, ".env"), "AWS_BUCKET_NAME=lake", { mode: 0o600 })
      })
      const args = ["--aws-role-arn", ROLE_ARN, "--apply"]
      const ended = yield* run(["setup", "snowflake", ...args], {
        folder,
        env: { SNOWFLAKE_HOME: folder, SNOWFLAKE_DEFAULT_CONNECTION_NAME: "lake" }
      })
      assert.equal(ended.code, 0, ended.stdout + ended.stderr)
      assert.match(ended.stderr, /connections\.toml\W+is readable by other users/)
      assert.ok(!(ended.stdout + ended.stderr).includes(PASSPHRASE))
    })
  )

  it.scopedLive("refuses with 2 what contradicts itself, and asks Snowflake nothing", () =>
    Effect.gen(function* () {
      const { server, setup } = yield* workplace
      for (const [args, says] of [
        [["--apply", "--print"], /--apply and --print cannot be combined/],
        [["--dev"], /setup snowflake needs --store s3 or azure/],
        [["--aws-role-arn", "snowflake-reader"], /is not the ARN of an IAM role/],
        [["--loader-role", "no name"], /is not a name in Snowflake/]
      ] as const) {
        const ended = yield* setup(...args)
        assert.equal(ended.code, 2, ended.stderr)
        assert.match(ended.stderr, says)
      }
      assert.equal(server.requests.length, 0)
    })
  )

  it.scopedLive("exits with 7 where the role may not, and says what to check", () =>
    Effect.gen(function* () {
      const { as, server } = yield* workplace
      server.sessions.catalog.roles.add("NOBODY")
      const ended = yield* as("NOBODY", "setup", "snowflake", "--apply")
      assert.equal(ended.code, 7, ended.stdout)
      assert.match(
        ended.stdout,
        /^cannot +integration AMPLITUDE_LAKE .*\(003001\).*SNOWFLAKE_ROLE/m
      )
      assert.match(ended.stdout, /^cannot +schema AMPLITUDE +needs database AMPLITUDE_LAKE$/m)
    })
  )
})
