// Writes the generated docs: the table of exit codes between its marks in README.md, and docs/cli.md with the help of every
// command. With --check, it only reports whether they are up to date.
import { execFileSync } from "node:child_process"
import { existsSync, readFileSync, writeFileSync } from "node:fs"
import { exitCodes } from "../dist/programs/run/exitCode.js"

/** @type {Map<string, string>} */
const helps = new Map()

/** @param {ReadonlyArray<string>} words */
function helpOf(words) {
  const name = words.join(" ")
  const args = ["dist/main.js", ...words, "--help"]
  const help = helps.get(name) ?? execFileSync(process.execPath, args, { encoding: "utf8" })
  helps.set(name, help)
  return help
}

/** The commands that a help text lists, each as its words. @param {ReadonlyArray<string>} family @returns {string[][]} */
function commandsOf(family) {
  const [, list = ""] = helpOf(family).split("\nCommands:\n")
  const names = [...(list.split("\n\n")[0] ?? "").matchAll(/^ {2}(\w+)/gm)].map(([, name]) => name)
  return names
    .filter((name) => name !== "help")
    .flatMap((name) => {
      const words = [...family, name ?? ""]
      const below = commandsOf(words)
      return below.length === 0 ? [words] : below
    })
}

function cliPage() {
  const sections = commandsOf([]).map(
    (words) =>
      `## ${words.join(" ")}\n\n\`\`\`text\n$ amplitude-lake ${words.join(" ")} --help\n${helpOf(words)}\`\`\`\n`
  )
  return [
    "# Commands\n",
    "Written by `npm run readme` from the program's own help. `amplitude-lake` stands for `node dist/main.js`.\n",
    `\`\`\`text\n$ amplitude-lake --help\n${helpOf([])}\`\`\`\n`,
    ...sections
  ].join("\n")
}

function readmePage() {
  const table = [
    "| exit code | means |",
    "| --- | --- |",
    ...Object.entries(exitCodes).map(([code, meaning]) => `| ${code} | ${meaning} |`)
  ].join("\n")
  const page = readFileSync("README.md", "utf8")
  const marks = /(<!-- exit codes: .*? -->\n)[\s\S]*?(<!-- \/exit codes -->)/
  if (!marks.test(page)) throw new Error("README.md has no marks for exit codes")
  return page.replace(marks, (_, start, end) => `${start}${table}\n${end}`)
}

for (const [name, page] of Object.entries({
  "README.md": readmePage(),
  "docs/cli.md": cliPage()
})) {
  if (!process.argv.includes("--check")) writeFileSync(name, page)
  else if (!existsSync(name) || readFileSync(name, "utf8") !== page) {
    console.error(`${name} is out of date: run npm run readme`)
    process.exitCode = 1
  }
}
