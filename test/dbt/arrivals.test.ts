import * as fs from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import fc from "fast-check"
import type { DuckDBConnection } from "@duckdb/node-api"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { TABLES } from "../../src/layers/duckdb/tables.ts"
import { type Dbt, startDbt } from "./dbt.ts"
import { differences, inFile, makeAnew } from "./warehouse.ts"

const ORDERS = Number(process.env["DBT_ORDERS"] ?? 1)
const SEED = Number(process.env["DBT_SEED"] ?? 20251110)
const HOURS = 10

/** What dbt adds to. Everything else is made anew each time. */
const INCREMENTAL = [
  "fct_events",
  "int_amplitude__lines_by_hour",
  "int_amplitude__properties_by_hour",
  "int_amplitude__session_events",
  "int_amplitude__clicks",
  "fct_page_views",
  "fct_clicks",
  "fct_sessions",
  "int_amplitude__menu_clicks"
]

interface Sent {
  readonly uuid: string
  readonly insertId: string
  readonly device: number
  readonly session: number
  readonly minute: number
  readonly kind: number
  /** The hours in which it arrives, with another uuid or insert id from the second one on. */
  readonly arrivals: ReadonlyArray<{
    readonly hour: number
    readonly change: "none" | "uuid" | "insert"
  }>
}

const menu = { "[Amplitude] Element Hierarchy": '[{"tag":"a"},{"tag":"nav","attrs":{"id":"top"}}]' }
const onPage = (path: string) => ({ "[Amplitude] Page URL": `https://x.example.com/${path}` })
const link = {
  "[Amplitude] Element Tag": "a",
  "[Amplitude] Element Href": "https://x.example.com/b"
}

/** Clicks in and outside a menu, page views, a search, and an event without properties. */
const KINDS: ReadonlyArray<readonly [type: string, properties?: object]> = [
  ["[Amplitude] Element Clicked", { ...onPage(""), ...link, "[Amplitude] Element Text": "Go" }],
  [
    "[Amplitude] Element Clicked",
    { ...onPage(""), ...link, ...menu, "[Amplitude] Element Text": "B" }
  ],
  ["[Amplitude] Page Viewed", onPage("b")],
  ["[Amplitude] Page Viewed", onPage("")],
  ["Search", onPage("b")],
  ["Closed"]
]

const hours = fc.integer({ min: 0, max: HOURS - 1 })

/** An event and its repetitions. What changes from one to the next makes chains of them. */
const sent: fc.Arbitrary<Sent> = fc.record({
  uuid: fc.uuid(),
  insertId: fc.uuid(),
  device: fc.integer({ min: 0, max: 4 }),
  session: fc.integer({ min: 0, max: 2 }),
  minute: fc.integer({ min: 0, max: HOURS * 60 - 1 }),
  kind: fc.integer({ min: 0, max: KINDS.length - 1 }),
  arrivals: fc.oneof(
    {
      weight: 3,
      arbitrary: fc.tuple(fc.record({ hour: hours, change: fc.constant("none" as const) }))
    },
    {
      weight: 2,
      arbitrary: fc.array(
        fc.record({ hour: hours, change: fc.constantFrom("none", "uuid", "insert") }),
        { minLength: 2, maxLength: 5 }
      )
    }
  )
})

/** What happens to the warehouse between two runs of dbt. */
const happening = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      what: fc.constant("load" as const),
      hours: fc.uniqueArray(hours, { minLength: 1, maxLength: 4 })
    })
  },
  fc.record({ what: fc.constant("thin" as const), hours: fc.tuple(hours) }),
  fc.record({ what: fc.constant("empty" as const), hours: fc.tuple(hours) }),
  fc.record({ what: fc.constant("remove" as const), hours: fc.tuple(hours) })
)

/** Some of the runs of dbt stop after one of the models. */
const orders = fc.record({
  // Of few, an hour or a session loses all that it had.
  events: fc.oneof(
    fc.array(sent, { minLength: 60, maxLength: 120 }),
    fc.array(sent, { minLength: 6, maxLength: 16 })
  ),
  runs: fc.array(
    fc.record({
      happenings: fc.array(happening, { minLength: 1, maxLength: 3 }),
      models: fc.oneof(
        fc.constant(INCREMENTAL.length),
        fc.integer({ min: 1, max: INCREMENTAL.length })
      )
    }),
    { minLength: 2, maxLength: 4 }
  )
})

type Order = typeof orders extends fc.Arbitrary<infer A> ? A : never

const at = (minute: number) =>
  new Date(Date.UTC(2025, 10, 10) + minute * 60_000).toISOString().replace("T", " ").slice(0, 19)

function linesOf(event: Sent): ReadonlyArray<readonly [hour: number, line: string]> {
  let { insertId, uuid } = event
  return event.arrivals.map(({ change, hour }, nth) => {
    if (change === "uuid") uuid = `${event.uuid.slice(0, -2)}${nth}u`
    if (change === "insert") insertId = `${event.insertId}-${nth}`
    const [type, properties] = KINDS[event.kind] ?? []
    const line = {
      uuid,
      $insert_id: insertId,
      event_type: type,
      event_id: event.minute,
      device_id: `d${event.device}`,
      session_id: event.session,
      event_time: at(event.minute),
      client_event_time: at(event.minute),
      server_received_time: at(hour * 60 + (event.minute % 60)),
      server_upload_time: at(hour * 60 + 59),
      event_properties: properties
    }
    return [hour, JSON.stringify(line)]
  })
}

type Lines = ReadonlyMap<number, ReadonlyArray<string>>

function byHour(events: ReadonlyArray<Sent>): Lines {
  const lines = new Map<number, Array<string>>()
  for (const [hour, line] of events.flatMap(linesOf)) {
    lines.set(hour, [...(lines.get(hour) ?? ["{"]), line])
  }
  return lines
}

async function put(
  connection: DuckDBConnection,
  hour: number,
  lines: ReadonlyArray<string> | undefined
) {
  const name = at(hour * 60)
  await connection.run(`delete from amplitude.events_raw where hour = '${name}'`)
  await connection.run(`delete from amplitude.loads where hour = '${name}'`)
  if (lines === undefined) return
  for (const [index, line] of lines.entries()) {
    await connection.run("insert into amplitude.events_raw values ($1::timestamp, $2, $3)", [
      name,
      index + 1,
      line
    ])
  }
  await connection.run(
    `insert into amplitude.loads (hour, key, format, events, bytes, malformed, lineset, stored_lineset, sha256, etag, redacted, landed_by, load_id, loaded_by, loaded_at)
    select '${name}', 'k', 'jsonl', ${lines.length}, 0, 0, '', '', '', '', 0, '', uuid(), '', now()::timestamp`
  )
}

let folder = ""
let dbt: Dbt

beforeAll(async () => {
  folder = await fs.mkdtemp(join(tmpdir(), "amplitude-lake-orders-"))
  dbt = startDbt(folder)
})

afterAll(async () => {
  await dbt.end()
  await fs.rm(folder, { recursive: true, force: true })
})

describe("hours that arrive in any order", () => {
  it(
    "are replaced, emptied and taken out again, and end in the tables of a full build",
    async () => {
      await fc.assert(
        // By its number, as a report of all events would be pages long.
        fc.asyncProperty(fc.nat(), async (number) => {
          const [{ events, runs }] = fc.sample(orders, { seed: number, numRuns: 1 }) as [Order]
          const warehouse = join(folder, "lake.duckdb")
          await fs.rm(warehouse, { force: true })
          await inFile(warehouse, (connection) => connection.run(TABLES))
          const lines = byHour(events)
          for (const [index, { happenings, models }] of runs.entries()) {
            await inFile(warehouse, async (connection) => {
              for (const { hours, what } of happenings) {
                for (const hour of hours) {
                  const all = lines.get(hour) ?? []
                  const kept =
                    what === "remove"
                      ? undefined
                      : what === "empty"
                        ? []
                        : what === "thin"
                          ? all.filter((_, nth) => nth % 3 > 0)
                          : all
                  await put(connection, hour, kept)
                }
              }
            })
            const isLast = index === runs.length - 1
            const last = isLast ? INCREMENTAL : INCREMENTAL.slice(0, models)
            const seeds = index === 0 ? ["ip_ranges", "menu_items"] : []
            const select = [...last.map((name) => `+${name}`), ...seeds]
            const only = ["--exclude-resource-type", "test", "unit_test"]
            await dbt.run(warehouse, "build", ...only, "--select", ...select)
          }
          const found = await inFile(warehouse, async (connection) => {
            await makeAnew(connection)
            return differences(connection, "analytics", "anew", INCREMENTAL)
          })
          assert.deepEqual(found, [])
        }),
        { numRuns: ORDERS, seed: SEED, endOnFailure: true }
      )
    },
    120_000 + ORDERS * 1_200_000
  )
})
