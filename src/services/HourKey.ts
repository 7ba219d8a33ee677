/**
 * The key of an hour below a store's prefix, as a pure function.
 *
 * @module
 */
import { Option, Schema } from "effect"
import { Hour } from "./Hour.ts"

/** How the lines are stored: plain, or as Amplitude's own gzip members. */
export const Format = Schema.Literal("jsonl", "jsonl.gz")
export type Format = typeof Format.Type

/** `hourly`: `2025-11-10_21.jsonl`; `hive`: `dt=2025-11-10/hour=21/events.jsonl`. */
export const Layout = Schema.Literal("hourly", "hive")
export type Layout = typeof Layout.Type

export function hourKey(hour: Hour, layout: Layout, format: Format): string {
  const [date, clock] = [hour.slice(0, 10), hour.slice(11)]
  return layout === "hourly"
    ? `${date}_${clock}.${format}`
    : `dt=${date}/hour=${clock}/events.${format}`
}

export interface KeyedHour {
  readonly hour: Hour
  /**
   * `parts`: an object under one of Amplitude's part names, possibly one of several for its hour.
   */
  readonly form: Layout | "parts"
  /** The format by the object's name. */
  readonly format: Format
  /** Amplitude's project, if the key contains it. */
  readonly project: Option.Option<string>
}

const HOURLY = /^(?<date>\d{4}-\d{2}-\d{2})_(?<clock>\d{2})\.jsonl(?<gz>\.gz)?$/
const HIVE = /^dt=(?<date>\d{4}-\d{2}-\d{2})\/hour=(?<clock>\d{2})\/events\.jsonl(?<gz>\.gz)?$/
const PARTS =
  /^(?:.*\/)?(?:(?<project>\d+)_)?(?<date>\d{4}-\d{2}-\d{2})_(?<clock>\d{1,2})#\d+\.jsonl?(?<gz>\.gz)?$/

/** The hour that a key belongs to, in the form of any known pipeline; `None` for anything else. */
export function hourOfKey(key: string): Option.Option<KeyedHour> {
  for (const [form, pattern] of [
    ["hourly", HOURLY],
    ["hive", HIVE],
    ["parts", PARTS]
  ] as const) {
    const groups = pattern.exec(key)?.groups
    if (groups === undefined) continue
    return Option.map(
      Schema.decodeOption(Hour)(`${groups["date"]}T${groups["clock"]?.padStart(2, "0")}`),
      (hour) => ({
        hour,
        form,
        format: groups["gz"] === undefined ? "jsonl" : "jsonl.gz",
        project: Option.fromNullable(groups["project"])
      })
    )
  }
  return Option.none()
}
