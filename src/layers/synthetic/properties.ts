/** `event_properties` of each type of event, as the SDK's version of the visitor's site sends them. */
import { drift } from "./planted.ts"
import { mixed, uuidOf } from "./random.ts"
import { queries, type Site, sites } from "./sites.ts"
import type { Visit } from "./visits.ts"
import type { Act, EventType } from "./walk.ts"

export interface Source {
  /** What a link to the entry page adds to it. */
  readonly query: string
  /** Properties of the events on the entry page, and of those on the pages after it. */
  readonly first: string
  readonly later: string
  /** `"[Amplitude] Previous Page Location"` and type of the entry page. */
  readonly previous: string
}

const google = `,"referrer":"https://www.google.com/","referring_domain":"www.google.com"`
const from = `,"[Amplitude] Previous Page Location":`
const direct = `,"[Amplitude] Previous Page Type":"direct"`
const external = `${from}"https://www.google.com/","[Amplitude] Previous Page Type":"external"`

/** Where visits come from. */
export const sources: ReadonlyArray<Source> = [
  { query: "", first: "", later: "", previous: direct },
  { query: "", first: google, later: google, previous: external },
  {
    query: "?utm_source=newsletter&utm_medium=email&utm_campaign=autumn",
    first: `,"utm_campaign":"autumn","utm_medium":"email","utm_source":"newsletter"`,
    later: "",
    previous: direct
  }
]

/** What the properties of a visit's events have in common. */
export interface Style {
  readonly visit: Visit
  readonly site: Site
  readonly source: Source
  readonly isNewPropertySent: boolean
}

function referrerOf(style: Style, { view, previous }: Act): string {
  const { first, later } = style.source
  if (view <= 1 || previous === undefined) return first
  const { routing, host } = sites[style.site]
  // The referrer is the document's, so it stays the same where no document is loaded.
  return routing === "load"
    ? `,"referrer":"${previous.location}","referring_domain":"${host}"`
    : later
}

function locationOf({ source }: Style, { page, shown, view }: Act): string {
  const query = view <= 1 && shown === page ? source.query : ""
  return `${shown.before}${query}${shown.path}`
}

/** Where the visitor was before, and where from. */
function originOf(style: Style, act: Act): string {
  const { previous } = act
  const before =
    previous === undefined
      ? style.source.previous
      : `${from}"${previous.location}","[Amplitude] Previous Page Type":"internal"`
  return `${before}${referrerOf(style, act)}`
}

function pageOf(style: Style, act: Act): string {
  const { isRecent } = style.visit.visitor.device.sdk
  const origin = isRecent ? originOf(style, act) : referrerOf(style, act)
  return `${locationOf(style, act)}${act.shown.rest}${origin}`
}

/** The id of the page view on whose page something happened, where the SDK has such ids. */
function viewIdOf({ visit }: Style, { view }: Act): string {
  if (!visit.visitor.device.sdk.isRecent) return ""
  const [a, b, c, d] = visit.words
  const id = uuidOf(mixed(a, view), mixed(b, view), mixed(c, view), mixed(d, view))
  return `,"[Amplitude] Page View ID":"${id}"`
}

/** The page's properties where the SDK tells them of each event. */
function alsoPage(style: Style, act: Act): string {
  return style.visit.visitor.device.sdk.isRecent ? `,${pageOf(style, act)}` : ""
}

function aloneOrPage(style: Style, act: Act): string {
  return style.site === "app" ? "" : alsoPage(style, act).slice(1)
}

function elementOf(style: Style, act: Act): string {
  const { form, isRecent } = style.visit.visitor.device.sdk
  const own = `${act.element?.properties[form]}${act.page.rest}${viewIdOf(style, act)}`
  return isRecent ? `${own},${locationOf(style, act)}${originOf(style, act)}` : own
}

function iso(time: number): string {
  return new Date(time).toISOString()
}

function rageOf({ visit }: Style, { clicks }: Act): string {
  const times = clicks.map((time) => time + visit.skew - visit.delay)
  const [begin = 0, end = 0] = [times[0], times.at(-1)]
  const places = times.map((time) => `{"X":872,"Y":524,"Time":${time}}`)
  return (
    `"[Amplitude] Begin Time":"${iso(begin)}","[Amplitude] End Time":"${iso(end)}",` +
    `"[Amplitude] Duration":${end - begin},"[Amplitude] Clicks":[${places.join(",")}],` +
    `"[Amplitude] Click Count":${times.length},`
  )
}

function formOf(style: Style, act: Act): string {
  const [id, path] = act.page.name === "login" ? ["log-in", "login"] : ["site-search", "search"]
  const destination = `https://${sites[style.site].host}/${path}`
  return `"[Amplitude] Form ID":"${id}","[Amplitude] Form Destination":"${destination}"${alsoPage(style, act)}`
}

const products = (
  [
    ["LMP-0017", "Tischlampe „Köln“", "24.90"],
    ["LMP-0210", "Luminária São João", "119.00"],
    ["BLB-0003", `E27 bulb, 6" globe`, "7.50"],
    ["LTR-0981", "提灯 (red)", "1999.95"],
    ["CND-0042", "Candle 🕯️, set of 4", "12.00"]
  ] as const
).map(([sku, name, price]) => ({
  text: `{"sku":"${sku}","name":${JSON.stringify(name)},"price":${price},"currency":"EUR"}`,
  price: Number(price)
}))

// Above 2^53 and odd, so a program that parses the line and serializes it again changes it.
const orderOf = (number: number) => `"order_id":9007199254${740_993 + 2 * (number % 100_000)}`

function orderCompleted({ visit }: Style, { view }: Act): string {
  const number = mixed(visit.words[0], view)
  const product = products[number % products.length] as (typeof products)[number]
  const count = 1 + (number % 3)
  const total = (count * product.price).toFixed(2)
  return `${orderOf(number)},"cart":{"items":[{"product":${product.text},"count":${count}}],"total":${total}},"revenue":${total},"coupon":null`
}

const pdf =
  '"[Amplitude] File Extension":"pdf","[Amplitude] File Name":"/files/care.pdf","[Amplitude] Link Text":"Pflege (PDF)","[Amplitude] Link URL":"https://www.example.com/files/care.pdf"'

const byType: Readonly<Record<EventType, (style: Style, act: Act) => string>> = {
  session_start: aloneOrPage,
  session_end: aloneOrPage,
  "[Amplitude] Page Viewed": (style, act) =>
    `${pageOf(style, act)},"[Amplitude] Page Counter":${act.counter}${viewIdOf(style, act)}` +
    (style.isNewPropertySent ? `,"${drift.property.name}":"${act.page.name}"` : ""),
  "[Amplitude] Screen Viewed": (_, { page }) => `"[Amplitude] Screen Name":${page.title}`,
  "[Amplitude] Element Clicked": elementOf,
  "[Amplitude] Element Interacted": (_, { element, page }) =>
    `${element?.tapped},"[Amplitude] Screen Name":${page.title}`,
  "[Amplitude] Rage Click": (style, act) => rageOf(style, act) + elementOf(style, act),
  "[Amplitude] Dead Click": (style, act) =>
    `"[Amplitude] X":872,"[Amplitude] Y":524,${elementOf(style, act)}`,
  "[Amplitude] Form Started": formOf,
  "[Amplitude] Form Submitted": formOf,
  "[Amplitude] File Downloaded": (style, act) => pdf + alsoPage(style, act),
  Search: (_, { page, view }) =>
    `"query":${JSON.stringify(queries[page.number])},"results":${(view * 37) % 240},"filters":{"colour":["red","weiß"],"price":{"min":5,"max":49.90}}`,
  "Order Completed": orderCompleted,
  "Order Shipped": ({ visit }, { at }) =>
    `${orderOf(mixed(visit.words[1], at % 65_536))},"parcel":{"carrier":"Post","weight":1.50}`
}

export function propertiesOf(style: Style, act: Act): string {
  return byType[act.type](style, act)
}
