// Builds the library as plain modules with types, and the program as a few files that bundle its packages. Does nothing if
// nothing has changed since the last build.
import { execFileSync } from "node:child_process"
import { createHash } from "node:crypto"
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { build } from "rolldown"

/** The folder of a module's package. */
const PACKAGE = /^.*\/node_modules\/(?:@[^/]+\/)?[^/]+/

/** Writes the licences of the bundled packages next to the program, as those licences require. */
const licences = {
  name: "licences",
  generateBundle(_, bundle) {
    const modules = Object.values(bundle).flatMap(({ moduleIds = [] }) => moduleIds)
    const folders = new Set(modules.flatMap((id) => PACKAGE.exec(id.replaceAll("\\", "/")) ?? []))
    const texts = [...folders].sort().map((folder) => {
      const { name, version, license } = JSON.parse(
        readFileSync(join(folder, "package.json"), "utf8")
      )
      const file = readdirSync(folder).find((it) => /^licen[cs]e/i.test(it))
      const text = file === undefined ? `${license}\n` : readFileSync(join(folder, file), "utf8")
      return `${name} ${version}\n\n${text}`
    })
    const source = texts.join(`\n${"-".repeat(80)}\n\n`)
    this.emitFile({ type: "asset", fileName: "program/LICENSES.txt", source })
  }
}

/** Where the digest of the last build is, outside what is packed. */
const STAMP = "node_modules/.cache/amplitude-lake/build"
const SETTINGS = [
  "node_modules/.package-lock.json",
  "package.json",
  "scripts/build.mjs",
  "tsconfig.build.json",
  "tsconfig.json"
]

/** A digest of what the build reads and of what it has made. */
function digest() {
  const hash = createHash("sha256")
  const files = ["dist", "src"].flatMap((folder) =>
    existsSync(folder)
      ? readdirSync(folder, { recursive: true, withFileTypes: true })
          .filter((entry) => entry.isFile())
          .map((entry) => join(entry.parentPath, entry.name))
          .sort()
      : []
  )
  for (const file of [...SETTINGS.filter((file) => existsSync(file)), ...files]) {
    const bytes = readFileSync(file)
    hash.update(`${file}\0${bytes.length}\0`).update(bytes)
  }
  return hash.digest("hex")
}

if (existsSync(STAMP) && readFileSync(STAMP, "utf8") === digest()) process.exit(0)

rmSync("dist", { recursive: true, force: true })
execFileSync(process.execPath, ["node_modules/typescript/bin/tsc", "-p", "tsconfig.build.json"], {
  stdio: "inherit"
})
await build({
  input: {
    main: "src/main.ts",
    "program/cli": "src/cli/main.ts",
    "program/worker": "src/layers/unpack/threads/worker.ts"
  },
  platform: "node",
  // Native code cannot be bundled.
  external: ["@duckdb/node-api"],
  plugins: [licences],
  output: {
    dir: "dist",
    entryFileNames: "[name].js",
    chunkFileNames: "program/[name].js",
    comments: { legal: true, annotation: false, jsdoc: false }
  }
})
mkdirSync(dirname(STAMP), { recursive: true })
writeFileSync(STAMP, digest())
