/**
 * A run's metrics in Prometheus' text format. They are gauges of the last run, because a batch job
 * has no lasting process that could keep counters.
 *
 * Source: https://prometheus.io/docs/instrumenting/exposition_formats/
 *
 * @module
 */
import type { Counted } from "../../programs/run/telemetry.ts"

interface MetricsOptions {
  /** Distinguish this lake from others whose files are in the same folder. */
  readonly labels: Readonly<Record<string, string>>
  readonly exitCode: number
  /** When the run began and ended, in milliseconds since 1970. */
  readonly begun: number
  readonly ended: number
  readonly counted: ReadonlyArray<Counted>
  /** The text for the previous run, from which the time of the last success is carried over. */
  readonly before: string
}

interface Sample {
  readonly labels?: Readonly<Record<string, string>>
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
const LAST_SUCCESS = `${PREFIX}last_success_timestamp_seconds`

function one(value: number): ReadonlyArray<Sample> {
  return [{ value }]
}

/** Every gauge with its help and its samples. A gauge without a value is left out. */
export function metricsText(options: MetricsOptions): string {
  const { begun, ended, exitCode, labels } = options
  const counted = (name: string) => options.counted.filter((it) => it.name === name)
  const sum = (name: string, outcome?: string) =>
    counted(name)
      .filter(({ tags }) => outcome === undefined || tags["outcome"] === outcome)
      .reduce((total, { value }) => total + value, 0)
  const gauge = (name: string, help: string, samples: ReadonlyArray<Sample>) =>
    samples.length === 0
      ? []
      : [
          `# HELP ${name} ${help}`,
          `# TYPE ${name} gauge`,
          ...samples.map((it) => `${name}${labelsText({ ...labels, ...it.labels })} ${it.value}`)
        ]
  const ofLastRun = (name: string, help: string, samples: ReadonlyArray<Sample>) =>
    gauge(`${PREFIX}last_run_${name}`, help, samples)

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
    ofLastRun(
      "hours",
      "Hours of the last run, by outcome.",
      OUTCOMES.map((outcome) => ({ labels: { outcome }, value: sum("hours", outcome) }))
    ),
    ofLastRun("events", "Events that the last run landed.", one(sum("events"))),
    ofLastRun("bytes", "Bytes of the lines that the last run landed.", one(sum("bytes"))),
    ofLastRun("retries", "Retries in the last run.", one(sum("retries"))),
    ofLastRun(
      "failures",
      "Hours that failed in the last run, and errors that ended it early, by reason.",
      counted("failures").map(({ tags, value }) => ({ labels: tags, value }))
    ),
    ofLastRun(
      "newest_hour_timestamp_seconds",
      "Start of the newest hour that is present in the last run's window.",
      counted("newest_hour").map(({ value }) => ({ value }))
    ),
    gauge(
      `${PREFIX}older_gaps`,
      "Hours missing after the lake's first landed hour and before the window of the last run.",
      counted("gap_hours").map(({ value }) => ({ value }))
    ),
    gauge(
      `${PREFIX}oldest_gap_timestamp_seconds`,
      "Start of the oldest hour missing before the window of the last run.",
      counted("oldest_gap").map(({ value }) => ({ value }))
    ),
    gauge(
      `${PREFIX}conflicts`,
      "Conflicts that nobody has resolved.",
      counted("conflicts").map(({ value }) => ({ value }))
    ),
    ofLastRun(
      "oldest_failed_hour_timestamp_seconds",
      "Start of the oldest hour that failed in the last run.",
      counted("oldest_failed_hour").map(({ value }) => ({ value }))
    )
  ].flat()
  return `${lines.join("\n")}\n`
}

function escaped(value: string): string {
  return value.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n")
}

function labelsText(labels: Readonly<Record<string, string>>): string {
  return `{${Object.entries(labels)
    .map(([name, value]) => `${name}="${escaped(value)}"`)
    .join(",")}}`
}

/** The time of the last success that an earlier run with the same labels wrote. */
function lastSuccess({ before, labels }: MetricsOptions): number | undefined {
  const head = `${LAST_SUCCESS}${labelsText(labels)} `
  const line = before.split("\n").find((it) => it.startsWith(head))
  const time = Number(line?.slice(head.length) || Number.NaN)
  return Number.isFinite(time) ? time : undefined
}
