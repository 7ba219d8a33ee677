import type { Verification } from "../../programs/inspect/verifyHours.ts"
import { bytesText, keyText, plural, windowText } from "./printed.ts"

/** The totals, then each object that differs or could not be read. */
export function verificationText(found: Verification, place: string): string {
  const { absent, differing, events, failed, objects, sample, unverified, verified } = found
  const rows: Array<readonly [string, string]> = [
    ["window", found.window === null ? "everything" : windowText(found.window)],
    ["where", place]
  ]
  if (sample !== null) {
    rows.push(["sample", `${plural(sample.hours, "hour")}; repeat it with --seed ${sample.seed}`])
  }
  rows.push([
    "read",
    `${plural(objects, "object")}, ${plural(events, "event")}, ${bytesText(found.bytes)}`
  ])
  rows.push(["verified", plural(verified.length, "hour")])
  const count = (name: string, length: number, noun: string, more: string) => {
    if (length > 0) rows.push([name, plural(length, noun) + more])
  }
  count(
    "unverified",
    unverified.length,
    "hour",
    ", from another pipeline: only their lines were checked, and are well formed"
  )
  count("absent", absent.length, "hour", ", without an object: run status for details")
  count("differing", differing.length, "object", ", listed below")
  count("failed", failed.length, "object", ", could not be read")
  const retries = found.retries === 0 ? "" : `, ${plural(found.retries, "retry", "retries")}`
  rows.push(["took", `${(found.durationMs / 1000).toFixed(1)} s${retries}`])
  return [
    ...rows.map(([name, text]) => `${name.padEnd(11)}${text}`),
    ...differing.flatMap(({ hour, key, problems }) => [
      `${hour}  ${keyText(key)} differs:`,
      ...problems.map((problem) => `  ${problem}`)
    ]),
    ...failed.map(({ hour, message }) => `${hour}  ${message}`)
  ].join("\n")
}
