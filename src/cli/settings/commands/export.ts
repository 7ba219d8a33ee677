import { text } from "../parse.ts"
import { settingsUnder } from "../setting.ts"

const { optional } = settingsUnder("Target:")

export const exportSettings = {
  to: optional({
    flag: "--to <folder>",
    acts: true,
    help: "folder for the Parquet files; made if it does not exist",
    parse: text
  })
} as const
