import { execFile } from "node:child_process"
import * as fs from "node:fs/promises"
import { tmpdir } from "node:os"
import { join, resolve } from "node:path"
import { promisify } from "node:util"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { type Dbt, startDbt } from "./dbt.ts"
import { differences, inFile, makeAnew, rowsOf } from "./warehouse.ts"

const MAIN = resolve("dist/main.js")
const DAY = ["--start-date", "2025-11-10", "--end-date", "2025-11-10"]
const NEXT_HOUR = ["--start-date", "2025-11-11T00", "--end-date", "2025-11-11T00"]

let folder = ""
let warehouse = ""
let dbt: Dbt

async function program(...words: ReadonlyArray<string>): Promise<void> {
  await promisify(execFile)(process.execPath, [MAIN, ...words], { cwd: folder })
}

async function landAndLoad(hours: ReadonlyArray<string>): Promise<void> {
  await program("all", "--source", "synthetic", "--dev", ...hours)
  await program("load", "--dev", ...hours)
}

const rowGroups = () =>
  inFile(warehouse, async (connection) => {
    const sql =
      "select count(distinct row_group_id) from pragma_storage_info('amplitude.events_raw')"
    return (await rowsOf(connection, sql))[0]?.[0]
  })

const differencesFromAnew = () =>
  inFile(warehouse, async (connection) => {
    await makeAnew(connection)
    const found = await differences(connection, "analytics", "anew")
    await connection.run("drop schema anew cascade")
    return found
  })

beforeAll(async () => {
  folder = await fs.mkdtemp(join(tmpdir(), "amplitude-lake-dbt-"))
  warehouse = join(folder, "lake.duckdb")
  dbt = startDbt(folder)
  await landAndLoad(DAY)
})

afterAll(async () => {
  await dbt.end()
  await fs.rm(folder, { recursive: true, force: true })
})

describe("dbt's project", () => {
  it("compiles to the SQL that is checked in", async () => {
    await promisify(execFile)(process.execPath, ["scripts/models.mjs", "--check"])
  })

  it("builds and passes its tests on a day of events, and leaves these as they are", async () => {
    const before = await rowGroups()
    await dbt.run(warehouse, "build")
    assert.equal(await rowGroups(), before)
    const rest = await inFile(warehouse, (connection) =>
      rowsOf(connection, "select table_name from duckdb_tables() where table_name like '%__dbt_%'")
    )
    assert.deepEqual(rest, [])
  })

  it("makes the tables that the checked-in SQL makes", async () => {
    assert.deepEqual(await differencesFromAnew(), [])
  })

  it("ends in the same tables after an hour more, an hour replaced, and lists", async () => {
    await landAndLoad(NEXT_HOUR)
    await program("snapshot", "--source", "synthetic", "--dev")
    await program("load", "--dev")
    await inFile(warehouse, async (connection) => {
      await connection.run(
        "delete from amplitude.events_raw where hour = '2025-11-10 12:00:00' and line > 100"
      )
      await connection.run(
        "update amplitude.loads set load_id = uuid(), events = 100 where hour = '2025-11-10 12:00:00'"
      )
    })
    await dbt.run(warehouse, "build", "--exclude-resource-type", "unit_test")
    assert.deepEqual(await differencesFromAnew(), [])
  })
})
