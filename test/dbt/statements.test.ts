import { execFile } from "node:child_process"
import * as fs from "node:fs/promises"
import { tmpdir } from "node:os"
import { basename, dirname, join, resolve } from "node:path"
import { promisify } from "node:util"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { PYTHON } from "./dbt.ts"

const GOLDEN = resolve("test/layers/snowflake/golden")
const BROKEN = "broken.sql"
const SQLFLUFF = join(dirname(PYTHON), "sqlfluff")
/** No configuration of the project's: it is for models. */
const OPTIONS = ["--ignore-local-config", "--dialect", "snowflake", "--format", "json"]

/** Whether anything of a parsed file is outside the grammar: an object has each part under its kind. */
function hasUnparsable(tree: unknown): boolean {
  if (Array.isArray(tree)) return tree.some(hasUnparsable)
  if (typeof tree !== "object" || tree === null) return false
  return Object.entries(tree).some(([kind, part]) => kind === "unparsable" || hasUnparsable(part))
}

let names: ReadonlyArray<string> = []
let folder = ""
let parsed: ReadonlyMap<string, unknown> = new Map()

beforeAll(async () => {
  names = (await fs.readdir(GOLDEN)).filter((name) => name.endsWith(".sql"))
  folder = await fs.mkdtemp(join(tmpdir(), "amplitude-lake-sql-"))
  await fs.cp(GOLDEN, folder, { recursive: true })
  // What sqlfluff notices, shown by a statement that it must.
  await fs.writeFile(join(folder, BROKEN), "SELECT 1;\n\nCOPY EVENTS_RAW INTO FROM @LAKE;\n")
  // One start of Python for all. It exits with 1 where a file cannot be parsed.
  const { stdout } = await promisify(execFile)(SQLFLUFF, ["parse", ...OPTIONS, folder], {
    maxBuffer: 1e9
  }).catch((error: { readonly stdout: string }) => error)
  const files = JSON.parse(stdout) as ReadonlyArray<{ filepath: string; segments: unknown }>
  parsed = new Map(files.map(({ filepath, segments }) => [basename(filepath), segments]))
})

afterAll(() => fs.rm(folder, { recursive: true, force: true }))

describe("sqlfluff's grammar of Snowflake", () => {
  it("parses the statements of every golden file", () => {
    assert.isAbove(names.length, 0)
    for (const name of names) {
      const tree = parsed.get(name)
      assert.isObject(tree, `${name} was not parsed`)
      assert.isFalse(hasUnparsable(tree), `${name} has a part that is not Snowflake's SQL`)
    }
  })

  it("does not parse everything", () => {
    assert.isTrue(hasUnparsable(parsed.get(BROKEN)))
  })
})
