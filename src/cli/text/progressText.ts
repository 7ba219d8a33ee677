import { bytesText } from "./printed.ts"

/** How far a run is, at a moment. */
export interface Standing {
  /** What is counted: `hours`. */
  readonly noun: string
  readonly planned: number
  readonly done: number
  /** Bytes that came in and went out, and how many of them a second of late. */
  readonly received: number
  readonly receiving: number
  readonly sent: number
  readonly sending: number
  /** Milliseconds since the first of it was planned. */
  readonly elapsed: number
  /** What is being tried again, and why, the oldest first. */
  readonly retried: ReadonlyArray<string>
}

const LEAST_BAR = 10
const LONGEST_BAR = 40
const LONGEST_LIST = 2
/**
 * What the text takes at most, nearly always: by it the bar keeps its width while the text grows.
 */
const ROOM_OF_TEXT = 86
/** A guess is worth something only after a while. */
const LEAST_ELAPSED = 2000

/**
 * A line of what is done and what is left, and below it what is tried again, two lines at most and
 * a count of the others. Plain ASCII but for what an error says; no line is wider than the
 * terminal.
 */
export function progressText(standing: Standing, columns: number): string {
  const { done, planned, retried } = standing
  const parts = [
    `${done}/${planned} ${standing.noun}`,
    ...flowTexts("in", standing.received, standing.receiving),
    ...flowTexts("out", standing.sent, standing.sending),
    ...leftTexts(standing)
  ].join("  ")
  const room = Math.min(LONGEST_BAR, columns - ROOM_OF_TEXT)
  const more = retried.length - LONGEST_LIST
  return [
    room < LEAST_BAR ? parts : `[${barText(done / planned, room)}]  ${parts}`,
    ...retried.slice(0, LONGEST_LIST).map((reason) => `trying again: ${reason}`),
    ...(more > 0 ? [`and ${more} more`] : [])
  ]
    .map((line) => cut(line, columns - 1))
    .join("\n")
}

function flowTexts(name: string, bytes: number, rate: number): ReadonlyArray<string> {
  if (bytes === 0) return []
  return [`${name} ${bytesText(bytes)}${rate < 1 ? "" : ` (${bytesText(Math.round(rate))}/s)`}`]
}

/** By the hours that are done: those to come may be larger or smaller. */
function leftTexts({ done, elapsed, planned }: Standing): ReadonlyArray<string> {
  if (done === 0 || done >= planned || elapsed < LEAST_ELAPSED) return []
  return [`${timeText((elapsed * (planned - done)) / done)} left`]
}

/** `0:04`, `12:30` or `1:02:03`. */
function timeText(millis: number): string {
  const seconds = Math.ceil(millis / 1000)
  const hours = Math.floor(seconds / 3600)
  const minutes = Math.floor(seconds / 60) % 60
  const shown = hours === 0 ? String(minutes) : `${hours}:${padded(minutes)}`
  return `${shown}:${padded(seconds % 60)}`
}

function padded(count: number): string {
  return String(count).padStart(2, "0")
}

function barText(share: number, width: number): string {
  const filled = Math.min(width, Math.floor(share * width))
  return "#".repeat(filled) + "-".repeat(width - filled)
}

/** One line of a text that may hold anything. */
function cut(text: string, width: number): string {
  const characters = [...text.replaceAll(/[\p{C}\s]+/gu, (it) => (/^ +$/.test(it) ? it : " "))]
  if (characters.length <= width) return characters.join("")
  return `${characters.slice(0, Math.max(0, width - 3)).join("")}...`
}
