import { defineConfig } from "vitest/config"

/** The long part of the tests of faults, and what packs and builds; how many seconds its random kills take is for FAULTS_SECONDS to say. */
export default defineConfig({
  test: {
    include: ["test/faults/**/*.test.ts", "test/package.test.ts", "test/container.test.ts"],
    testTimeout: 120_000,
    maxWorkers: 2,
    minWorkers: 2,
    env: { FAULTS_SECONDS: process.env["FAULTS_SECONDS"] ?? "120" }
  }
})
