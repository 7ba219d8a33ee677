import type { ModelSummary } from "../../programs/answer/buildModels.ts"
import { plural } from "./printed.ts"

/** Each table with its rows and how long it took, then the whole run. */
export function modelText(summary: ModelSummary, warehouse: string): string {
  const { durationMs, ipRanges, left, models } = summary
  const tables = models.filter(({ rows }) => rows !== null)
  const views = models.length - tables.length
  const shown = tables.map(({ durationMs: took, name, rows, schema }) => ({
    name: `${schema}.${name}`,
    rows: (rows ?? 0).toLocaleString("en"),
    took: seconds(took)
  }))
  const [names, counts, times] = [
    widthOf(shown.map(({ name }) => name)),
    widthOf(shown.map(({ rows }) => rows)),
    widthOf(shown.map(({ took }) => took))
  ]
  return [
    `warehouse   ${warehouse}`,
    ...(ipRanges === null
      ? []
      : [`ip_ranges   ${plural(ipRanges, "range")}, in the place of those before`]),
    ...shown.map(
      ({ name, rows, took }) =>
        `${name.padEnd(names)}  ${rows.padStart(counts)} rows  ${took.padStart(times)}`
    ),
    ...(left.length === 0 ? [] : [`left        ${left.join(", ")}: as they were`]),
    `took        ${seconds(durationMs)}, ${plural(tables.length, "table")} and ${plural(views, "view")}`
  ].join("\n")
}

function seconds(millis: number): string {
  return `${(millis / 1000).toFixed(1)} s`
}

function widthOf(texts: ReadonlyArray<string>): number {
  return Math.max(0, ...texts.map(({ length }) => length))
}
