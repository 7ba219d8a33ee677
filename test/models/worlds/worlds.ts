/** Small random worlds in which all that models get wrong happens often. */
import fc from "fast-check"
import type { AddressRange, LandedHour, World } from "../reference/lines/world.ts"
import { HOUR, SECOND, startOf } from "../reference/lines/times.ts"
import { type Act, appAct, menuAct, type Place, type Told, webAct } from "./acts.ts"
import { type Address, address, busyAddress } from "./addresses.ts"
import { digits, lineOf, timestamp } from "./line.ts"

/** The last is a week after the second, to the microsecond. */
const HOURS = [
  "2025-11-10T09",
  "2025-11-10T10",
  "2025-11-10T11",
  "2025-11-10T12",
  "2025-11-11T00",
  "2025-11-17T10"
]

const BASE = startOf("2025-11-10T10")

interface Landing {
  readonly hour: number
  /** Microseconds from the hour's begin to when an event was received. */
  readonly received: number | undefined
}

const landing: fc.Arbitrary<Landing> = fc.record({
  hour: fc.oneof(
    { weight: 3, arbitrary: fc.constantFrom(1, 2) },
    { weight: 2, arbitrary: fc.constantFrom(0, 1, 2, 4, 5) }
  ),
  received: fc.oneof(
    { weight: 9, arbitrary: fc.constantFrom(0, 1, SECOND, 1800 * SECOND) },
    { weight: 1, arbitrary: fc.constant(undefined) }
  )
})

/** How an event is sent a second time. */
interface Copy {
  readonly landing: Landing
  readonly has: "both" | "uuid" | "insert id"
  readonly shift: number
}

const copy: fc.Arbitrary<Copy> = fc.record({
  landing,
  has: fc.constantFrom("both", "uuid", "insert id"),
  shift: fc.constantFrom(0, 0, 5 * SECOND)
})

interface Sent {
  readonly act: Act
  readonly landing: Landing
  readonly copies: ReadonlyArray<Copy>
  readonly logsIn: boolean
  readonly times: "both" | "no client" | "none"
  readonly skew: number
  /** Brings the event's time to the edge of what is late or in the future, or just beyond. */
  readonly edge: "none" | "late" | "future"
  readonly beyond: 0 | 1
  readonly eventId: "next" | "same" | "none"
  readonly ip: string | null
  readonly groups: unknown
  readonly location: Fields
  readonly hasUpload: boolean
}

type Fields = Readonly<Record<string, unknown>>

function sent(act: fc.Arbitrary<Act>): fc.Arbitrary<Sent> {
  return fc.record({
    act,
    landing,
    copies: fc.oneof(
      { weight: 8, arbitrary: fc.constant([]) },
      { weight: 1, arbitrary: fc.array(copy, { minLength: 1, maxLength: 3 }) }
    ),
    logsIn: fc.boolean(),
    times: fc.oneof(
      { weight: 20, arbitrary: fc.constant("both" as const) },
      { weight: 1, arbitrary: fc.constantFrom("no client" as const, "none" as const) }
    ),
    skew: fc.constantFrom(0, 0, 0, SECOND, 26 * HOUR, -26 * HOUR),
    edge: fc.oneof(
      { weight: 10, arbitrary: fc.constant("none" as const) },
      { weight: 1, arbitrary: fc.constantFrom("late" as const, "future" as const) }
    ),
    beyond: fc.constantFrom(0, 1),
    eventId: fc.constantFrom("next", "next", "next", "same", "none"),
    ip: fc.constantFrom(
      "203.0.113.7",
      "203.0.113.200",
      "2001:db8:113::1",
      "2001:DB8:113:0:0:0:0:2",
      "::ffff:203.0.113.7",
      "10.0.0.1",
      "nonsense",
      null
    ),
    groups: fc.constantFrom(
      {},
      {},
      {},
      null,
      { company: ["Acme", "Other"] },
      { company: "Acme" },
      { company: [] },
      { team: ["Acme"] }
    ),
    hasUpload: fc.oneof(
      { weight: 12, arbitrary: fc.constant(true) },
      { weight: 1, arbitrary: fc.constant(false) }
    ),
    location: fc.constantFrom<Fields>(
      { country: "Japan", region: "Tokyo", city: "Tokyo" },
      { country: "Japan", region: "Tokyo", location_lat: 35.68, location_lng: -139.1 },
      { country: "United States", dma: "Austin, TX" },
      { country: null }
    )
  })
}

interface Visited {
  readonly device: string | null
  readonly amplitude: ReadonlyArray<number>
  readonly session: number
  readonly start: number
  readonly isRecent: boolean
  readonly entry: Address
  readonly app: boolean
  readonly sent: ReadonlyArray<Sent>
}

function visited(
  app: boolean,
  act: fc.Arbitrary<Act>,
  entry = address,
  devices = 30
): fc.Arbitrary<Visited> {
  return fc.record({
    device: fc.oneof(
      { weight: 6, arbitrary: fc.nat({ max: devices }).map((number) => `d${number}`) },
      { weight: 1, arbitrary: fc.constant(null) }
    ),
    amplitude: fc.constantFrom([1, 2], [1, 1], [3, 2]),
    session: fc.oneof(
      { weight: 12, arbitrary: fc.nat({ max: 2 }) },
      { weight: 1, arbitrary: fc.constant(-1) }
    ),
    start: fc.constantFrom(0, 0, SECOND, HOUR, 14 * HOUR - 2 * SECOND),
    isRecent: fc.boolean(),
    entry,
    app: fc.constant(app),
    sent: fc.array(sent(act), { minLength: 1, maxLength: 9, size: "max" })
  })
}

const visit = fc.oneof(
  { weight: 9, arbitrary: visited(false, webAct) },
  { weight: 1, arbitrary: visited(true, appAct) }
)

/** Visits by up to 2,000 devices, so that menus have enough sessions to compare. */
const menuVisit = visited(false, menuAct, busyAddress, 2000)

interface Line {
  readonly hour: number
  readonly text: string
}

/** The fields that an event has of its visit. */
function visitorFields({ app, device, session }: Visited): Fields {
  return {
    app: 123456,
    session_id: session === -1 ? -1 : digits(`176276880000000000${session}`.slice(0, 13 + session)),
    device_id: device,
    platform: app ? "iOS" : "Web",
    os_name: app ? "ios" : "Chrome",
    device_type: device === null ? null : device.endsWith("1") ? "Mac" : "Windows",
    device_carrier: app ? "NTT docomo" : null,
    version_name: app ? "4.1.0" : null,
    language: "English",
    library: "amplitude-ts/2.48.1",
    user_properties: {
      initial_utm_source: "EMPTY",
      order: digits("9007199254740993"),
      price: digits("1.10"),
      tags: [1],
      address: { city: null },
      note: null,
      "a.b": 1,
      'say "hi"': false,
      "": "nothing"
    }
  }
}

/** What the visits of a world have told, as lines. */
function linesOf(visits: ReadonlyArray<Visited>): ReadonlyArray<Line> {
  return visits.flatMap((visit, number) => tellVisit(visit, number))
}

function tellVisit(visit: Visited, number: number): ReadonlyArray<Line> {
  const frame = visitorFields(visit)
  let place: Place = { address: visit.entry, viewId: undefined, previous: undefined }
  let [now, count, views, loggedIn] = [BASE + visit.start, 0, 0, 0]
  return visit.sent.flatMap((sent, index) => {
    const { act } = sent
    now += act.gap
    if (sent.logsIn && index > 3) loggedIn = 1
    if (act.to !== undefined) {
      views++
      const viewId = visit.isRecent ? `view-${number}-${views}` : undefined
      place = { address: act.to, viewId, previous: place.address }
    }
    return act.tell(place).flatMap((told, position) => {
      count++
      const fields = {
        ...frame,
        amplitude_id: digits(`90071992547409${90 + (visit.amplitude[loggedIn] ?? 0)}`),
        user_id: loggedIn === 1 ? "someone@example.com" : null,
        event_id: sent.eventId === "none" ? null : sent.eventId === "same" ? 7 : count
      }
      return written(fields, sent, told, now, `${number}-${index}-${position}`)
    })
  })
}

function written(
  fields: Fields,
  sent: Sent,
  told: Told,
  now: number,
  name: string
): ReadonlyArray<Line> {
  const at = now - (told.ago ?? 0)
  const line = (landing: Landing, uuid: string, insertId: string, shift: number): Line => {
    const uploaded = startOf(HOURS[landing.hour] as string) + 1800 * SECOND
    const received =
      landing.received === undefined
        ? undefined
        : startOf(HOURS[landing.hour] as string) + landing.received
    const eventTime = {
      none: at + sent.skew + shift,
      late: (received ?? at) - 24 * HOUR - sent.beyond,
      future: uploaded + HOUR + sent.beyond
    }[sent.edge]
    return {
      hour: landing.hour,
      text: lineOf({
        ...fields,
        uuid,
        $insert_id: insertId,
        event_type: told.type,
        event_properties: told.properties,
        client_event_time: sent.times === "both" ? timestamp(at) : undefined,
        event_time: sent.times === "none" ? null : timestamp(eventTime),
        client_upload_time: timestamp(uploaded - SECOND),
        server_upload_time: sent.hasUpload ? timestamp(uploaded) : null,
        server_received_time: received === undefined ? null : timestamp(received),
        ip_address: sent.ip,
        groups: sent.groups,
        ...sent.location
      })
    }
  }
  return [
    line(sent.landing, `u-${name}`, `i-${name}`, 0),
    ...sent.copies.map(({ has, landing, shift }, copy) =>
      line(
        landing,
        has === "insert id" ? `u-${name}-${copy}` : `u-${name}`,
        has === "uuid" ? `i-${name}-${copy}` : `i-${name}`,
        shift
      )
    )
  ]
}

const malformed = fc.constantFrom(
  `{"event_type":"Search","event_properties":{"query":"la`,
  "[1]",
  "null",
  " ",
  `"text"`,
  `{"a":"\\ud83d"`,
  `{} {}`
)

/** Well-formed, and yet almost nothing. */
const bare = fc.constantFrom(`{}`, ` {"event_type":"\\ud83d\\ude00\\udc00"}\r`)

const odd: fc.Arbitrary<Line> = fc.record({
  hour: fc.constantFrom(1, 2),
  text: fc.oneof(malformed, bare)
})

const ranges: ReadonlyArray<AddressRange> = [
  { first: "203.0.113.0", last: "203.0.113.255", asn: 1, company: "Wide", kind: "access provider" },
  { first: "203.0.113.192", last: "203.0.113.223", asn: 2, company: "Inner", kind: "business" },
  { first: "203.0.113.192", last: "203.0.113.223", asn: 3, company: "Equal", kind: null },
  { first: "203.0.113.192", last: "203.0.113.254", asn: 4, company: "Beyond", kind: "hosting" },
  {
    first: "2001:db8:113::",
    last: "2001:db8:113:ffff:ffff:ffff:ffff:ffff",
    asn: 5,
    company: "Six",
    kind: "education"
  },
  {
    first: "::",
    last: "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
    asn: null,
    company: "All",
    kind: "unknown"
  }
]

const calendar = fc.uniqueArray(
  fc.record({
    hour: fc.constantFrom(...HOURS, "2025-11-10T13"),
    state: fc.constantFrom("landed", "empty", "gap", "open")
  }),
  { selector: ({ hour }) => hour, maxLength: 7 }
)

function hoursOf(lines: ReadonlyArray<Line>, redacted: number): ReadonlyArray<LandedHour> {
  return HOURS.map((hour, index) => ({
    hour,
    loadId: `load-${index}`,
    lines: lines.filter((line) => line.hour === index).map(({ text }) => text),
    redacted: index === 1 ? redacted : 0
  }))
}

/** Worlds of at most `visits` visits, in which all kinds of things happen. */
export function worlds(visits: number): fc.Arbitrary<World> {
  return worldsOf(fc.array(visit, { maxLength: visits, size: "max" }))
}

/** Worlds of exactly `visits` visits in which menus are used. */
export function menuWorlds(visits: number): fc.Arbitrary<World> {
  return worldsOf(fc.array(menuVisit, { minLength: visits, maxLength: visits, size: "max" }))
}

function worldsOf(visits: fc.Arbitrary<ReadonlyArray<Visited>>): fc.Arbitrary<World> {
  return fc
    .record({
      visits,
      odd: fc.array(odd, { maxLength: 3 }),
      calendar,
      ranges: fc.oneof(
        { weight: 3, arbitrary: fc.constant(ranges) },
        { weight: 1, arbitrary: fc.subarray([...ranges], { minLength: 1 }) }
      ),
      rangesIn: fc.constantFrom("seed" as const, "table" as const),
      redacted: fc.nat({ max: 2 })
    })
    .map(({ calendar, odd, ranges, rangesIn, redacted, visits }) => ({
      hours: hoursOf([...odd.slice(1), ...linesOf(visits), ...odd.slice(0, 1)], redacted),
      calendar: calendar.map((drawn) => ({ ...drawn, seenAt: BASE + HOUR })),
      sites: [
        { host: "www.example.com", pathPrefix: "/uk", site: "example.com/uk" },
        { host: "Example.com", pathPrefix: "/", site: "everything" }
      ],
      menuItems: [
        { site: "uk.shop.example.com", label: "Offers", name: "offers" },
        { site: "de.shop.example.com", label: "Angebote", name: "offers" },
        { site: "de.shop.example.com", label: "Home", name: "offers" }
      ],
      ipRanges: ranges,
      rangesIn
    }))
}
