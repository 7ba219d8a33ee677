import assert from "node:assert/strict"
import { execFileSync, spawnSync } from "node:child_process"
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
import { join, resolve } from "node:path"
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

const fails = (...args: ReadonlyArray<string>) =>
  spawnSync(process.execPath, args, { cwd: app, encoding: "utf8" }).stderr

const { exports } = JSON.parse(readFileSync("package.json", "utf8")) as {
  readonly exports: Readonly<Record<string, string>>
}

/** The public modules, as they are imported. */
const modules = Object.keys(exports)
  .filter((name) => name !== "./package.json")
  .map((name) => name.replace(/^\./, "amplitude-lake"))

describe("the packed package", () => {
  let packed: Packed
  let alone: ReadonlyArray<string>

  beforeAll(() => {
    const printed = execFileSync("npm", ["pack", "--json", "--pack-destination", folder], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"]
    })
    packed = (JSON.parse(printed) as readonly [Packed])[0]
    mkdirSync(app)
    writeFileSync(join(app, "package.json"), '{ "type": "module" }')
    // What npm ci has fetched for the tests is in npm's cache: as a rule this asks no registry.
    const quietly = ["--prefer-offline", "--ignore-scripts", "--no-audit", "--no-fund"]
    run("npm", "install", ...quietly, "--omit=peer", join(folder, packed.filename))
    alone = readdirSync(join(app, "node_modules"))
    // The peers are the app's own; linked, because they are most of what there would be to unpack.
    for (const scope of ["@effect", "@types"]) mkdirSync(join(app, "node_modules", scope))
    for (const name of ["effect", "@effect/platform", "@types/node"]) {
      symlinkSync(resolve("node_modules", name), join(app, "node_modules", name))
    }
  }, 120_000)
  afterAll(() => rmSync(folder, { recursive: true, force: true }), 60_000)

  it("holds the built modules with their types, the program, and nothing else", () => {
    const paths = packed.files.map(({ path }) => path)
    const built = readdirSync("dist", { recursive: true, withFileTypes: true })
      .filter((it) => it.isFile())
      .map((it) => join(it.parentPath, it.name))
    const pages = ["CHANGELOG.md", "LICENSE", "README.md", "package.json"]
    assert.deepEqual(paths.toSorted(), [...built, ...pages].toSorted())
    const sources = readdirSync("src", { recursive: true, encoding: "utf8" })
    const library = sources.filter((path) => /^(layers|programs|services|mod)\b.*\.ts$/.test(path))
    const expected = library.flatMap((path) =>
      [".js", ".d.ts"].map((it) => path.replace(/\.ts$/, it))
    )
    const others = built
      .map((path) => path.replace(/^dist\//, ""))
      .filter((path) => !expected.includes(path) && !path.startsWith("program/"))
    assert.deepEqual(others, ["main.js"])
    assert.ok(packed.size < 1_600_000, `${packed.size} bytes`)
  })

  it("brings what the layers import, and no package that only the bundled program is made of", () => {
    for (const name of ["@aws-sdk", "@azure", "fflate", "undici", "yauzl"])
      assert.ok(alone.includes(name))
    for (const name of ["commander", "@effect", "mime", "ws"]) assert.ok(!alone.includes(name))
  })

  it("runs by npx", () => {
    assert.ok(readdirSync(join(app, "node_modules/.bin")).includes("amplitude-lake"))
    const landed = run("npx", "--no", "--", "amplitude-lake", "all", ...SYNTHETIC)
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

  it("compiles the example of docs/library.md and every module's types, and lands two hours", () => {
    const page = readFileSync("docs/library.md", "utf8")
    const example = /<!-- example -->\n```ts\n([\s\S]*?)```/.exec(page)?.[1] ?? ""
    writeFileSync(join(app, "example.ts"), example)
    const imports = modules.map((name, at) => `export * as it${at} from "${name}"\n`)
    writeFileSync(join(app, "modules.ts"), imports.join(""))

    const strict = ["--strict", "--exactOptionalPropertyTypes", "--skipLibCheck"]
    const target = ["--module", "nodenext", "--target", "es2023", "--types", "node"]
    const tsc = resolve("node_modules/typescript/bin/tsc")
    run(process.execPath, tsc, ...strict, ...target, "example.ts", "modules.ts")

    assert.match(run(process.execPath, "example.js"), /\[ '2025-11-10T21', '2025-11-10T22' \]/)
    assert.match(readFileSync(join(app, "lake/events/2025-11-10_21.jsonl"), "utf8"), /^\{/)
  })
})
