import { execFile } from "node:child_process"
import * as fs from "node:fs/promises"
import { tmpdir } from "node:os"
import { join, resolve } from "node:path"
import { promisify } from "node:util"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { TABLES } from "../../src/layers/duckdb/tables.ts"
import { type Dbt, startDbt } from "./dbt.ts"
import { inFile } from "./warehouse.ts"

let folder = ""
let project = ""
let dbt: Dbt

beforeAll(async () => {
  folder = await fs.mkdtemp(join(tmpdir(), "amplitude-lake-packed-"))
  const words = ["pack", "--json", "--ignore-scripts", "--pack-destination", folder]
  const { stdout } = await promisify(execFile)("npm", words)
  const [{ filename }] = JSON.parse(stdout) as [{ readonly filename: string }]
  const installed = join(folder, "node_modules")
  await fs.mkdir(installed)
  await promisify(execFile)("tar", ["-xzf", join(folder, filename), "-C", installed])
  project = resolve(installed, "package/dbt")
  dbt = startDbt(folder, { project })
})

afterAll(async () => {
  await dbt.end()
  await fs.rm(folder, { recursive: true, force: true })
})

describe("dbt's project in the packed package", () => {
  it("builds, and leaves none of dbt's files in node_modules", async () => {
    const before = await fs.readdir(project, { recursive: true })
    const warehouse = join(folder, "lake.duckdb")
    await inFile(warehouse, (connection) => connection.run(TABLES))
    await dbt.run(warehouse, "build", "--exclude-resource-type", "test", "unit_test")
    assert.sameMembers(await fs.readdir(project, { recursive: true }), before)
  })
})
