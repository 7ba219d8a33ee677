import { execFile } from "node:child_process"
import * as fs from "node:fs/promises"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { promisify } from "node:util"
import fc from "fast-check"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { Hour } from "../../src/services/Hour.ts"
import { linesOf } from "../fixtures/archive/syntheticEvents.ts"
import type { LandedHour, World } from "../models/reference/lines/world.ts"
import { inWarehouse } from "../models/warehouse.ts"
import { menuWorlds, worlds } from "../models/worlds/worlds.ts"
import { type Dbt, PROJECT, PYTHON, startDbt } from "./dbt.ts"
import { type Emulator, startEmulator } from "./emulator.ts"
import { inFile, plan, tables } from "./warehouse.ts"

const SEED = Number(process.env["DBT_SEED"] ?? 20251110)

const MODELS_ALONE = ["--exclude-resource-type", "test", "unit_test"]

const sampled = (worlds: fc.Arbitrary<World>) =>
  fc.sample(worlds, { seed: SEED, numRuns: 1 })[0] as World

/**
 * Random events, those of random menus, and the shop's, in the same hours. Of a property without a
 * name the emulator returns the whole object.
 */
function world(): World {
  const [random, menus] = [sampled(worlds(60)), sampled(menuWorlds(200))]
  const hours = random.hours.map((landed, index) => ({
    ...landed,
    lines: [
      ...landed.lines,
      ...(menus.hours[index]?.lines ?? []),
      ...linesOf({ eventsPerHour: 60 }, [Hour.make(landed.hour)])
    ].map((line) => line.replace(',"":"nothing"', ""))
  }))
  return { ...random, hours }
}

/** The world before an hour of it came, one was replaced, and one was removed. */
function earlier({ hours, ...world }: World): World {
  const [first, second, third, ...others] = hours as [LandedHour, LandedHour, LandedHour]
  const thinned = second.lines.filter((_, nth) => nth % 3 > 0)
  const removed = { ...third, hour: "2025-11-10T15", loadId: "removed" }
  return {
    ...world,
    hours: [first, { ...second, lines: thinned, loadId: "replaced" }, removed, ...others]
  }
}

const cell = (value: string | number | null) =>
  value === null ? "" : `"${String(value).replaceAll('"', '""')}"`

/** A copy of the project with the seeds of a world. */
async function projectOf({ ipRanges, menuItems, sites }: World): Promise<string> {
  const project = join(folder, "project")
  await fs.cp(PROJECT, project, { recursive: true })
  const seeds = {
    sites: sites.map(({ host, pathPrefix, site }) => [host, pathPrefix, site]),
    menu_items: menuItems.map(({ label, name, site }) => [site, label, name]),
    ip_ranges: ipRanges.map(({ asn, company, first, kind, last }) => [
      first,
      last,
      asn,
      company,
      kind
    ])
  }
  for (const [name, rows] of Object.entries(seeds)) {
    const file = join(project, "seeds", `${name}.csv`)
    const [header] = (await fs.readFile(file, "utf8")).split("\n")
    await fs.writeFile(file, [header, ...rows.map((row) => row.map(cell).join(",")), ""].join("\n"))
  }
  return project
}

/** Lists of two days, of which one is empty. */
const LISTS = `insert into amplitude.lists values
  ('2025-11-10', 'events', 'lake/events.json', 2, '0', '2025-11-11'),
  ('2025-11-10', 'annotations', 'lake/annotations.json', 0, '0', '2025-11-11'),
  ('2025-11-11', 'cohorts', 'lake/cohorts.json', 1, '0', '2025-11-11');
insert into amplitude.event_types values ('2025-11-10', 1, '{"value":"a"}'), ('2025-11-10', 2, 'null');
insert into amplitude.cohorts values ('2025-11-11', 1, '{"id":"c"}')`

let folder = ""
let emulator: Emulator
let dbt: Dbt
const now = { ...world(), rangesIn: "seed" } as const

/** Builds on the emulator, from the raw events of a world, what DuckDB makes of it by the checked-in SQL. */
async function differencesOfBuilds(world: World, words: ReadonlyArray<string>) {
  const warehouse = join(folder, `${world.hours.map(({ loadId }) => loadId).join()}.duckdb`)
  await inWarehouse(world, () => Promise.resolve(), warehouse)
  await inFile(warehouse, (connection) => connection.run(LISTS))
  await emulator.fill(warehouse)
  await dbt.run(warehouse, "build", ...words)
  const found = await emulator.differences(warehouse, [...tables(), "stg_amplitude__malformed"])
  return found.slice(0, 20)
}

beforeAll(async () => {
  folder = await fs.mkdtemp(join(tmpdir(), "amplitude-lake-snowflake-"))
  emulator = await startEmulator()
  dbt = startDbt(folder, {
    project: await projectOf(now),
    target: "fakesnow",
    env: { FAKESNOW_PORT: emulator.port }
  })
})

afterAll(async () => {
  await dbt.end()
  await emulator.end()
  await fs.rm(folder, { recursive: true, force: true })
})

describe("dbt's project on an emulator of Snowflake", () => {
  it("makes the rows that DuckDB makes", async () => {
    assert.deepEqual(await differencesOfBuilds(earlier(now), MODELS_ALONE), [])
  })

  it("makes them after an hour came, one was replaced and one was removed", async () => {
    assert.deepEqual(await differencesOfBuilds(now, MODELS_ALONE), [])
  })

  it("passes the tests of lists", async () => {
    const sources = ["lists", "event_types", "cohorts", "annotations"]
    const tests = [...sources.map((it) => `source:amplitude.${it}`), "every_list_is_whole"]
    const output = await dbt.run("", "test", "--select", ...tests)
    assert.match(output, /PASS=3\d WARN=0 ERROR=0/)
  })

  it("is SQL that a grammar of Snowflake parses", async () => {
    const compiled = join(folder, "target/compiled/amplitude_lake/models")
    const files = await fs.readdir(compiled, { recursive: true })
    const models = files.filter((name) => name.endsWith(".sql") && !dirname(name).includes(".yml"))
    assert.lengthOf(models, plan().filter(({ materialized }) => materialized !== "seed").length)
    const config = join(folder, "sqlfluff.cfg")
    await fs.writeFile(config, "[sqlfluff]\nlarge_file_skip_byte_limit = 0\n")
    const how = ["--dialect", "snowflake", "--templater", "raw", "--config", config]
    const rules = ["--rules", "JJ01", "--processes", "2"]
    const paths = models.map((name) => join(compiled, name))
    await promisify(execFile)(PYTHON, ["-m", "sqlfluff", "lint", ...how, ...rules, ...paths])
  })
})
