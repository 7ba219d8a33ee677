import { bytesText } from "./printed.ts"

/** A run's progress at one moment. */
export interface Standing {
  /** What is counted, such as `hours`. */
  readonly noun: string
  readonly planned: number
  readonly done: number
  /** Bytes received and sent, and the current rates in bytes per second. */
  readonly received: number
  readonly receiving: number
  readonly sent: number
  readonly sending: number
  /** Milliseconds since something was first planned. */
  readonly elapsed: number
  /** What is being retried and why, the oldest first. */
  readonly retried: ReadonlyArray<string>
}

const LEAST_BAR = 10
const LONGEST_BAR = 40
const LONGEST_LIST = 2
/** Reserved for the text, which is rarely longer, so that the bar keeps its width as it grows. */
const ROOM_OF_TEXT = 86
/** An estimate made earlier would be too rough to show. */
const LEAST_ELAPSED = 2000

/**
 * One line of progress, then up to two lines of retries and a count of the others. Plain ASCII
 * except for error messages. No line is wider than the terminal.
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
    ...retried.slice(0, LONGEST_LIST).map((reason) => `retrying: ${reason}`),
    ...(more > 0 ? [`and ${more} more`] : [])
  ]
    .map((line) => cut(line, columns - 1))
    .join("\n")
}

function flowTexts(name: string, bytes: number, rate: number): ReadonlyArray<string> {
  if (bytes === 0) return []
  return [`${name} ${bytesText(bytes)}${rate < 1 ? "" : ` (${bytesText(Math.round(rate))}/s)`}`]
}

/** A rough estimate from the hours that are done: the remaining ones may differ in size. */
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

/** Shortens any text to one line without control characters. */
function cut(text: string, width: number): string {
  const characters = [...text.replaceAll(/[\p{C}\s]+/gu, (it) => (/^ +$/.test(it) ? it : " "))]
  if (characters.length <= width) return characters.join("")
  return `${characters.slice(0, Math.max(0, width - 3)).join("")}...`
}
