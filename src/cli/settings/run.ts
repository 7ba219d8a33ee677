import { Duration } from "effect"
import * as defaults from "../../programs/run/defaults.ts"
import { duration, text, wholeNumber } from "./parse.ts"
import { settingsUnder } from "./setting.ts"

const { optional, toggle, value } = settingsUnder("How:")

export const runSettings = {
  dataDir: value({
    flag: "--data-dir <folder>",
    help: "where fetch stages hours for sync",
    parse: text,
    fallback: "data"
  }),
  workDir: value({
    flag: "--work-dir <folder>",
    help: "where archives are downloaded and checked",
    parse: text,
    fallback: ".amplitude-lake"
  }),
  archiveDir: optional({
    flag: "--archive-dir <folder>",
    help: "keep each verified archive there once its hours are landed",
    parse: text
  }),
  envFile: value({
    flag: "--env-file <file>",
    help: "file of VARIABLE=value lines",
    parse: text,
    fallback: ".env"
  }),
  requestHours: value({
    flag: "--request-hours <hours>",
    help: "hours of one request to Amplitude, at most",
    parse: wholeNumber(1, 8760),
    fallback: defaults.requestHours
  }),
  concurrency: value({
    flag: "--concurrency <n>",
    help: "hours landed at once",
    parse: wholeNumber(1, 64),
    fallback: defaults.concurrency
  }),
  retries: value({
    flag: "--retries <n>",
    help: "further tries of what may succeed later",
    parse: wholeNumber(0, 100),
    fallback: defaults.retries
  }),
  retryBaseMs: value({
    flag: "--retry-base-ms <ms>",
    help: "wait before the first further try, doubled each time",
    parse: wholeNumber(1, 600_000),
    fallback: Duration.toMillis(defaults.retryBase)
  }),
  maxDuration: optional({
    flag: "--max-duration <time>",
    help: "stop after 90s, 30m or 2h; hours not landed by then have failed for now",
    parse: duration
  }),
  dryRun: toggle({ flag: "--dry-run", help: "show the plan: nothing is asked or written" }),
  recheck: toggle({
    flag: "--recheck",
    help: "ask again for landed hours of the window and compare"
  }),

  archiveDays: optional({
    flag: "--archive-days <days>",
    help: "remove kept archives that are older (default: none is removed)",
    parse: wholeNumber(1, 36_600)
  }),
  abortUploads: toggle({
    flag: "--abort-uploads",
    help: "remove unfinished uploads to which nothing was added for a day"
  }),
  sample: optional({
    flag: "--sample <n>",
    help: "read so many hours only: of the given dates, or of all that stand in the store",
    parse: wholeNumber(1)
  }),
  sampleSeed: optional({
    flag: "--seed <n>",
    help: "draw the same sample again (default: another each time, and told)",
    parse: wholeNumber(0, 2 ** 31 - 1)
  }),

  port: value({
    flag: "--port <port>",
    help: "port on 127.0.0.1; 0 for any free one",
    parse: wholeNumber(0, 65535),
    fallback: 0
  }),
  maxBytes: optional({
    flag: "--max-bytes <bytes>",
    help: "answer 400 to windows whose archive is larger",
    parse: wholeNumber(1)
  }),
  dump: optional({
    flag: "--dump <folder>",
    help: "write the lines of the window's hours there instead of serving them",
    parse: text
  })
} as const
