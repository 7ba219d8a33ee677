import type { LakeComparison } from "../../../programs/inspect/compareLakes.ts"
import type { Hour } from "../../../services/Hour.ts"
import { conflictText, plural, windowText } from "../printed.ts"

/** Hours that a list of missing ones names before it counts the rest. */
const NAMED = 24

/** The totals, then each hour that is not the same in both lakes. */
export function comparisonText(found: LakeComparison, place: string): string {
  const { conflicts, differing, failed, missingHere, missingThere, postponed, same } = found
  const isNothing = [differing, failed, missingHere, missingThere, same].every(
    ({ length }) => length === 0
  )
  const rows: Array<readonly [string, string]> = [
    ["window", found.window === null ? "everything" : windowText(found.window)],
    ["here", place],
    ["there", found.against],
    [
      "same",
      `${plural(same.length, "hour")}, ${plural(found.events, "event")}${isNothing ? ": check the prefixes and the dates" : ""}`
    ]
  ]
  const count = (name: string, length: number, more: string) => {
    if (length > 0) rows.push([name, plural(length, "hour") + more])
  }
  count(
    "not there",
    missingThere.length,
    ", listed below: amplitude-lake copy with the same --to-… flags copies them"
  )
  count(
    "not here",
    missingHere.length,
    ", listed below: copy them from there, with an env file of the other lake"
  )
  count("differing", differing.length, ", listed below; see which lake is right before you copy")
  count("postponed", postponed.length, ", not compared within --max-duration")
  count("failed", failed.length, ", could not be read")
  rows.push(...conflicts.map((it) => ["conflict", conflictText(it)] as const))
  rows.push(["took", `${(found.durationMs / 1000).toFixed(1)} s`])
  return [
    ...rows.map(([name, text]) => `${name.padEnd(11)}${text}`),
    ...listed("is not there", missingThere),
    ...listed("is not here", missingHere),
    ...differing.flatMap(({ hour, problems }) => problems.map((it) => `${hour}  differs: ${it}`)),
    ...failed.map(({ hour, message }) => `${hour}  ${message}`)
  ].join("\n")
}

function listed(what: string, hours: ReadonlyArray<Hour>): ReadonlyArray<string> {
  const lines = hours.slice(0, NAMED).map((hour) => `${hour}  ${what}`)
  return hours.length <= NAMED
    ? lines
    : [...lines, `and ${plural(hours.length - NAMED, "more hour")} (--json names all)`]
}
