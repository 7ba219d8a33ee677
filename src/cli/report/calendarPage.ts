import { coverageOf } from "../../programs/report/coverage.ts"
import type { CoverageState } from "../../programs/report/Report.ts"
import type { Status, StatusHour } from "../../programs/inspect/statusOfHours.ts"
import { coverageFigure } from "./coverageSection.ts"
import { html, path } from "./html.ts"
import { page } from "./page.ts"

/** The calendar of `status` as a page. */
export function calendarPage(status: Status, place: string): string {
  const hasWarehouse = status.warehouse !== undefined
  const hours = status.hours.map((it) => ({ hour: it.hour, state: stateOf(it, hasWarehouse) }))
  const coverage = coverageOf(status.newestLanded === null ? [] : hours, null)
  return page({
    title: "What is in the lake",
    about: html`<p>${path(place)}</p>`,
    parts: [
      {
        id: "coverage",
        heading: "How complete it is",
        body: coverageFigure(
          coverage,
          hasWarehouse ? {} : { loaded: "landed", unverified: "from another pipeline" }
        )
      }
    ]
  })
}

/** A doubled hour waits for a person, whatever the warehouse has of it. */
function stateOf({ state, warehouse }: StatusHour, hasWarehouse: boolean): CoverageState {
  if (!hasWarehouse && state === "landed") return "loaded"
  if (state === "doubled") return state
  if (warehouse === undefined) return state === "unlanded" ? "gap" : state
  if (warehouse === "notLoaded") return "landed"
  if (warehouse !== "loaded") return warehouse
  return state === "empty" ? state : "loaded"
}
