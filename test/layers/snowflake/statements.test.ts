import assert from "node:assert/strict"
import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { Effect, Option } from "effect"
import { describe, it } from "vitest"
import { LISTS, loadList } from "../../../src/layers/snowflake/listStatements.ts"
import * as sql from "../../../src/layers/snowflake/statements.ts"
import { partsOf } from "../../../src/layers/snowflake/setupParts.ts"
import type { SetupOptions } from "../../../src/layers/snowflake/setupStorage.ts"
import { allowLocations } from "../../../src/layers/snowflake/setupStatements.ts"
import { FIRST_ROWS, TABLES } from "../../../src/layers/snowflake/tables.ts"
import { addHours, Hour } from "../../../src/services/Hour.ts"
import { ReferenceList } from "../../../src/services/Warehouse.ts"
import { rowOf } from "../../fixtures/hourToLoad.ts"

const FOLDER = join(import.meta.dirname, "golden")
const H21 = Hour.make("2025-11-10T21")

const S3: SetupOptions = {
  warehouse: "LOADING",
  database: "AMPLITUDE_LAKE",
  schema: "My_lake",
  url: "s3://your-bucket/python-import/",
  provider: { name: "S3", roleArn: "arn:aws:iam::111122223333:role/snowflake-reader" },
  pipe: true
}
const AZURE: SetupOptions = {
  ...S3,
  schema: "AMPLITUDE",
  url: "azure://lake.blob.core.windows.net/events/python-import/",
  provider: { name: "AZURE", tenant: "8f0c4a52-0000-0000-0000-000000000000" },
  queueIntegration: "EVENT_GRID"
}

function listOf(entries: ReadonlyArray<string>): ReferenceList {
  return new ReferenceList({
    date: "2025-11-10",
    stream: "events",
    key: "events/.amplitude-lake-reference/2025-11-10/events.json",
    entries: entries.length,
    sha256: "0",
    loadedAt: Date.parse("2025-11-12T12:00:00Z")
  })
}

const ENTRIES = ['{"value":"it\'s","n":9007199254740993}', '{"value":"a \\"b\\""}']
/** Two requests long. */
const LONG = Array.from({ length: 2 }, (_, n) => `"${String(n).repeat(500_000)}"`)

/** The statements that look at all parts, and those that make them. */
function setupOf(options: SetupOptions) {
  const looks: Array<string> = []
  const parts = partsOf(
    {
      run: () => Effect.void,
      rows: () => Effect.succeed([]),
      records: (_, statement) => Effect.sync(() => looks.push(statement)).pipe(Effect.as([]))
    },
    options
  )
  Effect.runSync(Effect.forEach(parts, ({ read }) => read))
  return { looks, makes: parts.flatMap(({ create }) => create) }
}

const scripts: Readonly<Record<string, ReadonlyArray<string>>> = {
  "setup-s3.sql": setupOf(S3).makes,
  "setup-azure.sql": setupOf(AZURE).makes,
  "setup-look.sql": setupOf(AZURE).looks,
  "setup-alter.sql": [allowLocations("AMPLITUDE_LAKE", ["s3://theirs/", "s3://your-bucket/"])],
  "tables.sql": [...TABLES, ...FIRST_ROWS],
  "read.sql": [sql.ABOUT, sql.LOADS, sql.LOCK_ROWS],
  "claim.sql": sql.claim({ place: "s3://it's/events/", project: Option.some("123456") }),
  "relabel.sql": sql.relabel("batch/2025-11-10T21", {
    key: "events/2025-11-10_21.jsonl.gz",
    format: "jsonl.gz",
    sha256: "0",
    etag: '"e"'
  }),
  "calendar.sql": sql.setCalendar(
    [
      { hour: H21, state: "landed", events: 2 },
      { hour: addHours(H21, 1), state: "landed", events: 0 },
      { hour: addHours(H21, 2), state: "gap", events: undefined }
    ],
    Date.parse("2025-11-12T12:00:00Z")
  ),
  "piped.sql": [
    sql.counts(undefined, undefined),
    sql.counts(H21, addHours(H21, 2)),
    ...sql.adopt({
      hours: [{ row: rowOf(H21, '{"a":1}\n{"a":2}\n') }, { row: rowOf("2025-11-10T23", "") }],
      id: "batch"
    }),
    sql.refresh(["AMPLITUDE_LAKE", "AMPLITUDE", "LAKE_PIPE"], "2025-11-10_2"),
    sql.refresh(["AMPLITUDE_LAKE", "My schema", "LAKE_PIPE"], "")
  ],
  "lists.sql": [
    LISTS,
    ...loadList(listOf(ENTRIES), ENTRIES).flat(),
    ...loadList(listOf([]), []).flat(),
    ...loadList(listOf(LONG), LONG)
      .flat()
      .map((it) => it.replace(/(\d)\1{9,}/g, "$1…"))
  ],
  "load.sql": sql.load({
    hours: [
      { row: rowOf(H21, '{"a":1}\n{"a":2}\n') },
      {
        row: rowOf("2025-11-10T22", "{}\n", {
          key: "events/dt=2025-11-10/hour=22/events.jsonl.gz",
          format: "jsonl.gz",
          project: "",
          landedBy: "other"
        }),
        replaces: "earlier/2025-11-10T22"
      },
      { row: rowOf("2025-11-10T23", "") }
    ],
    id: "batch",
    prefix: "events/",
    stage: "LAKE"
  })
}

describe("Snowflake's statements", () => {
  for (const [name, statements] of Object.entries(scripts)) {
    it(`are those of golden/${name}`, () => {
      assert.equal(`${statements.join(";\n\n")};\n`, readFileSync(join(FOLDER, name), "utf8"))
    })
  }

  it("are all there are in golden/", () => {
    assert.deepEqual(readdirSync(FOLDER).toSorted(), Object.keys(scripts).toSorted())
  })

  it("quote what they are given", () => {
    assert.equal(sql.literal("it's a \\ and\na line"), "'it''s a \\\\ and\\na line'")
  })

  it("of a list stay below 1 MB in each request, and number all of its entries", () => {
    const entries = Array.from({ length: 9000 }, (_, n) => `{"n":${n},"x":"${"\\\\".repeat(200)}"}`)
    const requests = loadList(listOf(entries), entries)
    assert.ok(requests.length > 1)
    for (const statements of requests) {
      assert.ok(Buffer.byteLength(statements.join(";\n")) < 1_000_000)
    }
    const ns = requests.flatMap((it) => [...it.join("").matchAll(/\{"n":(\d+)/g)])
    assert.deepEqual(
      ns.map(([, n]) => Number(n)),
      entries.map((_, n) => n)
    )
  })

  it("of a load stay below 1 MB with as many hours as are loaded together", () => {
    const prefix = `${"p".repeat(60)}/`
    const hours = Array.from({ length: 1000 }, (_, index) => {
      const hour = addHours(H21, index)
      const key = `${prefix}dt=${hour.slice(0, 10)}/hour=${hour.slice(11)}/events.jsonl.gz`
      const row = rowOf(hour, "{}\n", { key, etag: `"${"e".repeat(40)}"`, events: 9_999_999 })
      return { row, replaces: `00000000-0000-0000-0000-000000000000/${hour}` }
    })
    const id = "00000000-0000-0000-0000-000000000000"
    for (const statements of [
      sql.load({ hours, id, prefix, stage: "LAKE" }),
      sql.adopt({ hours, id })
    ]) {
      const { length } = statements.join(";\n")
      assert.ok(length < 1_000_000, String(length))
    }
  })
})
