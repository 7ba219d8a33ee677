import { randomBytes } from "node:crypto"
import { styleText } from "node:util"
import { Cause, Effect, FiberRef, HashMap, HashSet, Logger, LogLevel, Option } from "effect"
import { writeError } from "./live.ts"
import type { LogFile } from "./logFile.ts"
import type { Values } from "../settings/table.ts"

const levels = {
  debug: LogLevel.Debug,
  info: LogLevel.Info,
  warning: LogLevel.Warning,
  error: LogLevel.Error,
  none: LogLevel.None
} as const

const COLORS: Readonly<Record<string, "red" | "yellow" | "gray">> = {
  ERROR: "red",
  WARN: "yellow",
  DEBUG: "gray"
}

/** Distinguishes this run's log lines from those of others. */
export const runId = randomBytes(3).toString("hex")

/** One line per entry: UTC time of day, run, level, the hour that it is about, message. */
const pretty = Logger.make(({ annotations, cause, date, logLevel, message }) => {
  const run = Option.getOrElse(HashMap.get(annotations, "run"), () => "-")
  const hour = Option.match(HashMap.get(annotations, "hour"), {
    onNone: () => "",
    onSome: (hour) => `${hour}: `
  })
  const text = [message].flat().map(String).join(" ")
  const failure = Cause.isEmpty(cause) ? "" : `\n${Cause.pretty(cause)}`
  const time = date.toISOString().slice(11, 19)
  const line = `${time}Z ${run} ${logLevel.label.padEnd(5)} ${hour}${text}${failure}`
  return { line, color: COLORS[logLevel.label] }
})

const formats = {
  pretty: Logger.map(pretty, ({ line }) => line),
  logfmt: Logger.logfmtLogger,
  json: Logger.jsonLogger
} as const

const colored = Logger.map(pretty, ({ color, line }) => {
  const isColored = color !== undefined && process.stderr.isTTY && process.stderr.hasColors()
  return isColored ? styleText(color, line) : line
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
    self.pipe(
      Effect.annotateLogs({ run: runId }),
      Effect.locally(FiberRef.currentLoggers, loggers),
      Logger.withMinimumLogLevel(levels[logLevel])
    )
}
