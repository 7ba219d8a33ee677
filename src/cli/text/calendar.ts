/**
 * A window's hours as a calendar: a row a day, a cell an hour.
 *
 * @module
 */
import { styleText } from "node:util"
import type { HourState, Status, StatusHour } from "../../programs/inspect/statusOfHours.ts"
import { bytesText, plural } from "./printed.ts"

/** What the terminal can do; a pipe has no colours and all the room in the world. */
interface Canvas {
  readonly columns?: number | undefined
  /** Colours it has: 0, 16 or 256. */
  readonly colors: number
}

interface CalendarOptions {
  readonly canvas: Canvas
  /**
   * Shade landed hours by their events, or by their bytes where the listing does not tell events.
   */
  readonly isShaded: boolean
}

type Background = "bgGreen" | "bgBlackBright" | "bgCyan" | "bgBlue" | "bgRed"

interface Look {
  readonly sign: string
  readonly background: Background | undefined
  readonly says: string
}

const LOOKS: Readonly<Record<HourState, Look>> = {
  landed: { sign: "#", background: "bgGreen", says: "" },
  empty: { sign: "0", background: "bgBlackBright", says: "without events" },
  unverified: { sign: "?", background: "bgCyan", says: "of other pipelines: verify reads them" },
  pending: { sign: "~", background: "bgBlue", says: "without events so far" },
  open: { sign: ".", background: undefined, says: "not closed yet" },
  gap: { sign: "X", background: "bgRed", says: "" }
}

const DAYS = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"] as const
const CLOCKS = Array.from({ length: 24 }, (_, clock) => String(clock).padStart(2, "0"))
const LEVELS = 9
const ROOM_FOR_AMOUNTS = 78
const ROOM_FOR_SPACES = 67
/** From dark to light, of the 256 colours that terminals have. */
const GREENS = [22, 28, 28, 34, 34, 40, 40, 46, 46] as const

/**
 * Tells how many columns and colours a stream of the process has; `NO_COLOR` and `TERM=dumb` count.
 */
export function canvasOf(stream: NodeJS.WriteStream): Canvas {
  if (!stream.isTTY) return { colors: 0 }
  const depth = stream.getColorDepth()
  return { columns: stream.columns, colors: depth >= 8 ? 256 : depth > 1 ? 16 : 0 }
}

/** The grid, then what each sign stands for, the oldest gap and the newest landed hour. */
export function calendarText(status: Status, { canvas, isShaded }: CalendarOptions): string {
  const { columns = Number.POSITIVE_INFINITY } = canvas
  const isTight = columns < ROOM_FOR_SPACES
  const shading = isShaded ? shadingOf(status.hours) : undefined
  const byEvents = shading?.unit === "events"
  const days = byDay(status.hours)
  const amounts = [...days.values()].map((hours) => amountText([...hours.values()], byEvents))
  const hasAmounts = columns >= ROOM_FOR_AMOUNTS

  const header = line(
    CLOCKS.map((clock, index) => {
      if (index % (isTight ? 6 : 3) === 0) return clock
      return isTight ? (index % 6 === 1 ? "" : " ") : "  "
    })
  )
  const rows = [...days].map(([day, hours], index) => {
    const cells = line(
      CLOCKS.map((clock) => cellText(hours.get(clock), shading, canvas.colors, isTight))
    )
    const amount = hasAmounts ? ` ${(amounts[index] ?? "").padStart(10)}` : ""
    return `${day} ${DAYS[new Date(day).getUTCDay()]}  ${cells}${amount}`.trimEnd()
  })
  return [
    `${" ".repeat(16)}${header}${hasAmounts ? ` ${(byEvents ? "events" : "bytes").padStart(10)}` : ""}`.trimEnd(),
    ...rows,
    "",
    ...legend(status, shading, canvas.colors)
  ].join("\n")
}

/** The cells of a day, in four groups. */
function line(cells: ReadonlyArray<string>): string {
  return [0, 6, 12, 18].map((from) => cells.slice(from, from + 6).join("")).join(" ")
}

function byDay(
  hours: ReadonlyArray<StatusHour>
): ReadonlyMap<string, ReadonlyMap<string, StatusHour>> {
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
  /** From 1 to 9; `undefined` for an hour of which nothing is known, or that is not landed. */
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
  const level = shading?.levelOf(hour)
  const { background, sign } = LOOKS[hour.state]
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
  { hours, newestLanded, oldestGap, totals }: Status,
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
      state === "gap" ? `the oldest ${oldestGap}` : "",
      state === "landed" && shading !== undefined ? shadingText(shading) : ""
    ].filter((it) => it !== "")
    const shown = state === "landed" && shading !== undefined ? String(LEVELS) : sign
    return `${paint(shown, background, colors)} ${[`${count} ${state}`, ...about].join(", ")}`
  })
  const staged = hours.filter((hour) => hour.staged).length
  return [
    ...rows,
    ...(newestLanded === null ? [] : [`The newest landed hour is ${newestLanded}.`]),
    ...(staged === 0 ? [] : [`${plural(staged, "hour")} in staging: sync moves what is there.`])
  ]
}

function shadingText({ most, unit }: Shading): string {
  const amount = (level: number) => {
    const top = Math.floor((most * level) / LEVELS)
    return unit === "events" ? plural(top, "event") : bytesText(top)
  }
  const why = unit === "events" ? "" : "; this store's listing does not tell events"
  return `shaded from 1, up to ${amount(1)} an hour, to ${LEVELS}, up to ${amount(LEVELS)}${why}`
}
