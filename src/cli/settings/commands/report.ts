import { text } from "../parse.ts"
import { settingsUnder } from "../setting.ts"

const { optional, toggle, value } = settingsUnder("Report:")

export const reportSettings = {
  out: value({
    flag: "--out <file>",
    help: "the HTML file to write, which is replaced",
    parse: text,
    fallback: "report.html"
  }),
  build: toggle({
    flag: "--build",
    acts: true,
    help: "first load every landed hour that is not in the warehouse yet, and build the models"
  }),
  html: optional({
    flag: "--html <file>",
    acts: true,
    help: "also write the calendar as an HTML file, which is replaced",
    parse: text
  })
} as const
