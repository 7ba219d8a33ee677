import * as defaults from "../../programs/run/defaults.ts"
import { hourOrDay, instant, wholeNumber } from "./parse.ts"
import { settingsUnder } from "./setting.ts"

const { optional, toggle, value } = settingsUnder("Hours:")

export const windowSettings = {
  startDate: optional({
    flag: "--start-date <hour>",
    help: "first hour in UTC, such as 2025-11-10T00 or 20251110T00, or a day, 2025-11-10",
    parse: hourOrDay("T00")
  }),
  endDate: optional({
    flag: "--end-date <hour>",
    help: "last hour, inclusive; a day means its last hour, T23",
    parse: hourOrDay("T23")
  }),
  yesterday: toggle({
    flag: "--yesterday",
    help: "the previous UTC day, T00 to T23; with the default --lag-hours it is closed from 12:00 UTC on"
  }),
  lookbackDays: value({
    flag: "--lookback-days <days>",
    help: "without dates: cover this many days, ending with the newest closed hour",
    parse: wholeNumber(1, 3660),
    fallback: defaults.lookbackDays,
    variables: ["DEFAULT_LOOKBACK_DAYS"]
  }),
  lagHours: value({
    flag: "--lag-hours <hours>",
    help: "hours to wait after an hour ends before it counts as closed and may be requested",
    parse: wholeNumber(0, 8760),
    fallback: defaults.lagHours,
    variables: ["DATA_AVAILABILITY_LAG_HOURS"]
  }),
  healDays: value({
    flag: "--heal-days <days>",
    help: "without dates: extend the window back to the oldest gap, by up to this many days",
    parse: wholeNumber(0, 3660),
    fallback: defaults.healDays
  }),
  settleHours: value({
    flag: "--settle-hours <hours>",
    help: "hours to wait after an hour ends before no events means that it is empty, and no object means a gap",
    parse: wholeNumber(0, 8760),
    fallback: defaults.settleHours
  }),
  now: optional({
    flag: "--now <instant>",
    help: "use this time, such as 2025-11-10T21:00:00Z, instead of the system clock",
    parse: instant
  })
} as const
