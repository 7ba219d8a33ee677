import { Either, Redacted } from "effect"
import { parseSafeUrl, unsafeUrlText } from "../../services/SafeUrl.ts"
import { oneOf, type Parse, prometheusFile, text } from "./parse.ts"
import { settingsUnder } from "./setting.ts"

const { optional, toggle, value } = settingsUnder("Output:")

const secretUrl =
  (example: string): Parse<Redacted.Redacted> =>
  (url) =>
    Either.mapBoth(parseSafeUrl(url), {
      onLeft: (problem) => `${example}: it ${unsafeUrlText(problem)}`,
      onRight: ({ href }) => Redacted.make(href)
    })

export const outputSettings = {
  events: toggle({ flag: "--events", help: "shade landed hours by their number of events" }),
  json: toggle({ acts: true, flag: "--json", help: "print one JSON object on stdout" }),
  logLevel: value({
    flag: "--log-level <level>",
    help: "log this level and above: debug, info, warning, error or none",
    parse: oneOf(["debug", "info", "warning", "error", "none"]),
    fallback: "info"
  }),
  logFormat: optional({
    flag: "--log-format <format>",
    help: "format of the log on stderr: pretty, logfmt or json (default: pretty on a terminal, else logfmt)",
    parse: oneOf(["pretty", "logfmt", "json"])
  }),
  webhook: optional({
    flag: "--webhook <url>",
    help: "post the result as JSON to this URL when the run fails or leaves gaps",
    parse: secretUrl("a webhook URL such as https://hooks.example/T0/B0"),
    variables: ["NOTIFY_WEBHOOK_URL"],
    isPrivate: true
  }),
  heartbeat: optional({
    flag: "--heartbeat <url>",
    help: "request this URL after each run that exits with 0, and <url>/fail after any other, so that a monitor notices runs that no longer come",
    parse: secretUrl("a heartbeat URL such as https://hc-ping.com/UUID"),
    variables: ["HEARTBEAT_URL"],
    isPrivate: true
  }),
  testWebhook: toggle({
    flag: "--test-webhook",
    acts: true,
    help: "post a test message to the webhook"
  }),
  notify: value({
    flag: "--notify <when>",
    help: "when to post to the webhook: failure or always",
    parse: oneOf(["failure", "always"]),
    fallback: "failure"
  }),
  logDir: optional({
    flag: "--log-dir <folder>",
    help: "also write one log file per run into this folder, complete even if the run is killed",
    parse: text
  }),
  metricsFile: optional({
    flag: "--metrics-file <file>",
    acts: true,
    help: "write the run's metrics to this .prom file, for Prometheus' node exporter; each command and lake needs its own",
    parse: prometheusFile
  })
} as const
