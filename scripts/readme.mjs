// Puts the current `all --help` between the marks of README.md; with --check, says whether it is there.
import { execFileSync } from "node:child_process"
import { readFileSync, writeFileSync } from "node:fs"

const help = execFileSync(process.execPath, ["dist/main.js", "all", "--help"], { encoding: "utf8" })
const page = readFileSync("README.md", "utf8")
const renewed = page.replace(
  /(<!-- help: .*? -->\n)[\s\S]*?(\n<!-- \/help -->)/,
  (_, start, end) => `${start}\`\`\`text\n$ node dist/main.js all --help\n${help}\`\`\`${end}`
)
if (process.argv.includes("--check")) {
  if (renewed !== page) {
    console.error("README.md does not show the current --help: run npm run readme")
    process.exit(1)
  }
} else {
  writeFileSync("README.md", renewed)
}
