import type { ExportSummary } from "../../../programs/export/ExportSummary.ts"
import { bytesText, plural } from "../printed.ts"

/** Each table with its rows and files, then the whole export. */
export function exportText(found: ExportSummary, warehouse: string): string {
  const { bytes, dryRun, files, notModelled, removed, rows, tables, written } = found
  const [names, counts] = [
    Math.max(...tables.map(({ name }) => name.length)),
    Math.max(...tables.map((it) => shown(it.rows).length))
  ]
  const size = dryRun ? "" : `, ${bytesText(bytes)}`
  const totals: Array<readonly [string, string]> = [
    ["from", warehouse],
    ["to", found.folder],
    ["holds", `${plural(rows, "row")} in ${plural(files, "file")}`],
    [
      dryRun ? "would write" : "written",
      `${plural(written, "file")}${size}; ${plural(files - written, "file")} as before`
    ]
  ]
  if (removed > 0) {
    totals.push([dryRun ? "would go" : "removed", `${plural(removed, "file")} without rows now`])
  }
  if (notModelled > 0) {
    totals.push([
      "behind",
      `${plural(notModelled, "loaded hour")} not in the tables as loaded: amplitude-lake model (or dbt build), then export again`
    ])
  }
  totals.push(["took", `${(found.durationMs / 1000).toFixed(1)} s`])
  return [
    ...totals.slice(0, 2).map(line),
    ...tables.map(
      (it) =>
        `${it.name.padEnd(names)}  ${shown(it.rows).padStart(counts)} rows  ${plural(it.files, "file")}, ${it.written} ${dryRun ? "to write" : "written"}`
    ),
    ...totals.slice(2).map(line)
  ].join("\n")
}

function shown(rows: number): string {
  return rows.toLocaleString("en")
}

function line([name, text]: readonly [string, string]): string {
  return `${name.padEnd(12)}${text}`
}
