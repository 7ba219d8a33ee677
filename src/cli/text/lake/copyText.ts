import type { CopySummary } from "../../../programs/copy/CopySummary.ts"
import { bytesText, conflictText, plural } from "../printed.ts"

/** The totals, then each hour that was not copied. */
export function copyText(found: CopySummary, place: string): string {
  const { conflicts, copied, dryRun, events, failed, postponed, records, skipped } = found
  const size = dryRun
    ? `about ${bytesText(found.bytes)}`
    : `${plural(events, "event")}, ${bytesText(found.bytes)}`
  const rows: Array<readonly [string, string]> = [
    ["from", place],
    ["to", found.target],
    [dryRun ? "would copy" : "copied", `${plural(copied.length, "hour")}, ${size}`],
    ["skipped", `${plural(skipped.length, "hour")}, there already`]
  ]
  const count = (name: string, length: number, noun: string, more: string) => {
    if (length > 0) rows.push([name, plural(length, noun) + more])
  }
  count(
    "unverified",
    found.unverified.length,
    "hour",
    ", landed by another pipeline, copied byte for byte"
  )
  count("records", records, "record", " of decisions and replaced versions")
  count("postponed", postponed.length, "hour", ", not reached within --max-duration: run it again")
  count("failed", failed.length, "hour", ", listed below")
  rows.push(...conflicts.map((it) => ["conflict", conflictText(it)] as const))
  rows.push(["took", `${(found.durationMs / 1000).toFixed(1)} s`])
  return [
    ...rows.map(([name, text]) => `${name.padEnd(11)}${text}`),
    ...failed.map(({ hour, message }) => `${hour}  ${message}`)
  ].join("\n")
}
