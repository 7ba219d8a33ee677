import { defineConfig } from "vitest/config"
import { longFiles } from "./test/fixtures/longFiles.ts"

/** The long form of the tests, and what packs, builds and starts other runtimes; FAULTS_SECONDS says how long its random kills take. */
export default defineConfig({
  test: {
    include: [
      ...longFiles,
      "test/package.test.ts",
      "test/container.test.ts",
      "test/main/mainDeno.test.ts",
      "test/main/shownCommands.test.ts"
    ],
    testTimeout: 240_000,
    maxWorkers: 2,
    minWorkers: 2,
    // It imports JSON in a way that node refuses.
    server: { deps: { inline: [/@actions\/workflow-parser/] } },
    env: { FAULTS_SECONDS: process.env["FAULTS_SECONDS"] ?? "120" }
  }
})
