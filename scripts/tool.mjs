// Installs tools that only some tests and checks need, each from its own lock file under tools/. A tool that is already
// installed in that version is left alone.
//
//   node scripts/tool.mjs NAME...
import { execFileSync } from "node:child_process"
import { copyFileSync, existsSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"

const ROOT = fileURLToPath(new URL("../tools", import.meta.url))

for (const name of process.argv.slice(2)) {
  const folder = join(ROOT, name)
  const lock = join(folder, "package-lock.json")
  if (!existsSync(lock))
    throw new Error(`There is no tool ${name}: tools/${name}/package-lock.json is missing`)
  const installed = join(folder, "node_modules/.installed-lock.json")
  if (existsSync(installed) && readFileSync(installed, "utf8") === readFileSync(lock, "utf8"))
    continue
  console.error(`Installing tools/${name}`)
  execFileSync("npm", ["ci", "--prefix", folder, "--silent"], { stdio: "inherit" })
  copyFileSync(lock, installed)
}
