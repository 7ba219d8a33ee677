/**
 * Draws hours as a calendar: a path for each state, however many hours there are.
 *
 * @module
 */
import type { CoverageState, Stretch } from "../../programs/report/Report.ts"
import { hourStart } from "../../services/Hour.ts"
import { picture, stretched } from "./figure.ts"
import { html, type Html } from "./html.ts"
import { fixed } from "./words.ts"

const HOUR = 3_600_000
const DAY = 24 * HOUR
/** So few days are drawn as rows of hours. */
const FEW_DAYS = 14
/** More are drawn by quarters. */
const SOME_DAYS = 124

/** A row of the calendar: its name, the labels above some of its columns, and its days. */
interface Block {
  readonly name: string
  readonly marks: ReadonlyArray<{ readonly column: number; readonly text: string }>
  readonly start: number
  /** Days, or hours of one day. */
  readonly columns: number
}

const dayText = (time: number) => new Date(time).toISOString().slice(0, 10)

/** Both counted. */
const daysBetween = (first: number, last: number) =>
  Math.floor(last / DAY) - Math.floor(first / DAY) + 1

function blocksOf(first: number, last: number): ReadonlyArray<Block> {
  const days = daysBetween(first, last)
  if (days <= FEW_DAYS) {
    return Array.from({ length: days }, (_, index) => {
      const start = (Math.floor(first / DAY) + index) * DAY
      const clocks = index === 0 ? [8, 16] : []
      const marks = clocks.map((column) => ({
        column,
        text: `${String(column).padStart(2, "0")}:00`
      }))
      return { name: dayText(start), marks, start, columns: 24 }
    })
  }
  const months = days <= SOME_DAYS ? 1 : 3
  const at = new Date(first)
  const blocks: Array<Block> = []
  for (let month = at.getUTCMonth() - (at.getUTCMonth() % months); ; month += months) {
    const start = Date.UTC(at.getUTCFullYear(), month)
    if (start > last) return blocks
    const name = dayText(start).slice(0, 7)
    if (months === 1) {
      const days = blocks.length === 0 ? [10, 20, 30] : []
      const marks = days.map((day) => ({ column: day - 0.5, text: String(day) }))
      blocks.push({ name, marks, start, columns: 31 })
    } else {
      const marks = [month + 1, month + 2].map((it) => {
        const time = Date.UTC(at.getUTCFullYear(), it)
        return { column: (time - start) / DAY + 5, text: dayText(time).slice(0, 7) }
      })
      blocks.push({ name, marks, start, columns: 92 })
    }
  }
}

/** Hours from one to before another as rectangles: whole days together. */
function rectanglesOf(from: number, to: number): string {
  let path = ""
  for (let hour = from; hour < to;) {
    const day = Math.floor(hour / 24)
    const isWhole = hour % 24 === 0 && to - hour >= 24
    const days = isWhole ? Math.floor((to - hour) / 24) : 1
    const end = isWhole ? hour + days * 24 : Math.min(to, (day + 1) * 24)
    const high = isWhole ? 24 : end - hour
    path += `M${day} ${hour % 24}h${days}v${high}h-${days}z`
    hour = end
  }
  return path
}

/** Each state's hours in a block. */
function pathsOf(block: Block, stretches: ReadonlyArray<Stretch>, isDay: boolean) {
  const hours = isDay ? 24 : block.columns * 24
  // A block of months ends where the next one begins, which has no room for its days.
  const end = isDay ? 24 : (endOf(block) - block.start) / HOUR
  const paths = new Map<CoverageState, string>()
  for (const { first, last, state } of stretches) {
    const from = Math.max(0, (hourStart(first) - block.start) / HOUR)
    const to = Math.min(hours, end, (hourStart(last) - block.start) / HOUR + 1)
    if (to <= from) continue
    const path = isDay ? `M${from} 0h${to - from}v1h-${to - from}z` : rectanglesOf(from, to)
    paths.set(state, (paths.get(state) ?? "") + path)
  }
  return paths
}

function endOf({ columns, start }: Block): number {
  const date = new Date(start)
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + (columns === 31 ? 1 : 3))
}

/** Whether the calendar has a row for each day. */
export function drawsDays(stretches: ReadonlyArray<Stretch>): boolean {
  const [oldest] = stretches
  const newest = stretches.at(-1)
  if (oldest === undefined || newest === undefined) return false
  return daysBetween(hourStart(oldest.first), hourStart(newest.last)) <= FEW_DAYS
}

/** The calendar of hours, oldest first. */
export function calendar(stretches: ReadonlyArray<Stretch>, title: string): Html {
  const [oldest] = stretches
  const newest = stretches.at(-1)
  if (oldest === undefined || newest === undefined) return html``
  const blocks = blocksOf(hourStart(oldest.first), hourStart(newest.last))
  const isDay = blocks[0]?.columns === 24
  const height = isDay ? 14 : blocks[0]?.columns === 31 ? 96 : 72
  const step = height + 26
  const rows = blocks.map((block, index) => {
    const paths = [...pathsOf(block, stretches, isDay)].map(
      ([state, path]) => html`<path class="s-${state}" d="${path}" />`
    )
    const high = isDay ? 1 : 24
    const columns = Array.from(
      { length: block.columns - 1 },
      (_, it) => `M${it + 1} 0v${high}`
    ).join("")
    const lines = html`<path class="grid" d="${columns}" />`
    const shapes = stretched(block.columns, high, [...paths, lines])
    const marks = block.marks.map(
      ({ column, text }) =>
        html`<text
          class="muted"
          x="${fixed((column / block.columns) * 100)}%"
          y="${index * step + 13}"
          text-anchor="middle"
        >
          ${text}
        </text>`
    )
    return html`<text x="0" y="${index * step + 13}">${block.name}</text>${marks}<svg
        y="${index * step + 19}"
        width="100%"
        height="${height}"
      >
        ${shapes}
      </svg> `
  })
  return picture({
    id: "calendar-title",
    title,
    height: blocks.length * step,
    content: rows
  })
}
