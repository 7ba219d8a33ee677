// Makes the picture of a report in README.md, docs/images/report.png: lands two days of synthetic events in a temporary folder, and shows
// what the report says of journeys in Chromium. Run by `npm run picture`.
import { execFileSync } from "node:child_process"
import { mkdtempSync, rmSync } from "node:fs"
import { createRequire } from "node:module"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath, pathToFileURL } from "node:url"

const main = fileURLToPath(new URL("../dist/main.js", import.meta.url))
const picture = fileURLToPath(new URL("../docs/images/report.png", import.meta.url))
const browser = createRequire(new URL("../tools/browser/package.json", import.meta.url))
const executablePath = execFileSync("scripts/chromium.sh", { encoding: "utf8" }).trim()

const folder = mkdtempSync(join(tmpdir(), "amplitude-lake-picture-"))
try {
  const dates = ["--start-date", "2025-11-08", "--end-date", "2025-11-09"]
  const synthetic = ["--source", "synthetic", "--events-per-hour", "300"]
  const commands = [
    ["all", "--dev", ...dates, ...synthetic],
    ["load", "--dev", ...dates, "--now", "2025-11-10T00:30:00Z"],
    ["model"],
    ["report"]
  ]
  for (const command of commands) {
    const words = [main, ...command, "--log-level", "warning"]
    execFileSync(process.execPath, words, { cwd: folder, stdio: ["ignore", "ignore", "inherit"] })
  }
  const chromium = await browser("playwright-core").chromium.launch({
    executablePath,
    chromiumSandbox: false
  })
  const page = await chromium.newPage({ viewport: { width: 864, height: 900 } })
  await page.goto(pathToFileURL(join(folder, "report.html")).href)
  const clip = await page.evaluate(`(() => {
    const section = document.querySelector("section[aria-labelledby=journeys]")
    const top = section.querySelector("h2").getBoundingClientRect().top
    return { x: 0, y: top, width: 864, height: section.querySelector("details").getBoundingClientRect().bottom + 16 - top }
  })()`)
  await page.screenshot({ path: picture, clip, fullPage: true })
  await chromium.close()
} finally {
  rmSync(folder, { recursive: true })
}
