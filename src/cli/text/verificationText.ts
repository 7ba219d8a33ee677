import type { Verification } from "../../programs/inspect/verifyHours.ts"
import type { Hour } from "../../services/Hour.ts"
import { keyText } from "./keyText.ts"
import { ledgerRows } from "./ledgerText.ts"
import { bytesText, conflictText, plural, windowText } from "./printed.ts"

/** The outermost of some hours, oldest first. */
function rangeText(hours: ReadonlyArray<Hour>): string {
  const [first, last] = [hours.at(0), hours.at(-1)]
  return windowText(first === undefined || last === undefined ? null : { first, last })
}

/** The totals, then each object that differs or could not be read. */
export function verificationText(found: Verification, place: string): string {
  const { absent, conflicts, differing, events, failed, objects, postponed } = found
  const { sample, unverified, verified, warehouse } = found
  const isNothing = objects === 0 && failed.length === 0 && differing.length === 0
  const rows: Array<readonly [string, string]> = [
    ["window", found.window === null ? "everything" : windowText(found.window)],
    ["where", place]
  ]
  if (sample !== null) {
    rows.push([
      "sample",
      `${plural(sample.hours, "hour")}; repeat it with --sample-seed ${sample.seed}`
    ])
  }
  rows.push([
    "read",
    `${plural(objects, "object")}, ${plural(events, "event")}, ${bytesText(found.bytes)}${isNothing ? ": check --prefix and the dates" : ""}`
  ])
  if (found.invalid > 0) {
    rows.push(["not JSON", `${plural(found.invalid, "line")}, kept unchanged`])
  }
  rows.push(["verified", plural(verified.length, "hour")])
  const count = (name: string, length: number, noun: string, more: string) => {
    if (length > 0) rows.push([name, plural(length, noun) + more])
  }
  count(
    "unverified",
    unverified.length,
    "hour",
    ", from another pipeline: only their lines were checked, and each is one JSON object"
  )
  count("absent", absent.length, "hour", `, without an object: ${rangeText(absent)}; see gaps`)
  count(
    "postponed",
    postponed.length,
    "hour",
    `, not read within --max-duration: ${rangeText(postponed)}`
  )
  count("differing", differing.length, "object", ", listed below")
  count("failed", failed.length, "object", ", could not be read")
  rows.push(...conflicts.map((it) => ["conflict", conflictText(it)] as const))
  if (warehouse !== undefined) {
    rows.push(
      ["warehouse", `${warehouse.place}: ${plural(warehouse.events, "line")} read`],
      ["stored", `${plural(warehouse.verified, "hour")}, each with the lines of its ledger row`]
    )
    count("altered", warehouse.altered.length, "hour", ", listed below")
    if (warehouse.postponed !== null) {
      const { hours } = warehouse.postponed
      count("unread", hours, "hour", ", not read within --max-duration")
    }
    rows.push(
      ...ledgerRows(warehouse)
        .slice(1)
        .map(({ text }) => ["ledger", text] as const)
    )
  }
  const retries = found.retries === 0 ? "" : `, ${plural(found.retries, "retry", "retries")}`
  rows.push(["took", `${(found.durationMs / 1000).toFixed(1)} s${retries}`])
  return [
    ...rows.map(([name, text]) => `${name.padEnd(11)}${text}`),
    ...differing.flatMap(({ hour, key, problems }) => [
      `${hour}  ${keyText(key)} differs:`,
      ...problems.map((problem) => `  ${problem}`)
    ]),
    ...(warehouse?.altered ?? []).flatMap(({ hour, isLanded, problems }) => [
      `${hour}  differs in the warehouse${isLanded ? `; to load it again: amplitude-lake load --replace ${hour}` : ", and the store does not have it, so that no load can replace it"}`,
      ...problems.map((problem) => `  ${problem}`)
    ]),
    ...failed.map(({ hour, message }) => `${hour}  ${message}`)
  ].join("\n")
}
