import { defineConfig } from "vitest/config"

/** The tests of the fleet, on the PostgreSQL that scripts/postgres.sh starts. */
export default defineConfig({
  test: {
    include: ["test/fleet/**/*.test.ts"],
    testTimeout: 300_000,
    hookTimeout: 60_000,
    // Each file counts what a server has open at once, and one restarts the database.
    fileParallelism: false
  }
})
