import { readFileSync } from "node:fs"
import { assert, beforeAll, describe, it as test } from "vitest"
import { bursts, dead, drift, ipRanges, menu } from "../../src/layers/synthetic/planted.ts"
import { sites } from "../../src/layers/synthetic/sites.ts"
import { interval } from "../fixtures/report/menuEvidence.ts"
import { DAY, linesOf } from "../fixtures/archive/syntheticEvents.ts"
import { startOf } from "./reference/lines/times.ts"
import type { World } from "./reference/lines/world.ts"
import type { Row } from "./reference/tables/reference.ts"
import { inWarehouse } from "./warehouse.ts"

/** A day of the synthetic shop, with the names that the project ships for its menus. */
function shop(): World {
  const [, ...rows] = readFileSync("dbt/seeds/menu_items.csv", "utf8").trim().split("\n")
  return {
    hours: DAY.map((hour) => ({
      hour,
      loadId: hour,
      lines: linesOf({}, [hour]),
      redacted: 0
    })),
    calendar: [],
    sites: [],
    menuItems: rows.map((row) => {
      const [site = "", label = "", name = ""] = row.split(",")
      return { site, label, name }
    }),
    ipRanges: ipRanges.map(({ name, ...range }) => ({ ...range, company: name })),
    rangesIn: "table"
  }
}

const QUERIES = {
  menu: "select * from analytics.menu_evidence where item <> '(all)'",
  repeated: `select element, is_repeatable, sum(clicks) as clicks, sum(sessions) as sessions, sum(bursts) as bursts,
    sum(rage_bursts_3) as rage_bursts_3, sum(rage_bursts_4) as rage_bursts_4, sum(rage_sessions) as rage_sessions,
    sum(sdk_rage_clicks) as sdk_rage_clicks, sum(sdk_dead_clicks) as sdk_dead_clicks
    from analytics.repeated_clicks where site like '%.example.com' group by all`,
  reported: `select event_type, count(*) as events from analytics.fct_events where not is_duplicate
    and event_type in ('[Amplitude] Rage Click', '[Amplitude] Dead Click') group by all`,
  companies: "select * from analytics.company_visits",
  properties: "select * from analytics.event_properties_seen",
  firstClicks: `select site, min(landed_hour) as first_hour from analytics.fct_events
    where event_type = '[Amplitude] Element Clicked' group by site`,
  coverage: "select sum(events) as events, sum(modelled) as modelled from analytics.coverage"
} as const

let answers: Readonly<Record<keyof typeof QUERIES, ReadonlyArray<Row>>>

beforeAll(async () => {
  answers = await inWarehouse(shop(), async (read) => {
    const found = []
    for (const [name, sql] of Object.entries(QUERIES)) found.push([name, await read(sql)] as const)
    return Object.fromEntries(found) as typeof answers
  })
}, 180_000)

function one(rows: ReadonlyArray<Row>, values: Row): Row {
  const found = rows.filter((row) =>
    Object.entries(values).every(([column, value]) => row[column] === value)
  )
  assert.lengthOf(found, 1, JSON.stringify(values))
  return found[0] as Row
}

const numberIn = (row: Row, column: string) => Number(row[column])

const sessionsOf = (rows: ReadonlyArray<Row>) =>
  rows.reduce((total, row) => total + numberIn(row, "sessions"), 0)

const element = (id: string, isRepeatable: boolean) =>
  one(answers.repeated, { element: id, is_repeatable: isRepeatable })

/** Holds a count against a planted share, within the interval of three standard deviations. */
function isPlanted(name: string, count: number, total: number, planted: number): void {
  const [low, high] = interval(count, total, 3)
  assert.isTrue(low <= planted && planted <= high, `${name}: ${count} of ${total}, not ${planted}`)
}

describe("menu_evidence of the synthetic shop", () => {
  const { misleading, popular, signs } = menu
  const british = sites[misleading.site]

  test("finds the item that misleads, as often as planted", () => {
    const offers = one(answers.menu, {
      site: british.host,
      menu: "Main",
      item: british.menu[misleading.item]
    })
    assert.isTrue(offers["is_enough"])
    assert.isTrue(offers["is_above"])
    const sessions = numberIn(offers, "sessions")
    isPlanted("evidence", numberIn(offers, "evidence"), sessions, misleading.misled)
    assert.isAtMost(numberIn(offers, "share_low"), misleading.misled)
    assert.isAtLeast(numberIn(offers, "share_high"), misleading.misled)
    // What visitors do when they are misled: they choose again, return or search.
    for (const [sign, share] of [
      ["second_guesses", signs.secondGuess],
      ["returns", signs.return],
      ["searches", 1 - signs.secondGuess - signs.return]
    ] as const) {
      isPlanted(sign, numberIn(offers, sign), sessions, share * misleading.misled)
    }
  })

  test("finds no other item, not the popular one and none of the other menus", () => {
    const above = answers.menu.filter((row) => row["is_above"] === true)
    assert.lengthOf(above, 1)
    const enough = answers.menu.filter((row) => row["is_enough"] === true && !above.includes(row))
    assert.isAtLeast(enough.length, 10)
    for (const row of enough) {
      // Sessions that choose an item more often show a sign more often.
      assert.isBelow(numberIn(row, "share_low"), 0.12, JSON.stringify(row["item"]))
    }
    for (const site of [british, sites.de]) {
      const ofSite = answers.menu.filter((row) => row["site"] === site.host)
      const most = Math.max(...ofSite.map((row) => numberIn(row, "sessions")))
      const [first] = ofSite.filter((row) => numberIn(row, "sessions") === most)
      assert.strictEqual(first?.["item"], site.menu[popular.item])
      assert.isFalse(first?.["is_above"])
    }
  })

  test("shows no opener, breadcrumb, tab, card or footer as an item", () => {
    const items = new Set([british, sites.de, sites.fr].flatMap(({ menu }) => Object.values(menu)))
    for (const row of answers.menu) assert.isTrue(items.has(String(row["item"])), `${row["item"]}`)
  })
})

describe("repeated_clicks of the synthetic shop", () => {
  test("finds the broken and the slow button, as often as planted", () => {
    const broken = element(bursts.broken.id, false)
    const slow = element(bursts.slow.id, false)
    assert.isAtLeast(numberIn(broken, "rage_sessions"), 30)
    assert.isAtLeast(
      numberIn(broken, "rage_bursts_4"),
      0.95 * numberIn(broken, "bursts"),
      "every burst but those cut by a visit's end has four clicks in less than a second"
    )
    // Everybody who orders presses the slow button, and some of them the broken one before.
    isPlanted(
      "broken",
      numberIn(broken, "sessions"),
      numberIn(slow, "sessions"),
      bursts.broken.share
    )
    isPlanted(
      "slow",
      numberIn(slow, "rage_sessions"),
      numberIn(slow, "sessions"),
      bursts.slow.share
    )
    assert.strictEqual(numberIn(slow, "rage_bursts_4"), 0)
  })

  test("knows what is meant to be clicked often, and leaves text fields out", () => {
    for (const id of [bursts.stepper.id, bursts.carousel.id]) {
      assert.isAtLeast(numberIn(element(id, true), "rage_bursts_3"), 50, id)
    }
    assert.isEmpty(answers.repeated.filter((row) => row["element"] === bursts.field.id))
  })

  test("finds no other element", () => {
    const hasty = answers.repeated.filter(
      (row) => row["is_repeatable"] === false && numberIn(row, "rage_bursts_3") > 0
    )
    assert.sameMembers(
      hasty.map((row) => row["element"]),
      [bursts.broken.id, bursts.slow.id]
    )
    assert.isAtLeast(numberIn(element("log-in", false), "clicks"), 30)
  })

  test("counts what the SDK reports on the element that was clicked", () => {
    const reported = (type: string) =>
      numberIn(one(answers.reported, { event_type: `[Amplitude] ${type} Click` }), "events")
    const sum = (column: string) =>
      answers.repeated.reduce((total, row) => total + numberIn(row, column), 0)
    assert.strictEqual(sum("sdk_rage_clicks"), reported("Rage"))
    assert.strictEqual(sum("sdk_dead_clicks"), reported("Dead"))
    // The SDK names the span inside this button.
    assert.isAtLeast(numberIn(element(bursts.broken.id, false), "sdk_rage_clicks"), 10)
    assert.strictEqual(numberIn(element(dead.seen.id, false), "sdk_dead_clicks"), reported("Dead"))
    assert.strictEqual(numberIn(element(dead.unseen.id, false), "sdk_dead_clicks"), 0)
    assert.isEmpty(answers.repeated.filter((row) => numberIn(row, "clicks") === 0))
  })
})

describe("company_visits of the synthetic shop", () => {
  test("finds who visits, as often as planted", () => {
    const planted = new Map<string, number>()
    for (const { name, percent } of ipRanges) {
      planted.set(name, (planted.get(name) ?? 0) + percent)
    }
    for (const [name, percent] of planted) {
      const found = sessionsOf(answers.companies.filter((row) => row["company"] === name))
      const share = (100 * found) / sessionsOf(answers.companies)
      // Planted are shares of visitors, some of whom come more often.
      assert.isAtLeast(share, 0.7 * percent, name)
      assert.isAtMost(share, 1.35 * percent, name)
    }
  })

  test("calls no provider of access or hosting a business, and names nobody without evidence", () => {
    for (const { kind, name } of ipRanges) {
      const network = one(answers.companies, { company: name, evidence: "network" })
      assert.strictEqual(network["kind"], kind)
      const groups = answers.companies.filter(
        (row) => row["company"] === name && row["evidence"] === "group"
      )
      assert.lengthOf(groups, kind === "business" ? 1 : 0, name)
    }
    const nobody = one(answers.companies, { company: null })
    assert.isNull(nobody["evidence"])
    const share = numberIn(nobody, "sessions") / sessionsOf(answers.companies)
    assert.isAtLeast(share, 0.15)
    assert.isAtMost(share, 0.32)
  })
})

describe("what is captured in the synthetic shop", () => {
  test("shows from when on a property and the clicks of a site are there", () => {
    const { clicks, property } = drift
    const seen = one(answers.properties, { owner: "event", path: property.name })
    assert.strictEqual(seen["first_hour"], startOf(property.since))
    const host = sites[clicks.site].host.replace("www.", "")
    const first = one(answers.firstClicks, { site: host })
    assert.isAtLeast(numberIn(first, "first_hour"), startOf(clicks.since))
    const others = answers.firstClicks.filter((row) => row["site"] !== host)
    assert.isTrue(others.every((row) => numberIn(row, "first_hour") < startOf(clicks.since)))
  })

  test("has every line", () => {
    const [{ events, modelled } = {}] = answers.coverage
    assert.strictEqual(Number(modelled), Number(events))
  })
})
