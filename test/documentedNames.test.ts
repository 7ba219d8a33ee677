import assert from "node:assert/strict"
import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { describe, it } from "vitest"
import { azureVariables } from "../src/cli/settings/azureEnvironment.ts"
import { snowflakeVariables } from "../src/cli/settings/env/snowflake.ts"
import { s3Variables } from "../src/cli/settings/s3Environment.ts"
import { settings } from "../src/cli/settings/table.ts"
import { origins } from "../src/layers/http/origin.ts"

const folders = ["docs", "deploy"].flatMap((folder) =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
)
const pages = ["README.md", "SECURITY.md", "CONTRIBUTING.md", ...folders].map((path) => ({
  path,
  text: readFileSync(path, "utf8")
}))

/** Every match of a pattern with the page that it is on. */
const found = (pattern: RegExp) =>
  pages.flatMap(({ path, text }) => [...text.matchAll(pattern)].map(([, name]) => [path, name]))

/** Variables that Node, an SDK, the collector's protocol, the tests or the benchmark read. */
const OF_OTHERS =
  /^(NODE_|OTEL_|NO_COLOR$|NO_PROXY$|HTTPS_PROXY$|AZURE_(CLIENT|TENANT)_ID$|S3_TEST_|FAULTS_SECONDS$|DBT_ORDERS$|AIRBYTE_MANIFEST$)/

/** Variables that dbt reads by the profile. */
const OF_DBT: ReadonlyArray<string> = [
  ...readFileSync("dbt/profiles.yml", "utf8").matchAll(/env_var\('(\w+)'/g)
].map(([, name = ""]) => name)

const GOLDEN = "test/layers/snowflake/golden"

/** What is in Snowflake, or said to it, and looks like variables. */
const OF_SNOWFLAKE: ReadonlyArray<string> = [
  ...readdirSync(GOLDEN).flatMap(
    (name) => readFileSync(join(GOLDEN, name), "utf8").match(/\w+/g) ?? []
  ),
  "STRIP_OUTER_ARRAY",
  "AUTO_SUSPEND",
  "PROGRAMMATIC_ACCESS_TOKEN"
]

describe("What the pages name", () => {
  it("are hosts that the program contacts", () => {
    const hosts = Object.values(origins).map((origin) => new URL(origin).host)
    const named = found(/(?:--allow-net=[^\s]*?|\s|`|^)((?:[a-z]+\.)*amplitude\.com)(?![/a-z])/gm)
    assert.ok(named.length > 0)
    for (const [path, host = ""] of named) assert.ok(hosts.includes(host), `${path}: ${host}`)
    assert.deepEqual(
      hosts.filter((host) => !named.some(([, it]) => it === host)),
      []
    )
  })

  it("are variables that the program reads", () => {
    const known = [
      ...Object.values(settings).flatMap((it) => [
        ...it.variables,
        ...it.legacyVariables,
        ...it.fileVariables
      ]),
      ...azureVariables,
      ...s3Variables,
      ...snowflakeVariables,
      ...OF_DBT
    ]
    const named = found(/`([A-Z][A-Z0-9]*_[A-Z0-9_]+)(?:=[^`]*)?`/g)
    assert.ok(named.length > 40)
    for (const [path, name = ""] of named) {
      const isName = known.includes(name) || OF_OTHERS.test(name) || OF_SNOWFLAKE.includes(name)
      assert.ok(isName, `${path}: ${name}`)
    }
  })

  it("are files that exist", () => {
    const there = ["src", "test", "scripts", "docs", "deploy", "bench", ".ci", "schemas"].flatMap(
      (folder) =>
        readdirSync(folder, { recursive: true, encoding: "utf8" }).map((it) => join(folder, it))
    )
    const named = found(/`([\w./-]+\.(?:ts|mjs|sh|md))`/g)
    const wrong = named.filter(
      ([, name = ""]) => !there.some((it) => `/${it}`.endsWith(`/${name}`))
    )
    assert.deepEqual(wrong, [])
    assert.ok(named.length > 40)
  })
})
