import { Effect, Option, Schema } from "effect"
import { Warehouse, type WarehouseError } from "../../services/Warehouse.ts"
import { asRun, Run } from "../run/Run.ts"
import type { RetryOptions } from "../run/retryPolicy.ts"
import { readCaptured, readEventsByDay } from "./captured.ts"
import { readCompanies } from "./companies.ts"
import { readCounting } from "./counting.ts"
import { readCoverage } from "./coverage.ts"
import { readJourneys } from "./journeys.ts"
import { readMenus } from "./menus.ts"
import { type Read, readFrom } from "./read.ts"
import { readRepeatedClicks } from "./repeatedClicks.ts"
import { Report } from "./Report.ts"
import { ReportError } from "./ReportError.ts"

/**
 * Reads the figures of a report from what the models have made. Nothing can be changed meanwhile, so
 * all figures are of one moment.
 *
 * @example
 * ```ts
 * import { Effect } from "effect"
 * import { readReport } from "amplitude-lake"
 *
 * export const hours = Effect.map(readReport({}), ({ coverage }) => coverage.totals)
 * ```
 */
export const readReport = Effect.fn("readReport")(function* (
  _options: RetryOptions = {}
): Effect.fn.Return<Report, WarehouseError | ReportError, Run | Warehouse> {
  const { retry } = yield* Run
  const { open, place } = yield* Warehouse
  return yield* Effect.scoped(
    Effect.gen(function* () {
      const warehouse = yield* retry(open("read"))
      const read = readFrom(warehouse, place)
      yield* checkModels(read)
      const lake = yield* warehouse.lake
      return new Report({
        source: {
          place: Option.getOrNull(Option.map(lake, (it) => it.place)),
          project: Option.getOrNull(Option.flatMap(lake, (it) => it.project))
        },
        coverage: yield* readCoverage(read),
        captured: yield* readCaptured(read),
        eventsByDay: yield* readEventsByDay(read),
        journeys: yield* readJourneys(read),
        companies: yield* readCompanies(read),
        repeatedClicks: yield* readRepeatedClicks(read),
        menus: yield* readMenus(read),
        counting: yield* readCounting(read)
      })
    })
  )
}, asRun)

/** A table, and a column that only a build by this version has. */
const NEEDED = {
  coverage: "redacted",
  captured: "sessions",
  events_by_day: "sessions",
  journeys: "is_cut",
  company_visits: "top_page",
  repeated_clicks: "sdk_dead_clicks",
  menu_evidence: "same_item_elsewhere_sessions"
} as const

const checkModels = Effect.fnUntraced(function* (read: Read) {
  const found = yield* read(
    { name: Schema.String },
    `select table_name || '.' || column_name as name from information_schema.columns where table_schema = 'analytics'`
  )
  const names = new Set(found.map(({ name }) => name))
  const missing = Object.entries(NEEDED).filter(
    ([table, column]) => !names.has(`${table}.${column}`)
  )
  if (missing.length === 0) return
  return yield* new ReportError({
    reason: "NotModelled",
    detail: `the warehouse has no ${missing.map(([table, column]) => `analytics.${table} (${column})`).join(", ")} of this version`
  })
})
