import type { RelandSummary } from "../../../programs/reland/RelandSummary.ts"
import { conflictText, plural, windowText } from "../printed.ts"

/** The totals, then each hour that was replaced, and each that was not although it differs. */
export function relandText(found: RelandSummary, place: string): string {
  const { conflicts, dryRun, failed, replaced, window } = found
  const rows: Array<readonly [string, string]> = [
    ["window", windowText(window)],
    ["where", place],
    [
      dryRun ? "would replace" : "replaced",
      replaced.length === 0 ? "nothing" : `${plural(replaced.length, "hour")}, listed below`
    ]
  ]
  const count = (name: string, { length }: { readonly length: number }, more: string) => {
    if (length > 0) rows.push([name, plural(length, "hour") + more])
  }
  count("same", found.same, ", Amplitude returns the same lines")
  count("redacted", found.redacted, ", unchanged at Amplitude since a person's events were removed")
  count("decided", found.decided, ", where a person has chosen the store's version")
  count("absent", found.absent, ", not in the store: all lands them")
  count("open", found.open, ", not closed yet")
  count("postponed", found.postponed, ", not reached within --max-duration: run it again")
  count("failed", failed, ", listed below")
  rows.push(...conflicts.map((it) => ["conflict", conflictText(it)] as const))
  rows.push(["took", `${(found.durationMs / 1000).toFixed(1)} s`])
  return [
    ...rows.map(([name, text]) => `${name.padEnd(14)}${text}`),
    ...replaced.map(
      ({ after, before, hour, object, replaced: kept }) =>
        `${hour}  ${object}: ${plural(after.events, "event")} in the place of ${before.events}${kept === null ? "" : `; ${kept} keeps what was there before`}`
    ),
    ...failed.map(({ hour, message }) => `${hour}  ${message}`)
  ].join("\n")
}
