/** What visitors do: each as its persona, and as planted. */
import { SECOND } from "./clocks.ts"
import { elements } from "./elements.ts"
import type { Move } from "./personas.ts"
import { bursts, dead, type MenuItem, menu } from "./planted.ts"
import { below, pick, weighted } from "./random.ts"
import { type Page, type PageName, pages } from "./sites.ts"
import type { Visit } from "./visits.ts"
import {
  act,
  type Act,
  arrive,
  begin,
  burst,
  click,
  comeBack,
  deadClick,
  follow,
  isApp,
  type Walk
} from "./walk.ts"

const items = Object.entries(menu.weights).map(([item, weight]) => ({
  item: item as MenuItem,
  weight
}))

/** Items that lie in a panel, which is opened first. */
const inPanel: ReadonlySet<MenuItem> = new Set(["lamps", "bulbs"])

function elementsOf({ visit }: Walk) {
  return elements[visit.visitor.site]
}

/** A page of a kind, another than the visitor's if there are several. */
function pageOf({ visit, random, page }: Walk, name: PageName): Page {
  const all = pages[visit.visitor.site][name]
  return pick(random, all.length === 1 ? all : all.filter((other) => other !== page))
}

/** A random time, in milliseconds. */
function between({ random }: Walk, first: number, last: number): number {
  return first * SECOND + below(random, (last - first) * SECOND)
}

/** Longer than anyone who is misled stays. */
function dwell(walk: Walk): number {
  return Math.floor(between(walk, 12, 60) * walk.visit.visitor.persona.patience)
}

function chooseFromMenu(walk: Walk, wait: number): MenuItem {
  const { item } = weighted(
    walk.random,
    items.filter((choice) => choice.item !== walk.page.name)
  )
  const { buttons, menu: links } = elementsOf(walk)
  const isPhone = walk.visit.visitor.device.isPhone
  const opener = isPhone ? buttons.burger : inPanel.has(item) ? buttons.opener : undefined
  if (opener !== undefined) click(walk, opener, wait)
  const page = pages[walk.visit.visitor.site][item][0] as Page
  follow(walk, links[item], page, opener === undefined ? wait : between(walk, 1, 3))
  return item
}

function isMisled({ visit, random }: Walk, item: MenuItem): boolean {
  const { misleading, misled } = menu
  const isTrap = visit.visitor.site === misleading.site && item === misleading.item
  return random() < (isTrap ? misleading.misled : misled)
}

/** A choice from the menu, and what follows if it was not what the visitor looked for. */
function useMenu(walk: Walk): void {
  const from = walk.page
  const item = chooseFromMenu(walk, dwell(walk))
  const isSurprised = isMisled(walk, item)
  const dice = walk.random()
  if (isSurprised) {
    const { signs } = menu
    if (dice < signs.secondGuess) chooseFromMenu(walk, between(walk, 2, 6))
    else if (dice < signs.secondGuess + signs.return) arrive(walk, from, between(walk, 2, 7))
    else search(walk, between(walk, 3, 12))
  } else if (item === menu.popular.item && dice < menu.popular.returnsLater) {
    arrive(walk, from, dwell(walk))
  }
}

/** Apps have no forms. */
function formEvent(walk: Walk, what: "Started" | "Submitted", wait: number): void {
  if (isApp(walk)) walk.now += wait
  else act(walk, `[Amplitude] Form ${what}`, wait)
}

function search(walk: Walk, wait: number): void {
  click(walk, elementsOf(walk).buttons[bursts.field.id], wait)
  formEvent(walk, "Started", 800)
  formEvent(walk, "Submitted", between(walk, 2, 6))
  arrive(walk, pageOf(walk, "search"), 1200)
  act(walk, "Search", 300)
}

/** What a button leads to, after what visitors do in vain before it does. */
function press(walk: Walk, to: PageName): void {
  const { buttons } = elementsOf(walk)
  const { broken, slow } = bursts
  const page = pageOf(walk, to)
  if (to === "thanks") {
    if (walk.random() < broken.share) {
      burst(walk, buttons[broken.id], broken, buttons.brokenLabel)
      walk.now += 5 * SECOND
    }
    if (walk.random() < slow.share) burst(walk, buttons[slow.id], slow)
    else click(walk, buttons[slow.id], dwell(walk))
    arrive(walk, page, between(walk, 4, 6))
    act(walk, "Order Completed", 400)
  } else if (to === "account") {
    formEvent(walk, "Started", between(walk, 3, 9))
    click(walk, buttons.logIn, between(walk, 5, 15))
    formEvent(walk, "Submitted", 5)
    walk.isLoggedIn = true
    arrive(walk, page, 1500)
  } else {
    follow(walk, buttons.addToCart, page, dwell(walk))
  }
}

function go(walk: Walk, { via, to }: Move): void {
  const { breadcrumb, card, footer } = elementsOf(walk)
  if (via === "leave") walk.isOver = true
  else if (via === "menu") useMenu(walk)
  // Long enough after a menu's item to be no sign of being misled.
  else if (via === "search") search(walk, dwell(walk) + 20 * SECOND)
  else if (via === "back") arrive(walk, walk.previous ?? pageOf(walk, "home"), dwell(walk))
  else if (via === "button") press(walk, to)
  else {
    const page = pageOf(walk, to)
    const link = { card, breadcrumb, footer }[via].get(page)
    if (link !== undefined) follow(walk, link, page, dwell(walk))
  }
}

function lookAround(walk: Walk): void {
  const { buttons } = elementsOf(walk)
  const { carousel, field, stepper } = bursts
  const dice = walk.random()
  switch (walk.page.name) {
    case "home":
      if (dice < field.share) burst(walk, buttons[field.id], field)
      break
    case "product":
      if (dice < carousel.share) burst(walk, buttons[carousel.id], carousel)
      if (walk.random() < stepper.share) burst(walk, buttons[stepper.id], stepper)
      if (walk.random() < 0.2) click(walk, buttons.tab, dwell(walk))
      if (walk.random() < dead.seen.share) deadClick(walk, buttons[dead.seen.id], true)
      if (walk.random() < dead.unseen.share) deadClick(walk, buttons[dead.unseen.id], false)
      break
    case "account":
      if (dice < 0.3) click(walk, buttons.masked, dwell(walk))
      break
    case "help":
      if (dice < 0.4 && !isApp(walk)) act(walk, "[Amplitude] File Downloaded", dwell(walk))
      break
  }
}

function wander(walk: Walk): void {
  const { moves } = walk.visit.visitor.persona
  act(walk, "session_start", 0)
  arrive(walk, walk.page, 4)
  while (!walk.isOver) {
    lookAround(walk)
    go(walk, weighted(walk.random, moves[walk.page.name]))
  }
}

/** The events of a visit, in the order of their uploads. */
export function actsOf(visit: Visit): ReadonlyArray<Act> {
  const { entry } = visit.visitor.persona
  const walk = begin(visit, pages[visit.visitor.site][entry][0] as Page)
  if (visit.isServer) {
    for (let wait = 0; !walk.isOver; wait = between(walk, 1, 30)) {
      act(walk, "Order Shipped", wait)
      walk.isOver ||= walk.random() < 0.2
    }
    return walk.acts
  }
  wander(walk)
  if (visit.isReturning) {
    walk.isOver = false
    comeBack(walk, pageOf(walk, entry))
    if (!walk.isOver) wander(walk)
  }
  return walk.acts
}
