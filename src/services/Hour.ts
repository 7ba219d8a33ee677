/**
 * One UTC hour by Amplitude's `server_upload_time`, as text such as `2025-11-10T21`. The text sorts
 * by time.
 *
 * @module
 */
import { Option, Order, Schema } from "effect"

/** An hour in milliseconds. */
export const MILLIS = 3_600_000

/** A day in milliseconds. */
export const DAY = 24 * MILLIS

function isCalendarHour(text: string): boolean {
  const millis = Date.parse(`${text}:00:00Z`)
  return Number.isFinite(millis) && new Date(millis).toISOString().startsWith(text)
}

/** An hour that exists in the calendar, so `2025-02-30T00` is invalid. */
export const Hour = Schema.String.pipe(
  Schema.pattern(/^\d{4}-\d{2}-\d{2}T\d{2}$/),
  Schema.filter(isCalendarHour),
  Schema.brand("Hour"),
  Schema.annotations({ identifier: "Hour", description: "A UTC hour, such as 2025-11-10T21" })
)
export type Hour = typeof Hour.Type

/** Oldest hour first. */
export const byHour = Order.mapInput(Order.string, ({ hour }: { readonly hour: Hour }) => hour)

/** Most hours are made in order, and a day's text costs twenty times as much as the hour in it. */
const lastDay = { number: Number.NaN, text: "" }

/** The hour that contains an instant, in milliseconds since 1970. */
export function hourAt(millis: number): Hour {
  const number = Math.floor(millis / DAY)
  if (number !== lastDay.number) {
    lastDay.text = new Date(number * DAY).toISOString().slice(0, 11)
    lastDay.number = number
  }
  const hour = Math.floor((millis - number * DAY) / MILLIS)
  return `${lastDay.text}${String(hour).padStart(2, "0")}` as Hour
}

/** The start of an hour, in milliseconds since 1970. */
export function hourStart(hour: Hour): number {
  return Date.parse(`${hour}:00:00Z`)
}

/** The end of an hour, in milliseconds since 1970: the start of the next one. */
export function hourEnd(hour: Hour): number {
  return hourStart(hour) + MILLIS
}

export function addHours(hour: Hour, hours: number): Hour {
  return hourAt(hourStart(hour) + hours * MILLIS)
}

/** Hours from `first` to `last`: 0 for the same hour, negative when `last` is earlier. */
export function hoursBetween(first: Hour, last: Hour): number {
  return (hourStart(last) - hourStart(first)) / MILLIS
}

/** The Export API's format, `20251110T21`. */
export function toExportText(hour: Hour): string {
  return hour.replaceAll("-", "")
}

/** Parses `20251110T21` or `2025-11-10T21`. */
export function parseHour(text: string): Option.Option<Hour> {
  const dashed = text.replace(/^(\d{4})(\d{2})(\d{2})T/, "$1-$2-$3T")
  return Schema.decodeOption(Hour)(dashed)
}

/** Whether an hour ended at least `lagHours` before an instant, in milliseconds since 1970. */
export function isOverSince(hour: Hour, lagHours: number, millis: number): boolean {
  return millis >= hourEnd(hour) + lagHours * MILLIS
}
