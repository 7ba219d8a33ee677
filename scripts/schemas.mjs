// Writes the JSON Schemas of every `--json` output and webhook body into schemas/. With --publish, also into
// schemas/published/, as those of the release that is being made: later ones are held against them. With --published, only
// fails if that was forgotten.
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { pathToFileURL } from "node:url"
import { build } from "rolldown"

/** @returns {Promise<ReadonlyMap<string, string>>} */
async function makeSchemas() {
  // Inside the folder of the packages, so that they are found from there.
  const folder = mkdtempSync(join("node_modules", ".schemas-"))
  try {
    const file = join(folder, "jsonSchemas.mjs")
    await build({
      input: "src/cli/json/jsonSchemas.ts",
      platform: "node",
      external: /^effect/,
      output: { file, codeSplitting: false }
    })
    const { jsonSchemas } = await import(pathToFileURL(file).href)
    return jsonSchemas()
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** The files of a folder, without those of the last release. @param {string} folder */
function filesIn(folder) {
  return readdirSync(folder, { recursive: true, encoding: "utf8" }).filter(
    (name) => name.endsWith(".json") && !name.startsWith("published")
  )
}

/** @param {string} folder @param {ReadonlyMap<string, string>} files */
function write(folder, files) {
  for (const [name, text] of files) {
    const path = join(folder, name)
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, text)
  }
  for (const name of filesIn(folder)) if (!files.has(name)) rmSync(join(folder, name))
}

const [option] = process.argv.slice(2)
const files = await makeSchemas()
if (option === "--published") {
  const differs = [...files].some(
    ([name, text]) => readFileSync(join("schemas/published", name), "utf8") !== text
  )
  if (differs) {
    console.error("schemas/published is not that of this version: run npm run schemas -- --publish")
    process.exitCode = 1
  }
} else {
  write("schemas", files)
  if (option === "--publish") write("schemas/published", files)
}
