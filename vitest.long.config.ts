import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { defineConfig } from "vitest/config"

/** Test files of which some cases run in the long form only. */
const longer = readdirSync("test", { encoding: "utf8", recursive: true })
  .map((path) => join("test", path))
  .filter((path) => path.endsWith(".test.ts"))
  .filter((path) => /\/(fixtures\/long|contracts\/unpacker)\.ts"/.test(readFileSync(path, "utf8")))

/** The long form of the tests, and what packs, builds and starts other runtimes; FAULTS_SECONDS says how long its random kills take. */
export default defineConfig({
  test: {
    include: [
      "test/faults/**/*.test.ts",
      ...longer,
      "test/models/**/*.test.ts",
      "test/package.test.ts",
      "test/container.test.ts",
      "test/main/mainDeno.test.ts",
      "test/main/shownCommands.test.ts"
    ],
    testTimeout: 240_000,
    maxWorkers: 2,
    minWorkers: 2,
    env: { FAULTS_SECONDS: process.env["FAULTS_SECONDS"] ?? "120" }
  }
})
