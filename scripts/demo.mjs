// Lands a day of synthetic events in demo/ with the command that production runs, draws the calendar, and runs it again.
import { spawnSync } from "node:child_process"
import { rmSync } from "node:fs"

rmSync("demo", { recursive: true, force: true })

const folders = ["--dev", "--local-dir", "demo/s3_dev"]
const day = ["--start-date", "2025-11-10", "--end-date", "2025-11-10"]
const more = ["--data-dir", "demo/data", "--work-dir", "demo/work", "--log-level", "warning"]

const commands = [
  ["all", "--source", "synthetic", ...folders, ...day, ...more],
  ["status", ...folders, ...day],
  ["all", "--source", "synthetic", ...folders, ...day, ...more]
]
for (const command of commands) {
  console.log(`\n$ node dist/main.js ${command.join(" ")}`)
  const { status } = spawnSync(process.execPath, ["dist/main.js", ...command], { stdio: "inherit" })
  if (status !== 0) process.exit(status ?? 1)
}
