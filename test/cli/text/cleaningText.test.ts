import assert from "node:assert/strict"
import { describe, it } from "@effect/vitest"
import { cleaningText } from "../../../src/cli/text/cleaningText.ts"
import { Cleaning } from "../../../src/programs/clean/cleanLeftovers.ts"

const cleaning = new Cleaning({
  dryRun: false,
  leftovers: [
    { kind: "upload", path: "s3://lake/b", size: 10, fate: "kept", detail: "idle" },
    { kind: "staged", path: "a\n", size: 1500, fate: "removed", detail: "the same" }
  ],
  freed: 1500,
  retries: 0,
  durationMs: 1,
  exitCode: 0
})

describe("cleaningText()", () => {
  it("shows what happened to each item and why, changed ones first", () => {
    assert.deepEqual(cleaningText(cleaning).split("\n"), [
      "removed      staged   a?, 1.5 kB",
      "  the same",
      "kept         upload   s3://lake/b, 10 B",
      "  idle",
      "removed 1 item (1.5 kB), kept 1 item"
    ])
  })

  it("shows what it would do in a dry run", () => {
    const lines = cleaningText(new Cleaning({ ...cleaning, dryRun: true })).split("\n")
    assert.equal(lines[0], "would remove staged   a?, 1.5 kB")
    assert.equal(
      lines.at(-1),
      "would remove 1 item (1.5 kB), would keep 1 item; nothing was changed"
    )
  })

  it("says so if there is nothing to clean", () => {
    assert.equal(cleaningText(new Cleaning({ ...cleaning, leftovers: [] })), "Nothing to clean.")
  })
})
