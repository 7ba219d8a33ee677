import { defineConfig } from "vitest/config"

/** The pages in a real browser: `npm run test:browser` installs what these tests need, and runs them. */
export default defineConfig({
  test: {
    include: ["test/browser/**/*.test.ts"],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    fileParallelism: false
  }
})
