/**
 * The figures of a report, as `report --json` prints them.
 *
 * @module
 */
import { Schema } from "effect"
import { Hour } from "../../services/Hour.ts"

const Count = Schema.NonNegativeInt
const Text = Schema.NullOr(Schema.String)

/** What an hour is, in store and warehouse together. */
export const CoverageState = Schema.Literal(
  /** Landed and loaded. */
  "loaded",
  /** Without events. */
  "empty",
  /** Landed, and not loaded yet. */
  "landed",
  /** Landed by another pipeline, and not loaded. */
  "unverified",
  /** Loaded from an object that was replaced since. */
  "outdated",
  /** Store and warehouse have different lines. */
  "conflict",
  /** In several versions. */
  "doubled",
  /** Closed, and without events so far. */
  "pending",
  /** Not closed. */
  "open",
  /** Missing. */
  "gap",
  /** Missing, and accepted by a person. */
  "accepted",
  /** Loaded, and no longer in the store. */
  "gone"
)
export type CoverageState = typeof CoverageState.Type

/** Adjacent hours in one state. */
const Stretch = Schema.Struct({ first: Hour, last: Hour, state: CoverageState })
export type Stretch = typeof Stretch.Type

export const Coverage = Schema.Struct({
  /** When the store was last listed; `null` if it never was. */
  seenAt: Text,
  /** Oldest first, without a gap between them. */
  stretches: Schema.Array(Stretch),
  totals: Schema.Array(Schema.Struct({ state: CoverageState, hours: Count }))
})
export type Coverage = typeof Coverage.Type

const Captured = Schema.Struct({
  /** The most frequent first. */
  types: Schema.Array(
    Schema.Struct({
      eventType: Text,
      firstHour: Hour,
      lastHour: Hour,
      events: Count,
      sessions: Count
    })
  ),
  /** Types that are not listed. */
  otherTypes: Count,
  otherEvents: Count
})

const EventsByDay = Schema.Struct({
  /** The most frequent ones. */
  types: Schema.Array(Text),
  days: Schema.Array(
    Schema.Struct({
      day: Schema.String,
      /** One for each type. */
      events: Schema.Array(Count),
      /** Of all other types together. */
      other: Count
    })
  )
})

/** What sessions did at their first steps on a site. */
const Flow = Schema.Struct({
  /** The pages of each step, the most frequent first; `null` stands for all others. */
  steps: Schema.Array(Schema.Array(Schema.Struct({ page: Text, sessions: Count }))),
  /** From a page of a step, numbered from 0, to one of the next step. */
  links: Schema.Array(Schema.Struct({ step: Count, from: Count, to: Count, sessions: Count }))
})
export type Flow = typeof Flow.Type

const SiteJourneys = Schema.Struct({
  site: Text,
  /** Sessions that entered here. */
  sessions: Count,
  /** How many different ones there are. */
  different: Count,
  /** The most frequent ones. */
  journeys: Schema.Array(
    Schema.Struct({ journey: Schema.String, isCut: Schema.Boolean, sessions: Count })
  ),
  flow: Flow
})

const Company = Schema.Struct({
  company: Schema.String,
  kind: Text,
  evidence: Schema.String,
  sessions: Count,
  visitors: Count,
  pageViews: Count,
  firstSeen: Text,
  lastSeen: Text,
  topPage: Text
})
export type Company = typeof Company.Type

const Companies = Schema.Struct({
  sessions: Count,
  /** Sessions whose address and groups tell nothing. */
  unknownSessions: Count,
  /** Groups, and networks that are no providers. */
  companies: Schema.Array(Company),
  otherCompanies: Count,
  /** Access providers and hosting: their customers, not they, were here. */
  providers: Schema.Array(Company),
  otherProviders: Count
})

/** Some of several sessions. */
const Of = Schema.Struct({ count: Count, sessions: Count })
export type Of = typeof Of.Type

/** Some of several sessions, with the 95 % interval of the share by Wilson. */
const Rate = Schema.Struct({
  count: Count,
  sessions: Count,
  low: Schema.Number,
  high: Schema.Number
})
export type Rate = typeof Rate.Type

const ClickedElement = Schema.Struct({
  site: Text,
  page: Text,
  element: Text,
  label: Text,
  clicks: Count,
  bursts: Count,
  longestBurst: Count,
  /** Sessions that clicked it three times within a second. */
  rage: Rate,
  /** The same, summed over the other elements of the site that are not made to be clicked often. */
  others: Of,
  sdkRageClicks: Count,
  sdkDeadClicks: Count,
  devices: Schema.Array(
    Schema.Struct({ deviceType: Text, clicks: Count, sessions: Count, rageSessions: Count })
  )
})
export type ClickedElement = typeof ClickedElement.Type

const RepeatedClicks = Schema.Struct({
  /** How many different elements were clicked. */
  different: Count,
  /** By their sessions with three clicks within a second. */
  elements: Schema.Array(ClickedElement),
  /** What is meant to be clicked often, such as a stepper. */
  repeaters: Schema.Array(ClickedElement)
})

const MenuItem = Schema.Struct({
  item: Text,
  clicks: Count,
  /** Sessions with a second guess, a return or a search. */
  evidence: Rate,
  secondGuesses: Count,
  returns: Count,
  searches: Count,
  abandonments: Count,
  /** The menu's other items, summed. */
  otherItems: Schema.NullOr(Of),
  /** The same item on other sites, summed. */
  elsewhere: Schema.NullOr(Of),
  /** Whether it has 30 sessions. */
  isEnough: Schema.Boolean
})
export type MenuItem = typeof MenuItem.Type

const Menu = Schema.Struct({
  site: Text,
  menu: Schema.String,
  sessions: Count,
  /** How many it has. */
  different: Count,
  items: Schema.Array(MenuItem)
})
export type Menu = typeof Menu.Type

const Counting = Schema.Struct({
  loadedHours: Count,
  firstLoaded: Schema.NullOr(Hour),
  lastLoaded: Schema.NullOr(Hour),
  /** Lines that are loaded. */
  lines: Count,
  /** Of them, those that are events. */
  modelled: Count,
  malformed: Count,
  duplicates: Count,
  late: Count,
  future: Count,
  redacted: Count,
  /** Hours that were loaded, replaced or removed since the models were built. */
  behindHours: Count
})

/** What a report shows, in its order. */
export class Report extends Schema.Class<Report>("Report")({
  /** The store that was loaded, and its Amplitude project. */
  source: Schema.Struct({ place: Text, project: Text }),
  coverage: Coverage,
  captured: Captured,
  eventsByDay: EventsByDay,
  journeys: Schema.Struct({ sites: Schema.Array(SiteJourneys), otherSites: Count }),
  companies: Companies,
  repeatedClicks: RepeatedClicks,
  menus: Schema.Struct({ menus: Schema.Array(Menu), otherMenus: Count }),
  counting: Counting
}) {}
