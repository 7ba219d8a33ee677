import assert from "node:assert/strict"
import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { describe, it } from "@effect/vitest"
import { Duration, Either, FastCheck, Option, Redacted } from "effect"
import { SEPARATOR } from "../../../src/cli/settings/parse.ts"
import {
  type CommandName,
  commands,
  declaredBy,
  requiredBy,
  type SettingName,
  settings
} from "../../../src/cli/settings/table.ts"
import { type Resolved, resolveSettings, type Sources } from "../../../src/cli/settings/resolve.ts"
import type { SettingsOf, Source, Store } from "../../../src/cli/settings/settingsOf.ts"

const NOW = Date.parse("2025-11-12T10:30:00Z")
/** All but `config`, which shows what is wrong rather than failing, and what needs more than a store. */
const names = (Object.keys(commands) as ReadonlyArray<CommandName>).filter(
  (name) => name !== "config" && name !== "setup snowflake"
)

function sources(given: Partial<Sources> = {}): Sources {
  return { flags: {}, environment: {}, file: {}, fileName: "keys.env", now: NOW, ...given }
}

function resolved<C extends CommandName>(command: C, given: Partial<Sources>): Resolved<C> {
  return Either.getOrThrowWith(
    resolveSettings(command, sources(given)),
    (all) => new Error(all.join("\n"))
  )
}

function settled<C extends CommandName>(command: C, given: Partial<Sources>): SettingsOf<C> {
  return resolved(command, given).settings
}

/** What was resolved to a union, as the case that it has to be. */
function only<T extends Source | Store, Tag extends T["_tag"]>(
  union: T,
  tag: Tag
): Extract<T, { readonly _tag: Tag }> {
  assert.equal(union._tag, tag)
  return union as Extract<T, { readonly _tag: Tag }>
}

function problems(command: CommandName, given: Partial<Sources>): ReadonlyArray<string> {
  return Either.match(resolveSettings(command, sources(given)), {
    onLeft: (all) => all,
    onRight: () => []
  })
}

const synthetic = { source: "synthetic", dev: true } as const
const pair = { AMP_API_KEY: "key", AMP_SECRET_KEY: "secret" }
/** What worker cannot do without. */
const fleet = { AMPLITUDE_LAKE_DATABASE_URL: "postgres://lake@localhost/lake" }

function keysOf(given: Partial<Sources>): ReadonlyArray<string> {
  const { source } = settled("fetch", { flags: { dev: true }, ...given })
  const { apiKey, secretKey } = only(source, "Amplitude")
  return [apiKey, secretKey].map(Redacted.value)
}

function bucketOf(given: Partial<Sources>): string {
  return only(settled("list", given).store, "S3").bucket
}

function tagOf(given: Partial<Sources>): Store["_tag"] {
  return settled("list", given).store._tag
}

/** The lag that is settled when it is said in three places. */
function lag(flag?: string, environment?: string, file?: string): number {
  return settled("fetch", {
    flags: { ...synthetic, ...(flag === undefined ? {} : { lagHours: flag }) },
    environment: { DATA_AVAILABILITY_LAG_HOURS: environment },
    file: { DATA_AVAILABILITY_LAG_HOURS: file }
  }).lagHours
}

/** The problems of flags, where the store, if the command has one, is named. */
function problemsOf(
  flags: Sources["flags"],
  command: CommandName = "fetch",
  environment: Sources["environment"] = pair
): ReadonlyArray<string> {
  const store = command === "simulate" ? {} : { dev: true }
  return problems(command, { flags: { ...store, ...flags }, environment })
}

/** A value for each flag that a command cannot do without. */
function requiredOf(command: CommandName): Partial<Record<SettingName, string>> {
  return Object.fromEntries(
    requiredBy(command).map((name) => [name, name === "keep" ? "store" : "2025-11-10"])
  )
}

describe("resolveSettings()", () => {
  it("prefers a flag to the environment, the environment to the env file, and all three to the default", () => {
    assert.equal(lag("1", "2", "3"), 1)
    assert.equal(lag(undefined, "2", "3"), 2)
    assert.equal(lag(undefined, undefined, "3"), 3)
    assert.equal(lag(), 12)
  })

  it("treats a blank variable as not set, wherever it is", () => {
    const blanks = FastCheck.constantFrom("", " ", "\t", " \n ")
    FastCheck.assert(
      FastCheck.property(blanks, blanks, (environment, file) => {
        const { lookbackDays } = settled("fetch", {
          flags: synthetic,
          environment: { DEFAULT_LOOKBACK_DAYS: environment },
          file: { DEFAULT_LOOKBACK_DAYS: file }
        })
        assert.equal(lookbackDays, 1)
        assert.equal(
          settled("fetch", {
            flags: synthetic,
            environment: { DEFAULT_LOOKBACK_DAYS: environment },
            file: { DEFAULT_LOOKBACK_DAYS: " 7 " }
          }).lookbackDays,
          7
        )
      }),
      { seed: 1 }
    )
  })

  it("gives every setting its default if nothing is set", () => {
    const { source, store, ...rest } = settled("fetch", {
      flags: { dev: true },
      environment: pair
    })
    const { apiKey, secretKey, region, origin } = only(source, "Amplitude")
    assert.ok(apiKey && secretKey)
    assert.equal(region, settings.region.fallback)
    assert.equal(origin, settings.amplitudeUrl.fallback)
    assert.deepEqual(store, {
      _tag: "Local",
      folder: settings.localDir.fallback,
      prefix: settings.prefix.fallback
    })
    assert.deepEqual(settled("fetch", { flags: synthetic }).source, {
      _tag: "Synthetic",
      seed: settings.seed.fallback,
      eventsPerHour: settings.eventsPerHour.fallback,
      project: settings.project.fallback
    })
    assert.ok(!("dev" in rest))
    for (const [name, value] of Object.entries(rest)) {
      assert.equal(value, settings[name as SettingName].fallback, name)
    }
  })

  it("reads each setting as its own type", () => {
    const read = settled("all", {
      flags: {
        dev: true,
        startDate: "2025-11-10",
        endDate: "2025-11-11",
        now: "2025-11-12T09:00:00Z",
        prefix: "/",
        maxDuration: "30m",
        recheck: true
      },
      environment: { ...pair, AMPLITUDE_URL: "http://127.0.0.1:4000/", AMPLITUDE_REGION: "us" }
    })
    assert.deepEqual(read.startDate, { hour: "2025-11-10T00", isRelative: false })
    assert.deepEqual(read.endDate, { hour: "2025-11-11T23", isRelative: false })
    assert.equal(read.now, Date.parse("2025-11-12T09:00:00Z"))
    assert.equal(read.store.prefix, "")
    assert.equal(Duration.toMillis(read.maxDuration ?? Duration.zero), 1_800_000)
    const { origin, region } = only(read.source, "Amplitude")
    assert.equal(origin, "http://127.0.0.1:4000")
    assert.equal(region, "us")
    assert.equal(read.recheck, true)
    assert.equal(settled("all", { flags: { ...synthetic, dryRun: true } }).dryRun, true)
    assert.equal(read.store._tag, "Local")
  })

  it("ignores settings that the command does not read", () => {
    const read = settled("list", {
      flags: { dev: true },
      environment: { DATA_AVAILABILITY_LAG_HOURS: "many", AMPLITUDE_REGION: "moon" }
    })
    assert.ok(!("lagHours" in read) && !("region" in read) && !("source" in read))
  })

  it("names everything that is wrong or missing at once, with its place and what was expected", () => {
    assert.deepEqual(
      problems("fetch", {
        flags: { startDate: "2025-02-30", concurrency: "-1", layout: "daily" },
        environment: { AMPLITUDE_REGION: "moon" },
        file: { DEFAULT_LOOKBACK_DAYS: "1.5" }
      }),
      [
        '--start-date "2025-02-30" is not an hour such as 2025-11-10T00, a day such as 2025-11-10, a month such as 2025-11, or today, yesterday or -3d',
        'DEFAULT_LOOKBACK_DAYS in keys.env "1.5" is not a whole number of days from 1 to 3660, or a duration such as 30d',
        'AMPLITUDE_REGION in the environment "moon" is not one of eu, us',
        '--layout "daily" is not one of hourly, hive',
        '--concurrency "-1" is not a whole number, from 1 to 64',
        "the bucket is missing: use --bucket, or set AMPLITUDE_LAKE_BUCKET in the environment or in keys.env; or use --dev to land hours in a local folder",
        "Amplitude's API key is missing: set AMP_API_KEY in the environment, or AMP_API_KEY or API_TOKEN in keys.env",
        "Amplitude's secret key is missing: set AMP_SECRET_KEY in the environment, or AMP_SECRET_KEY or SECRET_KEY in keys.env"
      ]
    )
  })

  it("does not report as missing what depends on an invalid value", () => {
    assert.deepEqual(problems("fetch", { flags: { store: "s4", source: "guess", now: "soon" } }), [
      '--now "soon" is not an instant such as 2025-11-10T21:00:00Z',
      '--source "guess" is not one of amplitude, synthetic',
      '--store "s4" is not one of s3, azure, local, memory'
    ])
  })

  it("refuses negative, fractional and huge numbers for every numeric setting", () => {
    const counting = ["lookbackDays", "lagHours", "healDays", "settleHours", "seed", "project"]
    counting.push("eventsPerHour", "requestHours", "concurrency", "retries", "retryBaseMs")
    for (const name of counting) {
      for (const text of ["-1", "1.5", "1e2", "9".repeat(30)]) {
        const found = problems("fetch", { flags: { ...synthetic, [name]: text } })
        assert.equal(found.length, 1, `${name} ${text}`)
        assert.match(found.join(), /^--[a-z-]+ "[^"]+" is not a whole number/)
      }
    }
  })
})

describe("The window", () => {
  it("ends at its start or later", () => {
    assert.deepEqual(problemsOf({ startDate: "2025-11-10T05", endDate: "2025-11-10T05" }), [])
    assert.deepEqual(problemsOf({ startDate: "2025-11-10", endDate: "2025-11-10" }), [])
    assert.deepEqual(problemsOf({ startDate: "2025-11-10T05", endDate: "20251110T04" }), [
      "--end-date 2025-11-10T04 is before --start-date 2025-11-10T05"
    ])
  })

  it("takes what a variable sets for another command for no contradiction", () => {
    const environment = {
      AMPLITUDE_LAKE_ARCHIVE_DIR: "kept",
      AMPLITUDE_LAKE_ARCHIVE_DAYS: "30",
      AMPLITUDE_LAKE_NOTIFY: "always"
    }
    const flags = { dev: true, fromArchive: "a.zip" }
    assert.deepEqual(problems("all", { flags, environment }), [])
    const { AMPLITUDE_LAKE_ARCHIVE_DIR: _, ...alone } = environment
    assert.deepEqual(problems("clean", { flags: { dev: true }, environment: alone }), [])
  })

  it("refuses a flag that has no effect without another", () => {
    const flags = { dev: true, archiveDays: "30", sampleSeed: "7" }
    assert.deepEqual(problems("clean", { flags }), [
      "--archive-days has no effect without --archive-dir"
    ])
    assert.deepEqual(problems("clean", { flags: { ...flags, archiveDir: "kept" } }), [])
    assert.deepEqual(problems("verify", { flags }), [
      "--sample-seed has no effect without --sample"
    ])
    assert.equal(settled("verify", { flags: { ...flags, sample: "9" } }).sampleSeed, 7)
  })

  it("is either yesterday or dates", () => {
    for (const flags of [{ startDate: "2025-11-10" }, { endDate: "2025-11-10" }]) {
      assert.deepEqual(problemsOf({ yesterday: true, ...flags }), [
        "--yesterday cannot be combined with --start-date or --end-date"
      ])
    }
    assert.deepEqual(problemsOf({ yesterday: true }), [])
  })

  it("starts no later than the current hour, except for synthetic events", () => {
    assert.deepEqual(problemsOf({ startDate: "2025-11-12T10" }), [])
    assert.deepEqual(problemsOf({ endDate: "2025-11-20" }), [])
    const future = "--start-date 2025-11-12T11 is in the future"
    assert.deepEqual(problemsOf({ startDate: "2025-11-12T11" }), [future])
    assert.deepEqual(problemsOf({ startDate: "2025-11-12T11" }, "status"), [future])
    assert.deepEqual(problemsOf({ startDate: "2025-11-12T11", source: "synthetic" }), [])
    assert.deepEqual(problemsOf({ startDate: "2025-11-12T11" }, "simulate"), [])
  })

  it("is compared with --now instead of the clock if that is set", () => {
    const now = "2025-11-11T10:00:00Z"
    assert.deepEqual(problemsOf({ now, startDate: "2025-11-11T10" }), [])
    assert.deepEqual(problemsOf({ now, startDate: "2025-11-11T11" }), [
      "--start-date 2025-11-11T11 is in the future"
    ])
  })

  it("accepts a --now in the future for synthetic events only", () => {
    const now = "2025-11-12T10:30:01Z"
    const future = "--now is in the future, which is possible for synthetic events only"
    assert.deepEqual(problemsOf({ now: "2025-11-12T10:30:00Z" }), [])
    assert.deepEqual(problemsOf({ now }), [future])
    assert.deepEqual(problemsOf({ now }, "status"), [future])
    assert.deepEqual(problemsOf({ now, source: "synthetic" }), [])
    assert.deepEqual(problemsOf({ now }, "simulate"), [])
  })
})

describe("The store", () => {
  it("must be set for each command that reads or writes it", () => {
    for (const command of names.filter((name) => declaredBy(name).includes("store"))) {
      const flags = { ...requiredOf(command), ...(command === "report" ? { build: true } : {}) }
      const environment = { ...pair, ...fleet }
      const found = problems(command, { environment, flags })
      assert.deepEqual(found, [
        "the bucket is missing: use --bucket, or set AMPLITUDE_LAKE_BUCKET in the environment or in keys.env; or use --dev to land hours in a local folder"
      ])
      assert.deepEqual(problems(command, { environment, flags: { ...flags, store: "memory" } }), [])
      assert.deepEqual(problems(command, { environment, flags: { ...flags, dev: true } }), [])
      const bucket = { ...environment, AWS_BUCKET_NAME: "lake" }
      assert.deepEqual(problems(command, { environment: bucket, flags }), [])
    }
  })

  it("is set by a bucket, whose standard variable wins over its aliases wherever it is", () => {
    for (const alias of ["AWS_BUCKET", "AWB_BUCKET_NAME", "bucket_name"]) {
      assert.equal(bucketOf({ file: { [alias]: "lake" } }), "lake")
      const both = { environment: { [alias]: "other" }, file: { AWS_BUCKET_NAME: "lake" } }
      assert.equal(bucketOf(both), "lake")
    }
    assert.match(problems("list", { flags: { bucket: "s3://lake" } }).join(), /without s3:/)
  })

  it("is the one of --dev or --store that is set in the stronger place; in one place they contradict each other", () => {
    const [dev, store] = ["AMPLITUDE_LAKE_DEV", "AMPLITUDE_LAKE_STORE"] as const
    assert.equal(tagOf({ flags: { store: "memory" }, file: { [dev]: "true" } }), "Memory")
    assert.equal(tagOf({ flags: { dev: true }, file: { [store]: "s3" } }), "Local")
    assert.equal(tagOf({ environment: { [store]: "memory" }, file: { [dev]: "yes" } }), "Memory")
    assert.equal(tagOf({ environment: { [dev]: "false", [store]: "memory" } }), "Memory")
    assert.deepEqual(problems("list", { file: { [dev]: "true", [store]: "memory" } }), [
      "--dev means --store local, and cannot be combined with --store memory"
    ])
  })

  it("gets its S3 credentials from the environment and the env file", () => {
    const file = { bucket_name: "lake", AWS_ACCESS_KEY: "me", AWS_SECRET_KEY: "mine" }
    const { credentials } = only(settled("list", { file }).store, "S3")
    assert.equal(Option.getOrThrow(credentials).accessKeyId, "me")
    const half = { bucket_name: "lake", AWS_ACCESS_KEY: "me" }
    assert.match(problems("list", { file: half }).join(), /AWS_ACCESS_KEY is set without/)
    assert.equal(settled("list", { file: half, flags: { dev: true } }).store._tag, "Local")
  })

  it("needs a container and an account if it is Azure", () => {
    const environment = { AZURE_STORAGE_ACCOUNT: "lake", AZURE_STORAGE_CONTAINER: "events" }
    const { store } = settled("list", { environment, flags: { store: "azure" } })
    const { account, container } = only(store, "Azure")
    assert.deepEqual([container, account], ["events", "lake"])
    assert.deepEqual(problems("list", { flags: { store: "azure" } }), [
      "the container is missing: use --container, or set AMPLITUDE_LAKE_CONTAINER in the environment or in keys.env; or use --dev to land hours in a local folder",
      "the storage account is missing: set AZURE_STORAGE_ACCOUNT or AZURE_STORAGE_CONNECTION_STRING in the environment or in keys.env"
    ])
    const wrong = { flags: { store: "azure", container: "My--Events" }, environment }
    assert.match(
      problems("list", wrong).join(),
      /^--container "My--Events" is not a container name/
    )
    const key = { AZURE_STORAGE_KEY: "geheim!" }
    assert.equal(problems("list", { environment: key, flags: { dev: true } }).length, 0)
  })

  it("refuses flags of another store", () => {
    const azure = { AZURE_STORAGE_ACCOUNT: "lake", AZURE_STORAGE_CONTAINER: "events" }
    const flags = { store: "azure", bucket: "lake", sseKmsKeyId: "key" }
    assert.deepEqual(problems("sync", { flags, environment: azure }), [
      "--bucket cannot be combined with --store azure",
      "--sse-kms-key-id cannot be combined with --store azure"
    ])
    assert.deepEqual(problems("list", { flags: { bucket: "lake", container: "events" } }), [
      "--container cannot be combined with --store s3"
    ])
    const named = { ...azure, AWS_BUCKET_NAME: "lake" }
    for (const store of ["s3", "azure"]) {
      assert.deepEqual(problems("list", { environment: named, flags: { store } }), [])
    }
  })

  it("is local with --dev, which allows no other store", () => {
    assert.equal(settled("list", { flags: { dev: true, store: "local" } }).store._tag, "Local")
    assert.deepEqual(problems("list", { flags: { dev: true, store: "memory" } }), [
      "--dev means --store local, and cannot be combined with --store memory"
    ])
  })

  it("must not be the staging folder, from which sync removes landed hours", () => {
    assert.match(
      problemsOf({ localDir: "data", prefix: "/" }, "sync").join(),
      /^--data-dir "data" is the folder of the local store: choose another$/
    )
    assert.match(
      problemsOf({ localDir: "./x/../data", prefix: "/" }, "sync").join(),
      /is the folder of the local/
    )
    assert.match(
      problemsOf({ localDir: ".", prefix: "data" }, "sync").join(),
      /is the folder of the local/
    )
    assert.match(
      problemsOf({ localDir: "a", prefix: "b", dataDir: "a/b/" }, "sync").join(),
      /is the folder of the/
    )
    assert.equal(problemsOf({ localDir: "data", prefix: "b" }, "sync").join(), "")
  })

  it("must not be that folder under another name either", () => {
    const folder = mkdtempSync(join(tmpdir(), "amplitude-lake-"))
    try {
      const localDir = join(folder, "lake")
      mkdirSync(join(localDir, "b"), { recursive: true })
      const dataDir = join(folder, "data")
      symlinkSync(join(localDir, "b"), dataDir)
      assert.match(problemsOf({ localDir, prefix: "b", dataDir }, "sync").join(), /the folder of/)
      assert.equal(problemsOf({ localDir, prefix: "c", dataDir }, "sync").join(), "")
    } finally {
      rmSync(folder, { recursive: true })
    }
  })
})

describe("The keys", () => {
  const aliases = { API_TOKEN: "alias-key", SECRET_KEY: "alias-secret" }

  it("come from the environment rather than the env file", () => {
    assert.deepEqual(keysOf({ environment: pair }), ["key", "secret"])
    assert.deepEqual(keysOf({ file: pair }), ["key", "secret"])
    assert.deepEqual(keysOf({ environment: { AMP_API_KEY: "other" }, file: pair }), [
      "other",
      "secret"
    ])
  })

  it("may be called API_TOKEN and SECRET_KEY in the env file only", () => {
    assert.deepEqual(keysOf({ file: aliases }), ["alias-key", "alias-secret"])
    const found = problems("fetch", { flags: { dev: true }, environment: aliases })
    assert.equal(found.length, 2)
    assert.deepEqual(keysOf({ environment: aliases, file: pair }), ["key", "secret"])
  })

  it("come from the standard names if both pairs are complete", () => {
    assert.deepEqual(keysOf({ file: { ...aliases, ...pair } }), ["key", "secret"])
    assert.deepEqual(keysOf({ environment: pair, file: aliases }), ["key", "secret"])
    const blank = { AMP_API_KEY: " ", AMP_SECRET_KEY: "" }
    assert.deepEqual(keysOf({ environment: blank, file: aliases }), ["alias-key", "alias-secret"])
  })

  it("are never mixed from a standard name and an alias, and a message says so", () => {
    for (const place of ["environment", "file"] as const) {
      const half = (name: keyof typeof pair): Partial<Sources> =>
        place === "file"
          ? { file: { ...aliases, [name]: pair[name] } }
          : { file: aliases, environment: { [name]: pair[name] } }
      assert.deepEqual(problems("fetch", { flags: { dev: true }, ...half("AMP_API_KEY") }), [
        "Amplitude's secret key is missing: set AMP_SECRET_KEY in the environment, or AMP_SECRET_KEY in keys.env; " +
          "API_TOKEN and SECRET_KEY there cannot complete AMP_API_KEY, because the keys count only as a pair"
      ])
      assert.deepEqual(problems("fetch", { flags: { dev: true }, ...half("AMP_SECRET_KEY") }), [
        "Amplitude's API key is missing: set AMP_API_KEY in the environment, or AMP_API_KEY in keys.env; " +
          "API_TOKEN and SECRET_KEY there cannot complete AMP_SECRET_KEY, because the keys count only as a pair"
      ])
    }
  })

  it("are required only if Amplitude is used or simulated", () => {
    for (const command of ["fetch", "all", "simulate"] as const) {
      assert.equal(problemsOf({}, command, {}).length, 2, command)
    }
    for (const command of ["sync", "status", "list"] as const) {
      assert.deepEqual(problemsOf({}, command, {}), [], command)
    }
    assert.deepEqual(problemsOf({ dryRun: true }, "fetch", {}), [])
    assert.deepEqual(problemsOf({ source: "synthetic" }, "all", {}), [])
    assert.deepEqual(problemsOf({ dump: "out" }, "simulate", {}), [])
  })

  it("are refused by name if no header can carry them, wherever they are", () => {
    for (const [value, why] of [
      [
        '"geheim"',
        /is in quotes, which docker and kubectl keep as part of the value: remove them$/
      ],
      ["'geheim'", /is in quotes/],
      ["ge heim", /holds a blank$/],
      ["ge\nheim", /holds a control character, such as a line break$/],
      ["\u201cgeheim\u201d", /holds a character that is not ASCII, such as a curly quote$/],
      ["geheim\u200b", /holds a character that is not ASCII/]
    ] as const) {
      for (const place of ["environment", "file"] as const) {
        const given = { [place]: { ...pair, AMP_SECRET_KEY: value } }
        const found = problems("fetch", { flags: { dev: true }, ...given })
        assert.equal(found.length, 1, found.join())
        assert.match(found.join(), why)
        assert.match(found.join(), /^AMP_SECRET_KEY in /)
        assert.doesNotMatch(found.join(), /heim/)
      }
    }
  })

  it("may end in a line break, as a Kubernetes secret does", () => {
    const environment = { AMP_API_KEY: "key\n", AMP_SECRET_KEY: "secret\r\n" }
    assert.deepEqual(keysOf({ environment }), ["key", "secret"])
  })

  it("have no flag", () => {
    const given = { dev: true, apiKey: "from a flag", secretKey: "from a flag" }
    const found = problems("fetch", { flags: given })
    assert.equal(found.length, 2)
    assert.doesNotMatch(found.join(), /from a flag/)
    const flags = Object.values(settings).map((it) => ("flag" in it ? it.flag : undefined))
    assert.ok(flags.every((flag) => !/api-?key|access-?key|secret|token|password/.test(flag ?? "")))
  })

  it("appear in no message, and neither does the password in an origin", () => {
    const found = problems("fetch", {
      flags: { lagHours: "x", amplitudeUrl: "https://user:geheim1@amplitude.com" },
      environment: { AMP_API_KEY: "geheim2", AMPLITUDE_URL: "geheim3" },
      file: { API_TOKEN: "geheim4", SECRET_KEY: "geheim5" }
    })
    assert.equal(found.length, 4)
    assert.doesNotMatch(found.join("\n"), /geheim/)
    assert.match(found.join("\n"), /^--amplitude-url is not an origin such as https:/m)
  })
})

describe("The bucket to set up", () => {
  const environment = { AWS_BUCKET_NAME: "lake" }
  const arn = "arn:aws:iam::111122223333:user/snow"

  it("must be named, and gets its credentials from the environment", () => {
    for (const command of ["setup bucket", "setup iam"] as const) {
      assert.deepEqual(problems(command, {}), [
        "the bucket is missing: use --bucket, or set AMPLITUDE_LAKE_BUCKET in the environment or in keys.env"
      ])
      assert.deepEqual(problems(command, { environment }), [])
    }
    const file = { AWS_ACCESS_KEY: "id", AWS_SECRET_KEY: "secret", AWS_REGION: "eu-west-2" }
    const found = resolved("setup bucket", { environment, file })
    assert.equal(found.settings.bucket, "lake")
    assert.equal(Option.isSome(found.settings.credentials), true)
    assert.deepEqual(found.variables, { AWS_REGION: "eu-west-2" })
  })

  it("takes whole ARNs only, and at most a week", () => {
    const flags = { kmsKey: "alias/key", abortDays: "8" }
    const found = problems("setup bucket", { environment, flags })
    assert.match(found.join("\n"), /^--kms-key "alias\/key" is not the ARN of a KMS key/)
    assert.match(found.join("\n"), /^--abort-days "8" is not a whole number of days from 1 to 7, /m)
    const who = { trustedArn: "snow", externalId: "white space" }
    assert.equal(problems("setup iam", { environment, flags: who }).length, 2)
  })

  it("needs both --trusted-arn and --external-id for a trust policy", () => {
    for (const flags of [{ trustedArn: arn }, { externalId: "X_1=" }, { only: "trust" }]) {
      assert.match(
        problems("setup iam", { environment, flags }).join(),
        /needs both --trusted-arn and --external-id$/
      )
    }
    const flags = { trustedArn: arn, externalId: "X_1=", only: "trust" }
    assert.deepEqual(problems("setup iam", { environment, flags }), [])
  })
})

describe("Setting up Snowflake", () => {
  const target = {
    AWS_BUCKET_NAME: "lake",
    SNOWFLAKE_WAREHOUSE: "loading",
    SNOWFLAKE_DATABASE: "lake",
    SNOWFLAKE_SCHEMA: '"My schema"'
  }
  const awsRoleArn = "arn:aws:iam::111122223333:role/reader"

  it("needs no account to print the statements, and keeps names as Snowflake does", () => {
    const flags = { print: true, awsRoleArn, readerRole: '"My readers"', loaderRole: "loaders" }
    const settings = settled("setup snowflake", { environment: target, flags })
    const { loaderRole, readerRole, snowflake, target: found } = settings
    assert.deepEqual(found, { warehouse: "LOADING", database: "LAKE", schema: "My schema" })
    assert.deepEqual([loaderRole, readerRole, snowflake], ["LOADERS", "My readers", undefined])
  })

  it("names all that is missing, and what cannot be", () => {
    assert.deepEqual(problems("setup snowflake", { environment: { AWS_BUCKET_NAME: "lake" } }), [
      "--aws-role-arn is missing: setup snowflake needs it for --store s3",
      "the Snowflake account is missing: set SNOWFLAKE_ACCOUNT in the environment or in keys.env",
      "the compute warehouse is missing: set SNOWFLAKE_WAREHOUSE in the environment or in keys.env",
      "the database is missing: set SNOWFLAKE_DATABASE in the environment or in keys.env",
      "the schema is missing: set SNOWFLAKE_SCHEMA in the environment or in keys.env",
      "who loads is missing: set SNOWFLAKE_PRIVATE_KEY_PATH and SNOWFLAKE_USER, or SNOWFLAKE_TOKEN, in the environment or in keys.env"
    ])
    const azure = {
      ...target,
      AZURE_STORAGE_ACCOUNT: "lake",
      AZURE_STORAGE_CONTAINER: "lake",
      AMPLITUDE_LAKE_STORE: "azure"
    }
    const flags = { print: true, pipe: true }
    assert.deepEqual(problems("setup snowflake", { environment: azure, flags }), [
      "--azure-tenant is missing: setup snowflake needs it for --store azure",
      "--pipe needs --queue-integration for --store azure"
    ])
    for (const wrong of [
      { print: true, apply: true },
      { print: true, dev: true }
    ]) {
      const found = problems("setup snowflake", {
        environment: target,
        flags: { ...wrong, awsRoleArn }
      })
      assert.equal(found.length, 1, found.join())
    }
  })
})

describe("A setting that would expose the keys", () => {
  it("is refused by every command: NODE_TLS_REJECT_UNAUTHORIZED=0 in the environment", () => {
    const name = "NODE_TLS_REJECT_UNAUTHORIZED"
    for (const command of names) {
      const environment = { ...pair, ...fleet, AWS_BUCKET_NAME: "lake" }
      const found = problemsOf(requiredOf(command), command, { ...environment, [name]: "0" })
      assert.equal(found.length, 1, command)
      assert.match(
        found.join(),
        /^NODE_TLS_REJECT_UNAUTHORIZED=0 in the environment turns certificate checks off/
      )
      assert.deepEqual(
        problemsOf(requiredOf(command), command, { ...environment, [name]: "1" }),
        []
      )
    }
  })

  it("is refused of the source and of S3, where the store is S3", () => {
    const http = { AMPLITUDE_URL: "http://a.test", AWS_ENDPOINT_URL: "http://s3.test" }
    const environment = { ...pair, ...http, AWS_BUCKET_NAME: "lake" }
    assert.equal(problems("all", { environment }).length, 2)
    assert.equal(problems("list", { environment }).length, 1)
    assert.deepEqual(problems("list", { environment, flags: { dev: true } }), [])
  })

  it("divides no work by days that only one machine can do", () => {
    const shard = "3/16"
    const synthetic = { source: "synthetic", dev: true } as const
    assert.equal(String(settled("all", { flags: { ...synthetic, shard } }).shard), "3/16")
    const last = settled("all", {
      flags: synthetic,
      environment: { AMPLITUDE_LAKE_SHARD: "0/16" }
    })
    assert.equal(String(last.shard), "16/16")
    const refused = /a DuckDB file has one writer: run load without --shard/
    assert.match(problems("all", { flags: { ...synthetic, shard, load: true } }).join(), refused)
    assert.match(problems("load", { flags: { dev: true, shard } }).join(), refused)
    const archives = { dev: true, shard, fromArchive: "a.zip" }
    assert.match(problems("all", { flags: archives }).join(), /archives land whole/)
    for (const wrong of ["0", "17/16", "1/0", "-1/4", "1/4/2", "a/b", "1/10000"]) {
      const [problem = ""] = problems("all", { flags: { ...synthetic, shard: wrong } })
      assert.match(problem, /--shard.*a share of the days such as 3\/16/)
    }
  })

  it("asks for no keys where archives in files are landed, and says what that excludes", () => {
    const flags = { dev: true, fromArchive: ["a.zip", "b.zip"].join(SEPARATOR) }
    const { source } = settled("all", { flags })
    assert.deepEqual(only(source, "Archives").files, ["a.zip", "b.zip"])
    const both = { yesterday: true, dryRun: true, recheck: true, archiveDir: "archives" } as const
    assert.deepEqual(
      problems("all", { flags: { ...flags, ...both } }),
      ["--yesterday", "--dry-run", "--recheck", "--archive-dir"].map(
        (flag) => `--from-archive cannot be combined with ${flag}`
      )
    )
  })
})
