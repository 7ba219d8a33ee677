import { addHours, type Hour, hourAt } from "../../services/Hour.ts"
import { Window } from "../../services/Window.ts"
import * as defaults from "../run/defaults.ts"
import { outermost } from "./gaps.ts"
import type { Shard } from "./Shard.ts"

/** Which hours a run covers. */
export interface WindowOptions {
  /** First hour. Defaults to the oldest gap within `healDays`, else `lookbackDays` before `end`. */
  readonly start?: Hour | undefined
  /** Last hour, inclusive. Defaults to the newest closed hour. */
  readonly end?: Hour | undefined
  /**
   * Whether `start` and `end` were counted from today on: then an hour that is still open is early
   * rather than missing. Defaults to `false`.
   */
  readonly isRelative?: boolean | undefined
  /** The previous UTC day instead of `start` and `end`. Defaults to `false`. */
  readonly yesterday?: boolean | undefined
  /** Days of the default window, up to the newest closed hour. Defaults to 1. */
  readonly lookbackDays?: number | undefined
  /**
   * How many days back the default window extends to fill gaps after the first landed hour.
   * Defaults to 30.
   */
  readonly healDays?: number | undefined
  /** Of these hours, those of one share of the days. Defaults to all. */
  readonly shard?: Shard | undefined
}

/**
 * Whether a person named absolute dates, so that an hour that is still open is missing rather than
 * early. `yesterday` is relative: its hours may still be open.
 */
export function isByDate(options: WindowOptions): boolean {
  return isDated(options) && options.isRelative !== true
}

/** Whether nobody named hours, so that the whole lake or the default window is meant. */
export function isUndated(options: WindowOptions): boolean {
  return !isDated(options) && options.yesterday !== true
}

function isDated({ end, start }: WindowOptions): boolean {
  return start !== undefined || end !== undefined
}

/** The time of planning. */
export interface PlanTime {
  /** In milliseconds since 1970. */
  readonly now: number
  readonly newestClosed: Hour
}

/**
 * The window of a run, given the hours already present. Dates take precedence; with only one of
 * them, the other end is the newest closed hour, or the lookback before it.
 */
export function planWindow(
  options: WindowOptions,
  { now, newestClosed }: PlanTime,
  have: ReadonlySet<Hour>
): Window {
  if (options.yesterday === true) {
    const today = hourAt(now).slice(0, 10)
    const midnight = hourAt(Date.parse(`${today}T00:00:00Z`))
    return new Window({ first: addHours(midnight, -24), last: addHours(midnight, -1) })
  }
  if (options.start !== undefined) {
    const last = options.end ?? (newestClosed < options.start ? options.start : newestClosed)
    return new Window({ first: options.start, last })
  }
  const last = options.end ?? newestClosed
  const { lookbackDays = defaults.lookbackDays } = options
  const first = addHours(last, 1 - lookbackDays * 24)
  return new Window({
    first: options.end === undefined ? (oldestGap(options, first, have) ?? first) : first,
    last
  })
}

function oldestGap(
  { healDays = defaults.healDays, lookbackDays = defaults.lookbackDays }: WindowOptions,
  before: Hour,
  have: ReadonlySet<Hour>
): Hour | undefined {
  const firstLanded = outermost(have)
  if (firstLanded === undefined) return undefined
  const reach = addHours(before, (lookbackDays - healDays) * 24)
  const from = firstLanded > reach ? firstLanded : reach
  for (let hour = from; hour < before; hour = addHours(hour, 1)) {
    if (!have.has(hour)) return hour
  }
  return undefined
}
