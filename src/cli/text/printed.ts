/**
 * The texts that commands print on stdout without `--json`.
 *
 * @module
 */
import type { SetupChecks } from "../../programs/inspect/checkSetup.ts"
import type { GapCount } from "../../programs/plan/gaps.ts"
import type { StagedElsewhere } from "../../programs/plan/stagedElsewhere.ts"
import type { Plan } from "../../programs/plan/planRun.ts"
import type { OpenConflict } from "../../programs/resolve/OpenConflict.ts"
import type { Summary } from "../../programs/run/Summary.ts"
import { type Hour, hoursBetween } from "../../services/Hour.ts"
import { keyText, shellWord } from "./keyText.ts"

/** Bytes in the largest fitting decimal unit: `16.2 MB`, where 1 MB is a million bytes. */
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

/** A window as text. */
export function windowText(window: { readonly first: Hour; readonly last: Hour } | null): string {
  if (window === null) return "no hours"
  return window.first === window.last ? window.first : `${window.first} to ${window.last}`
}

type Rows = ReadonlyArray<readonly [name: string, text: string]>

/** A part of a summary: its rows, and the hours of it that failed. */
export interface Part {
  readonly rows: Rows
  readonly failures: ReadonlyArray<string>
}

interface SummaryTextOptions {
  /** Whether hours landed in staging: then they are called staged. Defaults to `false`. */
  readonly isStaged?: boolean
  /** What was loaded afterwards. */
  readonly loaded?: Part | undefined
}

/** A run's summary, then each hour that failed. */
export function summaryText(
  summary: Summary,
  place: string,
  { isStaged = false, loaded = { rows: [], failures: [] } }: SummaryTextOptions = {}
): string {
  const landed = isStaged ? "staged" : "landed"
  const rows: Array<readonly [string, string]> = [
    ["window", windowText(summary.window)],
    ...shardRows(summary.shard),
    ["where", place]
  ]
  const count = (name: string, hours: ReadonlyArray<Hour>, more = "") => {
    if (hours.length > 0) rows.push([name, plural(hours.length, "hour") + more])
  }
  if (summary.landed.length === 0) rows.push([landed, "nothing new"])
  count(
    landed,
    summary.landed,
    `, ${plural(summary.events, "event")}, ${bytesText(summary.bytes)} of lines${isStaged ? "; run sync to upload them" : ""}`
  )
  count("empty", summary.empty, ", marked as without events")
  count("skipped", summary.skipped, ", there already")
  count("pending", summary.pending, ", without events so far")
  count("open", summary.open, ", not closed yet")
  count("accepted", summary.accepted, ", as gaps that stay")
  count("postponed", summary.postponed, ", left for the next run")
  count(
    "failed",
    summary.failed.map(({ hour }) => hour)
  )
  const retries = summary.retries === 0 ? "" : `, ${plural(summary.retries, "retry", "retries")}`
  rows.push(...adoptionRows(summary.adoption), ...lakeRows(summary), ...loaded.rows)
  rows.push(["took", `${(summary.durationMs / 1000).toFixed(1)} s${retries}`])
  const rowWidth = Math.max(9, ...rows.map(([name]) => name.length + 1))
  return [
    ...rows.map(([name, text]) => `${name.padEnd(rowWidth)}${text}`),
    ...failureTexts(summary.failed),
    ...loaded.failures
  ].join("\n")
}

/** What became of files of other programs, and why those that stay were refused. */
function adoptionRows(adoption: Summary["adoption"]): Rows {
  if (adoption === undefined) return []
  const { adopted, conflicted, refused } = adoption
  const moved =
    conflicted.length === 0
      ? []
      : [
          [
            "moved",
            `${plural(conflicted.length, "file")} to failed_uploads/, for the store has other lines`
          ] as const
        ]
  return [
    ["adopted", adopted.length === 0 ? "no file" : plural(adopted.length, "file")],
    ...moved,
    ...refused.map(({ file, message }) => ["refused", `${keyText(file)}: ${message}`] as const)
  ]
}

/** Says of a share of the days that it is no more. */
export function shardRows(shard: string | undefined): Rows {
  return shard === undefined
    ? []
    : [["shard", `${shard} of the days; amplitude-lake status judges the whole lake`]]
}

/** What a person has to decide beyond the hours of the run, with the commands that do it. */
function lakeRows({
  conflicts,
  newerGaps,
  olderGaps,
  stagedElsewhere
}: Pick<Summary, "conflicts" | "newerGaps" | "olderGaps" | "stagedElsewhere">): Rows {
  return [
    ...(olderGaps === null ? [] : [["older", gapText(olderGaps)] as const]),
    ...(newerGaps === null ? [] : [["newer", gapText(newerGaps)] as const]),
    ...conflicts.map((it) => ["conflict", conflictText(it)] as const),
    ...stagedElsewhere.map((it) => ["left", elsewhereText(it)] as const)
  ]
}

/** How many hours are missing, and what ends that. */
export function gapText(gaps: GapCount): string {
  return `${plural(gaps.hours, "hour")} missing, the oldest ${gaps.first}: ${gapCommands(gaps)}`
}

/** What lands missing hours, then what accepts the rest: never a command that spans hours which are no gaps. */
export function gapCommands({ first, hours, last }: GapCount): string {
  const dates = `--start-date ${first} --end-date ${last}`
  const isOneRun = hours === hoursBetween(first, last) + 1
  const accept = isOneRun
    ? `amplitude-lake gaps accept ${dates} --reason "…"`
    : "the commands that amplitude-lake gaps lists"
  return `amplitude-lake all ${dates}, then, for what cannot land, ${accept}`
}

/** Both versions of an hour, and the commands that choose one. */
export function conflictText(conflict: OpenConflict): string {
  const { copy, host, hour, object, ours, store, versions: doubled } = conflict
  if (doubled !== undefined) return doubledText(hour, doubled)
  if (object !== undefined && ours !== undefined && store?.lineset === ours.lineset) {
    return `${hour}: another program put ${object} (${versionText(store)}) among the hours that this one landed: ${resolveCommands(hour)}`
  }
  const versions = [
    object === undefined ? [] : [`${object} has ${versionText(store)}`],
    ours === undefined ? [] : [`ours has ${versionText(ours)}`],
    copy === undefined ? [] : [`ours lies in ${copy} on ${host ?? "an unknown machine"}`]
  ].flat()
  const about = versions.length === 0 ? "" : ` (${versions.join("; ")})`
  return `${hour} has two versions${about}: ${resolveCommands(hour)}`
}

/** The store's versions of an hour, and the commands that choose one. */
function doubledText(hour: Hour, versions: NonNullable<OpenConflict["versions"]>): string {
  const about = versions.map((it) =>
    it.events === undefined ? keyText(it.object) : `${keyText(it.object)} has ${versionText(it)}`
  )
  const commands = versions.map(({ key }) => `${resolveCommand(hour)} ${shellWord(key)}`)
  return `${hour} has ${versions.length} versions in the store (${about.join("; ")}): ${commands.join(", or ")}`
}

function versionText({ events, lineset }: OpenConflict["store"] = {}): string {
  if (events === undefined) return "lines that cannot be read"
  return `${plural(events, "event")}${lineset === undefined ? "" : `, lineset ${lineset}`}`
}

/** What ends a conflict. */
export function resolveCommands(hour: string): string {
  const command = resolveCommand(hour)
  return `${command} store, or ${command} ours`
}

function resolveCommand(hour: string): string {
  return `amplitude-lake resolve ${hour} --keep`
}

/** One line for each series of adjacent hours that failed with the same message. */
export function failureTexts(failed: Summary["failed"]): ReadonlyArray<string> {
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

/** A plan with its requests. */
export function planText(
  plan: Pick<Plan, "accepted" | "window" | "present" | "missing" | "open" | "requests">,
  shard?: string
): string {
  const { accepted, window, present, missing, open, requests } = plan
  return [
    `window   ${windowText(window)}`,
    ...shardRows(shard).map(([name, text]) => `${name.padEnd(9)}${text}`),
    `present  ${plural(present.length, "hour")}`,
    `missing  ${plural(missing.length, "hour")}`,
    `open     ${plural(open.length, "hour")}`,
    ...(accepted.length === 0 ? [] : [`accepted ${plural(accepted.length, "hour")}`]),
    `requests ${requests.length}`,
    ...requests.map((request) => `  ${windowText(request)}`)
  ].join("\n")
}

interface Left {
  readonly elsewhere: ReadonlyArray<StagedElsewhere>
  /** Files of other programs that are to be adopted. */
  readonly files: ReadonlyArray<string>
}

/** The hours that sync would upload, the files that it would look at, then what it would leave. */
export function stagedText(
  hours: ReadonlyArray<Hour>,
  { elsewhere = [], files = [] }: Partial<Left> = {}
): string {
  return [
    `staged   ${plural(hours.length, "hour")}`,
    ...hours.map((hour) => `  ${hour}`),
    ...(files.length === 0 ? [] : [`foreign  ${plural(files.length, "file")}`]),
    ...files.map((file) => `  ${keyText(file)}`),
    ...elsewhere.map((it) => `left     ${elsewhereText(it)}`)
  ].join("\n")
}

/** Staged hours that stay, and the command that uploads them into this lake if they belong there. */
export function elsewhereText({ hours, isAdoptable, lake, project }: StagedElsewhere): string {
  const whose = project === "" ? "" : ` of project ${project}`
  const why = lake === "" ? "staged by an earlier version" : `staged for ${lake}`
  const command = isAdoptable
    ? `; to upload them here: amplitude-lake sync --adopt-staged ${project}`
    : ""
  return `${plural(hours, "hour")}${whose}, ${why}${command}`
}

export interface ListedObject {
  readonly key: string
  readonly hour: Hour | null
  readonly size: number
}

/** One line per object: its hour, size in bytes and key. */
export function listText(objects: ReadonlyArray<ListedObject>): string {
  return objects
    .map(
      ({ hour, size, key }) =>
        `${(hour ?? "-").padEnd(13)}  ${String(size).padStart(12)}  ${keyText(key)}`
    )
    .join("\n")
}

/** One line per check: its state, its name, what was found and what to do. Wraps at `width`. */
export function checkText({ checks }: SetupChecks, width = Infinity): string {
  return checks
    .map(({ name, state, message }) => {
      const head = `${(state === "unknown" ? "-" : state).padEnd(6)}${name.padEnd(10)}`
      return head + wrapped(message, width - head.length).join(`\n${" ".repeat(head.length)}`)
    })
    .join("\n")
}

/** Wraps a text between words. Only a word that is itself longer exceeds the width. */
export function wrapped(text: string, width: number): ReadonlyArray<string> {
  const lines: Array<string> = []
  for (const word of text.split(" ")) {
    const line = lines.at(-1)
    if (line === undefined || line.length + 1 + word.length > width) lines.push(word)
    else lines[lines.length - 1] = `${line} ${word}`
  }
  return lines
}
