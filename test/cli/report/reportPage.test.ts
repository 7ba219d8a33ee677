import assert from "node:assert/strict"
import { createHash } from "node:crypto"
import { describe, it } from "vitest"
import { inLetters, path } from "../../../src/cli/report/html.ts"
import { reportPage } from "../../../src/cli/report/reportPage.ts"
import { Report } from "../../../src/programs/report/Report.ts"
import { EMPTY, HOSTILE, hours, namedBy } from "../../fixtures/report/reportFigures.ts"

const PATH = '<bdi dir="ltr">/blog/<wbr /><bdi>مرحبا</bdi>/<wbr />x</bdi>'

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

  it("names a place for every part, and says nothing of an empty menu but that it is too small", () => {
    const report = namedBy("Offers")
    const [menu] = report.menus.menus
    assert.ok(menu)
    const items = menu.items.map((it) => ({ ...it, isEnough: false }))
    const text = reportPage(
      new Report({ ...report, menus: { menus: [{ ...menu, items }], otherMenus: 0 } })
    )
    assert.match(text, /300 sessions, too few to compare/)
    const targets = [...text.matchAll(/href="#([^"]+)"/g)].map(([, id]) => id)
    assert.equal(targets.length, 8)
    for (const id of targets) assert.ok(text.includes(`<h2 id="${id}">`), id)
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

describe("path()", () => {
  it("shows percent-encoded letters as letters", () => {
    assert.equal(inLetters("/blog/%E6%98%8E%E3%81%8B%E3%82%8A"), "/blog/明かり")
    assert.equal(inLetters("/k%c3%b6ln/%F0%9F%92%A1"), "/köln/💡")
    assert.equal(path("/blog/%D9%85%D8%B1%D8%AD%D8%A8%D8%A7/x").markup, PATH)
  })

  it("leaves encoded what would be ambiguous, unseen or harmful", () => {
    for (const text of [
      // The signs of an address, and of HTML.
      "/a%2Fb%3Fc%23d%25e%20f%3Cscript%3E%22%00",
      // Encoded twice.
      "/%25E6%2598%258E",
      // Malformed: cut, overlong, a surrogate, beyond Unicode, bare.
      "/%E6%98",
      "/%C0%AF",
      "/%ED%A0%80",
      "/%F5%80%80%80",
      "/100%",
      "/%FF",
      // Not seen: a control character, the other direction, a joiner, a filler, a space, a line.
      "/%C2%85",
      "/%E2%80%AEgpj.exe",
      "/%E2%81%A7",
      "/%E2%80%8D",
      "/%E3%85%A4",
      "/%E3%80%80",
      "/%E2%80%A8",
      // Without a name, or for private use.
      "/%EF%BF%BF",
      "/%EE%80%80",
      // Another spelling of ö, or a mark on what stands before it.
      "/ko%CC%88ln",
      "/%E2%84%AB"
    ]) {
      assert.equal(inLetters(text), text)
    }
  })

  it("keeps the order of a path and of a journey, whatever the direction of its words", () => {
    const arabic = "%D9%85%D8%B1"
    assert.equal(path(`/${arabic} > /b`).markup, '<bdi dir="ltr">/<bdi>مر</bdi> &gt; /b</bdi>')
    assert.equal(
      path("file:///data/lake/").markup,
      '<bdi dir="ltr">file:///data/<wbr />lake/</bdi>'
    )
    assert.equal(path(null).markup, "<i>unknown</i>")
  })
})
