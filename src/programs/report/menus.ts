import { Effect, Schema } from "effect"
import { rateOf } from "./rate.ts"
import type { Read } from "./read.ts"
import type { Of } from "./Report.ts"

const MENUS = 6
const ITEMS = 12

const Text = Schema.NullOr(Schema.String)

/** The menus that most sessions use, each with its items by the share that had not found what they looked for. */
export const readMenus = Effect.fnUntraced(function* (read: Read) {
  const found = yield* read(
    { site: Text, menu: Schema.String, sessions: Schema.Number, different: Schema.Number },
    `select site, menu, coalesce(max(sessions) filter (item = '(all)'), 0)::double as sessions,
  count(*) filter (item is distinct from '(all)')::double as different
from analytics.menu_evidence group by site, menu
order by sessions desc, site nulls last, menu`
  )
  const rows = yield* read(
    {
      site: Text,
      menu: Schema.String,
      item: Text,
      clicks: Schema.Number,
      sessions: Schema.Number,
      evidence: Schema.Number,
      secondGuesses: Schema.Number,
      returns: Schema.Number,
      searches: Schema.Number,
      abandonments: Schema.Number,
      othersCount: Schema.NullOr(Schema.Number),
      othersSessions: Schema.NullOr(Schema.Number),
      elsewhereCount: Schema.NullOr(Schema.Number),
      elsewhereSessions: Schema.NullOr(Schema.Number),
      isEnough: Schema.Boolean
    },
    `select site, menu, item, clicks::double as clicks, sessions::double as sessions, evidence::double as evidence,
  second_guesses::double as "secondGuesses", returns::double as returns, searches::double as searches,
  abandonments::double as abandonments, other_items_evidence::double as "othersCount",
  other_items_sessions::double as "othersSessions", same_item_elsewhere_evidence::double as "elsewhereCount",
  same_item_elsewhere_sessions::double as "elsewhereSessions", is_enough as "isEnough"
from analytics.menu_evidence where item is distinct from '(all)'
qualify row_number() over (partition by site, menu order by menu_evidence.sessions desc, item nulls last) <= ${ITEMS}
order by is_enough desc, share desc, item nulls last, site nulls last, menu`
  )
  const menus = found.slice(0, MENUS).map((menu) => ({
    ...menu,
    items: rows
      .filter((it) => it.site === menu.site && it.menu === menu.menu)
      .map((it) => ({
        item: it.item,
        clicks: it.clicks,
        evidence: rateOf(it.evidence, it.sessions),
        secondGuesses: it.secondGuesses,
        returns: it.returns,
        searches: it.searches,
        abandonments: it.abandonments,
        otherItems: ofOrNull(it.othersCount, it.othersSessions),
        elsewhere: ofOrNull(it.elsewhereCount, it.elsewhereSessions),
        isEnough: it.isEnough
      }))
  }))
  return { menus, otherMenus: found.length - menus.length }
})

function ofOrNull(count: number | null, sessions: number | null): Of | null {
  return count === null || sessions === null || sessions === 0 ? null : { count, sessions }
}
