import assert from "node:assert/strict"
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Either, Redacted } from "effect"
import { afterEach, beforeEach, describe, it } from "vitest"
import { readConnection } from "../../../../src/cli/settings/env/connections.ts"
import {
  needsConnection,
  resolveSnowflake,
  resolveTarget
} from "../../../../src/cli/settings/env/snowflake.ts"

let folder = ""
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "amplitude-lake-"))
})
afterEach(() => rmSync(folder, { recursive: true }))

const write = (name: string, text: string, mode = 0o600) => {
  writeFileSync(join(folder, name), text)
  chmodSync(join(folder, name), mode)
  return join(folder, name)
}

type Variables = Readonly<Record<string, string | undefined>>

const read = (environment: Variables = {}, file: Variables = {}) =>
  readConnection({ SNOWFLAKE_HOME: folder, ...environment }, file)

const resolve = (environment: Variables = {}, file: Variables = {}) =>
  resolveSnowflake({
    environment,
    file,
    fileName: ".env",
    connection: read(environment, file)
  })

const problems = (environment: Variables = {}) =>
  Either.match(resolve(environment), { onLeft: (it) => it, onRight: () => [] })

const PLACE = `warehouse = "loading"\ndatabase = "lake"\nschema = "amplitude"\n`
const SECRET = "a-secret-token"
const BY_TOKEN = `account = "myorg-lake"\nauthenticator = "oauth"\ntoken = "${SECRET}"\n${PLACE}`

const of = (account: string) => `account = "${account}"\n`

describe("readConnection()", () => {
  it("reads the connection called default from connections.toml, by a key or a token", () => {
    write("key.p8", "a private key")
    write(
      "connections.toml",
      `[default]\naccount = "myorg-lake"\nuser = "loader"\nprivate_key_file = "${folder}/key.p8"\nprivate_key_file_pwd = "words"\nrole = "loading"\nhost = "lake.privatelink.test"\n${PLACE}`
    )
    const { credentials, ...place } = Either.getOrThrow(resolve())
    assert.deepEqual(place, {
      account: "myorg-lake",
      warehouse: "LOADING",
      database: "LAKE",
      schema: "AMPLITUDE",
      role: "LOADING",
      origin: "https://lake.privatelink.test"
    })
    assert.ok("user" in credentials && credentials.passphrase !== undefined)
    assert.equal(Redacted.value(credentials.privateKey), "a private key")

    write("connections.toml", `[default]\n${BY_TOKEN}`)
    const found = Either.getOrThrow(resolve()).credentials
    assert.ok("token" in found && found.tokenType === "OAUTH")
    assert.equal(Redacted.value(found.token), SECRET)
  })

  it("takes the name from the variable, then from config.toml, whose connections count without the other file", () => {
    write(
      "config.toml",
      `default_connection_name = "b"\n[connections.a]\n${of("config-a")}[connections.b]\n${of("config-b")}`
    )
    const account = (environment: Variables = {}, file: Variables = {}) =>
      read(environment, file)?.values["SNOWFLAKE_ACCOUNT"]
    assert.equal(account(), "config-b")
    assert.equal(account({ SNOWFLAKE_DEFAULT_CONNECTION_NAME: "a" }), "config-a")
    assert.equal(account({}, { SNOWFLAKE_DEFAULT_CONNECTION_NAME: "a" }), "config-a")
    write("connections.toml", `[a]\n${of("own-a")}[b]\n${of("own-b")}`)
    assert.equal(account(), "own-b")
    const [problem] = read({ SNOWFLAKE_DEFAULT_CONNECTION_NAME: "c" })?.problems ?? []
    assert.match(problem ?? "", /^there is no connection "c" in ".*connections\.toml", which SNOW/)
  })

  it("looks where the platform keeps such files if Snowflake's own folder is missing", () => {
    mkdirSync(join(folder, "snowflake"))
    write("snowflake/connections.toml", `[default]\n${BY_TOKEN}`)
    const where = { SNOWFLAKE_HOME: join(folder, "none"), XDG_CONFIG_HOME: folder }
    const found = read(where)?.values["SNOWFLAKE_ACCOUNT"]
    assert.equal(found, process.platform === "linux" ? "myorg-lake" : undefined)
    assert.equal(read({ SNOWFLAKE_HOME: folder }), undefined)
  })

  it("lets each variable win, and a key or token in a variable over those of the connection", () => {
    write("connections.toml", `[default]\nrole = "theirs"\n${BY_TOKEN}`)
    const file = { SNOWFLAKE_SCHEMA: "other", SNOWFLAKE_TOKEN: "mine" }
    const found = Either.getOrThrow(resolve({ SNOWFLAKE_ROLE: "ours" }, file))
    assert.deepEqual([found.schema, found.database, found.role], ["OTHER", "LAKE", "OURS"])
    assert.ok("token" in found.credentials && found.credentials.tokenType === undefined)
    assert.equal(Redacted.value(found.credentials.token), "mine")
  })

  it("sends what it has of one account to no other", () => {
    write("connections.toml", `[default]\n${BY_TOKEN}`)
    const found = problems({ SNOWFLAKE_ACCOUNT: "another" })
    assert.equal(found.length, 4)
    assert.match(found.join(), /who loads is missing/)
  })

  it("is read only if something is left to say, or it is named", () => {
    const all = {
      SNOWFLAKE_ACCOUNT: "myorg-lake",
      SNOWFLAKE_TOKEN: SECRET,
      SNOWFLAKE_WAREHOUSE: "loading",
      SNOWFLAKE_DATABASE: "lake",
      SNOWFLAKE_SCHEMA: "amplitude"
    }
    assert.equal(needsConnection(all, {}), false)
    assert.equal(needsConnection({}, all), false)
    assert.equal(needsConnection({ ...all, SNOWFLAKE_TOKEN: "" }, {}), true)
    assert.equal(needsConnection(all, { SNOWFLAKE_DEFAULT_CONNECTION_NAME: "a" }), true)
  })

  it("says where a lake is, also to print statements", () => {
    write("connections.toml", `[default]\n${PLACE}`)
    const sources = { environment: {}, file: {}, fileName: ".env", connection: read() }
    assert.equal(Either.getOrThrow(resolveTarget(sources)).database, "LAKE")
  })

  it("refuses a file that others may write to, and warns of one that they may read", () => {
    write("connections.toml", `[default]\n${BY_TOKEN}`, 0o620)
    assert.match(problems()[0] ?? "", /can be written to by other users .*chmod 600/)
    write("connections.toml", `[default]\n${BY_TOKEN}`, 0o640)
    assert.match(read()?.warnings.join() ?? "", /is readable by other users .*chmod 600/)
    const quiet = { SF_SKIP_WARNING_FOR_READ_PERMISSIONS_ON_CONFIG_FILE: "true" }
    assert.deepEqual(read(quiet)?.warnings, [])
    assert.ok(Either.isRight(resolve()))
  })

  it("repeats no value of a file that it cannot use", () => {
    const wrong: ReadonlyArray<readonly [text: string, says: RegExp]> = [
      [`[default]\naccount = "a"\ntoken = ${SECRET}\n`, /is not TOML: line 3$/],
      [
        `[default]\n${BY_TOKEN.replace(/authenticator = .*/, `authenticator = "${SECRET}"`)}`,
        /^authenticator of the connection/
      ],
      [`[default]\n${BY_TOKEN}user = 7\n`, /^user of the connection "default" .* is not a text/],
      [
        `[default]\n${BY_TOKEN.replace(SECRET, `${SECRET} x`)}`,
        /^SNOWFLAKE_TOKEN by the connection .* holds a blank$/
      ],
      [
        `[default]\n${BY_TOKEN.replace(/token = .*/, `token_file_path = "/none/${SECRET}"`)}`,
        /^token_file_path of/
      ]
    ]
    for (const [text, says] of wrong) {
      write("connections.toml", text)
      const found = problems()
      assert.match(found[0] ?? "", says)
      assert.ok(!found.join().includes(SECRET), found.join())
    }
  })
})
