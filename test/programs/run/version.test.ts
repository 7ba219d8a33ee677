import assert from "node:assert/strict"
import { readFileSync } from "node:fs"
import { describe, it } from "@effect/vitest"
import { version } from "../../../src/programs/run/version.ts"

describe("version", () => {
  it("is that of package.json", () => {
    const file = readFileSync(new URL("../../../package.json", import.meta.url), "utf8")
    assert.equal(version, (JSON.parse(file) as { readonly version: string }).version)
  })
})
