/**
 * The report as a page. The same figures make the same bytes.
 *
 * @module
 */
import type { Report } from "../../programs/report/Report.ts"
import { capturedTable, daysFigure } from "./capturedSection.ts"
import { clicksFigure } from "./clicksSection.ts"
import { companiesFigure } from "./companiesSection.ts"
import { countingPart } from "./countingSection.ts"
import { coverageFigure } from "./coverageSection.ts"
import { html, name, path } from "./html.ts"
import { journeyFigures } from "./journeysSection.ts"
import { menuFigures } from "./menusSection.ts"
import { page } from "./page.ts"
import { hourText, number } from "./words.ts"

export function reportPage(report: Report): string {
  const { counting, source } = report
  const span =
    counting.firstLoaded === null || counting.lastLoaded === null
      ? html``
      : html`, from ${hourText(counting.firstLoaded)} to ${hourText(counting.lastLoaded)} UTC`
  return page({
    title: "What your events say",
    about: html`<p>
      ${number(counting.lines)} events of
      ${source.project === null ? "an Amplitude project" : html`Amplitude project ${name(source.project)}`}${span}.
      They come from ${source.place === null ? "no store yet" : html`${path(source.place)}`}.
    </p> `,
    parts: [
      {
        id: "coverage",
        heading: "How complete they are",
        body: coverageFigure(report.coverage)
      },
      {
        id: "captured",
        heading: "What is captured",
        body: capturedTable(report.captured)
      },
      { id: "days", heading: "Events a day", body: daysFigure(report.eventsByDay) },
      { id: "journeys", heading: "What people do", body: journeyFigures(report.journeys) },
      {
        id: "companies",
        heading: "Who they are",
        body: companiesFigure(report.companies)
      },
      {
        id: "clicks",
        heading: "What they click again and again",
        body: clicksFigure(report.repeatedClicks)
      },
      {
        id: "menus",
        heading: "What follows a menu item",
        body: menuFigures(report.menus)
      },
      { id: "counting", heading: "How it was counted", body: countingPart(report) }
    ]
  })
}
