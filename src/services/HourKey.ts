/**
 * Where an hour lives: keys below a store's prefix, as a pure function of the hour.
 *
 * @module
 */
import { Option, Schema } from "effect"
import { Hour } from "./Hour.ts"

/** How the lines are stored: as they are, or as the gzip members that Amplitude made. */
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
  /** `parts`: an object under one of Amplitude's own part names, which may be one of several of its hour. */
  readonly form: Layout | "parts"
  /** How the object's name says that it is stored. */
  readonly format: Format
  /** Amplitude's project, where the key names it. */
  readonly project: Option.Option<string>
}

const HOURLY = /^(?<date>\d{4}-\d{2}-\d{2})_(?<clock>\d{2})\.jsonl(?<gz>\.gz)?$/
const HIVE = /^dt=(?<date>\d{4}-\d{2}-\d{2})\/hour=(?<clock>\d{2})\/events\.jsonl(?<gz>\.gz)?$/
const PARTS =
  /^(?:.*\/)?(?:(?<project>\d+)_)?(?<date>\d{4}-\d{2}-\d{2})_(?<clock>\d{1,2})#\d+\.jsonl?(?<gz>\.gz)?$/

/** The hour that a key stands for, by whichever pipeline; `None` for anything else. */
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
