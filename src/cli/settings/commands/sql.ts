import { oneOf, text } from "../parse.ts"
import { settingsUnder } from "../setting.ts"

const { argument, optional } = settingsUnder("Output:")

export const sqlSettings = {
  query: argument({
    argument: "<query>",
    help: 'one statement that only reads, such as "from amplitude.loads limit 5"; - reads it from standard input',
    parse: text
  }),
  output: optional({
    flag: "--output <format>",
    help: "how to print the result: table, csv or json (default: table on a terminal, else csv)",
    parse: oneOf(["table", "csv", "json"])
  })
} as const
