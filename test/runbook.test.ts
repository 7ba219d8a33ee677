import assert from "node:assert/strict"
import { readdirSync, readFileSync } from "node:fs"
import { join, resolve } from "node:path"
import { pathToFileURL } from "node:url"
import { describe, it } from "vitest"
import { exitCodes } from "../src/programs/run/exitCode.ts"

interface Section {
  readonly names: ReadonlyArray<string>
  readonly text: string
}

const sections: ReadonlyArray<Section> = readFileSync("docs/runbook.md", "utf8")
  .split(/^### /m)
  .slice(1)
  .map((section) => {
    const [heading = "", ...lines] = section.split("\n")
    return { names: heading.split(" · "), text: lines.join(" ").split(" ## ")[0] ?? "" }
  })
const named = sections.flatMap(({ names }) => names)

/** Class and reason of every error of the program, such as `SpoolError.NoSpace`. */
async function allErrors(): Promise<ReadonlyArray<string>> {
  const paths = ["src/services", "src/programs"]
    .flatMap((folder) =>
      readdirSync(folder, { recursive: true, encoding: "utf8" }).map((name) => join(folder, name))
    )
    .filter((path) => path.endsWith(".ts"))
    .filter((path) => readFileSync(path, "utf8").includes("extends Schema.TaggedError"))
  const modules: ReadonlyArray<Record<string, unknown>> = await Promise.all(
    paths.map((path) => import(pathToFileURL(resolve(path)).href))
  )
  return modules.flatMap((module) =>
    Object.entries(module).flatMap(([name, it]) => {
      const { fields } = (it ?? {}) as {
        readonly fields?: { readonly reason?: { readonly literals: ReadonlyArray<string> } }
      }
      return (fields?.reason?.literals ?? []).map((reason) => `${name}.${reason}`)
    })
  )
}

describe("The runbook", () => {
  it("has a heading for every error, and for none that there is not", async () => {
    const errors = await allErrors()
    assert.ok(errors.length > 80)
    const headed = named.filter((name) => !name.startsWith("Exit code"))
    assert.deepEqual([...headed].sort(), [...errors].sort())
  })

  it("has a heading for every exit code", () => {
    const headed = named.filter((name) => name.startsWith("Exit code"))
    assert.deepEqual(
      headed,
      Object.keys(exitCodes).map((code) => `Exit code ${code}`)
    )
  })

  it("says of each what it means, the first command and the fix", () => {
    for (const { names, text } of sections) {
      assert.match(text, /^ *[A-Z].*\*\*First command:\*\* \S.*\*\*Fix:\*\* \S/, names[0])
    }
  })

  it("gives each exit code the meaning that the program prints", () => {
    for (const [code, meaning] of Object.entries(exitCodes)) {
      const found = sections.find(({ names }) => names[0] === `Exit code ${code}`)
      const said = found?.text.trim().toLowerCase() ?? ""
      assert.ok(said.startsWith(meaning.toLowerCase()), `${code}: ${said}`)
    }
  })
})
