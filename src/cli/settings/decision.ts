import { hour } from "./dates.ts"
import { text } from "./parse.ts"
import { settingsUnder } from "./setting.ts"

const { argument, optional } = settingsUnder("What was decided:")

export const decisionSettings = {
  reason: optional({
    flag: "--reason <text>",
    acts: true,
    help: "why these hours stay missing; gaps shows it",
    parse: text
  }),
  acceptance: argument({
    argument: "<name>",
    help: "the acceptance, by the name that gaps shows",
    parse: text
  }),
  conflict: argument({
    argument: "<hour>",
    help: "the hour that has two versions",
    parse: hour
  }),
  keep: optional({
    flag: "--keep <version>",
    acts: true,
    help: "the version that counts from now on: store keeps the store's object, ours replaces it; where the store has the hour in several versions, the key of the object that counts",
    parse: text
  })
} as const
