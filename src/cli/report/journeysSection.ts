import type { Report } from "../../programs/report/Report.ts"
import { figure, missing } from "./figure.ts"
import { flowPicture } from "./flow.ts"
import { type Html, html, name, path } from "./html.ts"
import { ofText } from "./rates.ts"
import { table } from "./table.ts"
import { number, percent, plural } from "./words.ts"

/** A figure for each site. */
export function journeyFigures({ otherSites, sites }: Report["journeys"]): Html {
  if (sites.length === 0) {
    return missing(
      "No page views are captured. Amplitude's browser SDK sends them with autocapture.pageViews, and its mobile SDKs with autocapture of screen views."
    )
  }
  const figures = sites.map(({ different, flow, journeys, sessions, site }, index) => {
    const [first] = flow.steps[0] ?? []
    const title =
      first === undefined
        ? html`${name(site)}`
        : html`${name(site)}: ${number(first.sessions)} of ${plural(sessions, "session")} begin on
          ${path(first.page, "other pages")}`
    const wide = flowPicture(flow, 4, `flow-${index}`, title)
    const narrow = flowPicture(flow, 2, `flow-${index}-narrow`, title)
    const [often] = journeys
    return figure({
      title,
      sentence: html`${plural(different, "different journey")} in
      all.${often === undefined ? "" : html` The most frequent, in ${ofText({ count: often.sessions, sessions })} sessions, is ${path(often.journey)}${often.journey.includes(" > ") ? "" : " and no other page"}.`}`,
      picture: html`<div class="if-wide">${wide}</div>
        <div class="if-narrow">${narrow}</div>`,
      table: html`${table(
          `The most frequent journeys on ${site ?? "an unknown site"}`,
          [
            {
              head: "Journey",
              cell: ({ isCut, journey }) => html`${path(journey)}${isCut ? " …" : ""}`
            },
            { head: "Sessions", isNumber: true, cell: (it) => number(it.sessions) },
            {
              head: "Of the site's",
              isNumber: true,
              cell: (it) => percent(sessions === 0 ? 0 : it.sessions / sessions)
            }
          ],
          journeys
        )}
        <p>… means that some of the sessions went on after five steps.</p>`
    })
  })
  return html`<p>
      The first pages of each session, from left to right; the same page twice in a row counts once.
      A band is as high as the number of sessions that went that way. Where a bar is higher than its
      bands, sessions ended.
    </p>
    ${figures}${otherSites === 0 ? html`` : html`<p>${plural(otherSites, "other site")} ${otherSites === 1 ? "is" : "are"} not shown.</p>`}`
}
