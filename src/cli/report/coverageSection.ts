import type { Coverage, CoverageState } from "../../programs/report/Report.ts"
import { calendar, drawsDays } from "./calendar.ts"
import { figure, legend, missing, square } from "./figure.ts"
import { type Html, html } from "./html.ts"
import { table } from "./table.ts"
import { hourText, momentText, number, plural } from "./words.ts"

const SAYS: Readonly<Record<CoverageState, string>> = {
  loaded: "landed and loaded",
  empty: "without events",
  landed: "landed, not loaded yet",
  unverified: "from another pipeline, not loaded",
  outdated: "replaced since it was loaded",
  conflict: "other lines than in the warehouse",
  doubled: "in several versions",
  pending: "without events so far",
  open: "not closed yet",
  gap: "missing",
  accepted: "missing, accepted",
  gone: "loaded, no longer in the store"
}

/** Stretches that a table lists; nearly all lakes have fewer. */
const LISTED = 200

/** The calendar with what its colours say. */
export function coverageFigure(
  { seenAt, stretches, totals }: Coverage,
  own: Partial<typeof SAYS> = {}
): Html {
  const says = { ...SAYS, ...own }
  if (stretches.length === 0) {
    return missing(
      "Nothing has been loaded yet. amplitude-lake all lands hours, and load brings them here."
    )
  }
  const hours = totals.reduce((sum, it) => sum + it.hours, 0)
  const gaps = totals.find(({ state }) => state === "gap")?.hours ?? 0
  const accepted = totals.find(({ state }) => state === "accepted")?.hours ?? 0
  const all = plural(hours, "hour")
  const title =
    accepted === 0
      ? `${gaps === 0 ? "None" : number(gaps)} of ${all} ${gaps > 1 ? "are" : "is"} missing`
      : `${number(gaps + accepted)} of ${all} ${gaps + accepted > 1 ? "are" : "is"} missing, ${gaps === 0 ? "" : `${number(accepted)} of them `}accepted`
  const [first] = stretches
  const last = stretches.at(-1)
  const isDays = drawsDays(stretches)
  const sentence = html`Every hour from ${hourText(first?.first ?? "")} to
  ${hourText(last?.last ?? "")}
  UTC${seenAt === null ? "" : html`, as the store was on ${momentText(seenAt)}`}.
  ${isDays ? "A row is a day, from midnight to midnight." : "A column is a day, from midnight at the top to midnight at the bottom."}
  An hour holds what Amplitude received in it.`
  const notable = stretches.filter(({ state }) => state !== "loaded" && state !== "empty")
  const rest = notable.length - LISTED
  return figure({
    title,
    sentence,
    legend: legend(
      totals.map(({ hours: count, state }) => ({
        mark: square(`s-${state}`),
        text: html`${says[state]} <b>${number(count)}</b>`
      }))
    ),
    picture: calendar(stretches, title),
    table: html`${table(
      "Hours by state",
      [
        { head: "Hours", cell: ({ state }) => says[state] },
        { head: "How many", isNumber: true, cell: (it) => number(it.hours) }
      ],
      totals
    )}${
      notable.length === 0
        ? html``
        : table(
            "Hours that are not loaded",
            [
              { head: "From", isDate: true, cell: (it) => hourText(it.first) },
              { head: "To", isDate: true, cell: (it) => hourText(it.last) },
              { head: "Hours are", cell: (it) => says[it.state] }
            ],
            notable.slice(-LISTED)
          )
    }${rest > 0 ? html`<p>${plural(rest, "older stretch").replace("stretchs", "stretches")} not listed.</p>` : html``}`
  })
}
