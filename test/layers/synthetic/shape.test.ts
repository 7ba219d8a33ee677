import { assert, describe, it as test } from "vitest"
import { drift } from "../../../src/layers/synthetic/planted.ts"
import { Hour } from "../../../src/services/Hour.ts"
import { type Event, eventsOf, hoursFrom } from "../../fixtures/archive/syntheticEvents.ts"

// With Amplitude's prefix; `?` marks those that only some events have.
const page = ["Page Domain", "Page Location", "Page Path", "Page Title", "Page URL"]
const before = ["Previous Page Location?", "Previous Page Type"]
const element = [
  "Element Hierarchy",
  "Element Tag",
  "Element ID?",
  "Element Class?",
  "Element Text?",
  "Element Href?",
  "Element Aria Label?",
  "Element Parent Label?",
  "Element Position Left",
  "Element Position Top",
  "Viewport Height",
  "Viewport Width",
  "Page URL",
  "Page Title"
]
const recentElement = [...element, "Element Path", "Page View ID", ...page, ...before]
const form = ["Form ID", "Form Destination"]
const file = ["File Extension", "File Name", "Link Text", "Link URL"]
const rage = ["Begin Time", "End Time", "Duration", "Clicks", "Click Count"]

/** What the SDKs' recent version sends, and what those before it did. */
const web: Readonly<Record<string, readonly [ReadonlyArray<string>, ReadonlyArray<string>?]>> = {
  session_start: [[...page, ...before], []],
  session_end: [[...page, ...before], []],
  "[Amplitude] Page Viewed": [
    [...page, ...before, "Page Counter", "Page View ID"],
    [...page, "Page Counter"]
  ],
  "[Amplitude] Element Clicked": [recentElement, element],
  "[Amplitude] Rage Click": [[...rage, ...recentElement]],
  "[Amplitude] Dead Click": [["X", "Y", ...recentElement]],
  "[Amplitude] Form Started": [[...form, ...page, ...before], form],
  "[Amplitude] Form Submitted": [[...form, ...page, ...before], form],
  "[Amplitude] File Downloaded": [[...file, ...page, ...before], file]
}
const app: Readonly<Record<string, ReadonlyArray<string>>> = {
  session_start: [],
  session_end: [],
  "[Amplitude] Screen Viewed": ["Screen Name"],
  "[Amplitude] Element Interacted": [
    "Action",
    "Screen Name",
    "Hierarchy",
    "Target Text?",
    "Target Accessibility Label?",
    "Target View Class"
  ]
}

const numbers =
  /^(Page Counter|Element Position (Left|Top)|Viewport (Height|Width)|Duration|Click Count|X|Y)$/
const campaign = /^(utm_(source|medium|campaign)|referrer|referring_domain)$/

function listOf(event: Event): ReadonlyArray<string> | undefined {
  if (event.platform !== "Web") return app[event.event_type]
  const [recent, older] = web[event.event_type] ?? []
  return event.library === "amplitude-ts/2.48.1" ? recent : older
}

function isTyped(name: string, value: unknown): boolean {
  if (name === "Clicks" || name === "Element Hierarchy") {
    return Array.isArray(value) || typeof value === "string"
  }
  return typeof value === (numbers.test(name) ? "number" : "string")
}

function assertShape(event: Event, list: ReadonlyArray<string>): void {
  const names = new Set(list.map((name) => name.replace("?", "")))
  for (const [key, value] of Object.entries(event.event_properties)) {
    const name = key.startsWith("[Amplitude] ") ? key.slice(12) : undefined
    const isKnown =
      name === undefined
        ? campaign.test(key) || key === drift.property.name
        : names.has(name) && isTyped(name, value) && value !== ""
    if (!isKnown) assert.fail(`${key} in ${event.line}`)
  }
  for (const name of list) {
    if (name.endsWith("?") || `[Amplitude] ${name}` in event.event_properties) continue
    assert.fail(`No ${name} in ${event.line}`)
  }
}

const events = () => eventsOf({}, hoursFrom(Hour.make("2025-11-10T14"), 4))

describe("the properties of an event", () => {
  test("are those of the SDK's version, with its types", () => {
    const [own, seen] = [new Set<string>(), new Set<string>()]
    for (const event of events()) {
      const list = listOf(event)
      if (list !== undefined) assertShape(event, list)
      if (list === undefined) own.add(event.event_type)
      else seen.add(event.event_type)
    }
    assert.sameMembers([...seen], [...new Set([...Object.keys(web), ...Object.keys(app)])])
    assert.sameMembers([...own], ["Search", "Order Completed", "Order Shipped"])
  })

  test("have each key once", () => {
    for (const { event_properties, line } of events()) {
      const start = line.indexOf('"event_properties":') + '"event_properties":'.length
      const written = line.slice(start, line.indexOf(',"event_time":'))
      // A parser drops the first of two equal keys, and with it some of the text.
      if (/"(price|total|weight)":/.test(written)) continue
      if (JSON.stringify(event_properties) !== written) assert.fail(written)
    }
  })
})
