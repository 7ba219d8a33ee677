import type { PipedDouble, PipedHole, PipedSummary } from "../../programs/load/LoadSummary.ts"
import { addHours } from "../../services/Hour.ts"
import { keyText } from "./keyText.ts"
import { type Part, plural } from "./printed.ts"

/** What a pipe has loaded, and what fixes the rest. Neighbouring hours without any line are one row. */
export function pipedRows({ doubles, holes, reconciled, refresh }: PipedSummary): Part["rows"] {
  const stretches: Array<Array<PipedHole>> = []
  for (const hole of holes) {
    const before = stretches.at(-1)
    const last = before?.at(-1)
    const isNext =
      hole.lines + (last?.lines ?? 1) === 0 &&
      hole.fix !== "replace" &&
      hole.fix === last?.fix &&
      addHours(last.hour, 1) === hole.hour
    if (isNext) before?.push(hole)
    else stretches.push([hole])
  }
  return [
    [
      "reconciled",
      reconciled.length === 0
        ? "nothing new"
        : `${plural(reconciled.length, "hour")}, which the ledger has now`
    ],
    ...stretches.map((it) => ["hole", holeText(it, refresh)] as const),
    ...doubles.map((it) => ["double", doubleText(it)] as const)
  ]
}

function holeText(holes: ReadonlyArray<PipedHole>, refresh = ""): string {
  const [first, last] = [holes.at(0), holes.at(-1)]
  if (first === undefined || last === undefined) return ""
  const { events, fix, hour, key, lines } = first
  const what =
    holes.length > 1
      ? `${plural(holes.length, "hour")} from ${hour} to ${last.hour}: no line of them is in the warehouse`
      : `${hour}: ${lines} of the ${plural(events, "line")} of ${keyText(key)} are in the warehouse`
  const how = {
    refresh: `to let the pipe try again: ${refresh}`,
    load: `to load: amplitude-lake load --start-date ${hour} --end-date ${last.hour}`,
    replace: `to load again: amplitude-lake load --replace ${hour}`
  }
  return `${what}; ${how[fix]}`
}

function doubleText({ events, hour, key, lines }: PipedDouble): string {
  if (key === "") {
    return `${hour}: the warehouse has ${plural(lines, "line")}, and neither store nor ledger has the hour; to remove them: DELETE FROM EVENTS_RAW WHERE HOUR = '${hour.replace("T", " ")}:00:00'`
  }
  const what =
    lines > events
      ? `the warehouse has ${plural(lines, "line")} for the ${events} of ${keyText(key)}`
      : `not all lines in the warehouse are those of ${keyText(key)}`
  return `${hour}: ${what}; to load it once: amplitude-lake load --replace ${hour}`
}
