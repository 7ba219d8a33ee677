import { Either, Redacted } from "effect"
import { durationOf, type Parse, text, wholeNumber } from "../parse.ts"
import { settingsUnder } from "../setting.ts"

const { optional, toggle, value } = settingsUnder("Fleet:")
const { secret } = settingsUnder("Keys:")

/** The driver takes what it does not understand for the name of a database on this machine. */
const databaseUrl: Parse<Redacted.Redacted> = (url) => {
  const { hostname = "", pathname = "/", protocol } = URL.canParse(url) ? new URL(url) : {}
  const isPostgres = protocol === "postgres:" || protocol === "postgresql:"
  return isPostgres && hostname !== "" && pathname.length > 1
    ? Either.right(Redacted.make(url))
    : Either.left("a URL such as postgres://user:password@host:5432/database")
}

export const fleetSettings = {
  watch: toggle({
    flag: "--watch",
    acts: true,
    help: "watch the backfill that the fleet has of these dates, or had last, and begin none"
  }),
  stop: toggle({
    flag: "--stop",
    acts: true,
    help: "let the fleet begin no further window of this backfill; backfill without it goes on"
  }),
  workerLanes: value({
    flag: "--worker-lanes <n>",
    help: "windows that this worker lands at once; the fleet as a whole makes no more requests than --lanes of the backfill",
    parse: wholeNumber(1, 64),
    fallback: 1
  }),
  keepDays: value({
    flag: "--keep-days <days>",
    help: "delete a backfill from the database this many days after its end",
    parse: durationOf("d", 1, 3650),
    fallback: 30
  }),
  healthPort: optional({
    flag: "--health-port <port>",
    help: "answer /health and /metrics on this port",
    parse: wholeNumber(1, 65_535)
  }),
  healthHost: value({
    flag: "--health-host <address>",
    help: "address that --health-port listens on; 0.0.0.0 for probes from outside a container",
    parse: text,
    fallback: "127.0.0.1"
  }),
  databaseUrl: secret({
    help: "URL of the fleet's Postgres database",
    variables: ["AMPLITUDE_LAKE_DATABASE_URL"],
    fileVariables: [],
    parse: databaseUrl
  })
} as const
