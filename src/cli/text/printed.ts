/**
 * What a person reads on stdout.
 *
 * @module
 */
import type { SetupChecks } from "../../programs/inspect/checkSetup.ts"
import type { Plan } from "../../programs/plan/planRun.ts"
import type { Summary } from "../../programs/run/Summary.ts"
import { type Hour, hoursBetween } from "../../services/Hour.ts"

/** Bytes in the largest unit that they fill: `16.2 MB`, of a million bytes. */
export function bytesText(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`
  const rounded = ["kB", "MB", "GB", "TB"].map((unit, index) => ({
    unit,
    amount: (bytes / 1000 ** (index + 1)).toFixed(1)
  }))
  const fitting = rounded.find(({ amount }) => Number(amount) < 1000) ?? rounded.at(-1)
  return `${fitting?.amount} ${fitting?.unit}`
}

/** A count with its noun: `1 hour`, `1,234 hours`. */
export function plural(count: number, noun: string, nouns = `${noun}s`): string {
  return `${count.toLocaleString("en")} ${count === 1 ? noun : nouns}`
}

/** A key on one line: other pipelines may have put any character in theirs. */
export function keyText(key: string): string {
  return key.replaceAll(/\p{Cc}/gu, "?")
}

/** A window as a person reads it. */
export function windowText(window: { readonly first: Hour; readonly last: Hour } | null): string {
  if (window === null) return "no hours"
  return window.first === window.last ? window.first : `${window.first} to ${window.last}`
}

/** A run's summary, with the hours that need a look. */
export function summaryText(summary: Summary, place: string): string {
  const rows: Array<readonly [string, string]> = [
    ["window", windowText(summary.window)],
    ["where", place]
  ]
  const count = (name: string, hours: ReadonlyArray<Hour>, more = "") => {
    if (hours.length > 0) rows.push([name, plural(hours.length, "hour") + more])
  }
  if (summary.landed.length === 0) rows.push(["landed", "nothing new"])
  count(
    "landed",
    summary.landed,
    `, ${plural(summary.events, "event")}, ${bytesText(summary.bytes)} of lines`
  )
  count("empty", summary.empty, ", marked as without events")
  count("skipped", summary.skipped, ", there already")
  count("pending", summary.pending, ", without events so far")
  count("open", summary.open, ", not closed yet")
  count(
    "failed",
    summary.failed.map(({ hour }) => hour)
  )
  const retries = summary.retries === 0 ? "" : `, ${plural(summary.retries, "retry", "retries")}`
  rows.push(["took", `${(summary.durationMs / 1000).toFixed(1)} s${retries}`])
  return [
    ...rows.map(([name, text]) => `${name.padEnd(9)}${text}`),
    ...failureTexts(summary.failed)
  ].join("\n")
}

/** A line for each run of neighbours that failed by the same message. */
function failureTexts(failed: Summary["failed"]): ReadonlyArray<string> {
  const groups: Array<{ first: Hour; last: Hour; count: number; message: string }> = []
  for (const { hour, message } of failed) {
    const group = groups.at(-1)
    if (group?.message === message && hoursBetween(group.last, hour) === 1) {
      group.last = hour
      group.count += 1
    } else {
      groups.push({ first: hour, last: hour, count: 1, message })
    }
  }
  return groups.map(({ first, last, count, message }) =>
    count === 1
      ? `${first}  ${message}`
      : `${windowText({ first, last })} (${plural(count, "hour")})  ${message}`
  )
}

/** A plan, with the requests that it would make. */
export function planText(
  plan: Pick<Plan, "window" | "present" | "missing" | "open" | "requests">
): string {
  const { window, present, missing, open, requests } = plan
  return [
    `window   ${windowText(window)}`,
    `present  ${plural(present.length, "hour")}`,
    `missing  ${plural(missing.length, "hour")}`,
    `open     ${plural(open.length, "hour")}`,
    `requests ${requests.length}`,
    ...requests.map((request) => `  ${windowText(request)}`)
  ].join("\n")
}

/** The hours that sync would move. */
export function stagedText(hours: ReadonlyArray<Hour>): string {
  return [`staged   ${plural(hours.length, "hour")}`, ...hours.map((hour) => `  ${hour}`)].join(
    "\n"
  )
}

export interface ListedObject {
  readonly key: string
  readonly hour: Hour | null
  readonly size: number
}

/** A line an object: its hour, bytes and key. */
export function listText(objects: ReadonlyArray<ListedObject>): string {
  return objects
    .map(
      ({ hour, size, key }) =>
        `${(hour ?? "-").padEnd(13)}  ${String(size).padStart(12)}  ${keyText(key)}`
    )
    .join("\n")
}

/**
 * A line a check: how it went, what it was about, what was found and what to do; wrapped where a
 * width is given.
 */
export function checkText({ checks }: SetupChecks, width = Infinity): string {
  return checks
    .map(({ name, state, message }) => {
      const head = `${(state === "unknown" ? "-" : state).padEnd(6)}${name.padEnd(10)}`
      return head + wrapped(message, width - head.length).join(`\n${" ".repeat(head.length)}`)
    })
    .join("\n")
}

/** A text in lines of at most so many characters, but for longer words. */
export function wrapped(text: string, width: number): ReadonlyArray<string> {
  const lines: Array<string> = []
  for (const word of text.split(" ")) {
    const line = lines.at(-1)
    if (line === undefined || line.length + 1 + word.length > width) lines.push(word)
    else lines[lines.length - 1] = `${line} ${word}`
  }
  return lines
}
