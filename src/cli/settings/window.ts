import * as defaults from "../../programs/run/defaults.ts"
import { dateAt } from "./dates.ts"
import { durationOf, instant, shard } from "./parse.ts"
import { settingsUnder, TESTING } from "./setting.ts"

const { optional, toggle, value } = settingsUnder("Hours:")
const { optional: testOptional } = settingsUnder(TESTING)

export const windowSettings = {
  startDate: optional({
    flag: "--start-date <hour>",
    acts: true,
    help: "first hour in UTC, such as 2025-11-10T00 or 2025-11-10T00:00Z; or the first one of a day, 2025-11-10, a month, 2025-11, today, yesterday or -3d (three days ago)",
    parse: dateAt("start")
  }),
  endDate: optional({
    flag: "--end-date <hour>",
    acts: true,
    help: "last hour, inclusive, in the same forms; a day means its last hour, T23",
    parse: dateAt("end")
  }),
  yesterday: toggle({
    flag: "--yesterday",
    acts: true,
    help: "the previous UTC day, T00 to T23; with the default --lag-hours it is closed from 12:00 UTC on"
  }),
  lookbackDays: value({
    flag: "--lookback-days <days>",
    help: "without --start-date: cover this many days, ending with --end-date or the newest closed hour",
    parse: durationOf("d", 1, 3660),
    fallback: defaults.lookbackDays,
    variables: ["DEFAULT_LOOKBACK_DAYS"]
  }),
  lagHours: value({
    flag: "--lag-hours <hours>",
    help: "hours to wait after an hour ends before it counts as closed and may be requested",
    parse: durationOf("h", 0, 8760),
    fallback: defaults.lagHours,
    variables: ["DATA_AVAILABILITY_LAG_HOURS"]
  }),
  healDays: value({
    flag: "--heal-days <days>",
    help: "without dates: extend the window back to the oldest gap, by up to this many days",
    parse: durationOf("d", 0, 3660),
    fallback: defaults.healDays
  }),
  settleHours: value({
    flag: "--settle-hours <hours>",
    help: "hours to wait after an hour ends before no events means that it is empty, and no object means a gap",
    parse: durationOf("h", 0, 8760),
    fallback: defaults.settleHours
  }),
  shard: optional({
    flag: "--shard <I/N>",
    help: "only every Nth day, and of N machines this is number I, such as 3/16; 0 is the same as N",
    parse: shard
  }),
  now: testOptional({
    flag: "--now <instant>",
    acts: true,
    help: "use this time, such as 2025-11-10T21:00:00Z, instead of the system clock",
    parse: instant
  })
} as const
