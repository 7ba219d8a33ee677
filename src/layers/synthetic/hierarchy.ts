/** The path to an element in its page, in the form of each version of the SDK. */

/** One element of `[Amplitude] Element Hierarchy`; what is empty is absent. */
export interface Node {
  readonly tag: string
  readonly index?: number
  readonly indexOfType?: number
  readonly prevSib?: string
  readonly id?: string
  readonly classes?: ReadonlyArray<string>
  readonly attrs?: Readonly<Record<string, string>>
}

/** An array of objects, the start of its JSON as text, or text with the quotes of Python. */
export type HierarchyForm = "array" | "cut" | "python"

// Amplitude cuts longer texts.
const longest = 1024

function python(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(python).join(", ")}]`
  if (typeof value === "string") return `'${value}'`
  if (typeof value !== "object" || value === null) return String(value)
  return `{${Object.entries(value)
    .map(([key, item]) => `'${key}': ${python(item)}`)
    .join(", ")}}`
}

/** The hierarchy as JSON. The element comes first, the body last. */
export function hierarchyOf(nodes: ReadonlyArray<Node>, form: HierarchyForm): string {
  const json = JSON.stringify(nodes)
  if (form === "array") return json
  return JSON.stringify((form === "cut" ? json : python(nodes)).slice(0, longest))
}

const body: Node = {
  tag: "body",
  index: 1,
  indexOfType: 0,
  prevSib: "head",
  classes: ["theme-light"]
}
const root: Node = { tag: "div", index: 0, indexOfType: 0, id: "root" }
const header: Node = {
  tag: "header",
  index: 0,
  indexOfType: 0,
  classes: ["site-header", "is-sticky"]
}
const bar: Node = { tag: "div", index: 0, indexOfType: 0, classes: ["site-header__bar"] }
const list: Node = { tag: "ul", index: 0, indexOfType: 0, classes: ["list"] }
const item: Node = { tag: "li", index: 2, indexOfType: 2, prevSib: "li" }

const wrappers = [
  "Layout_page__x7Kq2",
  "Layout_inner__pL04a",
  "Grid_row__3nFzW",
  "Grid_cell__Qe81m"
]
const wrapped: ReadonlyArray<Node> = wrappers.map((name, index) => ({
  tag: "div",
  index,
  indexOfType: index,
  ...(index > 0 ? { prevSib: "div" } : {}),
  classes: [name, `${name.split("_")[0]?.toLowerCase()}--wide`, "u-clearfix"],
  attrs: { "data-component": name.toLowerCase() }
}))
const main: ReadonlyArray<Node> = [
  ...wrapped,
  { tag: "main", index: 1, indexOfType: 0, prevSib: "header", id: "main" },
  root,
  body
]
const nav: Node = {
  tag: "nav",
  index: 1,
  indexOfType: 0,
  prevSib: "div",
  classes: ["navbar", "navbar--main"],
  attrs: { "aria-label": "Main" }
}

/** What encloses an element, from its parent to the body. */
export const enclosing = {
  menu: [item, list, nav, bar, header, root, body],
  /** A panel of the menu, deep enough to make the hierarchy longer than 1,024 characters. */
  panel: [
    item,
    list,
    ...wrapped,
    { tag: "div", classes: ["mega-menu"] },
    nav,
    bar,
    header,
    root,
    body
  ],
  bar: [nav, bar, header, root, body],
  footer: [
    item,
    list,
    { tag: "nav", index: 0, indexOfType: 0, attrs: { "aria-label": "More" } },
    { tag: "footer", index: 2, indexOfType: 0, prevSib: "main", classes: ["site-footer"] },
    root,
    body
  ],
  breadcrumb: [
    item,
    { tag: "ol", index: 0, indexOfType: 0 },
    { tag: "nav", index: 0, indexOfType: 0, classes: ["breadcrumb"] },
    ...main
  ],
  tabs: [{ tag: "div", index: 3, indexOfType: 3, attrs: { role: "tablist" } }, ...main],
  quantity: [{ tag: "div", index: 1, indexOfType: 1, classes: ["quantity"] }, ...main],
  gallery: [{ tag: "div", index: 0, indexOfType: 0, classes: ["carousel"] }, ...main],
  form: [{ tag: "form", index: 0, indexOfType: 0, id: "form" }, ...main],
  card: [{ tag: "article", index: 4, indexOfType: 4, prevSib: "article" }, ...main],
  main
} as const satisfies Readonly<Record<string, ReadonlyArray<Node>>>
