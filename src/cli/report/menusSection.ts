import type { Menu, Report } from "../../programs/report/Report.ts"
import { figure, legend, missing } from "./figure.ts"
import { type Html, html, name } from "./html.ts"
import { intervalText, ofText, ratesPicture } from "./rates.ts"
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
      After a click on an item of a menu, a session may soon choose another item, go back, or
      search. Other reasons look alike, such as a wrong address or a log-in page, so these are
      counts, and no verdict.
    </p>
    ${menus.map(menuFigure)}${otherMenus === 0 ? html`` : html`<p>${plural(otherMenus, "other menu")} not shown.</p> `}`
}

function menuFigure({ different, items, menu, sessions, site }: Menu, index: number): Html {
  const enough = items.filter(({ isEnough }) => isEnough)
  const drawn = enough.length > 0 ? enough : items
  const [first] = drawn
  if (first === undefined) return html``
  const against = first.otherItems === null ? "" : `, against ${ofText(first.otherItems)}`
  const counts = `${ofText(first.evidence)} sessions${against}`
  const title = html`${name(site)}, ${name(menu)}: ${name(first.item)}, ${counts}`
  const few = items.length - enough.length
  return figure({
    title,
    sentence: html`Sessions that chose an item and then another one, went back, or searched, of
    ${plural(sessions, "session")} that used the menu, by the share of each item. The line is the 95
    %
    interval.${few === 0 || enough.length === 0 ? "" : ` ${plural(few, "item")} with fewer than 30 sessions ${few === 1 ? "is" : "are"} in the numbers alone.`}${different > items.length ? ` ${plural(different - items.length, "item")} more.` : ""}`,
    legend: legend([
      { look: "k-share", text: "this item" },
      { look: "k-others", text: "the menu's other items" },
      { look: "k-elsewhere", text: "the same item on other sites" }
    ]),
    picture: ratesPicture(
      drawn.map((it) => ({
        label: name(it.item),
        rate: it.evidence,
        base: it.otherItems,
        elsewhere: it.elsewhere
      })),
      `menu-${index}`,
      title
    ),
    table: table(
      `Items of the menu ${menu}`,
      [
        { head: "Item", cell: (it) => name(it.item) },
        { head: "Sessions with evidence", isNumber: true, cell: (it) => ofText(it.evidence) },
        { head: "95 % interval", isNumber: true, cell: (it) => intervalText(it.evidence) },
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
        { head: "Another item", isNumber: true, cell: (it) => number(it.secondGuesses) },
        { head: "Went back", isNumber: true, cell: (it) => number(it.returns) },
        { head: "Searched", isNumber: true, cell: (it) => number(it.searches) },
        { head: "Ended there", isNumber: true, cell: (it) => number(it.abandonments) },
        { head: "Clicks", isNumber: true, cell: (it) => number(it.clicks) }
      ],
      items
    )
  })
}
