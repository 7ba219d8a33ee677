/** Why visitors come, and how they move from page to page. */
import type { PageName } from "./sites.ts"

/** By what a visitor gets to another page; `menu` chooses the item by itself. */
export type Via = "menu" | "card" | "breadcrumb" | "footer" | "search" | "back" | "button" | "leave"

export interface Move {
  readonly weight: number
  readonly via: Via
  readonly to: PageName
}

function move(weight: number, via: Via, to: PageName = "home"): Move {
  return { weight, via, to }
}

type Moves = Readonly<Record<PageName, ReadonlyArray<Move>>>

const category = [move(55, "card", "product"), move(20, "menu"), move(5, "back"), move(20, "leave")]

const usual: Moves = {
  home: [
    move(62, "menu"),
    move(12, "card", "product"),
    move(6, "footer", "help"),
    move(20, "leave")
  ],
  lamps: category,
  bulbs: category,
  garden: category,
  sale: category,
  offers: category,
  story: [move(35, "menu"), move(25, "card", "story"), move(40, "leave")],
  product: [
    move(18, "breadcrumb", "lamps"),
    move(20, "menu"),
    move(14, "card", "product"),
    move(12, "button", "cart"),
    move(36, "leave")
  ],
  search: [move(60, "card", "product"), move(15, "search"), move(25, "leave")],
  cart: [move(70, "button", "checkout"), move(10, "back"), move(20, "leave")],
  checkout: [move(60, "button", "thanks"), move(40, "leave")],
  thanks: [move(20, "menu"), move(80, "leave")],
  login: [move(85, "button", "account"), move(15, "leave")],
  account: [move(40, "menu"), move(20, "card", "product"), move(40, "leave")],
  help: [move(30, "search"), move(20, "menu"), move(50, "leave")]
}

export interface Persona {
  readonly name: string
  readonly weight: number
  readonly entry: PageName
  readonly moves: Moves
  /** How much longer than others a visitor of this kind stays on a page. */
  readonly patience: number
}

export const personas: ReadonlyArray<Persona> = [
  { name: "browser", weight: 40, entry: "home", moves: usual, patience: 1 },
  {
    name: "buyer",
    weight: 24,
    entry: "home",
    moves: {
      ...usual,
      product: [move(65, "button", "cart"), move(20, "menu"), move(15, "leave")],
      cart: [move(90, "button", "checkout"), move(10, "leave")]
    },
    patience: 0.8
  },
  {
    name: "searcher",
    weight: 12,
    entry: "home",
    moves: { ...usual, home: [move(60, "search"), move(25, "menu"), move(15, "leave")] },
    patience: 0.7
  },
  {
    name: "customer",
    weight: 14,
    entry: "home",
    moves: { ...usual, home: [move(60, "card", "login"), move(30, "menu"), move(10, "leave")] },
    patience: 1
  },
  { name: "reader", weight: 10, entry: "story", moves: usual, patience: 8 }
]
