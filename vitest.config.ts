import { defineConfig } from "vitest/config"

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    testTimeout: 20_000,
    maxWorkers: 2,
    minWorkers: 2,
    // It imports JSON in a way that node refuses.
    server: { deps: { inline: [/@actions\/workflow-parser/] } }
  }
})
