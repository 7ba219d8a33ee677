import type { LoadConflict, LoadSummary } from "../../programs/load/LoadSummary.ts"
import type { LoadPlan } from "../../programs/load/planLoad.ts"
import type { Hour } from "../../services/Hour.ts"
import { keyText } from "./keyText.ts"
import { pipedRows } from "./pipedText.ts"
import {
  bytesText,
  conflictText,
  failureTexts,
  gapText,
  type Part,
  plural,
  shardRows,
  windowText
} from "./printed.ts"

/** What a run loaded, then each hour that failed or has other lines than the warehouse. */
export function loadText(summary: LoadSummary, warehouse: string): string {
  const { conflicts, olderGaps } = summary
  const lake = [
    ...(olderGaps === null ? [] : [["gaps", gapText(olderGaps)] as const]),
    ...conflicts.map((it) => ["conflict", conflictText(it)] as const)
  ]
  const retries = summary.retries === 0 ? "" : `, ${plural(summary.retries, "retry", "retries")}`
  const { failures, rows } = loadedPart(summary, warehouse, lake)
  return [
    ...[
      ["window", windowText(summary.window)] as const,
      ...shardRows(summary.shard),
      ...rows,
      ["took", `${(summary.durationMs / 1000).toFixed(1)} s${retries}`] as const
    ].map(([name, text]) => `${name.padEnd(12)}${text}`),
    ...failures
  ].join("\n")
}

/** What a run loaded, and what it found of the lake in between. */
export function loadedPart(summary: LoadSummary, warehouse: string, lake: Part["rows"] = []): Part {
  const { differing, failed } = summary
  const rows: Array<Part["rows"][number]> = [["warehouse", warehouse]]
  const count = (name: string, hours: ReadonlyArray<Hour>, more = "") => {
    if (hours.length > 0) rows.push([name, plural(hours.length, "hour") + more])
  }
  if (summary.piped !== undefined) rows.push(...pipedRows(summary.piped))
  else if (summary.loaded.length + summary.replaced.length + summary.relabelled.length === 0) {
    rows.push(["loaded", "nothing new"])
  }
  count("loaded", summary.loaded)
  count("replaced", summary.replaced, ", in the place of what was loaded before")
  if (summary.loaded.length + summary.replaced.length > 0) {
    rows.push([
      "events",
      `${plural(summary.events, "event")}, ${bytesText(summary.bytes)} of lines`
    ])
  }
  count("relabelled", summary.relabelled, ", from other objects with the same lines")
  count("skipped", summary.skipped, ", loaded already")
  count("kept", summary.kept, ", loaded and no longer in the store")
  count("unverified", summary.unverified, ", landed by another pipeline; --unverified loads them")
  count("postponed", summary.postponed, ", left for the next run")
  count(
    "failed",
    failed.map(({ hour }) => hour)
  )
  rows.push(
    ...listRows(summary.lists),
    ...lake,
    ...differing.map((it) => ["conflict", differingText(it)] as const)
  )
  return { rows, failures: [...failureTexts(failed), ...failedLists(summary.lists)] }
}

/** How many lists of what Amplitude says about events are loaded now, and why others are not. */
function listRows(lists: LoadSummary["lists"]): Part["rows"] {
  if (lists === undefined) return []
  const { failed, loaded, postponed, skipped } = lists
  const counts = [
    [loaded, "loaded"],
    [skipped, "loaded already"],
    [postponed, "left for the next run"],
    [failed.length, "failed"]
  ] as const
  const told = counts.flatMap(([count, what]) => (count === 0 ? [] : [`${count} ${what}`]))
  return [["lists", told.join(", ")]]
}

function failedLists(lists: LoadSummary["lists"]): ReadonlyArray<string> {
  return (lists?.failed ?? []).map(({ date, message, stream }) => `${date} ${stream}  ${message}`)
}

/** Both versions of an hour, and the command that replaces what is loaded. */
export function differingText(conflict: LoadConflict): string {
  const { hour, isUndecided, keys, problems, store, warehouse } = conflict
  const names = keys.map(keyText).join(" and ")
  if (isUndecided) {
    return `${hour} has several objects, and nothing more is loaded of it until one of them is chosen: ${names}`
  }
  const loaded = warehouse === undefined ? "nothing" : linesText(warehouse)
  if (problems !== undefined) {
    const differ =
      keys.length === 1 ? "is not what its metadata say" : "are not what their metadata say"
    return `${hour}: ${names} ${differ} (${problems.join("; ")}), and the warehouse keeps ${loaded}; put the earlier object back, or remove it and land the hour again: amplitude-lake all --start-date ${hour} --end-date ${hour}`
  }
  const landed = store === undefined ? "other bytes" : linesText(store)
  return `${hour}: ${names} ${keys.length === 1 ? "has" : "have"} ${landed}, and the warehouse has ${loaded}; to load what the store has: amplitude-lake load --replace ${hour}`
}

function linesText({ events, lineset }: { readonly events: number; readonly lineset: string }) {
  return `${plural(events, "event")}, lineset ${lineset}`
}

function hoursText(hours: ReadonlyArray<Hour>): string {
  const [first, last] = [hours.at(0), hours.at(-1)]
  if (first === undefined || last === undefined) return "no hour"
  return `${plural(hours.length, "hour")}, ${windowText({ first, last })}`
}

/** What load would do. */
export function loadPlanText(plan: LoadPlan, warehouse: string): string {
  const names = {
    load: "would be loaded",
    replace: "would be replaced",
    relabel: "would be read and compared",
    skipped: "loaded already",
    kept: "loaded and no longer in the store",
    unverified: "landed by another pipeline",
    differing: "in conflict with the warehouse"
  } as const satisfies Record<Exclude<keyof LoadPlan, "dryRun" | "lists">, string>
  const rows = (Object.keys(names) as ReadonlyArray<keyof typeof names>)
    .filter((name) => plan[name].length > 0)
    .map((name) => `${name.padEnd(12)}${hoursText(plan[name])}, ${names[name]}`)
  const lists = plan.lists?.length ?? 0
  if (lists > 0) rows.push(`lists       ${lists} would be loaded`)
  const nothing = rows.length === 0 ? ["load        nothing"] : []
  return [`warehouse   ${warehouse}`, ...nothing, ...rows].join("\n")
}
