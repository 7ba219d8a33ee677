import assert from "node:assert/strict"
import { existsSync, readdirSync, readFileSync } from "node:fs"
import { describe, it } from "vitest"

const ROWS = {
  S: 15,
  A: 12,
  D: 10,
  O: 14,
  C: 2,
  X: 6,
  T: 2,
  W: 13,
  K: 3
}
const numbers = Object.entries(ROWS).flatMap(([letter, count]) =>
  Array.from({ length: count }, (_, index) => `${letter}${index + 1}`)
)

const page = readFileSync(new URL("../../docs/reliability.md", import.meta.url), "utf8")
const folder = new URL("./", import.meta.url)
const files = readdirSync(folder).filter((name) => name.endsWith(".test.ts"))
const texts = new Map(files.map((name) => [name, readFileSync(new URL(name, folder), "utf8")]))

/** The cells of the matrix, by row number. */
const table = new Map(
  page
    .split("\n")
    .map((line) => line.split("|").map((cell) => cell.trim()))
    .filter(([, number = ""]) => /^[SADOCXTWK]\d+$/.test(number))
    .map(([, number = "", ...cells]) => [number, cells.slice(0, 3)] as const)
)

/** The numbers that begin test names in a file, of a test or of a group: `it("S6 waits …")`, `describe("K1: …")`, `layer(…)("D5", …)`. */
function numbersIn(text: string): ReadonlySet<string> {
  const found = text.matchAll(/["'`]([SADOCXTWK]\d+)(?=[ :]|", \()/g)
  return new Set([...found].map(([, number = ""]) => number))
}

describe("the fault matrix", () => {
  it("has every row, each once, with a fault, an outcome and a test file", () => {
    assert.deepEqual([...table.keys()], numbers)
    const rows = page.match(/^\| [SADOCXTWK]\d+ \|/gm) ?? []
    assert.equal(rows.length, numbers.length)
    for (const [number, cells] of table) {
      assert.equal(cells.length, 3, number)
      for (const cell of cells) assert.notEqual(cell, "", number)
    }
  })

  for (const number of numbers) {
    it(`row ${number} has a test that begins with its number, in the file that the page names`, () => {
      const named = [...(table.get(number)?.[2] ?? "").matchAll(/`([\w.]+\.test\.ts)`/g)].map(
        ([, name = ""]) => name
      )
      assert.ok(named.length > 0, `docs/reliability.md names no test file for ${number}`)
      for (const name of named) {
        assert.ok(existsSync(new URL(name, folder)), `there is no test/faults/${name}`)
        const text = texts.get(name) ?? ""
        assert.ok(hasTest(text, number), `test/faults/${name} has no test named "${number} …"`)
      }
    })
  }
})

/** Written out in the file, or made of a row's number by a function or a table in it. */
function hasTest(text: string, number: string): boolean {
  const made = /`\$\{row\} /.test(text) && new RegExp(`["']${number}["']`).test(text)
  return made || numbersIn(text).has(number)
}
