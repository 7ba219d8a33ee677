import type { Menu, Report } from "../../programs/report/Report.ts"
import { figure, missing, SUMMARY } from "./figure.ts"
import { type Html, html, name } from "./html.ts"
import { intervalText, ofText, rateLegend, ratesPicture } from "./rates.ts"
import { table } from "./table.ts"
import { number, plural } from "./words.ts"

/** A figure for each menu. */
export function menuFigures({ menus, otherMenus }: Report["menus"]): Html {
  if (menus.length === 0) {
    return missing(
      "No clicks in menus are captured. Amplitude's browser SDK sends clicks with autocapture.elementInteractions, and a menu is a nav element or has the role navigation or menu."
    )
  }
  return html`<p>
      Someone who has chosen a menu item may soon choose another one, go back, or search. A
      misleading label is one reason; a slip of the finger or a log-in page leaves the same traces.
      So these are counts, not verdicts.
    </p>
    ${menus.map((it) => menuFigure(it))}${otherMenus === 0 ? html`` : html`<p>${plural(otherMenus, "other menu")} ${otherMenus === 1 ? "is" : "are"} not shown.</p> `}`
}

function menuFigure({ different, items, menu, sessions, site }: Menu): Html {
  const enough = items.filter(({ isEnough }) => isEnough)
  const [first] = enough
  if (first === undefined) {
    return html`<h3>
        ${name(site)}, menu ${name(menu)}: ${plural(sessions, "session")}, too few to compare
      </h3>
      <p class="muted">An item is compared once 30 sessions have chosen it.</p>
      <details>${SUMMARY} ${itemTable({ items, menu, site })}</details> `
  }
  const against = first.otherItems === null ? "" : `, against ${ofText(first.otherItems)},`
  const title = html`${name(site)}, menu ${name(menu)}: after ${name(first.item)}
  ${ofText(first.evidence)} sessions${against} chose again, went back or searched`
  const few = items.length - enough.length
  return figure({
    title,
    sentence: html`${plural(sessions, "session")} used the menu. An item is compared with the others
    by the share of its sessions that soon chose another item, went back or
    searched.${few === 0 ? "" : ` ${few === 1 ? "One item has" : `${number(few)} items have`} fewer than 30 sessions, and ${few === 1 ? "is" : "are"} only in the table.`}${different > items.length ? ` ${plural(different - items.length, "more item")} ${different - items.length === 1 ? "is" : "are"} not shown.` : ""}`,
    legend: rateLegend("this item", "the menu's other items", "the same item on other sites"),
    picture: ratesPicture(
      enough.map((it) => ({
        label: name(it.item),
        rate: it.evidence,
        base: it.otherItems,
        elsewhere: it.elsewhere
      }))
    ),
    table: itemTable({ items, menu, site })
  })
}

function itemTable({ items, menu, site }: Pick<Menu, "items" | "menu" | "site">): Html {
  return table(
    `Items of the menu ${menu} of ${site ?? "an unknown site"}`,
    [
      { head: "Item", cell: (it) => name(it.item) },
      {
        head: "Chose again, went back or searched",
        isNumber: true,
        cell: (it) => ofText(it.evidence)
      },
      { head: "95% interval", isNumber: true, cell: (it) => intervalText(it.evidence) },
      {
        head: "Other items",
        isNumber: true,
        cell: ({ otherItems }) => (otherItems === null ? "" : ofText(otherItems))
      },
      {
        head: "Same item on other sites",
        isNumber: true,
        cell: ({ elsewhere }) => (elsewhere === null ? "" : ofText(elsewhere))
      },
      { head: "Chose again", isNumber: true, cell: (it) => number(it.secondGuesses) },
      { head: "Went back", isNumber: true, cell: (it) => number(it.returns) },
      { head: "Searched", isNumber: true, cell: (it) => number(it.searches) },
      { head: "Ended there", isNumber: true, cell: (it) => number(it.abandonments) },
      { head: "Clicks", isNumber: true, cell: (it) => number(it.clicks) }
    ],
    items
  )
}
