/**
 * Every setting of the command line: its flag, the variables that stand in for it, what it means and its default.
 *
 * @module
 */
import { type Duration, Either, Redacted } from "effect"
import type { Hour } from "../../services/Hour.ts"
import { Format, Layout } from "../../services/HourKey.ts"
import { parseSafeOrigin, parseSafeUrl, unsafeUrlText } from "../../services/SafeUrl.ts"
import type { AzureEnvironment } from "./azureEnvironment.ts"
import type { S3Environment } from "./s3Environment.ts"
import {
  bucket,
  container,
  duration,
  externalId,
  hourOrDay,
  instant,
  keyArn,
  oneOf,
  type Parse,
  prefix,
  principalArn,
  prometheusFile,
  secret,
  text,
  texts,
  wholeNumber
} from "./parse.ts"

export interface Setting<A> {
  /** `--lag-hours <n>`; absent for secrets, which no flag may carry. */
  readonly flag?: string
  readonly help: string
  /** The part of `--help` that it stands in. */
  readonly group: string
  /** Variables of the environment or the env file, first come first served. */
  readonly variables: ReadonlyArray<string>
  /** Further variables that count in the env file only, and as `keys` says. */
  readonly fileVariables: ReadonlyArray<string>
  readonly parse: Parse<A>
  readonly fallback: A
  /** The default as `--help` shows it; empty where there is none to show. */
  readonly shown: string
  /** Whether its text may hold a secret, so that no message repeats it. */
  readonly isPrivate: boolean
}

interface Extra {
  readonly variables?: ReadonlyArray<string>
  readonly shown?: string
  readonly isPrivate?: boolean
}

function value<A>(
  group: string,
  flag: string,
  help: string,
  parse: Parse<A>,
  fallback: NoInfer<A>,
  {
    variables = [],
    shown = fallback === undefined ? "" : String(fallback),
    isPrivate = false
  }: Extra = {}
): Setting<A> {
  return { flag, help, group, variables, fileVariables: [], parse, fallback, shown, isPrivate }
}

function optional<A>(
  group: string,
  flag: string,
  help: string,
  parse: Parse<A>,
  extra?: Extra
): Setting<A | undefined> {
  return value<A | undefined>(group, flag, help, parse, undefined, extra)
}

function toggle(group: string, flag: string, help: string): Setting<boolean> {
  return value(group, flag, help, nothing, false, { shown: "" })
}

const nothing: Parse<boolean> = () => Either.left("a flag without a value")

function key(
  help: string,
  variables: ReadonlyArray<string>,
  fileVariables: ReadonlyArray<string>
): Setting<Redacted.Redacted | undefined> {
  return {
    help,
    group: KEYS,
    variables,
    fileVariables,
    parse: secret,
    fallback: undefined,
    shown: "",
    isPrivate: true
  }
}

const WINDOW = "Which hours:"
const SOURCE = "Where from:"
const STORE = "Where to:"
const RUN = "How:"
const SETUP = "What is asked for:"
const OUTPUT = "What is printed:"
const KEYS = "Keys:"

export const settings = {
  startDate: optional<Hour>(
    WINDOW,
    "--start-date <hour>",
    "first hour: 20251110T00, 2025-11-10T00 or a day, 2025-11-10",
    hourOrDay("T00")
  ),
  endDate: optional<Hour>(
    WINDOW,
    "--end-date <hour>",
    "last hour, included; of a day, its T23",
    hourOrDay("T23")
  ),
  yesterday: toggle(WINDOW, "--yesterday", "the previous UTC day, T00 to T23"),
  lookbackDays: value(
    WINDOW,
    "--lookback-days <days>",
    "without dates: so many days up to the newest closed hour",
    wholeNumber(1, 3660),
    1,
    { variables: ["DEFAULT_LOOKBACK_DAYS"] }
  ),
  lagHours: value(
    WINDOW,
    "--lag-hours <hours>",
    "how long an hour must be over before it is closed and asked for",
    wholeNumber(0, 8760),
    12,
    { variables: ["DATA_AVAILABILITY_LAG_HOURS"] }
  ),
  healDays: value(
    WINDOW,
    "--heal-days <days>",
    "without dates: reach back to the oldest gap, so many days at most",
    wholeNumber(0, 3660),
    30
  ),
  settleHours: value(
    WINDOW,
    "--settle-hours <hours>",
    "how long an hour must be over before having no events is believed",
    wholeNumber(0, 8760),
    24
  ),
  now: optional<number>(
    WINDOW,
    "--now <instant>",
    "stand in for the clock: 2025-11-10T21:00:00Z; in the past, but for synthetic events",
    instant
  ),

  source: value(
    SOURCE,
    "--source <source>",
    "amplitude, or synthetic for made-up events",
    oneOf(["amplitude", "synthetic"] as const),
    "amplitude" as const
  ),
  region: value(
    SOURCE,
    "--amplitude-region <region>",
    "eu or us: where the project's data lives",
    oneOf(["eu", "us"] as const),
    "eu" as const,
    { variables: ["AMPLITUDE_REGION"] }
  ),
  amplitudeUrl: optional<string>(
    SOURCE,
    "--amplitude-url <origin>",
    "another origin before /api/2/export",
    (origin) =>
      Either.mapBoth(parseSafeOrigin(origin), {
        onLeft: (why) => `an origin as https://amplitude.com: it ${why}`,
        onRight: (url) => url.origin
      }),
    { variables: ["AMPLITUDE_URL"], isPrivate: true }
  ),
  fromArchive: optional<ReadonlyArray<string>>(
    SOURCE,
    "--from-archive <file...>",
    "archives, kept or downloaded by hand: land the hours in them, without asking Amplitude; both dates say that all between them was asked for",
    texts
  ),
  seed: value(
    SOURCE,
    "--seed <n>",
    "of the synthetic events: the same seed makes the same events",
    wholeNumber(0, 2 ** 32 - 1),
    1
  ),
  eventsPerHour: value(
    SOURCE,
    "--events-per-hour <n>",
    "synthetic events an hour, about",
    wholeNumber(1, 10_000_000),
    1000
  ),
  project: value(
    SOURCE,
    "--project <id>",
    "project number of the synthetic events",
    wholeNumber(1),
    123456
  ),

  store: value(
    STORE,
    "--store <store>",
    "s3, azure (Blob Storage), local (a folder) or memory (nothing is kept)",
    oneOf(["s3", "azure", "local", "memory"] as const),
    "s3" as const
  ),
  dev: toggle(STORE, "--dev", "the same as --store local"),
  bucket: optional<string>(STORE, "--bucket <name>", "S3 bucket", bucket, {
    variables: ["AWS_BUCKET_NAME", "AWS_BUCKET", "AWB_BUCKET_NAME", "bucket_name"]
  }),
  container: optional<string>(STORE, "--container <name>", "Azure container", container, {
    variables: ["AZURE_STORAGE_CONTAINER"]
  }),
  sseKmsKeyId: optional<string>(
    STORE,
    "--sse-kms-key-id <key>",
    "S3: KMS key that encrypts what is put; else the bucket's own encryption",
    text
  ),
  localDir: value(STORE, "--local-dir <folder>", "folder of the local store", text, "s3_dev"),
  prefix: value(
    STORE,
    "--prefix <prefix>",
    "what every key begins with; / for none",
    prefix,
    "python-import/"
  ),
  layout: value(
    STORE,
    "--layout <layout>",
    "hourly: 2025-11-10_21.jsonl; hive: dt=2025-11-10/hour=21/events.jsonl",
    oneOf(Layout.literals),
    "hourly" as const
  ),
  format: value(
    STORE,
    "--format <format>",
    "jsonl, or jsonl.gz: the gzip members as Amplitude made them",
    oneOf(Format.literals),
    "jsonl" as const
  ),

  dataDir: value(RUN, "--data-dir <folder>", "where fetch stages hours for sync", text, "data"),
  workDir: value(
    RUN,
    "--work-dir <folder>",
    "where archives are downloaded and checked",
    text,
    ".amplitude-lake"
  ),
  archiveDir: optional<string>(
    RUN,
    "--archive-dir <folder>",
    "keep each verified archive there once its hours are landed",
    text
  ),
  envFile: value(RUN, "--env-file <file>", "file of VARIABLE=value lines", text, ".env"),
  requestHours: value(
    RUN,
    "--request-hours <hours>",
    "hours of one request to Amplitude, at most",
    wholeNumber(1, 8760),
    24
  ),
  concurrency: value(RUN, "--concurrency <n>", "hours landed at once", wholeNumber(1, 64), 4),
  retries: value(
    RUN,
    "--retries <n>",
    "further tries of what may succeed later",
    wholeNumber(0, 100),
    5
  ),
  retryBaseMs: value(
    RUN,
    "--retry-base-ms <ms>",
    "wait before the first further try, doubled each time",
    wholeNumber(1, 600_000),
    1000
  ),
  maxDuration: optional<Duration.Duration>(
    RUN,
    "--max-duration <time>",
    "stop after 90s, 30m or 2h; hours not landed by then have failed for now",
    duration
  ),
  dryRun: toggle(RUN, "--dry-run", "show the plan: nothing is asked or written"),
  recheck: toggle(RUN, "--recheck", "ask again for landed hours of the window and compare"),

  archiveDays: optional<number>(
    RUN,
    "--archive-days <days>",
    "remove kept archives that are older (default: none is removed)",
    wholeNumber(1, 36_600)
  ),
  abortUploads: toggle(
    RUN,
    "--abort-uploads",
    "remove unfinished uploads to which nothing was added for a day"
  ),
  sample: optional<number>(
    RUN,
    "--sample <n>",
    "read so many hours only: of the given dates, or of all that stand in the store",
    wholeNumber(1)
  ),
  sampleSeed: optional<number>(
    RUN,
    "--seed <n>",
    "draw the same sample again (default: another each time, and told)",
    wholeNumber(0, 2 ** 31 - 1)
  ),

  kmsKey: optional<string>(
    SETUP,
    "--kms-key <arn>",
    "KMS key that encrypts what is put without saying how",
    keyArn
  ),
  abortDays: value(
    SETUP,
    "--abort-days <days>",
    "unfinished uploads below the prefix are removed after so many days, 7 at most",
    wholeNumber(1, 7),
    7
  ),
  requireIfNoneMatch: toggle(
    SETUP,
    "--require-if-none-match",
    "a bucket policy that refuses puts below the prefix which could overwrite, whoever puts"
  ),
  apply: toggle(SETUP, "--apply", "change what differs, instead of showing it"),
  trustedArn: optional<string>(
    SETUP,
    "--trusted-arn <arn>",
    "who may take the reader's role: STORAGE_AWS_IAM_USER_ARN of Snowflake's DESC INTEGRATION",
    principalArn
  ),
  externalId: optional<string>(
    SETUP,
    "--external-id <id>",
    "what that one has to say each time: STORAGE_AWS_EXTERNAL_ID, of the same",
    externalId
  ),
  only: optional(
    SETUP,
    "--only <policy>",
    "writer, reader or trust: this one, as aws iam takes it",
    oneOf(["writer", "reader", "trust"] as const)
  ),

  port: value(
    RUN,
    "--port <port>",
    "port on 127.0.0.1; 0 for any free one",
    wholeNumber(0, 65535),
    0
  ),
  maxBytes: optional<number>(
    RUN,
    "--max-bytes <bytes>",
    "answer 400 to windows whose archive is larger",
    wholeNumber(1)
  ),
  dump: optional<string>(
    RUN,
    "--dump <folder>",
    "write the lines of the window's hours there instead of serving them",
    text
  ),

  events: toggle(OUTPUT, "--events", "shade landed hours by their events"),
  json: toggle(OUTPUT, "--json", "one JSON object on stdout"),
  logLevel: value(
    OUTPUT,
    "--log-level <level>",
    "debug, info, warning, error or none",
    oneOf(["debug", "info", "warning", "error", "none"] as const),
    "info" as const
  ),
  logFormat: optional(
    OUTPUT,
    "--log-format <format>",
    "pretty, logfmt or json, on stderr (default: pretty on a terminal, else logfmt)",
    oneOf(["pretty", "logfmt", "json"] as const)
  ),
  webhook: optional<Redacted.Redacted>(
    OUTPUT,
    "--webhook <url>",
    "post the summary there as JSON when the run fails or leaves gaps",
    (url) =>
      Either.mapBoth(parseSafeUrl(url), {
        onLeft: (problem) =>
          `a webhook's URL as https://hooks.example/T0/B0: it ${unsafeUrlText(problem)}`,
        onRight: ({ href }) => Redacted.make(href)
      }),
    { variables: ["NOTIFY_WEBHOOK_URL"], isPrivate: true }
  ),
  notify: value(
    OUTPUT,
    "--notify <when>",
    "failure, or always: when the webhook is told",
    oneOf(["failure", "always"] as const),
    "failure" as const
  ),
  logDir: optional<string>(
    OUTPUT,
    "--log-dir <folder>",
    "also write the log to a file of the run there, whole even if the run is killed",
    text
  ),
  metricsFile: optional<string>(
    OUTPUT,
    "--metrics-file <file>",
    "leave there, as a .prom file, what the run did: for Prometheus' node exporter",
    prometheusFile
  ),

  apiKey: key("Amplitude's API key", ["AMP_API_KEY"], ["API_TOKEN"]),
  secretKey: key("Amplitude's secret key", ["AMP_SECRET_KEY"], ["SECRET_KEY"])
} as const

/** The keys count as a whole pair: where a variable of one is set, those that count in the env file only do for neither. */
export const keys = ["apiKey", "secretKey"] as const satisfies ReadonlyArray<keyof typeof settings>

export type SettingName = keyof typeof settings

type ValueOf<S> = S extends Setting<infer A> ? A : never

/** Settled: every setting has its value. */
export type Settings = { readonly [Name in SettingName]: ValueOf<(typeof settings)[Name]> } & {
  /** What goes to S3's own client, where the store is S3. */
  readonly s3: S3Environment
  /** What goes to Azure's own client, where the store is Azure. */
  readonly azure: AzureEnvironment
}

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
const source = ["source", "region", "amplitudeUrl", ...synthetic, "apiKey", "secretKey"] as const
const place = ["store", "dev", "bucket", "container", "sseKmsKeyId", "localDir", "prefix"] as const
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

export type CommandName =
  | "fetch"
  | "sync"
  | "all"
  | "status"
  | "list"
  | "verify"
  | "check"
  | "clean"
  | "setup bucket"
  | "setup iam"
  | "simulate"

/** What commands of two words have in common, by the first of them. */
export const families: Readonly<Record<string, string>> = {
  setup: "Make ready what hours land in: the bucket, and who may do what there."
}

/** What each command is for, and the settings that it reads. */
export const commands: {
  readonly [Name in CommandName]: {
    readonly help: string
    readonly settings: ReadonlyArray<SettingName>
  }
} = {
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
    help: "Draw the window as a calendar: what each hour is, by one listing of the store. Exits 3 where there is a gap.",
    settings: [...window, ...place, "dataDir", "envFile", ...retry, "events", ...output, ...alerts]
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
}
