import assert from "node:assert/strict"
import { spawnSync } from "node:child_process"
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync
} from "node:fs"
import { tmpdir } from "node:os"
import { basename, join, resolve } from "node:path"
import { afterAll, describe, it } from "vitest"

const sources = readdirSync("src", { recursive: true, encoding: "utf8" }).filter((path) =>
  path.endsWith(".ts")
)

/** The examples of a file, as modules. */
function examplesOf(path: string): ReadonlyArray<string> {
  const text = readFileSync(join("src", path), "utf8")
  return [...text.matchAll(/^ \* @example\n \* ```ts\n([\s\S]*?)^ \* ```$/gm)].map(
    ([, code = ""]) => code.replace(/^ \* ?/gm, "")
  )
}

const examples = new Map(
  sources.map((path) => [path, examplesOf(path)] as const).filter(([, found]) => found.length > 0)
)
const layers = sources.filter((path) => /^layers\/\w+\/[A-Z]\w+\.ts$/.test(path))
const folder = mkdtempSync(join(tmpdir(), "amplitude-lake-examples-"))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

describe("The examples", () => {
  it("show allHours, ObjectStorage and every layer", () => {
    const required = ["programs/runPipeline.ts", "services/ObjectStorage.ts", ...layers]
    assert.deepEqual(
      required.filter((path) => !examples.has(path)),
      []
    )
  })

  it("compile against the built package", () => {
    mkdirSync(join(folder, "node_modules"))
    symlinkSync(process.cwd(), join(folder, "node_modules/amplitude-lake"))
    for (const name of ["effect", "@types"]) {
      symlinkSync(resolve("node_modules", name), join(folder, "node_modules", name))
    }
    writeFileSync(join(folder, "package.json"), '{ "type": "module" }')
    const files = [...examples].flatMap(([path, found]) =>
      found.map((code, number) => {
        const name = `${basename(path, ".ts")}.${number}.ts`
        writeFileSync(join(folder, name), code)
        return name
      })
    )
    const strict = ["--strict", "--exactOptionalPropertyTypes", "--skipLibCheck", "--noEmit"]
    const target = ["--module", "nodenext", "--target", "es2023", "--types", "node"]
    const tsc = resolve("node_modules/typescript/bin/tsc")
    const { stdout } = spawnSync(process.execPath, [tsc, ...strict, ...target, ...files], {
      cwd: folder,
      encoding: "utf8"
    })
    assert.equal(stdout, "")
  }, 60_000)
})
