import type { Click } from "../sessions/clicks.ts"
import { hrefPathOf, labelOf } from "../sessions/elements.ts"
import { isSamePlace } from "../lines/pages.ts"
import { isSearch } from "../sessions/searches.ts"
import { follows, SECOND } from "../lines/times.ts"
import type { View } from "../sessions/views.ts"
import { ownClicks, type Visit } from "../sessions/visits.ts"
import { distinct, grouped, keyOf } from "../lines/words.ts"
import type { PairedItem } from "../lines/world.ts"

const ENOUGH = 30
const Z = 1.959964

type Sign = "secondGuess" | "return" | "search" | "abandonment"

/** A click on an item, with what followed. */
interface Choice {
  readonly click: Click
  readonly session: string
  readonly site: string | null
  readonly menu: string
  readonly item: string | null
  readonly hrefPath: string | null
  readonly signs: ReadonlySet<Sign>
}

const isChoice = ({ isMenuOpener, menu }: Click) =>
  menu !== null && menu !== "footer" && !isMenuOpener

const isSameMenu = (one: Click, other: Click) =>
  one.menu === other.menu && one.moment.place.site === other.moment.place.site

/** The first view after a click on an item of another page than the click's. */
function itemViewOf(click: Click, { views }: Visit): View | undefined {
  return views.find(
    ({ index, isRedirect, moment }) =>
      index > click.index &&
      follows(click.moment.clock, moment.clock, 10 * SECOND) &&
      moment.place.page !== null &&
      !isRedirect &&
      !isSamePlace(moment.place, click.moment.place)
  )
}

function signsOf(click: Click, visit: Visit): ReadonlySet<Sign> {
  const itemView = itemViewOf(click, visit)
  const signs = new Set<Sign>()
  if (itemView === undefined) return signs
  const isSoon = (at: number | null, seconds: number) =>
    follows(itemView.moment.clock, at, seconds * SECOND)
  const views = visit.views.filter(
    ({ index, moment }) => index > itemView.index && moment.place.page !== null
  )
  const clicks = ownClicks(visit).filter(({ index }) => index > itemView.index)

  const guess = clicks.find(({ isMenuOpener }) => !isMenuOpener)
  if (
    guess !== undefined &&
    isChoice(guess) &&
    isSameMenu(guess, click) &&
    labelOf(guess.moment.event) !== labelOf(click.moment.event) &&
    isSoon(guess.moment.clock, 10)
  ) {
    signs.add("secondGuess")
  }

  const [back] = views
  if (
    back !== undefined &&
    isSamePlace(back.moment.place, click.moment.place) &&
    isSoon(back.moment.clock, 10) &&
    !clicks.some(({ index }) => index < back.index)
  ) {
    signs.add("return")
  }

  const later = [...visit.session.moments.entries()].slice(itemView.index + 1)
  const hasSearched = later.some(([index, moment]) => {
    const view = visit.views.find((one) => one.index === index)
    const between = views.filter((one) => one.index < index).length
    return isSearch(moment, view) && isSoon(moment.clock, 30) && between <= 2
  })
  if (hasSearched) signs.add("search")

  if (back === undefined && clicks.length === 0) signs.add("abandonment")
  return signs
}

function choicesOf(visit: Visit): ReadonlyArray<Choice> {
  return ownClicks(visit)
    .filter(isChoice)
    .map((click) => ({
      click,
      session: visit.session.key,
      site: click.moment.place.site,
      menu: click.menu ?? "",
      item: labelOf(click.moment.event),
      hrefPath: hrefPathOf(click.moment.event),
      signs: signsOf(click, visit)
    }))
}

/** The Wilson interval of a share. */
function interval(count: number, total: number): readonly [low: number, high: number] {
  const share = count / total
  const middle = share + Z ** 2 / (2 * total)
  const half = Z * Math.sqrt((share * (1 - share)) / total + Z ** 2 / (4 * total ** 2))
  const scale = 1 + Z ** 2 / total
  return [(middle - half) / scale, (middle + half) / scale]
}

/** An item of a menu, or the whole menu, with the sessions that chose it. */
interface Item {
  readonly site: string | null
  readonly menu: string
  readonly item: string | null
  readonly choices: ReadonlyArray<Choice>
  readonly hrefPaths: ReadonlySet<string>
  readonly sessions: number
  readonly evidence: number
}

function sessionsWith(choices: ReadonlyArray<Choice>, ...signs: ReadonlyArray<Sign>): number {
  const shown = choices.filter((choice) => signs.some((sign) => choice.signs.has(sign)))
  return distinct(shown.map(({ session }) => session))
}

function itemOf(choices: ReadonlyArray<Choice>): Item {
  const { item, menu, site } = choices[0] as Choice
  return {
    site,
    menu,
    item,
    choices,
    hrefPaths: new Set(choices.flatMap(({ hrefPath }) => hrefPath ?? [])),
    sessions: distinct(choices.map(({ session }) => session)),
    evidence: sessionsWith(choices, "secondGuess", "return", "search")
  }
}

/** The evidence of several items over their sessions, if these are enough. */
function shareOf(items: ReadonlyArray<Item>): number | null {
  const sum = (count: (item: Item) => number) =>
    items.reduce((total, item) => total + count(item), 0)
  const sessions = sum((item) => item.sessions)
  return sessions < ENOUGH ? null : sum((item) => item.evidence) / sessions
}

type IsPaired = (one: Item, other: Item) => boolean

/** Whether two items lead to the same, as their labels, their links or the user says. */
function pairing(pairs: ReadonlyArray<PairedItem>): IsPaired {
  const namesOf = ({ item, site }: Item) =>
    pairs.filter((pair) => pair.site === site && pair.label === item).map(({ name }) => name)
  return (one, other) =>
    (one.item !== null && one.item === other.item) ||
    [...one.hrefPaths].some((path) => other.hrefPaths.has(path)) ||
    namesOf(one).some((name) => namesOf(other).includes(name))
}

function sumOf(
  items: ReadonlyArray<Item> | undefined,
  what: "evidence" | "sessions"
): number | null {
  return items?.reduce((sum, item) => sum + item[what], 0) ?? null
}

interface Compared {
  readonly others: ReadonlyArray<Item>
  readonly elsewhere: ReadonlyArray<Item>
}

/** Without a comparison, it is the row of a whole menu. */
function rowOf(item: Item, name: string | null, compared?: Compared) {
  const { choices, evidence, menu, sessions, site } = item
  const [low, high] = interval(evidence, sessions)
  const comparisons = [shareOf(compared?.others ?? []), shareOf(compared?.elsewhere ?? [])]
  const known = comparisons.filter((share) => share !== null)
  const elsewhere = compared?.elsewhere.length === 0 ? undefined : compared?.elsewhere
  const isEnough = sessions >= ENOUGH
  return {
    site,
    menu,
    item: name,
    clicks: choices.length,
    sessions,
    second_guesses: sessionsWith(choices, "secondGuess"),
    returns: sessionsWith(choices, "return"),
    searches: sessionsWith(choices, "search"),
    abandonments: sessionsWith(choices, "abandonment"),
    evidence,
    share: evidence / sessions,
    share_low: low,
    share_high: high,
    other_items_share: comparisons[0] ?? null,
    same_item_elsewhere_share: comparisons[1] ?? null,
    is_enough: isEnough,
    is_above: isEnough && known.length > 0 ? known.every((share) => low > share) : null,
    other_items_evidence: sumOf(compared?.others, "evidence"),
    other_items_sessions: sumOf(compared?.others, "sessions"),
    same_item_elsewhere_evidence: sumOf(elsewhere, "evidence"),
    same_item_elsewhere_sessions: sumOf(elsewhere, "sessions")
  }
}

export function menuEvidenceOf(visits: ReadonlyArray<Visit>, pairs: ReadonlyArray<PairedItem>) {
  const choices = visits.flatMap(choicesOf)
  const items = [
    ...grouped(choices, ({ item, menu, site }) => keyOf(site, menu, item)).values()
  ].map(itemOf)
  const menus = [...grouped(choices, ({ menu, site }) => keyOf(site, menu)).values()].map(itemOf)
  const isPaired = pairing(pairs)
  return [
    ...menus.map((menu) => rowOf(menu, "(all)")),
    ...items.map((item) => {
      const others = items.filter(
        (other) => other !== item && other.site === item.site && other.menu === item.menu
      )
      const elsewhere = items.filter((other) => other.site !== item.site && isPaired(item, other))
      return rowOf(item, item.item, { others, elsewhere })
    })
  ]
}
