import { wholeNumber } from "../parse.ts"
import { settingsUnder } from "../setting.ts"

const { optional, toggle } = settingsUnder("Execution:")

export const verifySettings = {
  sample: optional({
    flag: "--sample <n>",
    acts: true,
    help: "read only this many random hours, from the given dates or from the whole store",
    parse: wholeNumber(1)
  }),
  sampleSeed: optional({
    flag: "--sample-seed <n>",
    acts: true,
    help: "seed of the sample, to repeat an earlier one (default: a random seed, which is printed)",
    parse: wholeNumber(0, 2 ** 31 - 1)
  }),
  parse: toggle({
    flag: "--parse",
    help: "also parse each line as JSON, and count those that are not objects; takes ten times as long. Lines of hours that another pipeline landed are always parsed"
  }),
  against: toggle({
    flag: "--against",
    acts: true,
    help: "compare with another lake instead, which the --to-* flags name as they do for copy: every hour of both is read, and has to be in both with the same lines, in whatever layout and format"
  }),
  strict: toggle({
    flag: "--strict",
    help: "exit 8 if an hour is unverified, too: landed by another pipeline, without metadata to compare it with"
  })
} as const
