// Lands a day of synthetic events in demo/ with the command that production runs, draws the calendar, runs it again, loads the
// day into a warehouse, asks it a question, and writes a report.
import { spawnSync } from "node:child_process"
import { rmSync } from "node:fs"

rmSync("demo", { recursive: true, force: true })

const lake = ["--dev", "--local-dir", "demo/s3_dev"]
const day = ["--start-date", "2025-11-10", "--end-date", "2025-11-10"]
const warehouse = ["--warehouse-file", "demo/lake.duckdb"]
const quiet = ["--log-level", "warning"]
const more = ["--data-dir", "demo/data", "--work-dir", "demo/work", ...quiet]

const question = `select event->>'/event_properties/[Amplitude] Page Domain' as site,
  count(*) filter (event->>'event_type' = '[Amplitude] Page Viewed') as views,
  count(*) filter (event->>'event_type' = '[Amplitude] Element Clicked') as clicks
from amplitude.events_raw where site is not null group by site order by views desc`

const quoted = (/** @type {string} */ word) => (/^[\w./-]+$/.test(word) ? word : `"${word}"`)

const commands = [
  ["all", "--source", "synthetic", ...lake, ...day, ...more],
  ["status", ...lake, ...day],
  ["all", "--source", "synthetic", ...lake, ...day, ...more],
  ["load", ...lake, ...day, "--now", "2025-11-12T00:00:00Z", ...warehouse, ...quiet],
  ["sql", question, "--output", "table", ...warehouse],
  ["model", ...warehouse, ...quiet],
  ["report", "--out", "demo/report.html", ...warehouse, ...quiet]
]
for (const command of commands) {
  console.log(`\n$ node dist/main.js ${command.map(quoted).join(" ")}`)
  const { status } = spawnSync(process.execPath, ["dist/main.js", ...command], { stdio: "inherit" })
  if (status !== 0) process.exit(status ?? 1)
}
