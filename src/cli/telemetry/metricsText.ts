/**
 * A run's metrics in Prometheus' text format. They are gauges of the last run, because a batch job
 * has no lasting process that could keep counters.
 *
 * Source: https://prometheus.io/docs/instrumenting/exposition_formats/
 *
 * @module
 */
import type { Counted } from "../../programs/run/telemetry.ts"

/** The command and the lake that a file belongs to. */
export interface MetricsLabels {
  readonly command: string
  readonly store: string
}

interface MetricsOptions {
  /** Distinguish this file from others in the same folder. */
  readonly labels: MetricsLabels
  readonly exitCode: number
  /** When the run began and ended, in milliseconds since 1970. */
  readonly begun: number
  readonly ended: number
  readonly counted: ReadonlyArray<Counted>
  /** The text for the previous run, from which the time of the last success is carried over. */
  readonly before: string
}

type Labels = Readonly<Record<string, string>>

interface Sample {
  readonly labels?: Labels
  readonly value: number
}

const OUTCOMES = [
  "landed",
  "empty",
  "skipped",
  "pending",
  "open",
  "accepted",
  "postponed",
  "failed"
]
const PREFIX = "amplitude_lake_"
const LAST_SUCCESS = "last_success_timestamp_seconds"

function one(value: number): ReadonlyArray<Sample> {
  return [{ value }]
}

/**
 * Every gauge with its help and its samples. A gauge without a value is left out, and so is what
 * lands for a command that lands nothing.
 */
export function metricsText(options: MetricsOptions): string {
  const { begun, ended, exitCode, labels } = options
  const counted = (name: string) => options.counted.filter((it) => it.name === name)
  const valuesOf = (name: string) => counted(name).map(({ value }) => ({ value }))
  const gauge = (name: string, help: string, samples: ReadonlyArray<Sample>) =>
    gaugeText(name, help, labels, samples)
  const ofLastRun = (name: string, help: string, samples: ReadonlyArray<Sample>) =>
    gauge(`last_run_${name}`, help, samples)

  const success = exitCode === 0 ? ended / 1000 : lastSuccess(options)
  const lines = [
    ofLastRun("timestamp_seconds", "When the last run ended.", one(ended / 1000)),
    gauge(
      LAST_SUCCESS,
      "When the last run that exited with 0 ended.",
      success === undefined ? [] : one(success)
    ),
    ofLastRun("exit_code", "Exit code of the last run.", one(exitCode)),
    ofLastRun("duration_seconds", "How long the last run took.", one((ended - begun) / 1000)),
    ...workTexts(options),
    ofLastRun(
      "failures",
      "Hours that failed in the last run, and errors that ended it early, by reason.",
      counted("failures").map(({ tags, value }) => ({ labels: tags, value }))
    ),
    ofLastRun(
      "oldest_failed_hour_timestamp_seconds",
      "Start of the oldest hour that failed in the last run.",
      valuesOf("oldest_failed_hour")
    ),
    gauge(
      "newest_hour_timestamp_seconds",
      "Start of the newest hour in the store.",
      valuesOf("newest_hour")
    ),
    gauge(
      "gaps",
      "Settled hours missing in the store after its first landed hour, without those accepted.",
      valuesOf("gap_hours")
    ),
    gauge(
      "oldest_gap_timestamp_seconds",
      "Start of the oldest of these gaps.",
      valuesOf("oldest_gap").filter(({ value }) => value > 0)
    ),
    gauge("conflicts", "Hours with a conflict that nobody has resolved.", valuesOf("conflicts"))
  ]
  return `${lines.flat().join("\n")}\n`
}

/** What a run landed and loaded; nothing for one that only looks. */
function workTexts(options: MetricsOptions): ReadonlyArray<string> {
  switch (options.labels.command) {
    case "status":
      return []
    case "load":
      return [...loadingTexts(options), ...retriesTexts(options)]
    default:
      return [...landingTexts(options), ...loadingTexts(options), ...retriesTexts(options)]
  }
}

/** What a run loaded. */
function loadingTexts({ counted, labels }: MetricsOptions): ReadonlyArray<string> {
  const samples = (name: string) =>
    counted.filter((it) => it.name === name).map(({ tags, value }) => ({ labels: tags, value }))
  const ofLastRun = (name: string, help: string) =>
    gaugeText(`last_run_${name}`, help, labels, samples(name))
  return [
    ofLastRun("loads", "Hours of the last load, by outcome."),
    ofLastRun("loaded_events", "Events that the last load brought into the warehouse.")
  ].flat()
}

/** What a run landed. */
function landingTexts({ counted, labels }: MetricsOptions): ReadonlyArray<string> {
  const sum = (name: string, outcome?: string) =>
    counted
      .filter((it) => it.name === name)
      .filter(({ tags }) => outcome === undefined || tags["outcome"] === outcome)
      .reduce((total, { value }) => total + value, 0)
  const ofLastRun = (name: string, help: string, samples: ReadonlyArray<Sample>) =>
    gaugeText(`last_run_${name}`, help, labels, samples)
  return [
    // Not named after hours, which Prometheus' linter takes for a unit.
    ofLastRun(
      "outcomes",
      "Hours of the last run, by outcome.",
      OUTCOMES.map((outcome) => ({ labels: { outcome }, value: sum("hours", outcome) }))
    ),
    ofLastRun("events", "Events that the last run landed.", one(sum("events"))),
    ofLastRun("bytes", "Bytes of the lines that the last run landed.", one(sum("bytes")))
  ].flat()
}

function retriesTexts({ counted, labels }: MetricsOptions): ReadonlyArray<string> {
  const retries = counted.filter(({ name }) => name === "retries")
  const value = retries.reduce((total, it) => total + it.value, 0)
  return gaugeText("last_run_retries", "Retries in the last run.", labels, one(value))
}

function gaugeText(
  name: string,
  help: string,
  labels: MetricsLabels,
  samples: ReadonlyArray<Sample>
): ReadonlyArray<string> {
  if (samples.length === 0) return []
  return [
    `# HELP ${PREFIX}${name} ${help}`,
    `# TYPE ${PREFIX}${name} gauge`,
    ...samples.map((it) => `${PREFIX}${name}${labelsText({ ...labels, ...it.labels })} ${it.value}`)
  ]
}

function escaped(value: string): string {
  return value.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n")
}

function labelsText(labels: Labels): string {
  return `{${Object.entries(labels)
    .map(([name, value]) => `${name}="${escaped(value)}"`)
    .join(",")}}`
}

/** The time of the last success that an earlier run with the same labels wrote. */
function lastSuccess({ before, labels }: MetricsOptions): number | undefined {
  const head = `${PREFIX}${LAST_SUCCESS}${labelsText({ ...labels })} `
  const line = before.split("\n").find((it) => it.startsWith(head))
  const time = Number(line?.slice(head.length) || Number.NaN)
  return Number.isFinite(time) ? time : undefined
}

/** Whether a text has metrics of this program, and all of them with other labels. */
export function isOfAnother(before: string, labels: MetricsLabels): boolean {
  const own = labelsText({ ...labels }).slice(0, -1)
  const samples = before.split("\n").filter((line) => line.startsWith(PREFIX))
  return samples.length > 0 && !samples.some((line) => line.includes(own))
}
