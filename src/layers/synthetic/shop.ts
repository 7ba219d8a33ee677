/** An imaginary web shop: its visitors and what they do. Texts are JSON already. */

/** Numbers in [0, 1). */
export type Random = () => number

/** The same numbers for the same text: sfc32, seeded with two FNV-like hashes of it. */
export function randomOf(text: string): Random {
  let [a, b] = [0x811c9dc5, 0x9e3779b9]
  for (let index = 0; index < text.length; index++) {
    a = Math.imul(a ^ text.charCodeAt(index), 0x01000193)
    b = Math.imul(b ^ text.charCodeAt(index), 0x85ebca6b)
  }
  let [c, count] = [a ^ (b >>> 15), 1]
  const next = () => {
    const sum = (((a + b) | 0) + count) | 0
    count = (count + 1) | 0
    a = b ^ (b >>> 9)
    b = (c + (c << 3)) | 0
    c = (((c << 21) | (c >>> 11)) + sum) | 0
    return (sum >>> 0) / 4_294_967_296
  }
  for (let round = 0; round < 15; round++) next()
  return next
}

/** An integer from 0 to `limit - 1`. */
export function below(random: Random, limit: number): number {
  return Math.floor(random() * limit)
}

function pick<A>(random: Random, choices: ReadonlyArray<A>): A {
  return choices[below(random, choices.length)] as A
}

const hexBytes = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"))

function hex(word: number): string {
  const [a, b, c, d] = [word >>> 24, (word >>> 16) & 255, (word >>> 8) & 255, word & 255]
  return `${hexBytes[a]}${hexBytes[b]}${hexBytes[c]}${hexBytes[d]}`
}

/**
 * A UUID from four 32-bit words. Bits 12-15 of `b` and 28-31 of `c` are lost, so they must not
 * distinguish UUIDs.
 */
export function uuidOf(a: number, b: number, c: number, d: number): string {
  const [second, third] = [hex(b), hex(c)]
  return `${hex(a)}-${second.slice(0, 4)}-4${second.slice(5)}-a${third.slice(1, 4)}-${third.slice(4)}${hex(d)}`
}

/** A 32-bit word. */
export function wordOf(random: Random): number {
  return (random() * 4_294_967_296) >>> 0
}

export function randomUuid(random: Random): string {
  return uuidOf(wordOf(random), wordOf(random), wordOf(random), wordOf(random))
}

const texts = (...values: ReadonlyArray<string>) => values.map((value) => JSON.stringify(value))
const menu = texts("Lamps", "Bulbs", "Sale", "Über uns", "お問い合わせ")

const places = (
  [
    ["Germany", "North Rhine-Westphalia", "Köln", null, "German", 50.9375, 6.9603],
    ["Germany", "Bavaria", "München", null, "German", 48.1351, 11.582],
    ["Brazil", "São Paulo", "São Paulo", null, "Portuguese", -23.5505, -46.6333],
    ["Japan", "東京都", "東京", null, "Japanese", 35.6762, 139.6503],
    ["United States", "Texas", "Austin", "Austin, TX", "English", 30.2672, -97.7431],
    ["United States", "New York", "New York", "New York, NY", "English", 40.7128, -74.006],
    ["Türkiye", "İstanbul", "İstanbul", null, "Turkish", 41.0082, 28.9784],
    ["France", "Île-de-France", "Paris", null, "French", 48.8566, 2.3522],
    ["Poland", "Łódź Voivodeship", "Łódź", null, "Polish", 51.7592, 19.456]
  ] as const
).map(([country, region, city, dma, language, latitude, longitude]) => ({
  country: JSON.stringify(country),
  region: JSON.stringify(region),
  city: JSON.stringify(city),
  dma: JSON.stringify(dma),
  language: JSON.stringify(language),
  latitude,
  longitude
}))

const devices = (
  [
    ["Web", "Chrome", "138", "Windows", "Windows", "amplitude-ts/2.11.9"],
    ["Web", "Safari", "18.5", "Mac OS X", "Apple Mac", "amplitude-ts/2.11.9"],
    ["Web", "Mobile Safari", "18.5", "iOS", "Apple iPhone", "amplitude-ts/2.9.1"],
    ["Web", "Firefox", "140", "Linux", "Linux", "amplitude-ts/2.11.9"],
    ["iOS", "ios", "18.5", "Apple iPhone", "Apple iPhone 15 Pro", "amplitude-swift/1.13.4"],
    ["Android", "android", "15", "Google Phone", "Google Pixel 9", "amplitude-kotlin/1.20.3"],
    ["Android", "android", "14", "Samsung Phone", "Galaxy S23", "amplitude-kotlin/1.19.0"]
  ] as const
).map(([platform, osName, osVersion, family, type, library]) => ({
  platform,
  osName,
  osVersion,
  family,
  type,
  library
}))

export interface Visitor {
  /** Consecutive fields of a line, from `adid` to `amplitude_id`. */
  readonly identifiers: string
  /** From `device_brand` to `dma`. */
  readonly device: string
  /** From `idfa` to `platform`. */
  readonly client: string
  readonly city: string
  readonly country: string
  readonly region: string
  readonly version: string
  readonly userId: string
  readonly groups: string
  readonly userProperties: string
  /** Number of earlier events of the visitor's client. */
  readonly eventId: number
}

/** The same visitor for the same `world` and index. */
export function visitorOf(world: string, index: number): Visitor {
  const random = randomOf(`${world}/visitor/${index}`)
  const [place, device] = [pick(random, places), pick(random, devices)]
  const app = device.platform !== "Web"
  const amplitudeId = 100_000_000_000 + below(random, 900_000_000_000)
  const address = `${pick(random, ["192.0.2", "198.51.100", "203.0.113"])}.${1 + below(random, 254)}`
  const anonymous = random() < 0.4
  const located = app && random() < 0.5
  const adId = app && random() < 0.3 ? `"${randomUuid(random)}"` : "null"
  const carrier = app ? pick(random, [`"Telekom.de"`, `"NTT docomo"`, `"Vivo"`]) : "null"
  const source = pick(random, ["EMPTY", "newsletter", "google", "instagram"])
  return {
    identifiers: `"adid":${device.platform === "Android" ? adId : "null"},"amplitude_attribution_ids":null,"amplitude_event_type":null,"amplitude_id":${amplitudeId}`,
    device: `"device_brand":null,"device_carrier":${carrier},"device_family":"${device.family}","device_id":"${randomUuid(random)}","device_manufacturer":null,"device_model":null,"device_type":"${device.type}","dma":${place.dma}`,
    client: `"idfa":${device.platform === "iOS" ? adId : "null"},"ip_address":"${address}","is_attribution_event":null,"language":${place.language},"library":"${device.library}","location_lat":${located ? place.latitude : null},"location_lng":${located ? place.longitude : null},"os_name":"${device.osName}","os_version":"${device.osVersion}","partner_id":null,"paying":${random() < 0.2 ? true : null},"plan":{},"platform":"${device.platform}"`,
    city: place.city,
    country: place.country,
    region: place.region,
    version: app ? `"${4 + below(random, 3)}.${below(random, 20)}.0"` : "null",
    userId: anonymous ? "null" : `"user-${10_000 + index}"`,
    groups: random() < 0.1 ? `{"company":["Lichthaus ${below(random, 90)} GmbH"]}` : "{}",
    userProperties: `{"initial_utm_source":"${source}","initial_utm_medium":"EMPTY","initial_utm_campaign":"EMPTY","initial_utm_content":"EMPTY","initial_referrer":"EMPTY","initial_gclid":"EMPTY","utm_source":"${source}","newsletter":${random() < 0.5},"customer_group":"${anonymous ? "guest" : "regular"}","favourites":["Lamps",${pick(random, menu)}],"address":{"city":${place.city},"verified":false},"lifetime_value":${(random() * 900).toFixed(2)},"experiments":{"checkout-2":"treatment","hero-image":"control"}}`,
    eventId: below(random, 300)
  }
}

const pages = (
  [
    ["/", "Everything for a good light"],
    ["/lampen/tischlampen", "Tischlampen – schön & warm"],
    ["/sale", `Sale 🎉 up to "50 %"`],
    ["/blog/明かり", "明かりのある暮らし"],
    ["/konto/bestellungen", "Meine Bestellungen"],
    ["/checkout", "Checkout"]
  ] as const
).map(([path, title]) => ({
  path: JSON.stringify(path),
  title: JSON.stringify(title),
  location: JSON.stringify(`https://shop.example.com${path}`)
}))

const products = (
  [
    ["LMP-0017", "Tischlampe „Köln“", "24.90"],
    ["LMP-0210", "Luminária São João", "119.00"],
    ["BLB-0003", `E27 bulb, 6" globe`, "7.50"],
    ["LTR-0981", "提灯 (red)", "1999.95"],
    ["CND-0042", "Candle 🕯️, set of 4", "12.00"]
  ] as const
).map(([sku, name, price]) => ({
  text: `{"sku":"${sku}","name":${JSON.stringify(name)},"price":${price},"currency":"EUR","tags":["home","light"]}`,
  price: Number(price)
}))

const buttons = texts("Add to cart", "Load more", "Apply coupon", "♥ Remember")
const queries = texts("lampe köln", "café ☕ light", `6" bulb \\ e27`, "提灯", "red\tlantern")

/**
 * An event's `event_type`, its `event_properties`, and whether it follows the previous one at once.
 */
export type Action = readonly [type: string, properties: string, hasty: boolean]

/** The endless actions of one visitor. */
export function* visit(random: Random): Generator<Action, never> {
  for (let counter = 1; ; counter++) {
    const page = pick(random, pages)
    yield [
      "[Amplitude] Page Viewed",
      `{"[Amplitude] Page Domain":"shop.example.com","[Amplitude] Page Location":${page.location},"[Amplitude] Page Path":${page.path},"[Amplitude] Page Title":${page.title},"[Amplitude] Page Counter":${counter},"referrer":null,"viewport":{"width":1440,"height":900}}`,
      false
    ]
    while (random() < 0.65) yield* onPage(random, page.path)
  }
}

function* onPage(random: Random, path: string): Generator<Action, void> {
  const dice = random()
  const product = pick(random, products)
  const count = 1 + below(random, 3)
  const total = (count * product.price).toFixed(2)
  const cart = `"cart":{"items":[{"product":${product.text},"count":${count}}],"total":${total}}`
  if (dice < 0.25) {
    const item = below(random, menu.length)
    const position = `"position":${item + 1},"page":${path}`
    yield ["Menu Clicked", `{"menu":"main","item":${menu[item]},${position},"open":true}`, false]
  } else if (dice < 0.45) {
    const button = pick(random, buttons)
    const place = `{"x":${below(random, 1440)},"y":${below(random, 900)}}`
    const element = `{"tag":"button","classes":["btn","btn-primary"],"position":${place}}`
    const clicks = 1 + below(random, 4)
    for (let click = 1; click <= clicks; click++) {
      const properties = `{"button":${button},"element":${element},"page":${path},"click":${click}}`
      yield ["Button Clicked", properties, click > 1]
    }
  } else if (dice < 0.6) {
    const filters = `{"colour":["red","weiß"],"price":{"min":5,"max":49.90}}`
    const results = `"results":${below(random, 240)},"duration_ms":${(random() * 900).toFixed(3)}`
    yield ["Search", `{"query":${pick(random, queries)},"filters":${filters},${results}}`, false]
  } else if (dice < 0.85) {
    yield ["Product Viewed", `{"product":${product.text},"gallery":{"images":4}}`, false]
  } else {
    yield ["Checkout Started", `{${cart},"coupon":null,"steps":{}}`, false]
    if (random() < 0.5) return
    // Above 2^53 and odd, so a program that parses the line and serializes it again changes it.
    const order = `9007199254${740_993 + 2 * below(random, 100_000)}`
    const payment = `"revenue":${total},"payment":{"method":"invoice"}`
    yield ["Order Completed", `{"order_id":${order},${cart},${payment}}`, false]
  }
}
