import assert from "node:assert/strict"
import { readFileSync } from "node:fs"
import { afterAll, beforeAll, describe, it } from "vitest"
import { reportPage } from "../../src/cli/report/reportPage.ts"
import { Report } from "../../src/programs/report/Report.ts"
import { calendarOf, EVERY_STATE, LEDGER } from "../fixtures/calendarOf.ts"
import { EMPTY, HOSTILE, hours, namedBy } from "../fixtures/report/reportFigures.ts"
import { SHOP_REPORT } from "../fixtures/report/shopReport.ts"
import { type Browser, startBrowser, tool, type View } from "./browser.ts"
import { faintTexts } from "./contrast.ts"
import { layoutFaults } from "./layout.ts"
import { isAsBefore } from "./screenshots.ts"
import { htmlErrors } from "./validHtml.ts"

const PAGES = {
  shop: reportPage(SHOP_REPORT),
  empty: reportPage(EMPTY),
  years: reportPage(new Report({ ...EMPTY, coverage: hours(26_280) })),
  calendar: calendarOf({
    hours: Array.from({ length: 100 }, () => EVERY_STATE).flat(),
    warehouse: LEDGER
  }),
  days: calendarOf({ hours: [...EVERY_STATE, ...EVERY_STATE, ...EVERY_STATE] })
}
/** Of these, each view has a picture to compare with. */
const COMPARED = ["shop", "calendar"]

/** A4 without its margins. */
const PRINT: View = { width: 718, scheme: "light", media: "print" }
const WIDTHS: ReadonlyArray<View> = [375, 768, 1280, 1920].flatMap((width) => [
  { width, scheme: "light" } as const,
  { width, scheme: "dark" } as const
])

const named = ({ media, scheme, width }: View) => media ?? `${width}-${scheme}`

const VIEWS = [...WIDTHS, PRINT]
/** Of pages that have little to show. */
const SOME_VIEWS = VIEWS.filter((it) => ["375-light", "1280-dark", "print"].includes(named(it)))

const fold = "for (const it of document.querySelectorAll('details')) it.open = false"

describe("The pages in a browser", () => {
  let browser: Browser
  beforeAll(async () => {
    browser = await startBrowser()
  })
  afterAll(() => browser.close())

  for (const [name, text] of Object.entries(PAGES)) {
    for (const view of COMPARED.includes(name) ? VIEWS : SOME_VIEWS) {
      it(`shows all of ${name} at ${named(view)}, legibly, and does nothing else`, async () => {
        const { incidents, page } = await browser.open(text, view)
        assert.deepEqual(await page.evaluate(layoutFaults), [])
        if (COMPARED.includes(name) && ![768, 1920].includes(view.width)) {
          await page.evaluate(fold)
          assert.deepEqual(await faintTexts(page, browser.bench), [])
          assert.equal(await isAsBefore(page, browser.bench, `${name}-${named(view)}`), null)
        }
        if (view.media === "print") assert.ok((await page.pdf()).length > 1000)
        assert.deepEqual(incidents, [])
        await page.close()
      })
    }

    it(`gives an accessibility engine nothing to find in ${name}`, async () => {
      const engine = readFileSync(tool.resolve("axe-core/axe.min.js"), "utf8")
      const { page } = await browser.open(text, { width: 1280, scheme: "light" })
      await page.evaluate(engine)
      const found = await page.evaluate<ReadonlyArray<string>, undefined>(
        `axe.run().then(({ violations }) => violations.flatMap(({ id, nodes }) => nodes.map((it) => id + " " + it.html)))`
      )
      assert.deepEqual(found, [])
      await page.close()
    })

    it(`writes ${name} as a strict parser reads it`, async () => {
      assert.deepEqual(await htmlErrors(text), [])
    })
  }

  for (const [index, place] of HOSTILE.entries()) {
    it(`lets hostile place ${index} of a calendar do no harm`, async () => {
      const text = calendarOf({ hours: EVERY_STATE, place })
      assert.deepEqual(await htmlErrors(text), [])
      const { incidents, page } = await browser.open(text, { width: 375, scheme: "light" })
      assert.deepEqual(await page.evaluate(layoutFaults), [])
      assert.deepEqual(incidents, [])
      await page.close()
    })
  }

  for (const [index, name] of HOSTILE.entries()) {
    it(`lets hostile name ${index} do no harm`, async () => {
      const text = reportPage(namedBy(name, 10))
      assert.deepEqual(await htmlErrors(text), [])
      for (const width of [375, 1280]) {
        const { incidents, page } = await browser.open(text, { width, scheme: "light" })
        const found = await page.evaluate(() => ({
          scripts: document.querySelectorAll("script, img").length,
          tables: document.querySelectorAll("table").length,
          isWide: document.documentElement.scrollWidth > innerWidth,
          ends: document.querySelector("footer")?.textContent?.includes("Written by")
        }))
        assert.deepEqual(found, { scripts: 0, tables: 13, isWide: false, ends: true })
        assert.deepEqual(incidents, [])
        await page.close()
      }
    })
  }
})
