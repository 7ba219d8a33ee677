import assert from "node:assert/strict"
import { createHash } from "node:crypto"
import { describe, it } from "vitest"
import { reportPage } from "../../../src/cli/report/reportPage.ts"
import { Report } from "../../../src/programs/report/Report.ts"
import { EMPTY, HOSTILE, hours, namedBy } from "../../fixtures/reportFigures.ts"

describe("reportPage()", () => {
  it("says what is missing, and how to capture it, where there is no data", () => {
    const text = reportPage(EMPTY)
    for (const says of [
      "Nothing has been loaded yet",
      "No events are modelled",
      "No page views are captured",
      "No session is captured",
      "No clicks are captured",
      "No clicks in menus are captured",
      "autocapture.pageViews",
      "autocapture.elementInteractions"
    ]) {
      assert.ok(text.includes(says), says)
    }
    assert.doesNotMatch(text, /<figure>/)
  })

  it("shows counts with their base, and no verdict", () => {
    const text = reportPage(namedBy("Offers"))
    assert.match(text, /17 of 212\s+sessions, against 4 of 198/)
    assert.doesNotMatch(text, /confus/i)
  })

  it("escapes and cuts every name", () => {
    for (const name of HOSTILE) {
      const text = reportPage(namedBy(name, 10))
      assert.doesNotMatch(text, /<script|<img|onerror=alert\(1\)>|\u202E|x{100}/)
      assert.ok(!text.includes("\0"))
      assert.equal(Buffer.from(text).toString(), text)
      assert.ok(Buffer.byteLength(text) < 200_000)
    }
  })

  it("has neither script nor address to load from, and names its one style by its hash", () => {
    const text = reportPage(namedBy("Offers"))
    assert.doesNotMatch(text, /<script|<link|<img|https?:|url\(|@import|style="/)
    const [, style = ""] = /<style>([^]*?)<\/style>/.exec(text) ?? []
    const hash = createHash("sha256").update(style).digest("base64")
    assert.ok(text.includes(`content="default-src 'none'; style-src 'sha256-${hash}'"`))
  })

  it("makes the same bytes of the same figures, below 1 MB for a year and for three years of hours", () => {
    const text = reportPage(namedBy("Offers"))
    assert.equal(reportPage(namedBy("Offers")), text)
    assert.ok(Buffer.byteLength(text) < 1_000_000)
    const three = reportPage(new Report({ ...EMPTY, coverage: hours(26_280) }))
    assert.ok(Buffer.byteLength(three) < 200_000)
    assert.ok((three.match(/<path/g) ?? []).length < 50)
  })
})
