import { text, wholeNumber } from "../parse.ts"
import { settingsUnder } from "../setting.ts"

const { optional, toggle, value } = settingsUnder("Execution:")

export const simulateSettings = {
  port: value({
    flag: "--port <port>",
    help: "port on 127.0.0.1; 0 picks a free one",
    parse: wholeNumber(0, 65535),
    fallback: 0
  }),
  maxBytes: optional({
    flag: "--max-bytes <bytes>",
    help: "answer HTTP 400 if the archive of a window is larger",
    parse: wholeNumber(1)
  }),
  dump: optional({
    flag: "--dump <folder>",
    acts: true,
    help: "write the hours of the window into this folder instead of serving them",
    parse: text
  }),
  brokenLines: toggle({
    flag: "--broken-lines",
    help: "add to each hour with events a line that is no JSON, and one with half of an emoji"
  })
} as const
