import { type Event, property, valueAt } from "../lines/events.ts"
import { classesAround, ownAttribute } from "./hierarchy.ts"
import { isFields, textOf } from "../lines/json.ts"
import { afterHost, pageOfAddress } from "../lines/pages.ts"
import { firstOf, hasWord, meaningful } from "../lines/words.ts"

const REPEATABLE_TAGS: ReadonlySet<string> = new Set(["video", "audio"])
const REPEATABLE_WORDS: ReadonlySet<string> = new Set(
  "stepper quantity qty increment decrement plus minus carousel slider swiper slick next prev previous pagination pager player play pause seek volume datepicker calendar zoom".split(
    " "
  )
)
const OTHER_INPUTS: ReadonlySet<string> = new Set(
  "button submit reset checkbox radio image range color file".split(" ")
)
const GENERATED = /^:r.*:$|^(?:radix-|headlessui-|mui-)/

function said(event: Event, name: string): string | null {
  return meaningful(property(event, name))
}

/** An attribute that the site's authors set for Amplitude. */
function tracked(event: Event, name: string): string | null {
  const attributes = valueAt(event, "[Amplitude] Element Attributes")
  return isFields(attributes) ? meaningful(textOf(attributes.get(name))) : null
}

export function hrefOf(event: Event): string | null {
  return said(event, "Element Href")
}

/** Where a link leads, without its site. */
export function hrefPathOf(event: Event): string | null {
  const href = hrefOf(event)
  return href === null ? null : pageOfAddress(href)
}

/** The last part of a link's path, which for a hash router is in the hash. */
function lastSegment(href: string | null): string | null {
  const [path = "", hash = ""] = (href === null ? "" : afterHost(href)).split("#")
  const [route = ""] = hash.startsWith("/") ? hash.split("?") : path.split("?")
  return meaningful(route.replace(/\/+$/, "").split("/").at(-1) ?? null)
}

export function labelOf(event: Event): string | null {
  return firstOf([
    said(event, "Element Text"),
    said(event, "Element Aria Label"),
    ...["title", "alt", "name", "placeholder"].map((name) => meaningful(ownAttribute(event, name))),
    said(event, "Target Text"),
    said(event, "Target Accessibility Label"),
    tracked(event, "name"),
    lastSegment(hrefOf(event)),
    said(event, "Element ID"),
    said(event, "Element Tag")
  ])
}

/** What tells an element from the others of its page. */
export function elementOf(event: Event): string | null {
  const id = said(event, "Element ID")
  const given = firstOf([
    tracked(event, "id"),
    id === null || GENERATED.test(id) ? null : id,
    said(event, "Element Path"),
    said(event, "Target Accessibility Identifier"),
    said(event, "Target Resource")
  ])
  if (given !== null) return given
  const first = (...names: ReadonlyArray<string>) => firstOf(names.map((name) => said(event, name)))
  const parts = [
    first("Element Tag", "Target View Class", "Target Class"),
    hrefPathOf(event),
    first("Element Text", "Target Text", "Target Accessibility Label")
  ].filter((part) => part !== null)
  return parts.length > 0 ? parts.join(" ") : event.type
}

export function isRepeatable(event: Event): boolean {
  if (REPEATABLE_TAGS.has(property(event, "Element Tag") ?? "")) return true
  const own = [
    "Element ID",
    "Element Class",
    "Element Aria Label",
    "Element Text",
    "Target Text",
    "Target Accessibility Label"
  ].map((name) => property(event, name))
  return [...own, ...classesAround(event)].some((text) => hasWord(text, REPEATABLE_WORDS))
}

export function isTextField(event: Event): boolean {
  const tag = property(event, "Element Tag")
  if (tag === "textarea") return true
  const editable = ownAttribute(event, "contenteditable")
  if (editable !== null && editable !== "false") return true
  return tag === "input" && !OTHER_INPUTS.has(ownAttribute(event, "type")?.toLowerCase() ?? "text")
}
