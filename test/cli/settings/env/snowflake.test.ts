import assert from "node:assert/strict"
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Either, Redacted } from "effect"
import { afterAll, describe, it } from "vitest"
import { resolveSnowflake } from "../../../../src/cli/settings/env/snowflake.ts"
import { resolveSettings } from "../../../../src/cli/settings/resolve.ts"

const folder = mkdtempSync(join(tmpdir(), "amplitude-lake-"))
afterAll(() => rmSync(folder, { recursive: true }))
const keyFile = join(folder, "key.p8")
writeFileSync(keyFile, "a private key")
chmodSync(keyFile, 0o600)

const PLACE = {
  SNOWFLAKE_ACCOUNT: "myorg-account",
  SNOWFLAKE_WAREHOUSE: "loading",
  SNOWFLAKE_DATABASE: '"Lake"',
  SNOWFLAKE_SCHEMA: "amplitude"
}
const BY_KEY = { ...PLACE, SNOWFLAKE_USER: "loader", SNOWFLAKE_PRIVATE_KEY_PATH: keyFile }
const BY_TOKEN = { ...PLACE, SNOWFLAKE_TOKEN: "a-secret-token" }

type Variables = Readonly<Record<string, string | undefined>>

const environmentOf = (environment: Variables, file: Variables = {}) =>
  resolveSnowflake({ environment, file, fileName: ".env" })

const problems = (environment: Variables, file: Variables = {}) =>
  Either.match(resolveSnowflake({ environment, file, fileName: "lake.env" }), {
    onLeft: (it) => it,
    onRight: () => []
  })

describe("resolveSnowflake()", () => {
  it("reads a key and its passphrase, and names as Snowflake keeps them", () => {
    const passphrase = { SNOWFLAKE_PRIVATE_KEY_PASSPHRASE: "words" }
    const found = Either.getOrThrow(environmentOf({ ...BY_KEY, ...passphrase }))
    const { credentials, ...place } = found
    assert.deepEqual(place, {
      account: "myorg-account",
      warehouse: "LOADING",
      database: "Lake",
      schema: "AMPLITUDE",
      role: undefined,
      origin: undefined
    })
    assert.ok("user" in credentials && credentials.passphrase !== undefined)
    assert.equal(Redacted.value(credentials.privateKey), "a private key")
    assert.equal(Redacted.value(credentials.passphrase), "words")
  })

  it("reads a token, a role and a host from the env file", () => {
    const file = { ...BY_TOKEN, SNOWFLAKE_ROLE: "loader", SNOWFLAKE_HOST: "x.example.com" }
    const { credentials, origin, role } = Either.getOrThrow(environmentOf({}, file))
    assert.deepEqual([origin, role], ["https://x.example.com", "LOADER"])
    assert.ok("token" in credentials)
  })

  it("does not mix a proof of the environment with another one of the env file", () => {
    const { credentials } = Either.getOrThrow(environmentOf({ SNOWFLAKE_TOKEN: "mine" }, BY_KEY))
    assert.ok("token" in credentials)
  })

  it("names all that is missing, and both ways to say who loads", () => {
    assert.deepEqual(problems({}), [
      "the Snowflake account is missing: set SNOWFLAKE_ACCOUNT in the environment or in lake.env",
      "the compute warehouse is missing: set SNOWFLAKE_WAREHOUSE in the environment or in lake.env",
      "the database is missing: set SNOWFLAKE_DATABASE in the environment or in lake.env",
      "the schema is missing: set SNOWFLAKE_SCHEMA in the environment or in lake.env",
      "who loads is missing: set SNOWFLAKE_PRIVATE_KEY_PATH and SNOWFLAKE_USER, or SNOWFLAKE_TOKEN, in the environment or in lake.env"
    ])
  })

  const wrong: ReadonlyArray<readonly [what: string, Variables, says: RegExp]> = [
    [
      "a key and a token",
      { ...BY_KEY, SNOWFLAKE_TOKEN: "a-secret-token" },
      /contradict each other/
    ],
    ["a key without a user", { ...BY_KEY, SNOWFLAKE_USER: "" }, /is set without SNOWFLAKE_USER$/],
    [
      "a key that is not there",
      { ...BY_KEY, SNOWFLAKE_PRIVATE_KEY_PATH: join(folder, "no") },
      /names a file that cannot be read$/
    ],
    ["a URL as account", { ...BY_TOKEN, SNOWFLAKE_ACCOUNT: "https://x" }, /is not an account/],
    ["a token in quotes", { ...BY_TOKEN, SNOWFLAKE_TOKEN: "'a-secret-token'" }, /is in quotes/],
    ["plain http", { ...BY_TOKEN, SNOWFLAKE_HOST: "http://x.example" }, /must be https/]
  ]
  for (const [what, environment, says] of wrong) {
    it(`refuses ${what}, without a secret`, () => {
      const [problem, ...others] = problems(environment)
      assert.match(problem ?? "", says)
      assert.deepEqual(others, [])
      assert.doesNotMatch(problem ?? "", /a-secret-token/)
    })
  }
})

const resolved = (flags: Readonly<Record<string, string>>, environment: Variables) =>
  resolveSettings("load", {
    flags: { warehouse: "snowflake", bucket: "lake", ...flags },
    environment,
    file: {},
    fileName: ".env",
    now: 0
  })

describe("load --warehouse snowflake", () => {
  it("has what the variables describe", () => {
    const { snowflake } = Either.getOrThrow(resolved({}, BY_TOKEN)).settings
    assert.equal(snowflake?.account, "myorg-account")
  })

  it("refuses a store that Snowflake cannot read, and a file", () => {
    for (const [flags, says] of [
      [{ store: "local" }, /needs --store s3 or azure/],
      [{ warehouseFile: "x.duckdb" }, /--warehouse-file cannot be combined/]
    ] as const) {
      const found = resolved(flags, BY_TOKEN)
      assert.match(Either.isLeft(found) ? found.left.join("\n") : "", says)
    }
  })

  it("asks for no variable where the warehouse is a file", () => {
    const { snowflake } = Either.getOrThrow(resolved({ warehouse: "duckdb" }, {})).settings
    assert.equal(snowflake, undefined)
  })
})
