import * as defaults from "../../programs/run/defaults.ts"
import { hourOrDay, instant, wholeNumber } from "./parse.ts"
import { settingsUnder } from "./setting.ts"

const { optional, toggle, value } = settingsUnder("Which hours:")

export const windowSettings = {
  startDate: optional({
    flag: "--start-date <hour>",
    help: "first hour: 20251110T00, 2025-11-10T00 or a day, 2025-11-10",
    parse: hourOrDay("T00")
  }),
  endDate: optional({
    flag: "--end-date <hour>",
    help: "last hour, included; of a day, its T23",
    parse: hourOrDay("T23")
  }),
  yesterday: toggle({ flag: "--yesterday", help: "the previous UTC day, T00 to T23" }),
  lookbackDays: value({
    flag: "--lookback-days <days>",
    help: "without dates: so many days up to the newest closed hour",
    parse: wholeNumber(1, 3660),
    fallback: defaults.lookbackDays,
    variables: ["DEFAULT_LOOKBACK_DAYS"]
  }),
  lagHours: value({
    flag: "--lag-hours <hours>",
    help: "how long an hour must be over before it is closed and asked for",
    parse: wholeNumber(0, 8760),
    fallback: defaults.lagHours,
    variables: ["DATA_AVAILABILITY_LAG_HOURS"]
  }),
  healDays: value({
    flag: "--heal-days <days>",
    help: "without dates: reach back to the oldest gap, so many days at most",
    parse: wholeNumber(0, 3660),
    fallback: defaults.healDays
  }),
  settleHours: value({
    flag: "--settle-hours <hours>",
    help: "hours to wait before an hour without events is recorded as empty",
    parse: wholeNumber(0, 8760),
    fallback: defaults.settleHours
  }),
  now: optional({
    flag: "--now <instant>",
    help: "use this time, such as 2025-11-10T21:00:00Z, instead of the system clock",
    parse: instant
  })
} as const
