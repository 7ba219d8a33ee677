/**
 * Draws a window as a calendar: one row per day, one cell per hour.
 *
 * @module
 */
import { styleText } from "node:util"
import type { LedgerStatus } from "../../programs/inspect/compareLedger.ts"
import type { HourState, Status, StatusHour } from "../../programs/inspect/statusOfHours.ts"
import type { Store } from "../settings/settingsOf.ts"
import { classOf, datesText, type Day, foldDays, type Kind, kindOf } from "./foldDays.ts"
import { ledgerRows } from "./ledgerText.ts"
import { supersededText } from "./resolvedText.ts"
import { bytesText, conflictText, gapCommands, gapText, plural } from "./printed.ts"

/** What the output can show. A pipe has no colours and unlimited width. */
interface Canvas {
  readonly columns?: number | undefined
  /** Number of colours: 0, 16 or 256. */
  readonly colors: number
}

interface CalendarOptions {
  /** Names the store and its prefix. */
  readonly place: string
  readonly store: Store
  readonly canvas: Canvas
  /** Shade landed hours by their events, or by their bytes if the listing has no event counts. */
  readonly isShaded: boolean
}

type Background = "bgYellow" | "bgGreen" | "bgBlackBright" | "bgCyan" | "bgBlue" | "bgRed"

interface Look {
  readonly sign: string
  readonly background: Background | undefined
  readonly says: string
}

const LOOKS: Readonly<Record<HourState, Look>> = {
  landed: { sign: "#", background: "bgGreen", says: "" },
  empty: { sign: "0", background: "bgBlackBright", says: "without events" },
  unverified: {
    sign: "?",
    background: "bgCyan",
    says: "from another pipeline: check them with verify"
  },
  doubled: { sign: "!", background: "bgRed", says: "in several versions" },
  pending: { sign: "~", background: "bgBlue", says: "without events so far" },
  open: { sign: ".", background: undefined, says: "not closed yet" },
  gap: { sign: "X", background: "bgRed", says: "" },
  accepted: { sign: "a", background: "bgBlackBright", says: "gaps that stay: gaps lists them" },
  unlanded: { sign: "-", background: undefined, says: "before the lake's first hour" }
}
/** Hours of which the warehouse has something else. */
const LOADS: Readonly<Record<Exclude<Kind, HourState>, Look>> = {
  notLoaded: { sign: "+", background: "bgYellow", says: "" },
  outdated: { sign: "*", background: "bgYellow", says: "" },
  conflict: { sign: "!", background: "bgRed", says: "" },
  gone: { sign: "g", background: "bgCyan", says: "" }
}
const ALL: Readonly<Record<Kind, Look>> = { ...LOOKS, ...LOADS }

/** An hour that is in staging only. */
const STAGED: Look = { sign: "s", background: "bgYellow", says: "" }

const DAYS = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"] as const
const CLOCKS = Array.from({ length: 24 }, (_, clock) => String(clock).padStart(2, "0"))
const LEVELS = 9
const ROOM_FOR_AMOUNTS = 78
const ROOM_FOR_SPACES = 67
/** From dark to light, in the 256-colour palette of terminals. */
const GREENS = [22, 28, 28, 34, 34, 40, 40, 46, 46] as const

/** The columns and colours of a stream. Respects `NO_COLOR` and `TERM=dumb`. */
export function canvasOf(stream: NodeJS.WriteStream): Canvas {
  if (!stream.isTTY) return { colors: 0 }
  const depth = stream.getColorDepth()
  return { columns: stream.columns, colors: depth >= 8 ? 256 : depth > 1 ? 16 : 0 }
}

/**
 * The grid, then what each sign stands for, the gaps and the newest landed hour. Long stretches of
 * days that are all alike are folded into a line a month, and whole months before the newest year
 * into one line. The newest week is drawn day by day.
 */
export function calendarText(status: Status, options: CalendarOptions): string {
  const { canvas, isShaded, place, store } = options
  const { columns = Number.POSITIVE_INFINITY } = canvas
  const isTight = columns < ROOM_FOR_SPACES
  const shading = isShaded ? shadingOf(status.hours) : undefined
  const byEvents = shading?.unit === "events"
  const hasAmounts = columns >= ROOM_FOR_AMOUNTS

  const header = line(
    CLOCKS.map((clock, index) => {
      if (index % (isTight ? 6 : 3) === 0) return clock
      return isTight ? (index % 6 === 1 ? "" : " ") : "  "
    })
  )
  const rows = foldDays(byDay(status.hours)).map(({ days, first, last }) => {
    const hours = days.flatMap((day) => [...day.values()])
    const amount = hasAmounts ? ` ${amountText(hours, byEvents).padStart(10)}` : ""
    const [day] = days
    if (first !== last || day === undefined) {
      const look = ALL[classOf(hours) ?? "landed"]
      const sign = paint(look.sign, look.background, canvas.colors)
      const count = ` ${plural(hours.length, "hour")}`
      const room = header.length - look.sign.length - count.length
      return `${datesText(first, last)}  ${sign}${count}${" ".repeat(Math.max(0, room))}${amount}`.trimEnd()
    }
    const cells = line(
      CLOCKS.map((clock) => cellText(day.get(clock), shading, canvas.colors, isTight))
    )
    return `${first} ${DAYS[new Date(first).getUTCDay()]}  ${cells}${amount}`.trimEnd()
  })
  return [
    `where           ${place}`,
    `${" ".repeat(16)}${header}${hasAmounts ? ` ${(byEvents ? "events" : "bytes").padStart(10)}` : ""}`.trimEnd(),
    ...rows,
    "",
    ...legend(status, shading, canvas.colors),
    ...status.superseded.map((it) => supersededText(it, store))
  ].join("\n")
}

/** The cells of a day, in four groups. */
function line(cells: ReadonlyArray<string>): string {
  return [0, 6, 12, 18].map((from) => cells.slice(from, from + 6).join("")).join(" ")
}

function byDay(hours: ReadonlyArray<StatusHour>): ReadonlyMap<string, Day> {
  const days = new Map<string, Map<string, StatusHour>>()
  for (const hour of hours) {
    const day = hour.hour.slice(0, 10)
    const own = days.get(day) ?? new Map<string, StatusHour>()
    days.set(day, own.set(hour.hour.slice(11), hour))
  }
  return days
}

function amountText(hours: ReadonlyArray<StatusHour>, byEvents: boolean): string {
  if (hours.every(({ keys }) => keys.length === 0)) return ""
  const sum = (amount: (hour: StatusHour) => number) =>
    hours.reduce((total, hour) => total + amount(hour), 0)
  return byEvents
    ? sum(({ events = 0 }) => events).toLocaleString("en")
    : bytesText(sum(({ size }) => size))
}

interface Shading {
  readonly unit: "events" | "bytes"
  readonly most: number
  /** From 1 to 9; `undefined` for an hour that is not landed or whose amount is unknown. */
  readonly levelOf: (hour: StatusHour) => number | undefined
}

function shadingOf(hours: ReadonlyArray<StatusHour>): Shading {
  const landed = hours.filter(({ state }) => state === "landed")
  const unit = landed.some(({ events }) => events !== undefined) ? "events" : "bytes"
  const amountOf = ({ events, size }: StatusHour) => (unit === "events" ? events : size)
  const most = landed.reduce((top, hour) => Math.max(top, amountOf(hour) ?? 0), 1)
  return {
    unit,
    most,
    levelOf: (hour) => {
      const amount = hour.state === "landed" ? amountOf(hour) : undefined
      return amount === undefined ? undefined : Math.max(1, Math.ceil((amount / most) * LEVELS))
    }
  }
}

function cellText(
  hour: StatusHour | undefined,
  shading: Shading | undefined,
  colors: number,
  isTight: boolean
): string {
  const pad = isTight ? "" : " "
  if (hour === undefined) return ` ${pad}`
  const kind = kindOf(hour)
  const level = kind === hour.state ? shading?.levelOf(hour) : undefined
  const isStagedOnly = hour.staged && hour.keys.length === 0
  const { background, sign } = isStagedOnly ? STAGED : ALL[kind]
  return paint(`${level ?? sign}${pad}`, background, colors, level)
}

function paint(
  text: string,
  background: Background | undefined,
  colors: number,
  level?: number
): string {
  if (colors === 0 || background === undefined) return text
  if (level === undefined || colors < 256) return styleText([background, "black"], text)
  return `\u001b[30;48;5;${GREENS[level - 1]}m${text}\u001b[0m`
}

function legend(
  { conflicts, gaps, hours, newestLanded, olderGaps, totals, warehouse }: Status,
  shading: Shading | undefined,
  colors: number
): ReadonlyArray<string> {
  const states = (Object.keys(LOOKS) as Array<HourState>).filter((state) => totals[state] > 0)
  const width = Math.max(...states.map((state) => totals[state].toLocaleString("en").length), 1)
  const rows = states.map((state) => {
    const { background, sign, says } = LOOKS[state]
    const count = totals[state].toLocaleString("en").padStart(width)
    const about = [
      says,
      state === "gap" && gaps !== null ? `the oldest ${gaps.first}: ${gapCommands(gaps)}` : "",
      state === "landed" && shading !== undefined ? shadingText(shading) : ""
    ].filter((it) => it !== "")
    const shown = state === "landed" && shading !== undefined ? String(LEVELS) : sign
    return `${paint(shown, background, colors)} ${[`${count} ${state}`, ...about].join(", ")}`
  })
  const staged = hours.filter((hour) => hour.staged).length
  return [
    ...rows,
    ...(olderGaps === null ? [] : [`Before these hours: ${gapText(olderGaps)}`]),
    ...conflicts.map(conflictText),
    newestLanded === null
      ? "No hour has landed here yet: check the prefix, or run all."
      : `The newest landed hour is ${newestLanded}.`,
    ...(staged === 0
      ? []
      : [
          `${paint(STAGED.sign, STAGED.background, colors)} ${plural(staged, "hour")} in staging: run sync to upload.`
        ]),
    ...(warehouse === undefined ? [] : warehouseRows(warehouse, colors))
  ]
}

/** What the warehouse has of the hours, and the commands that change that. */
function warehouseRows(warehouse: LedgerStatus, colors: number): ReadonlyArray<string> {
  return ledgerRows(warehouse).map(({ kind, text }) => {
    const look = kind === undefined ? undefined : LOADS[kind]
    return look === undefined ? text : `${paint(look.sign, look.background, colors)} ${text}`
  })
}

function shadingText({ most, unit }: Shading): string {
  const amount = (level: number) => {
    const top = Math.floor((most * level) / LEVELS)
    return unit === "events" ? plural(top, "event") : bytesText(top)
  }
  const why = unit === "events" ? "" : "; this store's listing has no event counts"
  return `shaded from 1, up to ${amount(1)} an hour, to ${LEVELS}, up to ${amount(LEVELS)}${why}`
}
