import assert from "node:assert/strict"
import { execFileSync } from "node:child_process"
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join, resolve } from "node:path"
import { afterAll, describe, it } from "vitest"

const app = mkdtempSync(join(tmpdir(), "amplitude-lake-app-"))
afterAll(() => rmSync(app, { recursive: true, force: true }))

const run = (file: string, ...rest: ReadonlyArray<string>) =>
  execFileSync(process.execPath, [file, ...rest], { cwd: app, encoding: "utf8" })

describe("README.md", () => {
  it("shows the help as it is", () => {
    execFileSync(process.execPath, ["scripts/readme.mjs", "--check"])
  })

  it("has an example that compiles and lands two hours", { timeout: 60_000 }, () => {
    const page = readFileSync("README.md", "utf8")
    const example = /<!-- example -->\n```ts\n([\s\S]*?)```/.exec(page)?.[1] ?? ""
    mkdirSync(join(app, "node_modules/@types"), { recursive: true })
    symlinkSync(resolve("."), join(app, "node_modules/amplitude-lake"))
    for (const name of ["effect", "@types/node"]) {
      symlinkSync(resolve("node_modules", name), join(app, "node_modules", name))
    }
    writeFileSync(join(app, "package.json"), '{ "type": "module" }')
    writeFileSync(join(app, "example.ts"), example)

    const strict = ["--strict", "--exactOptionalPropertyTypes", "--skipLibCheck"]
    const target = ["--module", "nodenext", "--target", "es2023", "--types", "node"]
    run(resolve("node_modules/typescript/bin/tsc"), ...strict, ...target, "example.ts")

    assert.match(run("example.js"), /\[ '2025-11-10T21', '2025-11-10T22' \]/)
    assert.match(readFileSync(join(app, "lake/events/2025-11-10_21.jsonl"), "utf8"), /^\{/)
  })
})
