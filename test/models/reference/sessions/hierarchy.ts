import { type Event, property, valueAt } from "../lines/events.ts"
import { isFields, isList, parsed, textOf, type Value } from "../lines/json.ts"
import { hasWord, meaningful } from "../lines/words.ts"

const tagged = (...tags: ReadonlyArray<string>) =>
  new RegExp(`["']tag["'] ?: ?["'](?:${tags.join("|")})["']`, "i")
const inRole = (...roles: ReadonlyArray<string>) =>
  new RegExp(`["']role["'] ?: ?["'](?:${roles.join("|")})["']`, "i")

const NAV = tagged("nav")
const NAV_ROLE = inRole("navigation", "menubar", "menu")
const ITEM_ROLE = inRole("menuitem[a-z]*")
const HEADER = tagged("header")
const BANNER = inRole("banner")
const FOOTER = tagged("footer")

const MENU_WORDS = new Set([
  "nav",
  "navbar",
  "navigation",
  "menu",
  "megamenu",
  "burger",
  "hamburger"
])
const OTHER_WORDS = new Set(
  ["breadcrumb", "pagination", "pager", "tablist", "cookie", "consent"].flatMap((word) => [
    word,
    `${word}s`
  ])
)
const CONTEXT_MENU = /(?<![\p{L}\p{N}])context-menus?(?![\p{L}\p{N}])/iu

function textOfHierarchy(event: Event): string {
  return textOf(valueAt(event, "[Amplitude] Element Hierarchy")) ?? ""
}

/**
 * Where each node of a hierarchy ends in its text, which may be cut anywhere. Knows quotes of both
 * kinds, since Python writes single ones.
 */
function endsOf(text: string): ReadonlyArray<number> {
  const ends: Array<number> = []
  let [depth, quote] = [0, ""]
  for (let at = 0; at < text.length; at++) {
    const sign = text[at] as string
    if (quote !== "") {
      if (sign === "\\") at++
      else if (sign === quote) quote = ""
    } else if (sign === `"` || sign === "'") quote = sign
    else if (sign === "{") depth++
    else if (sign === "}" && --depth === 0) ends.push(at + 1)
  }
  return depth > 0 ? [...ends, text.length] : ends
}

/** The text of each node, the element's own first. */
function nodesOf(text: string): ReadonlyArray<string> {
  const ends = endsOf(text)
  return ends.map((end, index) => text.slice(ends[index - 1] ?? 0, end))
}

/** An attribute of a node, or another text that it has. */
function valueIn(node: string, name: string): string | null {
  const pattern = new RegExp(
    `["']${name}["'] ?: ?(?:"((?:[^"\\\\]|\\\\.)*)"|'((?:[^'\\\\]|\\\\.)*)')`,
    "i"
  )
  const [, double, single] = pattern.exec(node) ?? []
  if (double !== undefined) return textOf(parsed(`"${double}"`)) ?? double
  return single ?? null
}

/** Something that the clicked element itself has. */
export function ownAttribute(event: Event, name: string): string | null {
  return valueIn(nodesOf(textOfHierarchy(event))[0] ?? "", name)
}

/** The name of the menu that a click is in. */
export function menuOf(event: Event): string | null {
  const text = textOfHierarchy(event)
  const isStrong = [NAV, NAV_ROLE, ITEM_ROLE].some((pattern) => pattern.test(text))
  const isMiddle = (HEADER.test(text) || BANNER.test(text)) && hasWord(text, MENU_WORDS)
  if (!isStrong && !isMiddle) return null
  const nodes = nodesOf(text)
  const boundary = nodes.findIndex((node) =>
    [NAV, HEADER, NAV_ROLE, BANNER].some((pattern) => pattern.test(node))
  )
  const inside = boundary < 0 ? text : nodes.slice(0, boundary + 1).join("")
  if (hasWord(inside, OTHER_WORDS) || CONTEXT_MENU.test(inside)) return null
  return nameOf(nodes, boundary)
}

function nameOf(nodes: ReadonlyArray<string>, boundary: number): string {
  // Without a node that begins the menu, any footer encloses it.
  if (nodes.slice(boundary + 1).some((node) => FOOTER.test(node))) return "footer"
  const nav = nodes.find((node) => NAV.test(node)) ?? nodes.find((node) => NAV_ROLE.test(node))
  if (nav === undefined) return "main"
  return meaningful(valueIn(nav, "aria-label")) ?? meaningful(valueIn(nav, "id")) ?? "main"
}

/** The classes of the two nearest ancestors, if the hierarchy can be parsed. */
export function classesAround(event: Event): ReadonlyArray<string> {
  const value = valueAt(event, "[Amplitude] Element Hierarchy")
  const nodes: Value | undefined = typeof value === "string" ? parsed(value) : value
  if (!isList(nodes)) return []
  return nodes.slice(1, 3).flatMap((node) => {
    const classes = isFields(node) ? node.get("classes") : undefined
    return isList(classes) ? classes.flatMap((name) => textOf(name) ?? []) : []
  })
}

/** Whether what was clicked opens something, or is no link. */
export function canOpen(event: Event): boolean {
  return (
    property(event, "Element Tag") === "button" ||
    ownAttribute(event, "aria-expanded") !== null ||
    ownAttribute(event, "aria-haspopup") !== null ||
    meaningful(property(event, "Element Href")) === null
  )
}
