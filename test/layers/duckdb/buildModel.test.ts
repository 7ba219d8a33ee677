import assert from "node:assert/strict"
import { join } from "node:path"
import { describe, it } from "@effect/vitest"
import { Effect, Option } from "effect"
import * as WarehouseDuckDb from "../../../src/layers/duckdb/WarehouseDuckDb.ts"
import { buildModels, type ModelOptions } from "../../../src/programs/answer/buildModels.ts"
import { type Model, Warehouse } from "../../../src/services/Warehouse.ts"
import { pathsBelow, temporaryFolder } from "../../fixtures/disk.ts"
import { queryFile } from "../../fixtures/duckdb.ts"
import { hourToLoad } from "../../fixtures/hourToLoad.ts"

const SITES: Model = {
  schema: "analytics",
  name: "sites",
  kind: "rows",
  columns: { host: "varchar", path_prefix: "varchar", site: "varchar" },
  rows: [["www.example.com", null, "example"]],
  areExamples: true
}
const model = (name: string, kind: "view" | "table", sql: string): Model => ({
  schema: "analytics",
  name,
  kind,
  sql
})
const STAGED = model("staged", "view", "select event->>'$.a' as a from amplitude.events_raw")
const COUNTED = model("counted", "table", "select count(*) as events from analytics.staged")

/** A warehouse of one hour, and models in it. */
const lake = Effect.gen(function* () {
  const file = join(yield* temporaryFolder, "lake.duckdb")
  const warehouse = yield* WarehouseDuckDb.make({ file, memoryLimit: "1GB", threads: 2 })
  yield* Effect.scoped(
    Effect.flatMap(warehouse.open("load"), (it) =>
      it.load(hourToLoad("2025-11-10T21", '{"a":1}\n{"a":2}\n'))
    )
  )
  const build = (models: ReadonlyArray<Model>, more: Partial<ModelOptions> = {}) =>
    Effect.provideService(buildModels({ models, ...more }), Warehouse, warehouse)
  const rows = (sql: string) => queryFile(file, sql, ", read_only")
  return { file, warehouse, build, rows }
})

describe("WarehouseDuckDb.build", () => {
  it.scopedLive("makes views, tables and rows in order, and counts them", () =>
    Effect.gen(function* () {
      const { build, file, rows } = yield* lake
      const { exitCode, left, models } = yield* build([SITES, STAGED, COUNTED])
      assert.deepEqual(
        models.map(({ kind, name, rows: count }) => [name, kind, count]),
        [
          ["sites", "rows", 1],
          ["staged", "view", null],
          ["counted", "table", 1]
        ]
      )
      assert.deepEqual([exitCode, left], [0, []])
      assert.deepEqual(yield* rows("from analytics.counted"), [{ events: "2" }])
      assert.deepEqual(yield* pathsBelow(join(file, "..")), ["lake.duckdb"])
    })
  )

  it.scopedLive("leaves what stood before where a model fails, and names it", () =>
    Effect.gen(function* () {
      const { build, rows } = yield* lake
      yield* build([STAGED, COUNTED])
      const broken = [
        model("counted", "table", "select no_such_column from analytics.staged"),
        model(
          "counted",
          "table",
          "select cast(event as integer) as events from amplitude.events_raw"
        ),
        model("counted", "view", "selec 1")
      ]
      for (const it of broken) {
        const found = yield* build([STAGED, it, model("after", "table", "select 1 as a")])
        assert.deepEqual([found.exitCode, found.left], [3, ["counted", "after"]])
        assert.equal(found.error?.error, "WarehouseError.BadQuery")
        assert.match(
          found.error?.message ?? "",
          /BadQuery: model counted: (Binder|Conversion|Parser) Error/
        )
        assert.deepEqual(yield* rows("from analytics.counted"), [{ events: "2" }])
      }
      const error = yield* Effect.flip(build([model("counted", "table", "selec 1")]))
      assert.equal(error._tag, "WarehouseError")
    })
  )

  it.scopedLive("replaces a view by a table and the other way round", () =>
    Effect.gen(function* () {
      const { build, rows } = yield* lake
      for (const kind of ["view", "table", "view", "table"] as const) {
        yield* build([model("it", kind, "select 1 as a")])
        assert.deepEqual(
          yield* rows("select table_type from information_schema.tables where table_name = 'it'"),
          [{ table_type: kind === "view" ? "VIEW" : "BASE TABLE" }]
        )
      }
    })
  )

  it.scopedLive("keeps row groups small, and reaches no file", () =>
    Effect.gen(function* () {
      const { build, rows } = yield* lake
      yield* build([model("many", "table", "select range as a from range(20000)")])
      const [most] = yield* rows(
        "select max(count) as rows from pragma_storage_info('analytics.many') where segment_type = 'BIGINT'"
      )
      assert.deepEqual(most, { rows: "8192" })
      const error = yield* Effect.flip(
        build([model("file", "table", "from read_text('/etc/hostname')")])
      )
      assert.match(error.message, /Permission Error/)
    })
  )

  it.scopedLive("keeps the user's sites until they name others", () =>
    Effect.gen(function* () {
      const { build, rows } = yield* lake
      const sites = rows(
        "select host, coalesce(path_prefix, '-') as path, site from analytics.sites"
      )
      yield* build([SITES], { sites: "shop.example.com,/uk,Shop\n" })
      const own = [{ host: "shop.example.com", path: "/uk", site: "Shop" }]
      assert.deepEqual(yield* sites, own)
      yield* build([SITES])
      assert.deepEqual(yield* sites, own)
      yield* build([SITES], { sites: "host,path_prefix,site\n" })
      assert.deepEqual(yield* sites, [])
      const wider = { ...SITES, columns: { host: "varchar", site: "varchar" }, rows: [["a", "b"]] }
      yield* build([wider])
      assert.deepEqual(yield* rows("from analytics.sites"), [{ host: "a", site: "b" }])
    })
  )

  it.scopedLive("replaces the address ranges, and changes nothing for a wrong line", () =>
    Effect.gen(function* () {
      const { build, rows } = yield* lake
      const ranges = rows("from amplitude.ip_ranges")
      const text = "192.0.2.0,192.0.2.255,64500,Example,business\n2001:db8::,2001:db8::1,,\n"
      assert.equal((yield* build([STAGED], { ipRanges: text })).ipRanges, 2)
      const found = yield* ranges
      assert.deepEqual(found[0], {
        first_ip: "192.0.2.0",
        last_ip: "192.0.2.255",
        asn: "64500",
        company: "Example",
        kind: "business"
      })
      const error = yield* Effect.flip(
        build([COUNTED], { ipRanges: `${text}192.0.2.9,192.0.2.1,1,A\n` })
      )
      assert.match(error.message, /line 3: 192\.0\.2\.1 is before 192\.0\.2\.9/)
      assert.deepEqual(yield* ranges, found)
      const tables = yield* rows(
        "select * from information_schema.tables where table_name = 'counted'"
      )
      assert.deepEqual(tables, [])
    })
  )

  it.scopedLive(
    "ends with 3 where the address ranges were replaced and the first model fails",
    () =>
      Effect.gen(function* () {
        const { build, rows } = yield* lake
        const ipRanges = "192.0.2.0,192.0.2.255,64500,Example,business\n"
        const broken = model("counted", "table", "selec 1")
        const found = yield* build([broken], { ipRanges })
        assert.deepEqual([found.exitCode, found.ipRanges, found.left], [3, 1, ["counted"]])
        assert.equal(found.error?.error, "WarehouseError.BadQuery")
        assert.deepEqual(yield* rows("select company from amplitude.ip_ranges"), [
          { company: "Example" }
        ])
      })
  )

  it.scopedLive("stops at once when it is interrupted, and leaves what stood before", () =>
    Effect.gen(function* () {
      const { rows, warehouse } = yield* lake
      const slow = "select sum(a.range * b.range) as events from range(1000000) a, range(1000000) b"
      const ended = yield* Effect.scoped(
        Effect.gen(function* () {
          const { build } = yield* warehouse.open("load")
          yield* build(model("it", "table", "select 1 as events"))
          return yield* Effect.timeoutOption(build(model("it", "table", slow)), "200 millis")
        })
      )
      assert.ok(Option.isNone(ended))
      assert.deepEqual(yield* rows("from analytics.it"), [{ events: 1 }])
    })
  )

  it.scopedLive("says that load comes first where there is no warehouse", () =>
    Effect.gen(function* () {
      const folder = yield* temporaryFolder
      const warehouse = yield* WarehouseDuckDb.make({ file: join(folder, "lake.duckdb") })
      const error = yield* Effect.flip(
        Effect.provideService(buildModels({ models: [STAGED] }), Warehouse, warehouse)
      )
      assert.ok(error._tag === "WarehouseError" && error.reason === "NotFound")
      assert.deepEqual(yield* pathsBelow(folder), [])
    })
  )
})
