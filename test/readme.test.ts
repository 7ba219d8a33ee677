import { execFileSync } from "node:child_process"
import { describe, it } from "vitest"

describe("README.md", () => {
  it("shows the help as it is", () => {
    execFileSync(process.execPath, ["scripts/readme.mjs", "--check"])
  })
})
