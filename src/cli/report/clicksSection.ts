import type { ClickedElement, Report } from "../../programs/report/Report.ts"
import { figure, missing, SUMMARY } from "./figure.ts"
import { type Html, html, name, path } from "./html.ts"
import { intervalText, ofText, rateLegend, ratesPicture } from "./rates.ts"
import { table } from "./table.ts"
import { number, plural } from "./words.ts"

const labelOf = ({ element, label }: ClickedElement) => name(label ?? element)

/** Elements that were clicked again and again. */
export function clicksFigure({ different, elements, repeaters }: Report["repeatedClicks"]): Html {
  if (different === 0) {
    return missing(
      "No clicks are captured. Amplitude's browser SDK sends them with autocapture.elementInteractions; the model's variable click_events names clicks that your own code sends."
    )
  }
  const [first] = elements
  const none = html`<p>
    Of ${plural(different, "element")}, none was clicked three times within a second, except those
    that are made for it.
  </p>`
  return html`${first === undefined ? none : elementsFigure(elements, first, different)}${
    repeaters.length === 0
      ? html``
      : html`<h3>Made to be clicked often</h3>
          <p>
            Steppers, galleries and the like, which people click repeatedly because that is how they
            work. They are not counted above.
          </p>
          <details>
            ${SUMMARY}
            ${elementTable("Elements that are made to be clicked often", repeaters)}${deviceTable(repeaters)}
          </details> `
  }`
}

function elementsFigure(
  elements: ReadonlyArray<ClickedElement>,
  first: ClickedElement,
  different: number
): Html {
  const title = html`${labelOf(first)} on ${name(first.site)}: clicked three times within a second
  in ${ofText(first.rage)}
  sessions${first.others.sessions === 0 ? "" : `, against ${ofText(first.others)} elsewhere on the site`}`
  const isOneSite = elements.every(({ site }) => site === first.site)
  return figure({
    title,
    sentence: html`The ${elements.length === 1 ? "element" : plural(elements.length, "element")}
    with the most such sessions, of ${number(different)} that were clicked. Each share is of the
    sessions that clicked the element. Text fields are left out.`,
    legend: rateLegend("this element", "the site's other elements, summed"),
    picture: ratesPicture(
      elements.map((it) => ({
        label: html`${labelOf(it)}
          <i
            >${isOneSite || it.site === null ? "" : html`${name(it.site)} `}${it.page === null ? "" : path(it.page)}</i
          >`,
        rate: it.rage,
        base: it.others
      }))
    ),
    table: html`${elementTable("Elements by their repeated clicks", elements)}${deviceTable(elements)}`
  })
}

function elementTable(caption: string, rows: ReadonlyArray<ClickedElement>): Html {
  return table(
    caption,
    [
      { head: "Element", cell: labelOf },
      { head: "Site", cell: (it) => name(it.site) },
      { head: "Page", cell: (it) => path(it.page) },
      { head: "Sessions with three", isNumber: true, cell: ({ rage }) => ofText(rage) },
      { head: "95% interval", isNumber: true, cell: ({ rage }) => intervalText(rage) },
      { head: "Other elements", isNumber: true, cell: ({ others }) => ofText(others) },
      { head: "Clicks", isNumber: true, cell: (it) => number(it.clicks) },
      { head: "Bursts", isNumber: true, cell: (it) => number(it.bursts) },
      { head: "Longest", isNumber: true, cell: (it) => number(it.longestBurst) },
      { head: "SDK: rage", isNumber: true, cell: (it) => number(it.sdkRageClicks) },
      { head: "SDK: dead", isNumber: true, cell: (it) => number(it.sdkDeadClicks) }
    ],
    rows
  )
}

function deviceTable(elements: ReadonlyArray<ClickedElement>): Html {
  return table(
    "The same elements by device",
    [
      { head: "Element", cell: ({ element }) => labelOf(element) },
      { head: "Page", cell: ({ element }) => path(element.page) },
      { head: "Device", cell: ({ device }) => name(device.deviceType) },
      {
        head: "Sessions with three",
        isNumber: true,
        cell: ({ device }) => ofText({ count: device.rageSessions, sessions: device.sessions })
      },
      { head: "Clicks", isNumber: true, cell: ({ device }) => number(device.clicks) }
    ],
    elements.flatMap((element) => element.devices.map((device) => ({ element, device })))
  )
}
