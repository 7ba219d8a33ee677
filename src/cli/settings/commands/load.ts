import { hour } from "../dates.ts"
import { oneOf, type Parse, text } from "../parse.ts"
import { settingsUnder } from "../setting.ts"

const { optional, toggle, value } = settingsUnder("Warehouse:")

const KINDS = ["duckdb", "snowflake"] as const

/** Commander gives `true` for a flag without its value. */
const kindOf: Parse<(typeof KINDS)[number]> = Object.assign(
  (kind: string, now: number) => oneOf(KINDS)(kind === "true" ? KINDS[0] : kind, now),
  { choices: KINDS }
)

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
  warehouse: optional({
    flag: "--warehouse [kind]",
    acts: true,
    help: "look into the warehouse, too: duckdb, the file that load makes, or snowflake, which SNOWFLAKE_ACCOUNT and its like describe",
    parse: kindOf
  }),
  replace: optional({
    flag: "--replace <hour>",
    acts: true,
    help: "load this hour alone, in the place of what is loaded of it",
    parse: hour
  }),
  reconcile: toggle({
    flag: "--reconcile",
    acts: true,
    help: "load nothing: compare what Snowpipe has loaded with the store, and record the hours that agree"
  }),
  unverified: toggle({
    flag: "--unverified",
    help: "also load hours that another pipeline landed, without metadata to compare them with"
  })
} as const
