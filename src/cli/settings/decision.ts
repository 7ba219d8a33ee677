import { text } from "./parse.ts"
import { settingsUnder } from "./setting.ts"

const { argument, optional } = settingsUnder("What was decided:")

export const decisionSettings = {
  reason: optional({
    flag: "--reason <text>",
    help: "why these hours stay missing; gaps shows it",
    parse: text
  }),
  acceptance: argument({
    argument: "<name>",
    help: "the acceptance, by the name that gaps shows",
    parse: text
  })
} as const
