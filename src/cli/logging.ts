import { styleText } from "node:util"
import { Cause, Effect, FiberRef, HashMap, HashSet, Logger, LogLevel, Option } from "effect"
import type { Settings } from "./settings.ts"

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

/** A line an entry: time of day in UTC as the hours are, level, the hour that it is about, message. */
const lines = Logger.make(({ annotations, cause, date, logLevel, message }) => {
  const hour = Option.match(HashMap.get(annotations, "hour"), {
    onNone: () => "",
    onSome: (hour) => `${hour}: `
  })
  const text = [message].flat().map(String).join(" ")
  const failure = Cause.isEmpty(cause) ? "" : `\n${Cause.pretty(cause)}`
  const line = `${date.toISOString().slice(11, 19)} ${logLevel.label.padEnd(5)} ${hour}${text}${failure}`
  const color = COLORS[logLevel.label]
  const isColored = color !== undefined && process.stderr.isTTY && process.stderr.hasColors()
  return isColored ? styleText(color, line) : line
})

const formats = {
  pretty: Logger.withConsoleError(lines),
  logfmt: Logger.withConsoleError(Logger.logfmtLogger),
  json: Logger.withConsoleError(Logger.jsonLogger)
} as const

/** Lets an effect log to stderr: pretty on a terminal, logfmt otherwise, as long as nobody says anything else. */
export function withLogs({ logLevel, logFormat }: Pick<Settings, "logLevel" | "logFormat">) {
  const format = logFormat ?? (process.stderr.isTTY ? "pretty" : "logfmt")
  return <A, E, R>(self: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    self.pipe(
      Effect.locally(FiberRef.currentLoggers, HashSet.make(formats[format])),
      Logger.withMinimumLogLevel(levels[logLevel])
    )
}
