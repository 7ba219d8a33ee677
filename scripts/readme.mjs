// Puts the current `all --help` and the table of exit codes between their marks in README.md; with --check, says whether
// they are there.
import { execFileSync } from "node:child_process"
import { readFileSync, writeFileSync } from "node:fs"
import { exitCodes } from "../dist/programs/run/exitCode.js"

const help = execFileSync(process.execPath, ["dist/main.js", "all", "--help"], { encoding: "utf8" })
const page = readFileSync("README.md", "utf8")

const parts = {
  help: `\`\`\`text\n$ node dist/main.js all --help\n${help}\`\`\``,
  "exit codes": [
    "| exit code | means |",
    "| --- | --- |",
    ...Object.entries(exitCodes).map(([code, meaning]) => `| ${code} | ${meaning} |`)
  ].join("\n")
}

const renewed = Object.entries(parts).reduce((text, [name, part]) => {
  const marks = new RegExp(`(<!-- ${name}: .*? -->\\n)[\\s\\S]*?(<!-- /${name} -->)`)
  if (!marks.test(text)) throw new Error(`README.md has no marks for ${name}`)
  return text.replace(marks, (_, start, end) => `${start}${part}\n${end}`)
}, page)

if (process.argv.includes("--check")) {
  if (renewed !== page) {
    console.error("README.md does not show the current --help and exit codes: run npm run readme")
    process.exit(1)
  }
} else {
  writeFileSync("README.md", renewed)
}
