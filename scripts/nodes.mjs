// Runs the core suites and the demo on each Node of tools/nodes, which `node scripts/tool.mjs nodes` installs. The binaries are
// for Linux on x64 only. Every Node is tried, even if an earlier one failed.
import { spawnSync } from "node:child_process"
import { existsSync, readFileSync } from "node:fs"

/** What depends on Node itself: inflating, threads, sockets, TLS, files, and the SDK in a process of its own. */
const SUITES = [
  "test/layers/unpack",
  "test/layers/disk/SpoolFileSystem.test.ts",
  "test/layers/disk/ArchiveFolderFileSystem.test.ts",
  "test/cli/settings/env"
]
/** Those of them whose every case is quick enough for the long form. */
const LONG = [
  "test/layers/http",
  "test/layers/cloud",
  "test/layers/s3/ObjectStorageS3Environment.test.ts"
]
/** In Node 20.19, what the permission model denies to `fs.promises` fails without a code. */
const PERMISSIONS = "test/main/mainPermission.test.ts"

if (process.platform !== "linux" || process.arch !== "x64") {
  console.error(
    `The binaries are for linux-x64 only, and this is ${process.platform}-${process.arch}`
  )
  process.exit(1)
}

const { optionalDependencies } = JSON.parse(readFileSync("tools/nodes/package.json", "utf8"))
const failed = []
for (const name of Object.keys(optionalDependencies)) {
  const node = `tools/nodes/node_modules/${name}/bin/node`
  if (!existsSync(node))
    throw new Error(`${node} is missing: node scripts/tool.mjs nodes installs it`)
  const vitest = ["node_modules/vitest/vitest.mjs", "run", "--reporter=dot"]
  const long = name === "node-20" ? LONG : [...LONG, PERMISSIONS]
  for (const [run, more] of [
    [[...vitest, ...SUITES], {}],
    [[...vitest, ...long], { FAULTS_SECONDS: "1" }],
    [["scripts/demo.mjs"], {}]
  ]) {
    console.log(`\n--- ${name}: ${run.join(" ")}`)
    const env = { ...process.env, ...more }
    const { status } = spawnSync(`${process.cwd()}/${node}`, run, { env, stdio: "inherit" })
    if (status !== 0) failed.push(`${name}: ${run[0]}`)
  }
}
if (failed.length > 0) {
  console.error(`\nFailed: ${failed.join(", ")}`)
  process.exit(1)
}
