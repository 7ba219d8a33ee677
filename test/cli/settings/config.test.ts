import assert from "node:assert/strict"
import { describe, it } from "@effect/vitest"
import { Either } from "effect"
import { azureVariables } from "../../../src/cli/settings/azureEnvironment.ts"
import type { Sources } from "../../../src/cli/settings/readSettings.ts"
import { resolveSettings } from "../../../src/cli/settings/resolve.ts"
import { snowflakeVariables } from "../../../src/cli/settings/env/snowflake.ts"
import { s3Variables } from "../../../src/cli/settings/s3Environment.ts"
import { keys, settings } from "../../../src/cli/settings/table.ts"
import { configText } from "../../../src/cli/text/configText.ts"

/** What `config` shows, as an object and as text. */
function shown(given: Partial<Sources>) {
  const sources = {
    flags: {},
    environment: {},
    file: {},
    fileName: "/srv/shop.env",
    now: 0,
    ...given
  }
  const { configuration } = Either.getOrThrow(resolveSettings("config", sources)).settings
  const row = (name: string) => configuration.settings.find((it) => it.name === name)
  return { ...configuration, row, text: configText(configuration) }
}

const pair = { AMP_API_KEY: "key", AMP_SECRET_KEY: "secret" }

describe("config", () => {
  it("answers why a bucket is used: where it is set, and what is set elsewhere and does not count", () => {
    const { row, text } = shown({
      environment: { AWS_BUCKET_NAME: "other-lake" },
      file: { ...pair, AMPLITUDE_LAKE_BUCKET: "shop-lake", AMPLITUDE_LAKE_PREFIX: "shop/" },
      fileLines: { AMPLITUDE_LAKE_BUCKET: 3, AMPLITUDE_LAKE_PREFIX: 4, AMP_API_KEY: 1 }
    })
    assert.deepEqual(row("--bucket"), {
      name: "--bucket",
      group: "Store",
      variables: [
        "AMPLITUDE_LAKE_BUCKET",
        "AWS_BUCKET_NAME",
        "AWS_BUCKET",
        "AWB_BUCKET_NAME",
        "bucket_name"
      ],
      value: "other-lake",
      source: "environment",
      setBy: "AWS_BUCKET_NAME",
      line: null,
      unused: [{ value: "shop-lake", source: "file", setBy: "AMPLITUDE_LAKE_BUCKET", line: 3 }]
    })
    assert.match(text, /^env file {2}\/srv\/shop\.env$/m)
    assert.match(text, /^ {2}--bucket +other-lake +AWS_BUCKET_NAME in the environment$/m)
    assert.match(text, /^ {4}unused +shop-lake +AMPLITUDE_LAKE_BUCKET in shop\.env, line 3$/m)
    assert.match(text, /^ {2}--prefix +shop\/ +AMPLITUDE_LAKE_PREFIX in shop\.env, line 4$/m)
    assert.match(text, /^ {2}AMP_API_KEY +\*{8} +AMP_API_KEY in shop\.env, line 1$/m)
    assert.match(text, /^ {2}--dev +false +default$/m)
    assert.match(text, /^ {2}--lag-hours +12 +default$/m)
  })

  it("takes the flags of a run, which win", () => {
    const environment = { AMPLITUDE_LAKE_PREFIX: "shop/" }
    const { row, text } = shown({ flags: { prefix: "blog/" }, environment })
    assert.deepEqual([row("--prefix")?.source, row("--prefix")?.value], ["flag", "blog/"])
    assert.match(text, /^ {2}--prefix +blog\/ +--prefix, a flag$/m)
  })

  it("shows what is missing, and fails only where a value is invalid", () => {
    const nothing = shown({})
    assert.match(nothing.text, /^env file {2}\/srv\/shop\.env, which does not exist$/m)
    assert.deepEqual([nothing.missing.length, nothing.problems], [3, []])
    assert.match(
      nothing.text,
      /^missing {3}the bucket is missing: use --bucket, or set AMPLITUDE_LAKE_BUCKET/m
    )
    const azure = shown({ flags: { store: "azure" } })
    assert.deepEqual([azure.missing.length, azure.problems], [4, []])

    const file = { ...pair, AMPLITUDE_LAKE_STORE: "s4", AMPLITUDE_LAKE_PREFX: "shop/" }
    const wrong = shown({ file })
    assert.equal(wrong.problems.length, 2)
    assert.match(
      wrong.text,
      /^problem {3}AMPLITUDE_LAKE_STORE in \/srv\/shop\.env "s4" is not one of/m
    )
    assert.match(wrong.text, /^problem .*is AMPLITUDE_LAKE_PREFIX meant\?$/m)
    assert.match(wrong.text, /^ {2}--prefix +python-import\/ +default$/m)
  })

  it("shows which of a store's credentials count, whole or not at all", () => {
    const file = {
      AWS_ACCESS_KEY_ID: "file-id",
      AWS_SECRET_ACCESS_KEY: "x",
      AWS_REGION: "eu-west-2"
    }
    const { row } = shown({ environment: { AWS_PROFILE: "work" }, file })
    assert.deepEqual([row("AWS_PROFILE")?.value, row("AWS_REGION")?.value], ["work", "eu-west-2"])
    for (const name of ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"]) {
      assert.equal(row(name)?.value, null)
      assert.deepEqual(
        row(name)?.unused.map(({ source }) => source),
        ["file"]
      )
    }
    const aliases = {
      AWS_ACCESS_KEY: "a",
      AWS_SECRET_KEY: "b",
      Access_key_ID: "c",
      Secret_access_key: "d"
    }
    const { row: aliased } = shown({ file: aliases })
    assert.equal(aliased("AWS_ACCESS_KEY")?.source, "file")
    assert.equal(aliased("Access_key_ID")?.value, null)
    const { row: azure } = shown({
      flags: { store: "azure" },
      environment: { AZURE_STORAGE_KEY: "a2V5" },
      file: { AZURE_STORAGE_SAS_TOKEN: "sig=x", AZURE_STORAGE_ACCOUNT: "lake" }
    })
    assert.equal(azure("AZURE_STORAGE_ACCOUNT")?.value, "lake")
    assert.equal(azure("AZURE_STORAGE_SAS_TOKEN")?.value, null)
    assert.equal(azure("AWS_REGION"), undefined)
  })

  it("shows what a connection of Snowflake's own tools sets, masked, and not what a variable sets", () => {
    const { row, text } = shown({
      environment: { SNOWFLAKE_USER: "loader" },
      connection: {
        where: 'connection "default" in "/home/lake/.snowflake/connections.toml"',
        values: {
          SNOWFLAKE_ACCOUNT: "myorg-shop",
          SNOWFLAKE_USER: "somebody",
          SNOWFLAKE_TOKEN: "canary"
        },
        problems: [],
        warnings: []
      }
    })
    assert.match(
      text,
      /^ {2}SNOWFLAKE_ACCOUNT +myorg-shop +connection "default" in "\/home\/lake\/\.snowflake\/connections\.toml"$/m
    )
    assert.equal(row("SNOWFLAKE_ACCOUNT")?.source, "connection")
    assert.match(text, /^ {2}SNOWFLAKE_USER +loader +SNOWFLAKE_USER in the environment$/m)
    assert.match(text, /^ {2}SNOWFLAKE_TOKEN +\*{8} +connection/m)
    assert.doesNotMatch(JSON.stringify([row("SNOWFLAKE_TOKEN"), text]), /canary|somebody/)
  })

  it("shows no part of a secret, whatever it looks like and wherever it is set", () => {
    const secrets = [
      ...keys.flatMap((name) => [...settings[name].variables, ...settings[name].fileVariables]),
      ...Object.values(settings).flatMap((it) => (it.isPrivate ? it.variables : [])),
      ...[...s3Variables, ...azureVariables].filter(
        (it) => !/REGION|PROFILE|ROLE_ARN|ACCOUNT$/.test(it)
      ),
      ...snowflakeVariables.filter((it) => /PASSPHRASE|TOKEN|HOST/.test(it))
    ]
    assert.ok(secrets.length > 20)
    const forms = [
      "canary",
      "'canary'",
      "can ary canary",
      "https://canary.test/canary",
      "https://canary:canary@a.test",
      "https://a.test/?canary",
      "https://a.test/canary#canary",
      "AccountName=lake;AccountKey=canary",
      "sv=2024-11-04&sig=canary"
    ]
    for (const form of forms) {
      const set = Object.fromEntries(secrets.map((name) => [name, form]))
      for (const store of ["s3", "azure", "local"]) {
        for (const given of [
          { environment: set },
          { file: set },
          { environment: set, file: set }
        ]) {
          const { row: _, ...all } = shown({
            flags: { store, webhook: form, heartbeat: form },
            ...given
          })
          const faces = `${JSON.stringify(all)}\n${all.text}`
          assert.doesNotMatch(faces, /canary/, `${form}: ${store}`)
          assert.match(faces, /\*{8}/)
        }
      }
    }
  })
})
