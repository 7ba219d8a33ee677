/**
 * What is planted in the synthetic events, so that answers can be compared with it. Shares are of
 * one visitor's decisions, so a session that decides twice shows it more often.
 */
import { networks } from "./networks.ts"
import type { Range } from "./random.ts"

/** Pages of a kind that a menu leads to, alike on all sites. */
export type MenuItem = "lamps" | "bulbs" | "garden" | "sale" | "offers" | "story"

/**
 * The menu: `weight` is how often an item is chosen. After `misled` of the choices the visitor
 * chooses again, returns or searches within seconds.
 */
export const menu = {
  weights: { lamps: 16, bulbs: 12, garden: 10, sale: 38, offers: 18, story: 6 },
  misled: 0.07,
  /** What a misled visitor does; the others search. */
  signs: { secondGuess: 0.4, return: 0.35 },
  /** One item misleads, on one site only. The same item elsewhere does not. */
  misleading: { site: "uk", item: "offers", misled: 0.55 },
  /** The most popular item. Many return from it, but after they have looked at it. */
  popular: { item: "sale", returnsLater: 0.45 }
} as const

/**
 * Elements that are clicked again and again, by `[Amplitude] Element ID`; gaps in milliseconds.
 * `rage3` and `rage4` are the shares of the sessions with a click on it that have three clicks, or
 * four, within a second.
 */
export const bursts = {
  /** Does nothing: a rage click in every definition. */
  broken: {
    id: "apply-coupon",
    page: "/checkout",
    share: 0.35,
    clicks: [4, 7],
    gap: [120, 240],
    rage3: 1,
    rage4: 1
  },
  /** Answers after seconds: three clicks in one second, never four. */
  slow: {
    id: "place-order",
    page: "/checkout",
    share: 0.4,
    clicks: [3, 3],
    gap: [340, 480],
    rage3: 0.4,
    rage4: 0
  },
  /** Meant to be clicked often: no finding. */
  stepper: {
    id: "quantity-plus",
    page: "/products/:id",
    share: 0.2,
    clicks: [5, 5],
    gap: [150, 280],
    rage3: 1,
    rage4: 1
  },
  carousel: {
    id: "gallery-next",
    page: "/products/:id",
    share: 0.2,
    clicks: [3, 6],
    gap: [350, 700],
    rage3: 0.6,
    rage4: 0
  },
  /** Three clicks select the text of a field: no finding. */
  field: { id: "site-search-field", page: "/", share: 0.04, clicks: [3, 3], gap: [120, 200] }
} as const

/** Buttons that do nothing once. Amplitude's SDK sees only the one without an element inside. */
export const dead = {
  seen: { id: "remember", page: "/products/:id", share: 0.05 },
  unseen: { id: "compare", page: "/products/:id", share: 0.05 }
} as const

export const visitors = {
  /** Share of the web's visitors whose clicks are not captured. */
  plain: 0.2,
  /** Share of visitors who come by app, and share of visits that a server reports. */
  app: 0.12,
  server: 0.05,
  /** Share of visits that are followed by another one, hours later at most. */
  returning: 0.12,
  /** Share of log-ins by which Amplitude recognizes a user from another device. */
  recognized: 0.4
} as const

/** What begins at some hour. */
export const drift = {
  /** A property of page views, new from this hour on. */
  property: { name: "page_category", since: "2025-11-10T15" },
  /** The French site captures no clicks before. */
  clicks: { site: "fr", since: "2025-11-10T06" }
} as const

/** The owned blocks of addresses, as a file of address ranges has them, one for each network. */
export const ipRanges = networks.flatMap(({ owner, kind, asn, first, last, weight }) =>
  owner === undefined ? [] : [{ first, last, asn, name: owner, kind, percent: weight }]
)

/** How far a share of sessions may lie from that of single decisions, which sessions make several of. */
const SLACK = 0.04

/**
 * The counts, both included, that agree with a planted share of a number of sessions, whatever the
 * seed and however many the days. Chance explains three standard deviations. Companies belong to
 * visitors, so theirs is a share of the visitors, not of the sessions.
 */
export function expected(share: number, of: number): Range {
  const chance = (it: number) => 3 * Math.sqrt(of * it * (1 - it))
  const [least, most] = [Math.max(0, share - SLACK), Math.min(1, share + SLACK)]
  return [
    Math.max(0, Math.floor(of * least - chance(least))),
    Math.min(of, Math.ceil(of * most + chance(most)))
  ]
}
