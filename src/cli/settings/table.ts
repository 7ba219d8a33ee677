/**
 * Every setting of the command line, and which of them each command declares.
 *
 * @module
 */
import { backfillSettings } from "./commands/backfill.ts"
import { cleanSettings } from "./commands/clean.ts"
import { copySettings } from "./commands/copy.ts"
import { exportSettings } from "./commands/export.ts"
import { fleetSettings } from "./commands/fleet.ts"
import { decisionSettings } from "./decision.ts"
import { loadSettings } from "./commands/load.ts"
import { outputSettings } from "./output.ts"
import { runSettings } from "./run.ts"
import { type Setting, TESTING } from "./setting.ts"
import { redactSettings } from "./commands/redact.ts"
import { setupSettings } from "./setup.ts"
import { modelSettings } from "./commands/model.ts"
import { reportSettings } from "./commands/report.ts"
import { sqlSettings } from "./commands/sql.ts"
import { simulateSettings } from "./commands/simulate.ts"
import { keySettings, sourceSettings } from "./source.ts"
import { storeSettings } from "./store.ts"
import { verifySettings } from "./commands/verify.ts"
import { windowSettings } from "./window.ts"

export const settings = {
  ...windowSettings,
  ...sourceSettings,
  ...storeSettings,
  ...runSettings,
  ...backfillSettings,
  ...fleetSettings,
  ...cleanSettings,
  ...verifySettings,
  ...copySettings,
  ...exportSettings,
  ...redactSettings,
  ...loadSettings,
  ...modelSettings,
  ...sqlSettings,
  ...reportSettings,
  ...simulateSettings,
  ...setupSettings,
  ...decisionSettings,
  ...outputSettings,
  ...keySettings
} as const

/**
 * The keys count as a pair: if a standard variable of one is set, the legacy names in the env file
 * count for neither.
 */
export const keys = ["apiKey", "secretKey"] as const satisfies ReadonlyArray<keyof typeof settings>

export type SettingName = keyof typeof settings

type ValueOf<S> = S extends Setting<infer A> ? A : never

/** The value of every setting. */
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
/** Which lake: a store, and a prefix in it. */
const lake = ["store", "dev", "bucket", "container", "localDir", "prefix"] as const
const encryption = ["sse", "sseKmsKeyId"] as const
/** Where a lake is copied to. */
export const targetPlace = [
  "toStore",
  "toBucket",
  "toContainer",
  "toLocalDir",
  "toPrefix"
] as const satisfies ReadonlyArray<SettingName>
/** Which lake, and how objects are put there. Also verify and clean put one: the mark of a conflict. */
export const place = [...lake, ...encryption] as const
const store = [...place, "layout", "format"] as const
/** What has to be the same in the commands for one lake. */
export const lakeSettings = [
  "envFile",
  ...source,
  ...store,
  "dataDir",
  "workDir",
  "lagHours",
  "settleHours",
  "warehouse",
  "warehouseFile"
] as const satisfies ReadonlyArray<SettingName>
const retry = ["retries", "retryBaseMs"] as const
const log = ["logLevel", "logFormat", "logDir"] as const
const output = ["json", ...log] as const
const alerts = ["webhook", "notify", "heartbeat"] as const
const run = [
  "dataDir",
  "workDir",
  "archiveDir",
  "envFile",
  "requestHours",
  "concurrency",
  ...retry,
  "inflate",
  "maxDuration",
  "dryRun",
  "recheck"
] as const

const backfill = [
  "startDate",
  "endDate",
  "lagHours",
  "settleHours",
  "now",
  "lanes",
  "watch",
  "stop",
  "databaseUrl",
  ...source,
  ...store,
  "dataDir",
  "workDir",
  "archiveDir",
  "envFile",
  "requestHours",
  "concurrency",
  ...retry,
  "inflate",
  "maxDuration",
  "dryRun",
  ...output,
  ...alerts,
  "metricsFile"
] as const satisfies ReadonlyArray<SettingName>

const gapSettings = [
  "lagHours",
  "settleHours",
  "now",
  ...lake,
  "dataDir",
  "envFile",
  ...retry,
  ...output
] as const

/** The help of a group of two-word commands, by their first word. */
export const families: Readonly<Record<string, string>> = {
  setup: "Prepare the bucket, its access policies, and Snowflake."
}

const LOOKBACK_OF_END = "with --end-date alone: this many days, ending with that date"

/** Settings that describe a lake and how its runs behave: what is the same for every run. */
const configured: ReadonlyArray<SettingName> = (
  Object.entries(settings) as ReadonlyArray<readonly [SettingName, Setting<unknown>]>
).flatMap(([name, { variables }]) => (name === "json" || variables.length > 0 ? [name] : []))

interface CommandEntry {
  readonly help: string
  readonly settings: ReadonlyArray<SettingName>
  /** The help of flags that mean the same here, but that this command puts to another use. */
  readonly helps?: Readonly<Partial<Record<SettingName, string>>>
}

/** Each command's help, and the settings that it reads. */
export const commands = {
  fetch: {
    help: "Download missing hours into local staging, for sync to upload.",
    settings: [...window, ...source, ...store, ...run, ...output, ...alerts, "metricsFile"],
    helps: { archiveDir: "folder that keeps each verified archive after its hours were staged" }
  },
  sync: {
    help: "Upload staged hours to the store. A local file is removed only after the store has confirmed its hour.",
    settings: [
      ...place,
      "layout",
      "dataDir",
      "adoptProject",
      "adoptForeign",
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
    help: "Upload staged hours, then download the missing ones straight into the store. With --load, also bring them into the warehouse.",
    settings: [
      ...window,
      "shard",
      ...source,
      "fromArchive",
      ...store,
      "load",
      "warehouseFile",
      "unverified",
      ...run,
      ...output,
      ...alerts,
      "metricsFile"
    ],
    helps: {
      unverified:
        "with --load: also load hours that another pipeline landed, without metadata to compare them with"
    }
  },
  backfill: {
    help: "Land a backlog: every gap after the lake's first landed hour, or the hours between two dates, by up to four requests to Amplitude at once. Typed again, it goes on where it was stopped.",
    settings: backfill
  },
  worker: {
    help: "Join a fleet: land windows of the backfills that others submit to the same database, until a signal comes. Any number of workers may run, on any machine. What one has begun when it ends or dies, another one takes over.",
    settings: [
      "workerLanes",
      "keepDays",
      "healthPort",
      "healthHost",
      "databaseUrl",
      "lagHours",
      "settleHours",
      "now",
      ...source,
      ...store,
      "dataDir",
      "workDir",
      "archiveDir",
      "envFile",
      "concurrency",
      ...retry,
      "inflate",
      ...log
    ]
  },
  load: {
    help: "Load landed hours into the warehouse: every hour that is not there yet, oldest first, each whole with its ledger row or not at all. Exits 8 where store and warehouse contradict each other, 3 where hours failed or were left.",
    settings: [
      "startDate",
      "endDate",
      "yesterday",
      "lagHours",
      "settleHours",
      "shard",
      "now",
      "warehouse",
      "warehouseFile",
      "replace",
      "reconcile",
      "unverified",
      ...place,
      "envFile",
      ...retry,
      "maxDuration",
      "dryRun",
      ...output,
      ...alerts,
      "metricsFile"
    ],
    helps: {
      warehouse:
        "which warehouse: duckdb, the file, or snowflake, which SNOWFLAKE_ACCOUNT and its like describe (default: duckdb)"
    }
  },
  model: {
    help: "Build the models in the warehouse: the tables that answer questions, from the SQL that dbt has compiled for this version. Each is replaced in one transaction. A load comes first.",
    settings: ["warehouseFile", "sites", "ipRanges", "envFile", ...retry, ...output]
  },
  report: {
    help: "Write a report as one HTML file: what is in the lake, and what the models answer. It needs no network and runs no script. A load and the models come first; --build does both, and needs the lake's store.",
    settings: [
      "out",
      "build",
      "warehouseFile",
      "lagHours",
      "settleHours",
      "now",
      ...place,
      "envFile",
      ...retry,
      ...output
    ]
  },
  sql: {
    help: "Run a query in the warehouse and print its result. It only reads: a statement that would change anything is refused. Times are UTC.",
    settings: ["query", "output", "warehouseFile", "envFile", ...retry, ...log]
  },
  status: {
    help: "Draw the lake as a calendar: what each hour is, by one listing of the store. Without dates, from the first landed hour to now. Exits 3 where there is a gap, 8 where a conflict is open. With --warehouse, hours that are not loaded count, too.",
    settings: [
      ...dates,
      "settleHours",
      "warehouse",
      "warehouseFile",
      ...lake,
      "dataDir",
      "envFile",
      ...retry,
      "events",
      "html",
      ...output,
      ...alerts,
      "metricsFile"
    ],
    helps: { lookbackDays: LOOKBACK_OF_END }
  },
  gaps: {
    help: "List the hours that are missing between the first landed hour and now, and those that were accepted as missing for good.",
    settings: [...gapSettings]
  },
  "gaps accept": {
    help: "Accept that hours stay missing: the gaps between two dates. From then on no run without dates requests them, and none fails over them.",
    settings: ["startDate", "endDate", "reason", ...gapSettings, ...encryption]
  },
  "gaps withdraw": {
    help: "Take an acceptance back: those of its hours that are still missing are gaps again.",
    settings: ["acceptance", ...place, "envFile", ...retry, ...output]
  },
  resolve: {
    help: "Choose between two versions of an hour: that in the store, and ours, which was refused. The object that ours replaces is kept below .amplitude-lake-replaced/. Where our copy is not on this machine, the hour is requested from Amplitude again. If the store has the hour in several versions, the key says which one counts; the others stay, and the commands that remove them are shown.",
    settings: [
      "conflict",
      "keep",
      ...source,
      ...place,
      "layout",
      "format",
      "dataDir",
      "workDir",
      "inflate",
      "envFile",
      ...retry,
      ...output
    ]
  },
  list: {
    help: "List the objects in the store with their hour and size.",
    settings: [...lake, "envFile", ...retry, ...output]
  },
  check: {
    help: "Test credentials, clock, store, folders, free space and the warehouse if there is one, look for gaps and conflicts in the whole lake, and say how to fix what fails. Lands nothing.",
    settings: [
      ...source,
      ...place,
      "lagHours",
      "settleHours",
      "now",
      "dataDir",
      "workDir",
      "archiveDir",
      "inflate",
      "warehouseFile",
      "envFile",
      "webhook",
      "testWebhook",
      ...output
    ],
    helps: {
      archiveDir: "folder of kept archives, to see whether it can be written to",
      webhook: "URL that --test-webhook posts a message to"
    }
  },
  verify: {
    help: "Read landed objects back and compare every byte and line with their metadata: without dates those of the whole lake. Changes none of them. Exits 8 if one differs or a conflict is open, 3 if hours are missing between the first and the last one, or nothing was read. With --warehouse, the lines in the warehouse are read, too, and compared with what was loaded. With --against, the lake is compared with another one: exits 8 if an hour differs, 3 if one lake lacks an hour of the other.",
    settings: [
      ...dates,
      "settleHours",
      "warehouse",
      "warehouseFile",
      "sample",
      "sampleSeed",
      "strict",
      "parse",
      "against",
      ...place,
      ...targetPlace,
      "envFile",
      "concurrency",
      ...retry,
      "maxDuration",
      ...output,
      ...alerts
    ],
    helps: {
      concurrency: "hours read in parallel",
      lookbackDays: LOOKBACK_OF_END,
      maxDuration:
        "stop after this long, such as 90s, 50m or 2h, and name the hours that were not read",
      warehouse: "look into the warehouse, too: duckdb, the file that load makes",
      toStore:
        "with --against: store of the other lake: s3, azure or local (default: that of this one)",
      toBucket: "with --against: S3 bucket of the other lake (default: that of --bucket)",
      toContainer:
        "with --against: Azure container of the other lake (default: that of --container)",
      toLocalDir:
        "with --against: folder of the other lake, which means --to-store local (default: that of --local-dir)",
      toPrefix:
        "with --against: prefix of every key in the other lake; / for none (default: that of --prefix)"
    }
  },
  copy: {
    help: "Copy the lake to another store, prefix, layout or format: every hour that is not there yet, verified on the way and put only if absent, and then what people decided. Changes nothing here, and no object there. Run it again to go on. Exits 8 if an hour is there with other lines, or a conflict is open.",
    settings: [
      ...place,
      ...targetPlace,
      "toLayout",
      "toFormat",
      "envFile",
      "concurrency",
      ...retry,
      "maxDuration",
      "dryRun",
      ...output
    ],
    helps: {
      concurrency: "hours copied in parallel",
      dryRun:
        "list both stores and show which hours would be copied, without reading or writing any",
      sse: "S3: encryption that every put to the target requests, AES256 or aws:kms (default: the bucket's own encryption)",
      maxDuration: "stop after this long, such as 90s, 50m or 2h; the next run goes on from there"
    }
  },
  export: {
    help: "Write the tables that the models have made as Parquet files, for Athena, Spark, Polars, pandas and DuckDB: tables of events a file for each date, every other table in one. Only what has changed is written, beside the files in place, read back and compared, and then put in their place all together; files of dates that are gone are removed. Run it again to go on. Exits 3 if loaded hours are not modelled yet, 2 if nothing is.",
    settings: ["to", "warehouseFile", "envFile", ...retry, "dryRun", ...output],
    helps: { dryRun: "compare the tables with the folder and show what would be written" }
  },
  reland: {
    help: "Request the landed hours between two dates from Amplitude again, and replace those with other lines, each on the condition of its ETag. What was there before is kept below .amplitude-lake-replaced/, and the warehouse follows with the next load. Hours that a person's events were removed from are refused, and so are those for which Amplitude returns no events now. Run it again to go on. Exits 8 if an hour was refused or a conflict is open, 3 if hours are not in the store.",
    settings: [
      "startDate",
      "endDate",
      "lagHours",
      "settleHours",
      "now",
      ...source,
      ...place,
      "dataDir",
      "workDir",
      "envFile",
      "requestHours",
      "concurrency",
      ...retry,
      "inflate",
      "maxDuration",
      "dryRun",
      ...output
    ],
    helps: {
      concurrency: "hours compared in parallel",
      dryRun: "request the hours and compare them, and show which would be replaced; write nothing",
      dataDir: "folder with the copies of refused hours, of which none is kept once it counts",
      maxDuration: "stop after this long, such as 90s, 50m or 2h; the next run goes on from there"
    }
  },
  redact: {
    help: "Remove people's events, by the parsed fields of each line: count them first, and remove them with --yes. Searches every hour in the store and what was replaced, staging with failed_uploads/, the spool, and kept archives. Objects are rewritten without these lines on the condition of their ETags, archives that hold one are removed, and nothing is kept of it. The warehouse follows with the next load. Run it again to go on. Exits 3 while lines are left, 8 if an object is not what its metadata say.",
    settings: [
      "userIds",
      "amplitudeIds",
      "deviceIds",
      "peopleFile",
      "yes",
      ...place,
      "dataDir",
      "workDir",
      "archiveDir",
      "warehouseFile",
      "envFile",
      "concurrency",
      ...retry,
      "maxDuration",
      ...output
    ],
    helps: {
      archiveDir: "folder of kept archives, which are searched, too",
      concurrency: "hours searched in parallel",
      dataDir: "folder where fetch stages hours for sync, and copies of refused hours are kept",
      maxDuration: "stop after this long, such as 90s, 50m or 2h; run it again to go on",
      warehouseFile: "DuckDB file of the warehouse, which is only named: load follows"
    }
  },
  snapshot: {
    help: "Store what Amplitude says about the events: its lists of event types, cohorts and annotations, as they are now, one small object each for the UTC day, below .amplitude-lake-reference/. A list that the day has already is not requested again. Exits 3, 5 or 7 if a list failed; the others are stored.",
    settings: [...source, ...place, "now", "envFile", ...retry, ...output]
  },
  clean: {
    help: "Remove what earlier runs left behind: staged hours that the store already has, archives that are no longer needed, unfinished uploads. Never touches what a live run holds. Use --dry-run to see it first.",
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
    ],
    helps: {
      archiveDir: "folder of kept archives; --archive-days removes old ones",
      concurrency: "staged hours compared in parallel"
    }
  },
  "setup bucket": {
    help: "Compare an S3 bucket with the recommended configuration: public access blocked, ACLs disabled, KMS encryption, unfinished uploads aborted. With --apply, change what differs. Settings that somebody else made are never removed. Exits 3 if something differs.",
    settings: [
      "bucket",
      "prefix",
      "kmsKey",
      "abortDays",
      "requireIfNoneMatch",
      "notifyQueue",
      "apply",
      "envFile",
      ...retry,
      ...output
    ]
  },
  "setup iam": {
    help: "Print minimum IAM policies for the writer and for readers, and the trust policy of the reader's role. Makes no network calls and changes nothing.",
    settings: [
      "bucket",
      "prefix",
      "kmsKey",
      "trustedArn",
      "externalId",
      "only",
      "envFile",
      ...output
    ],
    helps: { kmsKey: "KMS key of the bucket, which the policies let writer and readers use" }
  },
  "setup snowflake": {
    help: "Compare Snowflake with what a lake needs there: storage integration, database, schema, file format, stage, tables, roles and their rights, and with --pipe a Snowpipe. With --apply, make what is missing. Replaces and drops nothing; what somebody else chose is named and stays. SNOWFLAKE_ACCOUNT and its like say where and as whom. Exits 3 if something differs.",
    settings: [
      ...lake,
      "awsRoleArn",
      "azureTenant",
      "integration",
      "loaderRole",
      "readerRole",
      "pipe",
      "queueIntegration",
      "apply",
      "print",
      "describe",
      "envFile",
      ...retry,
      ...output
    ],
    helps: { apply: "make what is missing instead of only showing it" }
  },
  simulate: {
    help: "Serve synthetic events as Amplitude's Export API does, on 127.0.0.1, until interrupted. Clients must send the keys below. The server's URL is the only line on stdout.",
    settings: [
      "port",
      "maxBytes",
      "dump",
      ...synthetic,
      "brokenLines",
      "apiKey",
      "secretKey",
      "envFile",
      ...dates,
      ...log
    ],
    helps: {
      startDate: `with --dump: ${windowSettings.startDate.help}`,
      endDate: `with --dump: ${windowSettings.endDate.help}`,
      yesterday: "with --dump: the previous UTC day",
      lookbackDays:
        "with --dump, without dates: this many days, ending with the newest closed hour",
      lagHours:
        "with --dump, without dates: hours to wait after an hour ends before it counts as closed",
      now: "with --dump: use this time, such as 2025-11-10T21:00:00Z, instead of the system clock"
    }
  },
  config: {
    help: "Show the value of each setting and where it comes from: its flag, a variable in the environment or a line of the env file. Also shows what is set elsewhere and does not count. Keys, tokens and URLs that may contain one are masked. Takes the flags of all commands, except those that can only be typed. Exits 2 if a value is invalid; what is missing is shown as missing.",
    settings: configured
  }
} as const satisfies Readonly<Record<string, CommandEntry>>

export type CommandName = keyof typeof commands

/** The settings that a command declares. It reads no others. */
export function declaredBy(command: CommandName): ReadonlyArray<SettingName> {
  return commands[command].settings
}

/** As help and `config` show them: flags for tests come last. */
export function inOrder(names: ReadonlyArray<SettingName>): ReadonlyArray<SettingName> {
  return [...names.filter((name) => !isForTests(name)), ...names.filter(isForTests)]
}

function isForTests(name: SettingName): boolean {
  return settings[name].group === TESTING
}

/** Every command with its name, in the order of `--help`. */
export const commandEntries: ReadonlyArray<readonly [CommandName, CommandEntry]> = Object.entries(
  commands
) as ReadonlyArray<readonly [CommandName, CommandEntry]>

/** Flags that a command cannot do without. */
export const required = {
  worker: ["databaseUrl"],
  "gaps accept": ["startDate", "endDate", "reason"],
  resolve: ["keep"],
  export: ["to"],
  reland: ["startDate", "endDate"]
} as const satisfies Partial<Record<CommandName, ReadonlyArray<SettingName>>>

/** The flags that a command cannot do without; most have none. */
export function requiredBy(command: CommandName): ReadonlyArray<SettingName> {
  const all: Partial<Record<CommandName, ReadonlyArray<SettingName>>> = required
  return all[command] ?? []
}
