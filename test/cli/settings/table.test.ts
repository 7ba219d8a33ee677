import assert from "node:assert/strict"
import { describe, it } from "@effect/vitest"
import { Either } from "effect"
import { nearMisses, unknownVariables } from "../../../src/cli/settings/env/nearMisses.ts"
import { readSettings, type Sources } from "../../../src/cli/settings/readSettings.ts"
import { resolveSettings } from "../../../src/cli/settings/resolve.ts"
import type { Setting } from "../../../src/cli/settings/setting.ts"
import {
  type CommandName,
  commandEntries,
  requiredBy,
  type SettingName,
  settings
} from "../../../src/cli/settings/table.ts"

const NOW = Date.parse("2025-11-12T10:30:00Z")
const all = Object.entries(settings) as ReadonlyArray<readonly [SettingName, Setting<unknown>]>
/** All that has a flag and a variable. */
const configured = all.flatMap(([name, setting]) => {
  const [variable] = setting.variables
  return setting.flag === undefined || variable === undefined ? [] : [{ name, setting, variable }]
})

/** Texts of which each setting takes at least two; a setting of a new form adds one here. */
const TEXTS =
  `local aws:kms true false 7 6 lake pond 30d 60d https://one.test/x https://two.test/x https://one.test https://two.test
  arn:aws:kms:eu-west-2:111122223333:key/one arn:aws:kms:eu-west-2:111122223333:key/two arn:aws:iam::111122223333:user/one
  arn:aws:iam::111122223333:user/two arn:aws:iam::111122223333:role/one arn:aws:iam::111122223333:role/two
  arn:aws:sqs:eu-west-2:111122223333:one arn:aws:sqs:eu-west-2:111122223333:two 3 2 1/4 2/4
  8f0c4a52-1b2c-4d3e-8f90-123456789abc 8f0c4a52-1b2c-4d3e-8f90-123456789abd`.split(/\s+/)

/** Three different texts that a setting takes, or as many as there are. */
function textsFor({ parse }: Setting<unknown>): readonly [string, string, string] {
  const [one, two, three = one] = [...TEXTS, ...(parse.choices ?? [])].filter((text) =>
    Either.isRight(parse(text, NOW))
  )
  assert.ok(one !== undefined && two !== undefined && three !== undefined && one !== two)
  return [one, two, three]
}

function sources(given: Partial<Sources> = {}): Sources {
  return { flags: {}, environment: {}, file: {}, fileName: "lake.env", now: NOW, ...given }
}

/** What is read for one setting. */
function read(command: CommandName, name: SettingName, given: Partial<Sources>) {
  const { found, problems, values } = readSettings(command, sources(given))
  return { value: values[name], from: found.get(name)?.[0]?.place, problems }
}

function declaring(name: SettingName): ReadonlyArray<CommandName> {
  return commandEntries.flatMap(([command, entry]) =>
    entry.settings.includes(name) ? [command] : []
  )
}

describe("Every setting", () => {
  it("has a flag of its own, so that one flag has one meaning in all commands", () => {
    const flags = all.flatMap(([, { flag }]) => flag?.split(" ")[0] ?? [])
    assert.deepEqual([...new Set(flags)], flags)
    const variables = all.flatMap(([, it]) => [
      ...it.variables,
      ...it.legacyVariables,
      ...it.fileVariables
    ])
    assert.deepEqual([...new Set(variables)], variables)
  })

  it("has the variable that the rule makes of its flag, or can only be typed", () => {
    const typed = all.flatMap(([name, { flag, variables }]) => {
      if (flag === undefined) return []
      if (variables.length === 0) return [name]
      const [, words = ""] = /^--([a-z-]+)/.exec(flag) ?? []
      assert.equal(variables[0], `AMPLITUDE_LAKE_${words.split("-").join("_").toUpperCase()}`)
      return []
    })
    // Each of them says what one run does; left in an env file, it would act in every run.
    const acting =
      "abortUploads adoptForeign adoptProject against amplitudeIds apply build describe deviceIds dryRun dump endDate fromArchive html json keep metricsFile now only peopleFile print reason recheck reconcile replace sample sampleSeed startDate stop testWebhook to toBucket toContainer toFormat toLayout toLocalDir toPrefix toStore userIds warehouse watch yes yesterday"
    assert.equal(typed.sort().join(" "), acting)
  })

  it("is read from its flag, then the environment, then the env file, in each command that has it", () => {
    for (const { name, setting, variable } of configured) {
      const [one, two, three] = textsFor(setting)
      const isToggle = setting.flag?.includes("<") !== true
      for (const command of declaring(name)) {
        const file = name === "envFile" ? {} : { [variable]: three }
        const environment = { [variable]: two }
        const flags = { [name]: isToggle ? true : one }
        for (const [place, given, text] of [
          ["flag", { flags, environment, file }, isToggle ? "true" : one],
          ["environment", { environment, file }, two],
          ...(name === "envFile" ? [] : [["file", { file }, three] as const])
        ] as const) {
          const { from, problems, value } = read(command, name, given)
          assert.deepEqual(problems, [], `${command} ${variable}`)
          assert.equal(from, place, `${command} ${variable}`)
          assert.deepEqual(Either.right(value), setting.parse(text, NOW), `${command} ${variable}`)
        }
      }
    }
  })

  it("is still set by its older names, which may agree with the new one but not differ", () => {
    let count = 0
    for (const { name, setting, variable } of configured) {
      const [one, two] = textsFor(setting)
      for (const older of [...setting.variables.slice(1), ...setting.legacyVariables]) {
        count += 1
        for (const place of ["environment", "file"] as const) {
          const where = place === "file" ? "lake.env" : "the environment"
          for (const command of declaring(name)) {
            const both = (text: string) =>
              read(command, name, { [place]: { [older]: one, [variable]: text } })
            const { from, value } = read(command, name, { [place]: { [older]: one } })
            assert.equal(from, place)
            assert.deepEqual(Either.right(value), setting.parse(one, NOW))
            assert.deepEqual(both(one).problems, [])
            const [problem, ...more] = both(two).problems
            assert.equal(problem, `${variable} and ${older} in ${where} differ: keep only one`)
            assert.deepEqual(more, [])
          }
        }
      }
    }
    assert.equal(count, 11)
  })

  it("may be set for all commands at once, and breaks none of them", () => {
    // A share of the days and a DuckDB file exclude each other, wherever they are set.
    const together = configured.filter(({ name }) => name !== "shard")
    const environment = Object.fromEntries(
      together.map(({ setting, variable }) => [variable, textsFor(setting)[0]])
    )
    const { AMPLITUDE_LAKE_ENV_FILE: _, ...file } = environment
    const keys = {
      AMP_API_KEY: "key",
      AMP_SECRET_KEY: "secret",
      AMPLITUDE_LAKE_DATABASE_URL: "postgres://lake@localhost/lake",
      SNOWFLAKE_WAREHOUSE: "LOADING",
      SNOWFLAKE_DATABASE: "LAKE",
      SNOWFLAKE_SCHEMA: "AMPLITUDE"
    }
    for (const [command] of commandEntries) {
      const typed = Object.fromEntries(requiredBy(command).map((name) => [name, "2025-11-10"]))
      const flags = {
        ...typed,
        // Snowflake cannot read a folder.
        ...(command === "setup snowflake" ? { store: "s3", print: true } : {}),
        ...("keep" in typed ? { keep: "store", conflict: "2025-11-10T00" } : {})
      }
      for (const given of [
        { environment: { ...environment, ...keys } },
        { file: { ...file, ...keys } }
      ]) {
        const resolved = resolveSettings(command, sources({ flags, ...given }))
        assert.ok(Either.isRight(resolved), `${command}: ${JSON.stringify(resolved)}`)
        assert.deepEqual(resolved.right.warnings, [], command)
      }
    }
  })

  it("is shown by config, with its value and where it is set", () => {
    for (const { setting, variable } of configured) {
      const [one] = textsFor(setting)
      const given = sources({ environment: { [variable]: one } })
      const { configuration } = Either.getOrThrow(resolveSettings("config", given)).settings
      const row = configuration.settings.find(({ variables }) => variables[0] === variable)
      assert.equal(row?.name, setting.flag?.split(" ")[0])
      assert.equal(row?.value, setting.isPrivate && !one.endsWith(".test") ? "********" : one)
      assert.deepEqual([row?.source, row?.setBy], ["environment", variable])
    }
  })

  it("that a command does not have is ignored there, whatever its variable holds", () => {
    for (const [command, entry] of commandEntries) {
      const others = configured.filter(({ name }) => !entry.settings.includes(name))
      const environment = Object.fromEntries(others.map(({ variable }) => [variable, "\u0000"]))
      assert.deepEqual(readSettings(command, sources({ environment })).problems, [], command)
    }
  })

  it("is named where its variable lacks a letter, in the env file and in the environment", () => {
    for (const { variable } of configured) {
      const wrong = variable.slice(0, -2) + variable.slice(-1)
      const others = configured.map((it) => it.variable)
      if (others.includes(wrong)) continue
      const [sentence] = unknownVariables([wrong], "in lake.env")
      assert.ok(
        sentence?.startsWith(`${wrong} in lake.env is unknown: is AMPLITUDE_LAKE_`),
        sentence
      )
      assert.deepEqual(nearMisses([wrong]), [])
      const [near] = nearMisses([variable.replace("LAKE", "LKE")])
      assert.equal(near?.[1], variable)
    }
  })
})

describe("A variable that begins with AMPLITUDE_LAKE_ and sets nothing", () => {
  const environment = { AMPLITUDE_LAKE_PREFX: "shop/" }
  const meant = "is unknown: is AMPLITUDE_LAKE_PREFIX meant?"

  it("is an error in the env file of any command, and a warning in the environment", () => {
    const flags = { store: "memory" } as const
    const inFile = resolveSettings("list", sources({ flags, file: environment }))
    assert.deepEqual(inFile, Either.left([`AMPLITUDE_LAKE_PREFX in lake.env ${meant}`]))
    const warned = Either.getOrThrow(resolveSettings("list", sources({ flags, environment })))
    assert.deepEqual(warned.warnings, [`AMPLITUDE_LAKE_PREFX in the environment ${meant}`])
  })

  it("is told apart: one that can only be typed, one of the environment only, and any other", () => {
    const file = {
      AMPLITUDE_LAKE_DRY_RUN: "true",
      AMPLITUDE_LAKE_ENV_FILE: "other.env",
      AMPLITUDE_LAKE_COLOUR: "red"
    }
    const flags = { store: "memory" } as const
    assert.deepEqual(
      resolveSettings("list", sources({ flags, file })),
      Either.left([
        "AMPLITUDE_LAKE_DRY_RUN in lake.env has no effect: --dry-run can only be typed",
        "AMPLITUDE_LAKE_ENV_FILE in lake.env has no effect: --env-file can only be typed or set in the environment",
        "AMPLITUDE_LAKE_COLOUR in lake.env is unknown: config lists every variable"
      ])
    )
  })

  it("is none of those that Kubernetes sets for a service of this name", () => {
    const names = [
      "SERVICE_HOST",
      "SERVICE_PORT",
      "SERVICE_PORT_HTTP",
      "PORT_80_TCP",
      "PORT_80_TCP_ADDR"
    ]
    const set = names.map((it) => `AMPLITUDE_LAKE_${it}`)
    assert.deepEqual(unknownVariables(set, "in the environment"), [])
  })
})
