import { styleText } from "node:util"
import { Cause, Effect, FiberRef, HashMap, HashSet, Logger, LogLevel } from "effect"
import { writeError } from "./live.ts"
import type { LogFile } from "./logFile.ts"
import type { Values } from "../settings/table.ts"
import { RunId } from "../runId.ts"

const levels = {
  debug: LogLevel.Debug,
  info: LogLevel.Info,
  warning: LogLevel.Warning,
  error: LogLevel.Error,
  none: LogLevel.None
} as const

const COLORS: Readonly<Record<string, "red" | "yellow" | "gray">> = {
  ERROR: "red",
  WARNING: "yellow",
  DEBUG: "gray"
}

/** What a line of the log says, in every format. */
interface Entry {
  readonly date: Date
  readonly level: string
  readonly message: string
  /** The run, then what else the line is about, such as an hour. */
  readonly about: Readonly<Record<string, string>>
}

const entries = Logger.make(({ annotations, cause, date, logLevel, message }): Entry => {
  const failure = Cause.isEmpty(cause) ? "" : `\n${Cause.pretty(cause)}`
  const { run = "-", ...others } = Object.fromEntries(
    HashMap.toEntries(annotations).map(([name, value]) => [name, String(value)])
  )
  return {
    date,
    // As --log-level names it.
    level: logLevel._tag === "Warning" ? "WARNING" : logLevel.label,
    message: [message].flat().map(String).join(" ") + failure,
    about: { run, ...others }
  }
})

/** One line per entry: UTC time of day, run, level, the hour that it is about, message. */
function pretty({ about: { hour, run }, date, level, message }: Entry): string {
  const time = date.toISOString().slice(11, 19)
  return `${time}Z ${run} ${level.padEnd(5)} ${hour === undefined ? "" : `${hour}: `}${message}`
}

function fieldsOf({ about, date, level, message }: Entry): Readonly<Record<string, string>> {
  const { run = "-", ...others } = about
  return { timestamp: date.toISOString(), level, run, message, ...others }
}

function logfmt(entry: Entry): string {
  return Object.entries(fieldsOf(entry))
    .map(
      ([name, value]) =>
        `${name}=${/^[^\p{Cc}\s"=\\]+$/u.test(value) ? value : JSON.stringify(value)}`
    )
    .join(" ")
}

const formats = {
  pretty: Logger.map(entries, pretty),
  logfmt: Logger.map(entries, logfmt),
  json: Logger.map(entries, (entry) => JSON.stringify(fieldsOf(entry)))
} as const

const colored = Logger.map(entries, (entry) => {
  const color = COLORS[entry.level]
  const isColored = color !== undefined && process.stderr.isTTY && process.stderr.hasColors()
  return isColored ? styleText(color, pretty(entry)) : pretty(entry)
})

interface LogOptions extends Pick<Values, "logLevel" | "logFormat"> {
  /** Also receives every line, in `logFormat` or else logfmt. */
  readonly logFile?: LogFile | undefined
}

/**
 * Lets an effect log to stderr, by default in the pretty format on a terminal and in logfmt
 * elsewhere. Every line carries the run's ID.
 */
export function withLogs(options: LogOptions) {
  const format = options.logFormat ?? (process.stderr.isTTY ? "pretty" : "logfmt")
  const shown = Logger.map(format === "pretty" ? colored : formats[format], writeError)
  return withLoggers(HashSet.add(fileLoggers(options), shown), options)
}

/** Lets an effect log to the file only. */
export function withLogsInFile(options: LogOptions) {
  return withLoggers(fileLoggers(options), options)
}

function fileLoggers({ logFile, logFormat = "logfmt" }: LogOptions) {
  return logFile === undefined
    ? HashSet.empty<Logger.Logger<unknown, void>>()
    : HashSet.make(Logger.map(formats[logFormat], logFile))
}

function withLoggers(
  loggers: HashSet.HashSet<Logger.Logger<unknown, void>>,
  { logLevel }: LogOptions
) {
  return <A, E, R>(self: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    Effect.flatMap(RunId, (run) => Effect.annotateLogs(self, { run })).pipe(
      Effect.locally(FiberRef.currentLoggers, loggers),
      Logger.withMinimumLogLevel(levels[logLevel])
    )
}
