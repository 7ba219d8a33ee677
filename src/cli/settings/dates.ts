/**
 * Reads the dates that a person types. All are in UTC.
 *
 * @module
 */
import { Either, Option } from "effect"
import { DAY, type Hour, hourAt, parseHour } from "../../services/Hour.ts"
import type { Parse } from "./parse.ts"

/** The first or last hour of a date. */
export interface NamedHour {
  readonly hour: Hour
  /** Whether it was named from today on, such as `yesterday`. Its hours may still be open. */
  readonly isRelative: boolean
}

const FORMS = "an hour such as 2025-11-10T00, a day such as 2025-11-10, a month such as 2025-11"

/**
 * Accepts an hour, a day, a month, `today`, `yesterday` or `-3d`, the whole day three days ago. A day
 * or month means its first hour at the start, its last at the end.
 */
export function dateAt(edge: "start" | "end"): Parse<NamedHour> {
  return (text, now) => {
    const day = relativeDay(text, now)
    const hour =
      day === undefined
        ? Option.firstSomeOf([hourIn(text), edgeOf(text, edge), edgeOfMonth(text, edge)])
        : edgeOf(day, edge)
    return Either.fromOption(
      Option.map(hour, (it) => ({ hour: it, isRelative: day !== undefined })),
      () => `${FORMS}, or today, yesterday or -3d`
    )
  }
}

/** Accepts one hour, and returns it as text. */
export const hour: Parse<string> = (text) =>
  Either.fromOption(hourIn(text), () => "an hour such as 2025-11-10T00 or 20251110T00")

/** An instant in UTC means its hour if it is the hour's first: `2025-11-10T00:00Z`. */
function hourIn(text: string): Option.Option<Hour> {
  return parseHour(text.replace(/^(.*T\d\d):00(:00(\.0+)?)?Z$/, "$1"))
}

function edgeOf(day: string, edge: "start" | "end"): Option.Option<Hour> {
  return parseHour(`${day}${edge === "start" ? "T00" : "T23"}`)
}

function edgeOfMonth(text: string, edge: "start" | "end"): Option.Option<Hour> {
  const [, year, month] = /^(\d{4})-(\d\d)$/.exec(text) ?? []
  if (year === undefined || month === undefined) return Option.none()
  const next = Date.UTC(Number(year), Number(month))
  return Option.map(parseHour(`${text}-01T00`), (first) =>
    edge === "start" ? first : hourAt(next - 1)
  )
}

/** The day that is named from today on. */
function relativeDay(text: string, now: number): string | undefined {
  const [, days] = /^-(\d{1,4})d$/.exec(text) ?? []
  const ago = days ?? { today: "0", yesterday: "1" }[text]
  return ago === undefined ? undefined : hourAt(now - Number(ago) * DAY).slice(0, 10)
}
