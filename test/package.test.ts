import assert from "node:assert/strict"
import { execFile, execFileSync, spawnSync } from "node:child_process"
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync
} from "node:fs"
import { tmpdir } from "node:os"
import { join, resolve } from "node:path"
import { promisify } from "node:util"
import { afterAll, beforeAll, describe, it } from "vitest"

const folder = mkdtempSync(join(tmpdir(), "amplitude-lake-package-"))
const app = join(folder, "app")
const SYNTHETIC = ["--source", "synthetic", "--events-per-hour", "20", "--dev"]

interface Packed {
  readonly filename: string
  readonly size: number
  readonly files: ReadonlyArray<{ readonly path: string }>
}

const run = (command: string, ...args: ReadonlyArray<string>) =>
  execFileSync(command, args, { cwd: app, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] })

/** As it is typed after an installation. */
async function program(...words: ReadonlyArray<string>): Promise<string> {
  const typed = ["--no", "--", "amplitude-lake", ...words]
  return (await promisify(execFile)("npx", typed, { cwd: app })).stdout
}

const npm = (cwd: string, ...args: ReadonlyArray<string>) =>
  promisify(execFile)("npm", args, { cwd })

const fails = (...args: ReadonlyArray<string>) =>
  spawnSync(process.execPath, args, { cwd: app, encoding: "utf8" }).stderr

const { exports } = JSON.parse(readFileSync("package.json", "utf8")) as {
  readonly exports: Readonly<Record<string, string>>
}

/** The public modules, as they are imported. */
const modules = Object.keys(exports)
  .filter((name) => !name.endsWith(".json"))
  .map((name) => name.replace(/^\./, "amplitude-lake"))

/** The bytes of all files below a folder. */
function sizeOf(folder: string): number {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((it) => it.isFile())
    .reduce((sum, { name, parentPath }) => sum + statSync(join(parentPath, name)).size, 0)
}

describe("the packed package", () => {
  let packed: Packed
  let alone: ReadonlyArray<string>
  let installed: number

  // Not at once: vitest takes a worker for dead that is silent for a minute.
  beforeAll(async () => {
    const { stdout } = await npm(".", "pack", "--json", "--pack-destination", folder)
    packed = (JSON.parse(stdout) as readonly [Packed])[0]
    mkdirSync(app)
    writeFileSync(join(app, "package.json"), '{ "type": "module" }')
    // What npm ci has fetched for the tests is in npm's cache: as a rule this asks no registry.
    const quietly = ["--prefer-offline", "--ignore-scripts", "--no-audit", "--no-fund"]
    await npm(app, "install", ...quietly, join(folder, packed.filename))
    alone = readdirSync(join(app, "node_modules"))
    installed = sizeOf(join(app, "node_modules"))
    mkdirSync(join(app, "node_modules/@types"))
    symlinkSync(resolve("node_modules/@types/node"), join(app, "node_modules/@types/node"))
  }, 120_000)
  afterAll(() => rmSync(folder, { recursive: true, force: true }), 60_000)

  it("holds the built modules with their types, the program, dbt's project, and nothing else", () => {
    const paths = packed.files.map(({ path }) => path)
    const built = readdirSync("dist", { recursive: true, withFileTypes: true })
      .filter((it) => it.isFile())
      .map((it) => join(it.parentPath, it.name))
    const pages = ["CHANGELOG.md", "LICENSE", "README.md", "package.json"]
    const schemas = readdirSync("schemas", { recursive: true, encoding: "utf8" })
      .filter((name) => name.endsWith(".json") && !name.startsWith("published"))
      .map((name) => join("schemas", name))
    const dbt = readdirSync("dbt", { recursive: true, withFileTypes: true })
      .filter((it) => it.isFile() && !/^\.|^requirements-ci\./.test(it.name))
      .map((it) => join(it.parentPath, it.name))
      .filter((path) => !/^dbt\/(target|logs)\//.test(path))
    assert.deepEqual(paths.toSorted(), [...built, ...schemas, ...pages, ...dbt].toSorted())
    const sources = readdirSync("src", { recursive: true, encoding: "utf8" })
    const library = sources.filter((path) =>
      /^(layers|network|programs|services|mod)\b.*\.ts$/.test(path)
    )
    const expected = library.flatMap((path) =>
      [".js", ".d.ts"].map((it) => path.replace(/\.ts$/, it))
    )
    const others = built
      .map((path) => path.replace(/^dist\//, ""))
      .filter((path) => !expected.includes(path) && !path.startsWith("program/"))
    assert.deepEqual(others, ["main.js"])
    assert.ok(packed.size < 2_300_000, `${packed.size} bytes`)
  })

  it("brings effect and what most layers import, in at most 60 MB", () => {
    for (const name of ["effect", "fflate", "undici", "yauzl"])
      assert.ok(alone.includes(name), name)
    assert.ok(installed <= 60e6, `${installed} bytes`)
  })

  it("brings no SDK that one layer needs, and no package that only the bundled program is made of", () => {
    for (const name of ["@aws-sdk", "@azure", "@effect", "commander", "mime", "pg", "ws"])
      assert.ok(!alone.includes(name), name)
  })

  it("runs by npx", async () => {
    assert.ok(readdirSync(join(app, "node_modules/.bin")).includes("amplitude-lake"))
    const landed = await program("all", ...SYNTHETIC)
    assert.match(landed, /^landed +\d+ hours/m)
  })

  it("gives each public module, and no private one", () => {
    const every = modules.map((name) => `await import("${name}")`).join("\n")
    run(process.execPath, "--input-type=module", "-e", every)
    for (const name of ["layers/disk/files", "layers/files", "main", "program/commands"]) {
      const code = `await import("amplitude-lake/${name}")`
      assert.match(fails("--input-type=module", "-e", code), /ERR_PACKAGE_PATH_NOT_EXPORTED/)
    }
  })

  it("gives the JSON Schema of each command", () => {
    const code = `import schema from "amplitude-lake/schemas/gaps-accept.json" with { type: "json" }
      console.log(schema.$id)`
    const printed = run(process.execPath, "--input-type=module", "-e", code)
    assert.equal(printed, "urn:amplitude-lake:gaps-accept:1\n")
  })

  it("compiles the examples of docs/library.md and every module's types, lands two hours and loads them", () => {
    const page = readFileSync("docs/library.md", "utf8")
    const found = [...page.matchAll(/<!-- example -->\n```ts\n([\s\S]*?)```/g)]
    const names = found.map((_, number) => `example${number}`)
    for (const [number, [, code = ""]] of found.entries()) {
      writeFileSync(join(app, `example${number}.ts`), code)
    }
    const imports = modules.map((name, at) => `export * as it${at} from "${name}"\n`)
    writeFileSync(join(app, "modules.ts"), imports.join(""))

    const strict = ["--strict", "--exactOptionalPropertyTypes", "--skipLibCheck"]
    const target = ["--module", "nodenext", "--target", "es2023", "--types", "node"]
    const tsc = resolve("node_modules/typescript/bin/tsc")
    run(process.execPath, tsc, ...strict, ...target, ...names.map((it) => `${it}.ts`), "modules.ts")

    assert.equal(names.length, 2)
    for (const name of names) {
      const printed = run(process.execPath, `${name}.js`)
      assert.match(printed, /\[ '2025-11-10T21', '2025-11-10T22' \]/, name)
    }
    assert.match(readFileSync(join(app, "lake/events/2025-11-10_21.jsonl"), "utf8"), /^\{/)
  })

  it("loads, builds the models that it brings, and answers from them, with DuckDB's package beside it", async () => {
    symlinkSync(resolve("node_modules/@duckdb"), join(app, "node_modules/@duckdb"))
    await program("all", ...SYNTHETIC, "--start-date", "2025-11-10", "--end-date", "2025-11-10")
    await program("load", "--dev")
    assert.match(await program("model"), /^analytics\.journeys +\d+ rows/m)
    const answer = await program("sql", "from analytics.journeys limit 5", "--output", "csv")
    assert.match(answer, /^site,journey,steps,is_cut,sessions,share\n(.+\n){5}$/)
  })
})
