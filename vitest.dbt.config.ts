import { defineConfig } from "vitest/config"

/** The tests of the models by dbt itself, which scripts/dbt.sh installs; DBT_ORDERS says in how many random orders hours arrive. */
export default defineConfig({
  test: {
    include: ["test/dbt/**/*.test.ts"],
    testTimeout: 600_000,
    hookTimeout: 600_000,
    // One DuckDB at a time has memory enough, and dbt is as fast alone.
    fileParallelism: false
  }
})
