import { Duration } from "effect"
import * as defaults from "../../programs/run/defaults.ts"
import { duration, durationOf, oneOf, text, wholeNumber } from "./parse.ts"
import { settingsUnder } from "./setting.ts"

const { optional, toggle, value } = settingsUnder("Execution:")

export const runSettings = {
  dataDir: value({
    flag: "--data-dir <folder>",
    help: "folder where fetch stages hours for sync",
    parse: text,
    fallback: "data"
  }),
  adoptProject: optional({
    flag: "--adopt-staged <project>",
    acts: true,
    help: "also upload staged hours of this Amplitude project that were fetched for another bucket or prefix, or by version 0.1.0",
    parse: text
  }),
  adoptForeign: toggle({
    flag: "--adopt-foreign",
    acts: true,
    help: "also upload files of other programs in --data-dir as unverified hours; one that differs from the store's hour moves to failed_uploads/"
  }),
  workDir: value({
    flag: "--work-dir <folder>",
    help: "folder where archives are downloaded and checked",
    parse: text,
    fallback: ".amplitude-lake"
  }),
  archiveDir: optional({
    flag: "--archive-dir <folder>",
    help: "folder that keeps each verified archive after its hours have landed",
    parse: text
  }),
  envFile: value({
    flag: "--env-file <file>",
    help: "file of VARIABLE=value lines; a fleet takes several, or a folder of them, one for each lake",
    repeats: true,
    parse: text,
    fallback: ".env"
  }),
  requestHours: value({
    flag: "--request-hours <hours>",
    help: "maximum number of hours per request to Amplitude",
    parse: durationOf("h", 1, 8760),
    fallback: defaults.requestHours
  }),
  concurrency: value({
    flag: "--concurrency <n>",
    help: "hours processed in parallel",
    parse: wholeNumber(1, 64),
    fallback: defaults.concurrency
  }),
  retries: value({
    flag: "--retries <n>",
    help: "how often a temporary failure is retried",
    parse: wholeNumber(0, 100),
    fallback: defaults.retries
  }),
  retryBaseMs: value({
    flag: "--retry-base-ms <ms>",
    help: "wait before the first retry, doubled for each further one",
    parse: durationOf("ms", 1, 600_000),
    fallback: Duration.toMillis(defaults.retryBase)
  }),
  inflate: value({
    flag: "--inflate <way>",
    help: "how archives are inflated: fast, by calls inside Node that it does not document if they pass a test, or portable, by documented ones only; check says which are used",
    parse: oneOf(["fast", "portable"]),
    fallback: "fast"
  }),
  maxDuration: optional({
    flag: "--max-duration <time>",
    help: "stop after this long, such as 90s, 50m or 2h; the remaining hours are postponed: left for the next run",
    parse: duration
  }),
  dryRun: toggle({
    flag: "--dry-run",
    acts: true,
    help: "only show what would be done: download, write and remove nothing"
  }),
  recheck: toggle({
    flag: "--recheck",
    acts: true,
    help: "request the landed hours of the window again and compare them"
  })
} as const
