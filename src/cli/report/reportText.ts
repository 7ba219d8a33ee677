import type { ModelSummary } from "../../programs/answer/buildModels.ts"
import type { LoadSummary } from "../../programs/load/LoadSummary.ts"
import type { Report } from "../../programs/report/Report.ts"
import { bytesText, plural } from "../text/printed.ts"

interface Written {
  readonly figures: Report
  readonly file: string
  readonly bytes: number
  readonly load: LoadSummary | undefined
  readonly model: ModelSummary | undefined
}

/** What was written, and what it rests on. */
export function reportText({ bytes, figures, file, load, model }: Written): string {
  const { counting, coverage } = figures
  const gaps = coverage.totals.find(({ state }) => state === "gap")?.hours ?? 0
  return [
    ...(load === undefined
      ? []
      : [`loaded   ${plural(load.loaded.length, "hour")}, ${plural(load.events, "event")}`]),
    ...(model === undefined ? [] : [`built    ${plural(model.models.length, "model")}`]),
    `report   ${file}, ${bytesText(bytes)}`,
    `holds    ${plural(counting.loadedHours, "hour")} with ${plural(counting.lines, "line")}`,
    ...(gaps === 0 ? [] : [`missing  ${plural(gaps, "hour")}: gaps lists them`]),
    ...(counting.behindHours === 0
      ? []
      : [
          `behind   ${plural(counting.behindHours, "hour")} changed since the models were built: model`
        ])
  ].join("\n")
}
