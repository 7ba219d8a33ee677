/**
 * Chromium by playwright-core, which `node scripts/tool.mjs browser` installs; scripts/chromium.sh finds the browser. What is used
 * of them is declared here, because types are checked where they are not installed.
 *
 * @module
 */
import { execFileSync } from "node:child_process"
import * as fs from "node:fs/promises"
import { createRequire } from "node:module"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { pathToFileURL } from "node:url"

export const tool = createRequire(new URL("../../tools/browser/package.json", import.meta.url))

export interface Page {
  readonly goto: (url: string) => Promise<unknown>
  readonly evaluate: <A, B>(
    script: string | ((given: B) => A | Promise<A>),
    given?: B
  ) => Promise<A>
  readonly screenshot: (options: { readonly fullPage: boolean }) => Promise<Buffer>
  readonly pdf: () => Promise<Buffer>
  readonly on: (event: string, listener: (it: Reported) => void) => void
  readonly close: () => Promise<void>
}

/** A request, an error, a dialog or a line of the console; each has some of these. */
interface Reported {
  readonly url?: () => string
  readonly type?: () => string
  readonly text?: () => string
  readonly message?: string | (() => string)
}

export interface View {
  readonly width: number
  readonly scheme: "light" | "dark"
  readonly media?: "print"
}

export interface Opened {
  readonly page: Page
  /** What a page that only shows something does not cause: errors, dialogs, and requests but for itself. */
  readonly incidents: ReadonlyArray<string>
}

export interface Browser {
  /** Opens a file of its own for this text, as a reader does, with all numbers unfolded. */
  readonly open: (text: string, view: View) => Promise<Opened>
  /** A page on which nothing is forbidden, to compute with pictures. */
  readonly bench: Page
  readonly close: () => Promise<void>
}

export async function startBrowser(): Promise<Browser> {
  const executablePath = execFileSync("scripts/chromium.sh", { encoding: "utf8" }).trim()
  const chromium = await tool("playwright-core").chromium.launch({
    executablePath,
    // The pages are our own, and root has no sandbox.
    chromiumSandbox: false
  })
  const folder = await fs.mkdtemp(join(tmpdir(), "amplitude-lake-browser-"))
  const bench: Page = await chromium.newPage()
  await bench.goto("about:blank")
  let pages = 0
  return {
    bench,
    open: async (text, { media, scheme, width }) => {
      const file = join(folder, `${(pages += 1)}.html`)
      await fs.writeFile(file, text)
      const url = pathToFileURL(file).href
      const page = await chromium.newPage({
        viewport: { width, height: 900 },
        colorScheme: scheme
      })
      const incidents: Array<string> = []
      page.on("console", (it: Reported) => incidents.push(`${it.type?.()}: ${it.text?.()}`))
      page.on("pageerror", (it: Reported) => incidents.push(`error: ${String(it.message)}`))
      page.on("dialog", () => incidents.push("dialog"))
      page.on("request", (it: Reported) => {
        if (it.url?.() !== url) incidents.push(`request: ${it.url?.()}`)
      })
      if (media !== undefined) await page.emulateMedia({ media })
      await page.goto(url)
      await page.evaluate("for (const it of document.querySelectorAll('details')) it.open = true")
      return { page, incidents }
    },
    close: async () => {
      await chromium.close()
      await fs.rm(folder, { recursive: true })
    }
  }
}
