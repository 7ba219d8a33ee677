import { existsSync } from "node:fs"
import { defineConfig } from "vitest/config"
import { longFiles } from "./test/fixtures/longFiles.ts"

const AZURE = ["test/layers/azure/**", "test/main/mainAzure.test.ts"]
const hasAzurite = existsSync("tools/azurite/node_modules/azurite")
if (!hasAzurite) {
  console.error(
    "Without Azurite, the tests of Azure are left out: node scripts/tool.mjs azurite installs it"
  )
}

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    // What they pack, build and start takes its time: they are among the long tests.
    exclude: [
      "test/dbt/**",
      "test/fleet/**",
      "test/browser/**",
      "test/package.test.ts",
      "test/container.test.ts",
      "test/main/mainDeno.test.ts",
      "test/main/shownCommands.test.ts",
      // `.ci/run` has the long form run them anyway.
      ...(process.env["LONG_FORM_FOLLOWS"] === undefined ? [] : longFiles),
      ...(hasAzurite ? [] : AZURE)
    ],
    // Loading the same modules for each file would take four times as long as the loading itself.
    isolate: false,
    setupFiles: ["test/fixtures/ownServices.ts"],
    testTimeout: 60_000,
    // One more than CI has cores: many tests wait for processes and servers.
    maxWorkers: 3,
    minWorkers: 3,
    // It imports JSON in a way that node refuses.
    server: { deps: { inline: [/@actions\/workflow-parser/] } }
  }
})
