import assert from "node:assert/strict"
import { spawnSync } from "node:child_process"
import * as fs from "node:fs/promises"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { DuckDBInstance } from "@duckdb/node-api"
import { describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { TABLES } from "../../../src/layers/duckdb/tables.ts"
import { temporaryFolder } from "../../fixtures/disk.ts"
import { isLong } from "../../fixtures/long.ts"

const MAIN = fileURLToPath(new URL("../../../dist/main.js", import.meta.url))

/**
 * The tables that a report reads, as so many days of a million events leave them: 12 sites, 60 types of events, a journey for every
 * seventh session, 50,000 companies, 240,000 elements by device, and 200 menus.
 */
const answersOf = (days: number) => `${TABLES}
create schema analytics;
create table analytics.coverage as
  select timestamp '2025-01-01' + to_hours(n::int) as hour, case when n % 97 = 0 then 'gap' else 'landed' end as state,
    timestamp '2026-01-01' as seen_at, case when n % 97 = 0 then null else 41667 end as events,
    case when n % 97 = 0 then null else 41667 end as modelled, 3 as duplicates, 0 as malformed, 1 as future, 2 as late, 0 as redacted
  from range(${days * 24}) as hours(n);
insert into amplitude.loads
  select hour, hour::varchar, 'jsonl', events, 0, 0, '', '', '', '', '123456', 0, 'test', '', 'test', hour
  from analytics.coverage where events is not null;
create table analytics.captured as
  select 'Type ' || n as event_type, timestamp '2025-01-01' as first_hour, timestamp '2025-03-31' as last_hour,
    1000000 // (n + 1) as events, 100000 // (n + 1) as sessions
  from range(60) as types(n);
create table analytics.events_by_day as
  select date '2025-01-01' + d::int as day, 'Type ' || n as event_type, 250000 // (n + 1) as events, 30000 // (n + 1) as sessions
  from range(${days}) as days(d), range(60) as types(n);
create table analytics.journeys as
  select 'site' || n % 12 || '.example' as site,
    '/ > /products/' || n % 5000 || ' > /cart/' || n % 977 || ' > /checkout/' || n % 31 || ' > /done/' || n as journey,
    5 as steps, n % 3 = 0 as is_cut, 1 + 100000 // (n + 1) as sessions, (1 + 100000 // (n + 1)) / 900000.0 as share
  from range(${days * 15_000}) as journeys(n);
create table analytics.company_visits as
  select case when n > 0 then 'Company ' || n end as company, ['business', 'hosting', 'access provider', 'unknown'][n % 4 + 1] as kind,
    'network' as evidence, 100000 // (n + 1) + 1 as sessions, 5 as visitors, 9 as page_views, timestamp '2025-01-01' as first_seen,
    timestamp '2025-03-31' as last_seen, '/products/:id' as top_page
  from range(50000) as companies(n);
create table analytics.repeated_clicks as
  select 'site' || n % 12 || '.example' as site, '/products/' || n % 4000 as page, 'button.buy-' || n as element, 'Buy ' || n as label,
    ['iOS', 'Android', 'Windows'][d + 1] as device_type, n % 9 = 0 as is_repeatable, 400 as clicks, 212 as sessions, 30 as bursts,
    20 as rage_bursts_3, 10 as rage_bursts_4, n % 18 as rage_sessions, 0.1 as rage_share, 5 as longest_burst, 1 as sdk_rage_clicks,
    0 as sdk_dead_clicks
  from range(80000) as elements(n), range(3) as devices(d);
create table analytics.menu_evidence as
  select 'site' || m % 12 || '.example' as site, 'menu ' || m as menu, case when n = 0 then '(all)' else 'Item ' || n end as item,
    230 as clicks, 212 as sessions, 9 as second_guesses, 5 as returns, 4 as searches, 12 as abandonments, 17 as evidence,
    0.08 as share, 0.05 as share_low, 0.12 as share_high, 0.02 as other_items_share, 0.03 as same_item_elsewhere_share,
    true as is_enough, true as is_above, 4 as other_items_evidence, 198 as other_items_sessions,
    9 as same_item_elsewhere_evidence, 402 as same_item_elsewhere_sessions
  from range(200) as menus(m), range(30) as items(n);
`

/** Writes a report in a process of its own, which says at its end what it took. */
const measured = Effect.fnUntraced(function* (days: number) {
  const folder = yield* temporaryFolder
  return yield* Effect.promise(async () => {
    const instance = await DuckDBInstance.create(join(folder, "lake.duckdb"), { threads: "2" })
    const connection = await instance.connect()
    await connection.run(answersOf(days))
    connection.closeSync()
    instance.closeSync()
    // The peak that resourceUsage() has counts the process that started this one, too.
    const says = `
      import { readFileSync } from "node:fs"
      process.on("exit", () => {
        const peak = Number(/VmHWM:\\s+(\\d+)/.exec(readFileSync("/proc/self/status", "utf8"))[1])
        console.error("took " + JSON.stringify({ ...process.resourceUsage(), peak }))
      })`
    const { status, stderr } = spawnSync(
      process.execPath,
      ["--import", `data:text/javascript,${encodeURIComponent(says)}`, MAIN, "report"],
      { cwd: folder, encoding: "utf8", env: { PATH: process.env["PATH"], HOME: folder } }
    )
    assert.equal(status, 0, stderr)
    const { peak, systemCPUTime, userCPUTime } = JSON.parse(/^took (.*)$/m.exec(stderr)?.[1] ?? "")
    const page = await fs.readFile(join(folder, "report.html"), "utf8")
    return {
      page,
      bytes: Buffer.byteLength(page),
      megabytes: (peak * 1024) / 1e6,
      // Of all its threads: on an idle machine it takes less time than that.
      seconds: (systemCPUTime + userCPUTime) / 1e6
    }
  })
})

describe("A report of a million events a day", () => {
  it.scopedLive.runIf(isLong)("takes less than 5 s and 500 MB for 90 days", () =>
    Effect.gen(function* () {
      const { megabytes, page, seconds } = yield* measured(90)
      assert.match(page, /23 of 2,160 hours are missing/)
      assert.ok(seconds < 5, `${seconds} s`)
      assert.ok(megabytes < 500, `${megabytes} MB`)
    })
  )

  it.scopedLive.runIf(isLong)("has less than 1 MB for a year", () =>
    Effect.gen(function* () {
      const { bytes } = yield* measured(365)
      assert.ok(bytes < 1_000_000, `${bytes} bytes`)
    })
  )
})
