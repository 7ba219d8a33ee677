import * as defaults from "../../../programs/run/defaults.ts"
import { wholeNumber } from "../parse.ts"
import { settingsUnder } from "../setting.ts"

const { value } = settingsUnder("Execution:")

export const backfillSettings = {
  lanes: value({
    flag: "--lanes <n>",
    help: "requests to Amplitude at once, from 1 to 4: a project may make 5, which it shares with all its other users",
    parse: wholeNumber(1, defaults.backfillLanes),
    fallback: defaults.backfillLanes
  })
} as const
