import type { LoadConflict, LoadSummary } from "../../programs/load/LoadSummary.ts"
import type { LoadPlan } from "../../programs/load/planLoad.ts"
import type { Hour } from "../../services/Hour.ts"
import { keyText } from "./keyText.ts"
import { bytesText, conflictText, gapText, plural, windowText } from "./printed.ts"

type Rows = Array<readonly [name: string, text: string]>

/** What a run loaded, then each hour that failed or has other lines than the warehouse. */
export function loadText(summary: LoadSummary, warehouse: string): string {
  const { conflicts, differing, failed, olderGaps } = summary
  const rows: Rows = [
    ["window", windowText(summary.window)],
    ["warehouse", warehouse]
  ]
  const count = (name: string, hours: ReadonlyArray<Hour>, more = "") => {
    if (hours.length > 0) rows.push([name, plural(hours.length, "hour") + more])
  }
  if (summary.loaded.length === 0) rows.push(["loaded", "nothing new"])
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
  if (failed.length > 0) rows.push(["failed", plural(failed.length, "hour")])
  if (olderGaps !== null) rows.push(["older", gapText(olderGaps)])
  rows.push(...conflicts.map((it) => ["conflict", conflictText(it)] as const))
  rows.push(...differing.map((it) => ["conflict", differingText(it)] as const))
  const retries = summary.retries === 0 ? "" : `, ${plural(summary.retries, "retry", "retries")}`
  rows.push(["took", `${(summary.durationMs / 1000).toFixed(1)} s${retries}`])
  return [
    ...rows.map(([name, text]) => `${name.padEnd(12)}${text}`),
    ...failed.map(({ hour, message }) => `${hour}  ${message}`)
  ].join("\n")
}

/** Both versions of an hour, and the command that replaces what is loaded. */
function differingText({ hour, isUndecided, keys, store, warehouse }: LoadConflict): string {
  const names = keys.map(keyText).join(" and ")
  if (isUndecided) return `${hour} has several objects, of which none is loaded: ${names}`
  const loaded = warehouse === undefined ? "nothing" : linesText(warehouse)
  const landed = store === undefined ? "other bytes" : linesText(store)
  return `${hour}: ${names} has ${landed}, and the warehouse has ${loaded}; to load what the store has: amplitude-lake load --replace ${hour}`
}

function linesText({ events, lineset }: { readonly events: number; readonly lineset: string }) {
  return `${plural(events, "event")}, lineset ${lineset}`
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
    differing: "with other lines than the warehouse"
  } as const satisfies Record<Exclude<keyof LoadPlan, "dryRun">, string>
  const rows = (Object.keys(names) as ReadonlyArray<keyof typeof names>)
    .filter((name) => plan[name].length > 0)
    .map((name) => `${name.padEnd(12)}${plural(plan[name].length, "hour")}, ${names[name]}`)
  const nothing = rows.length === 0 ? ["load        nothing"] : []
  return [`warehouse   ${warehouse}`, ...nothing, ...rows].join("\n")
}
