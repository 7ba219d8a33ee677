/** What happens in a session, one act after another. */
import fc from "fast-check"
import {
  type Address,
  address,
  busyAddress,
  locationOf,
  pageProperties,
  type Telling,
  telling
} from "./addresses.ts"
import { described, describedInMenu, elementProperties, form, tapped } from "./elements.ts"

const MILLI = 1000

/** Where a session is when something happens. */
export interface Place {
  readonly address: Address
  readonly viewId: string | undefined
  readonly previous: Address | undefined
}

export interface Told {
  readonly type: string
  readonly properties: Readonly<Record<string, unknown>>
  /** How long before it was told it happened, in microseconds. */
  readonly ago?: number
}

export interface Act {
  /** Microseconds since the act before. */
  readonly gap: number
  /** Another page, if the act leads to one. */
  readonly to?: Address
  readonly tell: (place: Place) => ReadonlyArray<Told>
}

/** Waits around each threshold, and often none. */
const gap = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(0, 0, 300, 500).map((millis) => millis * MILLI) },
  {
    weight: 4,
    arbitrary: fc
      .constantFrom(400, 700, 999, 1000, 1001, 2000, 3000)
      .map((millis) => millis * MILLI)
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      1_000_001,
      500_001,
      9_000_000,
      10_000_000,
      10_000_001,
      21_000_000,
      30_000_000,
      60_000_000
    )
  }
)

/** Waits around the thresholds of menus. */
const menuGap = fc.oneof(
  { weight: 2, arbitrary: gap },
  {
    weight: 1,
    arbitrary: fc.constantFrom(1_000_000, 2_000_000, 9_000_000, 10_000_000, 10_000_001, 30_000_000)
  }
)

const title = fc.constantFrom("Sale", "Sale \ud83d", "", "EMPTY", "*****", "Lamp 💡 \\ud83d")
const campaign = fc.constantFrom<Readonly<Record<string, string>>>(
  {},
  {},
  { utm_source: "news", referring_domain: "www.google.com" },
  { utm_source: "EMPTY", utm_campaign: "*****" },
  { utm_medium: "mail", utm_source: "" }
)

function viewId({ viewId }: Place): Readonly<Record<string, unknown>> {
  return { "[Amplitude] Page View ID": viewId }
}

function previousPage({ previous }: Place): Readonly<Record<string, unknown>> {
  return {
    "[Amplitude] Previous Page Location": previous === undefined ? undefined : locationOf(previous)
  }
}

const viewOf = (to: fc.Arbitrary<Address>, wait = gap): fc.Arbitrary<Act> =>
  fc
    .record({ gap: wait, to, telling, title, campaign })
    .map(({ campaign, gap, telling, title, to }) => ({
      gap,
      to,
      tell: (place) => [
        {
          type: "[Amplitude] Page Viewed",
          properties: {
            ...campaign,
            ...pageProperties(place.address, telling),
            ...previousPage(place),
            ...viewId(place),
            "[Amplitude] Page Title": title
          }
        }
      ]
    }))

const screen: fc.Arbitrary<Act> = fc
  .record({ gap, name: fc.constantFrom("Home", "Cart", "/x", undefined) })
  .map(({ gap, name }) => ({
    gap,
    tell: () => [
      { type: "[Amplitude] Screen Viewed", properties: { "[Amplitude] Screen Name": name } }
    ]
  }))

const tap: fc.Arbitrary<Act> = fc.record({ gap, tapped }).map(({ gap, tapped }) => ({
  gap,
  tell: () => [
    {
      type: "[Amplitude] Element Interacted",
      properties: { ...tapped, "[Amplitude] Screen Name": "Home" }
    }
  ]
}))

/** A click; in a single-page app the address bar is ahead of it. */
const click: fc.Arbitrary<Act> = fc
  .record({
    gap,
    described,
    form,
    telling: fc.constantFrom<Telling>("all", "all", "all", "no path", "no url"),
    ahead: fc.option(address, { freq: 4, nil: undefined }),
    more: fc.array(fc.constantFrom(0, 200, 333, 334, 500, 1000, 1001), { maxLength: 4 }),
    report: fc.constantFrom(undefined, undefined, "Rage Click", "Dead Click"),
    late: fc.constantFrom(0, 0, 0, 500, 1000, 1001, -1000),
    // The SDK may name what is inside the element.
    inner: fc.constantFrom({}, { "[Amplitude] Element ID": "inside" })
  })
  .map(({ ahead, described, form, gap, inner, late, more, report, telling }) => ({
    gap,
    tell: (place) => {
      const shown = ahead === undefined ? {} : pageProperties(ahead, "all")
      // Where views have ids, the SDK tells the page as well.
      const told = place.viewId === undefined ? telling : "all"
      const properties = {
        ...elementProperties(described(place.address), form),
        ...pageProperties(place.address, told),
        ...(told === "no url"
          ? {}
          : { "[Amplitude] Page Path": shown["[Amplitude] Page Path"] ?? place.address.path }),
        ...viewId(place)
      }
      const times = more.reduce<ReadonlyArray<number>>(
        (all, wait) => [...all, (all.at(-1) ?? 0) + wait * MILLI],
        [0]
      )
      const last = times.at(-1) ?? 0
      const clicks = times.map((time) => ({
        type: "[Amplitude] Element Clicked",
        properties,
        ago: last - time
      }))
      return report === undefined
        ? clicks
        : [
            ...clicks,
            {
              type: `[Amplitude] ${report}`,
              properties: { ...properties, ...inner },
              ago: last - late * MILLI
            }
          ]
    }
  }))

/** A click in a menu of a page that the SDK tells all of. */
const choice: fc.Arbitrary<Act> = fc
  .record({ gap: menuGap, describedInMenu })
  .map(({ describedInMenu, gap }) => ({
    gap,
    tell: (place) => [
      {
        type: "[Amplitude] Element Clicked",
        properties: {
          ...elementProperties(describedInMenu(place.address), { kind: "array", kept: 1 }),
          ...pageProperties(place.address, "all"),
          ...viewId(place)
        }
      }
    ]
  }))

/** A click on what is no button, reported after the view that it caused. */
const lateClick: fc.Arbitrary<Act> = fc
  .record({
    gap,
    to: address,
    tag: fc.constantFrom("div", "span", "h2", "a"),
    after: fc.constantFrom(0, 100, 500, 501),
    again: fc.constantFrom(undefined, undefined, 50),
    host: fc.constantFrom(undefined, undefined, undefined, "de.shop.example.com")
  })
  .map(({ after, again, gap, host, tag, to }) => ({
    gap,
    to,
    tell: (place) => {
      const previous = place.previous ?? place.address
      const from = { ...previous, host: host ?? previous.host }
      const view = (millis: number) => ({
        type: "[Amplitude] Page Viewed",
        properties: { ...pageProperties(place.address, "all"), ...previousPage(place) },
        ago: millis * MILLI
      })
      return [
        view(after),
        ...(again === undefined ? [] : [view(again)]),
        {
          type: "[Amplitude] Element Clicked",
          properties: {
            "[Amplitude] Element Tag": tag,
            "[Amplitude] Element Text": "Card",
            ...pageProperties(from, "all")
          }
        }
      ]
    }
  }))

const searchForm = fc.constantFrom<Readonly<Record<string, string>>>(
  { "[Amplitude] Form ID": "site_search" },
  { "[Amplitude] Form ID": "research" },
  { "[Amplitude] Form Name": "Search us" },
  { "[Amplitude] Form Destination": "https://search.example.com/find?search=1" },
  { "[Amplitude] Form Destination": "https://example.com/en/search/all" }
)

const submit: fc.Arbitrary<Act> = fc.record({ gap, searchForm }).map(({ searchForm, gap }) => ({
  gap,
  tell: (place) => [
    {
      type: "[Amplitude] Form Submitted",
      properties: { ...searchForm, ...pageProperties(place.address, "all") }
    }
  ]
}))

const other: fc.Arbitrary<Act> = fc
  .record({
    gap,
    type: fc.constantFrom(
      "Search",
      "Search",
      "Order Completed",
      "$identify",
      "session_start",
      "session_end",
      "[Amplitude] Form Started"
    ),
    elsewhere: address
  })
  .map(({ elsewhere, gap, type }) => ({
    gap,
    tell: ({ address }) => [
      { type, properties: pageProperties(type === "session_end" ? elsewhere : address, "all") }
    ]
  }))

export const webAct: fc.Arbitrary<Act> = fc.oneof(
  { weight: 6, arbitrary: viewOf(address) },
  { weight: 7, arbitrary: click },
  { weight: 2, arbitrary: lateClick },
  { weight: 1, arbitrary: submit },
  { weight: 2, arbitrary: other }
)

export const appAct: fc.Arbitrary<Act> = fc.oneof(
  { weight: 3, arbitrary: screen },
  { weight: 2, arbitrary: tap },
  { weight: 1, arbitrary: other }
)

/** What is clicked in menus, and what follows. */
export const menuAct: fc.Arbitrary<Act> = fc.oneof(
  { weight: 6, arbitrary: viewOf(busyAddress, menuGap) },
  { weight: 6, arbitrary: choice },
  { weight: 1, arbitrary: submit },
  { weight: 1, arbitrary: other }
)
