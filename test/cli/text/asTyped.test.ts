import assert from "node:assert/strict"
import { describe, it } from "vitest"
import { asTyped, programName } from "../../../src/cli/text/asTyped.ts"

const GAP =
  'X 2 gap: amplitude-lake all --start-date 2025-11-11T02, then amplitude-lake gaps accept --reason "…"'

describe("asTyped()", () => {
  it("repeats the flags that say which lake, each where the command has it", () => {
    const flags = { dev: true, prefix: "it's mine/", layout: "hive", retries: "3", json: true }
    assert.equal(
      asTyped(GAP, flags, "amplitude-lake"),
      "X 2 gap: amplitude-lake all --dev --prefix 'it'\\''s mine/' --layout hive --start-date 2025-11-11T02, " +
        "then amplitude-lake gaps accept --dev --prefix 'it'\\''s mine/' --reason \"…\""
    )
  })

  it("repeats them inside a sentence", () => {
    assert.equal(
      asTyped("the commands that amplitude-lake gaps lists", { dev: true }, "lake"),
      "the commands that lake gaps --dev lists"
    )
  })

  it("repeats them at the end of a line", () => {
    assert.equal(
      asTyped("not loaded: amplitude-lake load\n", { dev: true, warehouse: "snowflake" }, "lake"),
      "not loaded: lake load --dev --warehouse snowflake\n"
    )
    assert.equal(asTyped("amplitude-lake load", { warehouse: "duckdb" }, "lake"), "lake load")
  })

  it("puts them after the word that a command takes", () => {
    assert.equal(
      asTyped("amplitude-lake resolve 2025-11-10T21 --keep ours.", { dev: true }, "lake"),
      "lake resolve 2025-11-10T21 --dev --keep ours."
    )
  })

  it("repeats no flag that may hold a secret", () => {
    const flags = { amplitudeUrl: "https://user:secret@example.com", region: "us" }
    assert.match(asTyped(GAP, flags, "amplitude-lake"), /lake all --amplitude-region us --start/)
    assert.doesNotMatch(asTyped(GAP, flags, "amplitude-lake"), /secret/)
  })

  it("leaves other texts alone", () => {
    const text = "amplitude-lake begins; .amplitude-lake/all is kept; amplitude-lake alls"
    assert.equal(asTyped(text, { dev: true }, "node dist/main.js"), text)
  })
})

describe("programName()", () => {
  it("is what was typed in a clone, else the name", () => {
    assert.equal(programName("/srv/lake/dist/main.js", "/srv/lake"), "node dist/main.js")
    assert.equal(programName("/srv/lake/dist/main.js", "/srv/my lake"), "amplitude-lake")
    assert.equal(programName("/usr/bin/amplitude-lake", "/usr"), "amplitude-lake")
  })
})
