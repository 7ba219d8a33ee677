/** Elements that are clicked, and the hierarchy around each in the forms that it comes in. */
import fc from "fast-check"
import { type Address, urlOf } from "./addresses.ts"

type Node = Readonly<Record<string, unknown>>

interface Described {
  readonly properties: Readonly<Record<string, unknown>>
  readonly nodes: ReadonlyArray<Node>
}

const body: Node = { tag: "body", index: 1 }
const header: Node = { tag: "header", index: 0, classes: ["top"] }
const nav: Node = {
  tag: "nav",
  prevSib: "div",
  classes: ["navbar"],
  attrs: { "aria-label": "Main" }
}
const main: Node = { tag: "main", id: "main" }

/** A link in a menu, or in something else that encloses it. */
function link(text: string, path: string, ...around: ReadonlyArray<Node>) {
  return (address: Address): Described => ({
    properties: {
      "Element Tag": "a",
      "Element Text": text,
      "Element Href": urlOf({ ...address, path, hash: "" })
    },
    nodes: [{ tag: "a", index: 0 }, { tag: "li", indexOfType: 1 }, ...around, body]
  })
}

/** Something that is not a link. */
function thing(
  tag: string,
  properties: Readonly<Record<string, unknown>>,
  node: Node = {},
  ...around: ReadonlyArray<Node>
) {
  return (): Described => ({
    properties: { "Element Tag": tag, ...prefixed("Element ", properties) },
    nodes: [{ tag, ...node }, ...around, body]
  })
}

function prefixed(prefix: string, properties: Readonly<Record<string, unknown>>) {
  return Object.fromEntries(
    Object.entries(properties).map(([name, value]) => [prefix + name, value])
  )
}

const links = [
  link("Sale", "/sale", nav, header),
  link("Offers", "/offers", nav, header),
  link("Angebote", "/offers", nav, header),
  link("Offers", "/", { tag: "nav", id: "side" }, main),
  link("Sale", "/sale", { tag: "nav", attrs: { "aria-label": "*****" } }, main),
  link("Help", "/sale", { tag: "nav", attrs: { "aria-label": "More" } }, { tag: "footer" }),
  link("Sale", "/sale", { tag: "nav", classes: ["breadcrumbs"] }, header),
  link("Sale", "/sale", nav, header, { tag: "div", id: "cookie_consent" }),
  link("Offers", "/offers", { tag: "div", classes: ["c-cookie"] }, nav, header),
  link("Offers", "/offers", { tag: "div", classes: ["menu__list"] }, header),
  link("Offers", "/offers", { tag: "div", classes: ["menus"] }, header),
  link("Sale", "/sale", { tag: "div", attrs: { role: "banner", id: "nav" } }),
  link("Sale", "/sale", { tag: "ul", attrs: { role: "menubar" }, id: "bar" }),
  link("Sale", "/sale", { tag: "ul", classes: ["context-menu"] }, nav),
  link("Sale", "/sale", { tag: "li", attrs: { role: "menuitemradio" } }, { tag: "footer" }),
  link("Sale", "/sale", { tag: "div", id: "burger" }, header, { tag: "footer" }),
  link("Sale", "/sale", { tag: "div", attrs: { role: "menu" }, id: "in" }, nav, header),
  link("Home", "/", main)
]

const hrefs = [
  "/sale/?a=1#top",
  "#/sale",
  "mailto:someone@example.com",
  "",
  "EMPTY",
  "*****",
  "https://de.shop.example.com",
  "https://de.shop.example.com/#/offers/"
].map((href) => (): Described => ({
  properties: { "Element Tag": "a", "Element Href": href, "Element ID": "EMPTY" },
  nodes: [{ tag: "a", attrs: { "aria-label": "Go" } }, nav, header, body]
}))

const named = [
  { "aria-label": `All "sales" of {now}` },
  { "aria-label": "EMPTY" },
  { role: "menu", "aria-label": "It's us" },
  {}
].map((attrs, index) =>
  link("Sale", "/sale", { tag: index === 2 ? "ul" : "nav", id: `nav-${index}`, attrs }, header)
)

const inMenu = [
  thing("button", { Text: "Products" }, { attrs: { "aria-expanded": "false" } }, nav, header),
  thing("button", { "Aria Label": "Menu", Class: "burger" }, {}, nav, header),
  thing("a", { Text: "Offers" }, { attrs: { "aria-haspopup": "true" } }, nav),
  thing("button", { Text: "Sale" }, { attrs: { role: "menuitem" } }, main),
  thing("span", { Text: "Sale" }, {}, { tag: "a" }, nav, header)
]

const others = [
  thing("button", { ID: "coupon", Text: "Apply" }, { id: "coupon" }, main),
  thing(
    "span",
    { Text: "Apply", Path: "button#coupon > span" },
    {},
    { tag: "button", id: "coupon" }
  ),
  thing("span", { Text: "Details" }, {}, main),
  thing(
    "button",
    { ID: ":r1:", Text: "+" },
    { id: ":r1:" },
    { tag: "div", classes: ["Stepper-box"] }
  ),
  thing("button", { Text: "+" }, {}, main, { tag: "div" }, { tag: "div", classes: ["stepper"] }),
  thing("button", { ID: "radix-7", Path: "main > button", Text: "*****" }, {}, main),
  thing("button", { "Aria Label": "Next", Text: "" }, {}, main),
  thing("button", { Text: "Nexts", ID: "nexts" }, {}, main),
  thing("button", { Text: "EMPTY", Attributes: { id: "cta", name: "Call" } }, {}, main),
  thing("input", { ID: "field" }, { attrs: { type: "search" } }, main),
  thing("input", { ID: "choice" }, { attrs: { type: "radio" } }, main),
  thing("input", {}, {}, main),
  thing("textarea", { ID: "text" }, {}, main),
  thing("video", { ID: "film" }, {}, main),
  thing("button", { ID: "img" }, { attrs: { title: "Zoomed" } }, main),
  thing("a", { Href: "https://uk.shop.example.com/sale/7" }, {}, main)
]

export const described: fc.Arbitrary<(address: Address) => Described> = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(...links.slice(0, 3)) },
  { weight: 4, arbitrary: fc.constantFrom(...links) },
  { weight: 2, arbitrary: fc.constantFrom(...inMenu) },
  { weight: 1, arbitrary: fc.constantFrom(...hrefs, ...named) },
  { weight: 3, arbitrary: fc.constantFrom(...others.slice(0, 3)) },
  { weight: 3, arbitrary: fc.constantFrom(...others) }
)

/** Items of one menu, and now and then what is none. */
export const describedInMenu: typeof described = fc.oneof(
  { weight: 8, arbitrary: fc.constantFrom(...links.slice(0, 3)) },
  { weight: 1, arbitrary: fc.constantFrom(...inMenu, ...others.slice(0, 1)) }
)

/** How a hierarchy is written. */
export interface Form {
  readonly kind: "array" | "reversed" | "text" | "cut" | "spaced" | "python" | "odd" | "absent"
  /** Of the text, what is kept of it if it is cut. */
  readonly kept: number
}

export const form: fc.Arbitrary<Form> = fc.record({
  kind: fc.oneof(
    { weight: 4, arbitrary: fc.constant<Form["kind"]>("array") },
    {
      weight: 5,
      arbitrary: fc.constantFrom<Form["kind"]>(
        "reversed",
        "text",
        "cut",
        "spaced",
        "python",
        "odd",
        "absent"
      )
    }
  ),
  kept: fc.double({ min: 0.2, max: 1, noNaN: true })
})

function python(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(python).join(", ")}]`
  if (typeof value === "string") return `'${value}'`
  if (typeof value !== "object" || value === null) return String(value)
  const fields = Object.entries(value).map(([key, item]) => `'${key}': ${python(item)}`)
  return `{${fields.join(", ")}}`
}

function reversed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reversed)
  if (typeof value !== "object" || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .map(([key, item]) => [key, reversed(item)] as const)
      .toReversed()
  )
}

function hierarchyIn({ kept, kind }: Form, nodes: ReadonlyArray<Node>): unknown {
  const text = JSON.stringify(nodes)
  switch (kind) {
    case "array":
      return nodes
    case "reversed":
      return reversed(nodes) as ReadonlyArray<Node>
    case "text":
      return text
    case "cut":
      return text.slice(0, Math.ceil(text.length * kept))
    case "spaced":
      return text.replaceAll('":', '": ').replaceAll(",", ", ")
    case "python":
      return python(nodes).slice(0, kept > 0.6 ? undefined : Math.ceil(text.length * kept))
    case "odd":
      return kept > 0.6 ? "null" : ["nav", "header"]
    case "absent":
      return undefined
  }
}

/** All that a click tells of its element. */
export function elementProperties({ nodes, properties }: Described, form: Form) {
  return prefixed("[Amplitude] ", {
    ...properties,
    "Element Hierarchy": hierarchyIn(form, nodes)
  })
}

/** What an app's click tells. */
export const tapped: fc.Arbitrary<Readonly<Record<string, string>>> = fc.constantFrom(
  { "[Amplitude] Target Text": "Buy", "[Amplitude] Hierarchy": "UIButton → UIView" },
  { "[Amplitude] Target Text": "", "[Amplitude] Target Accessibility Label": "Next picture" }
)
