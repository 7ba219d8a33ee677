/**
 * Folds days that are alike, so that a calendar of years fits on a screen.
 *
 * @module
 */
import type { LoadState } from "../../programs/inspect/compareLedger.ts"
import type { HourState, StatusHour } from "../../programs/inspect/statusOfHours.ts"

/** What a calendar shows of an hour: what the warehouse has of it, if that is not what the store has. */
export type Kind = HourState | Exclude<LoadState, "loaded" | "unverified">

export function kindOf({ state, warehouse }: Pick<StatusHour, "state" | "warehouse">): Kind {
  return warehouse === undefined || warehouse === "loaded" || warehouse === "unverified"
    ? state
    : warehouse
}

/** The hours of a day by their clock, such as `07`. */
export type Day = ReadonlyMap<string, StatusHour>

/** A row of the grid: a day, or neighbouring days of one month, or months of one year, that are all alike. */
interface Row {
  readonly first: string
  readonly last: string
  readonly days: ReadonlyArray<Day>
}

/** The newest days, which are never folded. */
const UNFOLDED_DAYS = 7
/** The fewest days that are folded into one row. */
const FOLDED_DAYS = 3

/** The rows of a calendar. Long stretches of days that are all alike become a row a month, whole months before the newest year one row. */
export function foldDays(days: ReadonlyMap<string, Day>): ReadonlyArray<Row> {
  const all = [...days].map(([date, day]) => ({ date, day, kind: classOf([...day.values()]) }))
  const unfolded = all.slice(-UNFOLDED_DAYS)
  const stretches: Array<Array<(typeof all)[number]>> = []
  for (const it of all.slice(0, -UNFOLDED_DAYS)) {
    const open = stretches.at(-1)
    const before = open?.at(-1)
    const isAlike =
      it.kind !== undefined &&
      before?.kind === it.kind &&
      before.date.slice(0, 7) === it.date.slice(0, 7)
    if (isAlike) open?.push(it)
    else stretches.push([it])
  }
  const newestYear = all.at(-1)?.date.slice(0, 4)
  return [
    ...joinMonths(stretches, newestYear).flatMap((one) =>
      one.length < FOLDED_DAYS ? one.map((it) => [it]) : [one]
    ),
    ...unfolded.map((it) => [it])
  ].map((one) => ({
    first: one.at(0)?.date ?? "",
    last: one.at(-1)?.date ?? "",
    days: one.map(({ day }) => day)
  }))
}

interface KindOfDay {
  readonly date: string
  readonly day: Day
  readonly kind: Kind | undefined
}

/** Joins whole months of one year that are all alike, before the newest year. */
function joinMonths(
  stretches: ReadonlyArray<ReadonlyArray<KindOfDay>>,
  newestYear: string | undefined
): ReadonlyArray<ReadonlyArray<KindOfDay>> {
  const joined: Array<ReadonlyArray<KindOfDay>> = []
  for (const one of stretches) {
    const before = joined.at(-1)
    const year = one.at(0)?.date.slice(0, 4)
    const isAlike =
      before !== undefined &&
      year !== newestYear &&
      before[0]?.date.slice(0, 4) === year &&
      before[0]?.kind === one[0]?.kind &&
      isWholeMonths(before) &&
      isWholeMonths(one)
    if (isAlike) joined.splice(-1, 1, [...before, ...one])
    else joined.push(one)
  }
  return joined
}

/** Whether neighbouring days begin and end with a month. */
function isWholeMonths(days: ReadonlyArray<KindOfDay>): boolean {
  const [first, last] = [days.at(0)?.date ?? "", days.at(-1)?.date ?? ""]
  return first.endsWith("-01") && nextDay(last).endsWith("-01")
}

function nextDay(date: string): string {
  return new Date(Date.parse(date) + 24 * 3_600_000).toISOString().slice(0, 10)
}

/** `2025-11-01 to 14`, or as wide `2025-01 to 12` for whole months. */
export function datesText(first: string, last: string): string {
  return first.slice(0, 7) === last.slice(0, 7)
    ? `${first} to ${last.slice(8)}`
    : `${first.slice(0, 7)} to ${last.slice(5, 7)}   `
}

/** What all hours are, where they are all alike: hours without events are landed, too. */
export function classOf(hours: ReadonlyArray<StatusHour>): Kind | undefined {
  const kinds = new Set(
    hours.map((hour) => {
      if (hour.staged && hour.keys.length === 0) return undefined
      const kind = kindOf(hour)
      return kind === "empty" ? "landed" : kind
    })
  )
  return kinds.size === 1 ? [...kinds][0] : undefined
}
