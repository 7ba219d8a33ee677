import { Either, Redacted } from "effect"
import { parseSafeUrl, unsafeUrlText } from "../../services/SafeUrl.ts"
import { oneOf, type Parse, prometheusFile, text } from "./parse.ts"
import { settingsUnder } from "./setting.ts"

const { optional, toggle, value } = settingsUnder("What is printed:")

const webhook: Parse<Redacted.Redacted> = (url) =>
  Either.mapBoth(parseSafeUrl(url), {
    onLeft: (problem) =>
      `a webhook's URL as https://hooks.example/T0/B0: it ${unsafeUrlText(problem)}`,
    onRight: ({ href }) => Redacted.make(href)
  })

export const outputSettings = {
  events: toggle({ flag: "--events", help: "shade landed hours by their events" }),
  json: toggle({ flag: "--json", help: "one JSON object on stdout" }),
  logLevel: value({
    flag: "--log-level <level>",
    help: "debug, info, warning, error or none",
    parse: oneOf(["debug", "info", "warning", "error", "none"]),
    fallback: "info"
  }),
  logFormat: optional({
    flag: "--log-format <format>",
    help: "pretty, logfmt or json, on stderr (default: pretty on a terminal, else logfmt)",
    parse: oneOf(["pretty", "logfmt", "json"])
  }),
  webhook: optional({
    flag: "--webhook <url>",
    help: "post the summary there as JSON when the run fails or leaves gaps",
    parse: webhook,
    variables: ["NOTIFY_WEBHOOK_URL"],
    isPrivate: true
  }),
  notify: value({
    flag: "--notify <when>",
    help: "failure, or always: when the webhook is told",
    parse: oneOf(["failure", "always"]),
    fallback: "failure"
  }),
  logDir: optional({
    flag: "--log-dir <folder>",
    help: "also write the log to a file of the run there, whole even if the run is killed",
    parse: text
  }),
  metricsFile: optional({
    flag: "--metrics-file <file>",
    help: "leave there, as a .prom file, what the run did: for Prometheus' node exporter",
    parse: prometheusFile
  })
} as const
