/**
 * Every setting of the command line, and which of them each command declares.
 *
 * @module
 */
import { outputSettings } from "./output.ts"
import { runSettings } from "./run.ts"
import type { Setting } from "./setting.ts"
import { setupSettings } from "./setup.ts"
import { keySettings, sourceSettings } from "./source.ts"
import { storeSettings } from "./store.ts"
import { windowSettings } from "./window.ts"

export const settings = {
  ...windowSettings,
  ...sourceSettings,
  ...storeSettings,
  ...runSettings,
  ...setupSettings,
  ...outputSettings,
  ...keySettings
} as const

/**
 * The keys count as a whole pair: where a variable of one is set, those that count in the env file
 * only do for neither.
 */
export const keys = ["apiKey", "secretKey"] as const satisfies ReadonlyArray<keyof typeof settings>

export type SettingName = keyof typeof settings

type ValueOf<S> = S extends Setting<infer A> ? A : never

/** The value of every setting, each by itself. */
export type Values = { readonly [Name in SettingName]: ValueOf<(typeof settings)[Name]> }

const dates = [
  "startDate",
  "endDate",
  "yesterday",
  "lookbackDays",
  "lagHours",
  "now"
] as const satisfies ReadonlyArray<SettingName>
const window = [...dates, "healDays", "settleHours"] as const
const synthetic = ["seed", "eventsPerHour", "project"] as const satisfies ReadonlyArray<SettingName>
/** Where events come from. */
export const source = [
  "source",
  "region",
  "amplitudeUrl",
  ...synthetic,
  "apiKey",
  "secretKey"
] as const
/** Which store, and where in it. */
export const place = [
  "store",
  "dev",
  "bucket",
  "container",
  "sseKmsKeyId",
  "localDir",
  "prefix"
] as const
const store = [...place, "layout", "format"] as const
const retry = ["retries", "retryBaseMs"] as const
const log = ["logLevel", "logFormat", "logDir"] as const
const output = ["json", ...log] as const
const alerts = ["webhook", "notify"] as const
const run = [
  "dataDir",
  "workDir",
  "archiveDir",
  "envFile",
  "requestHours",
  "concurrency",
  ...retry,
  "maxDuration",
  "dryRun",
  "recheck"
] as const

/** What commands of two words have in common, by the first of them. */
export const families: Readonly<Record<string, string>> = {
  setup: "Make ready what hours land in: the bucket, and who may do what there."
}

interface CommandEntry {
  readonly help: string
  readonly settings: ReadonlyArray<SettingName>
}

/** What each command is for, and the settings that it reads. */
export const commands = {
  fetch: {
    help: "Land the hours that store and staging lack in staging, to be moved by sync.",
    settings: [...window, ...source, ...store, ...run, ...output, ...alerts, "metricsFile"]
  },
  sync: {
    help: "Move what is staged to the store, and remove it here once the store confirmed it.",
    settings: [
      ...place,
      "layout",
      "dataDir",
      "envFile",
      "concurrency",
      ...retry,
      "maxDuration",
      "dryRun",
      ...output,
      ...alerts,
      "metricsFile"
    ]
  },
  all: {
    help: "Move what is staged, then land the hours that still miss straight in the store.",
    settings: [
      ...window,
      ...source,
      "fromArchive",
      ...store,
      ...run,
      ...output,
      ...alerts,
      "metricsFile"
    ]
  },
  status: {
    help: "Draw the lake as a calendar: what each hour is, by one listing of the store. Without dates, from the first landed hour to now. Exits 3 where there is a gap, 8 where a conflict is open.",
    settings: [
      ...dates,
      "settleHours",
      ...place,
      "dataDir",
      "envFile",
      ...retry,
      "events",
      ...output,
      ...alerts
    ]
  },
  list: {
    help: "List the objects in the store, with hour and size.",
    settings: [...place, "envFile", ...retry, ...output]
  },
  check: {
    help: "Try keys, clock, store, folders and free space, and tell what to do where something fails. Lands nothing.",
    settings: [
      ...source,
      ...place,
      "lagHours",
      "now",
      "dataDir",
      "workDir",
      "archiveDir",
      "envFile",
      ...output
    ]
  },
  verify: {
    help: "Read landed objects back and compare them with their metadata. Changes nothing; exits 8 where one differs.",
    settings: [
      ...dates,
      "sample",
      "sampleSeed",
      ...place,
      "envFile",
      "concurrency",
      ...retry,
      ...output,
      ...alerts
    ]
  },
  clean: {
    help: "Tidy up what runs left: staged hours that the store has, archives that nobody needs any more, unfinished uploads. Never touches what a live run holds. See it first with --dry-run.",
    settings: [
      ...place,
      "dataDir",
      "workDir",
      "archiveDir",
      "archiveDays",
      "abortUploads",
      "envFile",
      "concurrency",
      ...retry,
      "dryRun",
      ...output
    ]
  },
  "setup bucket": {
    help: "Show what an S3 bucket lacks, or make it with --apply: public access blocked, ACLs disabled, encryption by a KMS key, unfinished uploads removed. Changes only what differs, and takes nothing away that somebody else set. Exits 3 where something differs.",
    settings: [
      "bucket",
      "prefix",
      "kmsKey",
      "abortDays",
      "requireIfNoneMatch",
      "apply",
      "envFile",
      ...retry,
      ...output
    ]
  },
  "setup iam": {
    help: "Print the least policies for who writes, for who reads, and for who may take the reader's role. Asks nobody and changes nothing.",
    settings: [
      "bucket",
      "prefix",
      "kmsKey",
      "trustedArn",
      "externalId",
      "only",
      "envFile",
      ...output
    ]
  },
  simulate: {
    help: "Serve synthetic events as Amplitude's Export API does, on 127.0.0.1, until it is ended. Whoever asks must show the keys below. Its URL is the one line on stdout.",
    settings: [
      "port",
      "maxBytes",
      "dump",
      ...synthetic,
      "apiKey",
      "secretKey",
      "envFile",
      ...dates,
      ...log
    ]
  }
} as const satisfies Readonly<Record<string, CommandEntry>>

export type CommandName = keyof typeof commands

/** The settings that a command declares: it reads no other. */
export function declaredBy(command: CommandName): ReadonlyArray<SettingName> {
  return commands[command].settings
}

/** Every command with its name, in the order of `--help`. */
export const commandEntries: ReadonlyArray<readonly [CommandName, CommandEntry]> = Object.entries(
  commands
) as ReadonlyArray<readonly [CommandName, CommandEntry]>
