import assert from "node:assert/strict"
import { execFileSync } from "node:child_process"
import { existsSync, readdirSync, readFileSync } from "node:fs"
import { dirname, join, relative } from "node:path"
import { describe, it } from "vitest"

const pages = [
  ...readdirSync(".").filter((name) => name.endsWith(".md")),
  ...readdirSync("docs")
    .filter((name) => name.endsWith(".md"))
    .map((name) => join("docs", name)),
  "deploy/README.md"
]
const texts = new Map(pages.map((page) => [page, readFileSync(page, "utf8")]))

/** The anchors of a page, as GitHub makes them of its headings. */
function anchorsOf(page: string): ReadonlySet<string> {
  const headings = (texts.get(page) ?? "").replace(/^```[\s\S]*?^```/gm, "").matchAll(/^#+ (.*)$/gm)
  return new Set(
    [...headings].map(([, heading = ""]) =>
      heading
        .toLowerCase()
        .replace(/[^\p{L}\p{N} _-]/gu, "")
        .replaceAll(" ", "-")
    )
  )
}

describe("The pages", () => {
  it("show the help and the exit codes as they are", () => {
    execFileSync(process.execPath, ["scripts/readme.mjs", "--check"])
  }, 60_000)

  it("link only to files and headings that exist", () => {
    const broken: Array<string> = []
    for (const [page, text] of texts) {
      const prose = text.replace(/^```[\s\S]*?^```/gm, "").replace(/`[^`\n]*`/g, "")
      for (const [, target = ""] of prose.matchAll(/\]\(([^)\s]+)\)/g)) {
        if (/^[a-z]+:/.test(target)) continue
        const [path = "", anchor] = target.split("#")
        const file = path === "" ? page : relative(".", join(dirname(page), path))
        const isThere = anchor === undefined ? existsSync(file) : anchorsOf(file).has(anchor)
        if (!isThere) broken.push(`${page}: ${target}`)
      }
    }
    assert.deepEqual(broken, [])
  })

  it("keep the README short", () => {
    assert.ok((texts.get("README.md") ?? "").split("\n").length <= 250)
  })
})
