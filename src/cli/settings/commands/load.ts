import { hour } from "../dates.ts"
import { text } from "../parse.ts"
import { settingsUnder } from "../setting.ts"

const { optional, toggle, value } = settingsUnder("Warehouse:")

export const loadSettings = {
  load: toggle({
    flag: "--load",
    help: "then load every landed hour that is not in the warehouse yet"
  }),
  warehouseFile: value({
    flag: "--warehouse-file <file>",
    help: "the warehouse, a DuckDB file, which the first load makes",
    parse: text,
    fallback: "lake.duckdb"
  }),
  replace: optional({
    flag: "--replace <hour>",
    acts: true,
    help: "load this hour alone, in the place of what is loaded of it",
    parse: hour
  }),
  unverified: toggle({
    flag: "--unverified",
    help: "also load hours that another pipeline landed, without metadata to compare them with"
  })
} as const
