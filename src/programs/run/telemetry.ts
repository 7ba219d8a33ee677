/**
 * Counters and spans, by Effect's own metrics and tracer. Nothing is exported unless an entry point
 * does it.
 *
 * @module
 */
import { Effect, Metric, MetricState, type Tracer } from "effect"
import { type Hour, hourStart } from "../../services/Hour.ts"
import type { HourMetadata } from "../../services/HourMetadata.ts"
import type { LoadOutcome } from "../load/LoadSummary.ts"
import { errorName } from "./failureKind.ts"
import type { HourOutcome } from "./HourOutcome.ts"

/** Prefix of every span and metric name. */
export const TELEMETRY = "amplitude_lake."

type SpanName = "request" | "unpack" | "put" | "load"

/** The kind of each span in a trace: `client` for calls to other services. */
const kinds: Readonly<Record<SpanName, Tracer.SpanKind>> = {
  request: "client",
  unpack: "internal",
  put: "client",
  load: "internal"
}

/** Wraps an effect in one span. */
export function inSpan(name: SpanName, attributes: Readonly<Record<string, unknown>>) {
  return Effect.withSpan(`${TELEMETRY}${name}`, { kind: kinds[name], attributes })
}

/** Makes each run of an effect a span, with the number of the attempt. */
export function inSpanEach(name: SpanName, attributes: Readonly<Record<string, unknown>>) {
  let attempt = 0
  return <A, E, R>(self: Effect.Effect<A, E, R>) =>
    Effect.suspend(() => {
      attempt += 1
      return inSpan(name, { ...attributes, attempt })(self)
    })
}

function counter(name: string, description: string) {
  return Metric.counter(`${TELEMETRY}${name}`, { description, bigint: true, incremental: true })
}

const hours = counter("hours", "Hours by outcome")
const events = counter("events", "Events landed")
const bytes = counter("bytes", "Bytes of the landed lines, uncompressed")
const loads = counter("loads", "Hours by what a load made of them")
const loadedEvents = counter("loaded_events", "Events loaded into the warehouse")
const retries = counter("retries", "Retries of transient failures")
const failures = counter("failures", "Hours that failed, and runs that ended early, by reason")
const oldestFailedHour = Metric.gauge(`${TELEMETRY}oldest_failed_hour`, {
  description: "Start of the oldest hour that failed, in seconds since 1970"
})

const newestHour = Metric.gauge(`${TELEMETRY}newest_hour`, {
  description: "Start of the newest hour in the store, in seconds since 1970"
})
const gapHours = Metric.gauge(`${TELEMETRY}gap_hours`, {
  description: "Hours missing after the lake's first landed hour"
})
const oldestGap = Metric.gauge(`${TELEMETRY}oldest_gap`, {
  description: "Start of the oldest missing hour, in seconds since 1970; 0 if there is none"
})
const conflicts = Metric.gauge(`${TELEMETRY}conflicts`, {
  description: "Hours with a conflict that nobody has resolved"
})

const countHours = (outcome: string, count: number): Effect.Effect<void> =>
  Metric.incrementBy(Metric.tagged(hours, "outcome", outcome), BigInt(count))

const countFailures = (error: string, count: number): Effect.Effect<void> =>
  Metric.incrementBy(Metric.tagged(failures, "error", error), BigInt(count))

/** The current value of a metric of this program. */
export interface Counted {
  /** Without `TELEMETRY`. */
  readonly name: string
  readonly tags: Readonly<Record<string, string>>
  readonly value: number
}

/** Everything counted in this process so far. */
export const counted: Effect.Effect<ReadonlyArray<Counted>> = Effect.map(Metric.snapshot, (all) =>
  all
    .filter(({ metricKey }) => metricKey.name.startsWith(TELEMETRY))
    .map(({ metricKey, metricState }) => ({
      name: metricKey.name.slice(TELEMETRY.length),
      tags: Object.fromEntries(metricKey.tags.map(({ key, value }) => [key, value])),
      value: MetricState.isCounterState(metricState)
        ? Number(metricState.count)
        : MetricState.isGaugeState(metricState)
          ? Number(metricState.value)
          : Number.NaN
    }))
)

/** Counts an hour whose object was just created. */
export const countLanded = (landed: HourMetadata): Effect.Effect<void> =>
  Effect.all(
    [
      countHours(landed.events === 0 ? "empty" : "landed", 1),
      Metric.incrementBy(events, BigInt(landed.events)),
      Metric.incrementBy(bytes, BigInt(landed.bytes))
    ],
    { discard: true }
  )

/** Counts what a load made of its hours. */
export const countLoads = Effect.fnUntraced(function* (outcomes: ReadonlyArray<LoadOutcome>) {
  for (const { _tag } of outcomes) {
    yield* Metric.increment(Metric.tagged(loads, "outcome", _tag.toLowerCase()))
  }
  const events = outcomes.reduce((sum, it) => sum + ("row" in it ? it.row.events : 0), 0)
  yield* Metric.incrementBy(loadedEvents, BigInt(events))
  for (const it of outcomes) if (it._tag === "Failed") yield* countFailure(it.error)
})

/** Counts a retry. */
export const countRetry: Effect.Effect<void> = Metric.incrementBy(retries, 1n)

/** Counts the error that ended a run early. */
export const countFailure = (error: {
  readonly _tag: string
  readonly reason: string
}): Effect.Effect<void> => countFailures(errorName(error), 1)

/**
 * Counts the outcomes that `countLanded` has not counted, and sets the gauge of the oldest failed
 * hour.
 */
export const countOutcomes = Effect.fnUntraced(function* (outcomes: ReadonlyArray<HourOutcome>) {
  const failed = outcomes.filter((it) => it._tag === "Failed")
  const tags = ["Skipped", "Pending", "Open", "Accepted", "Postponed", "Failed"] as const
  for (const tag of tags) {
    const count = outcomes.filter(({ _tag }) => _tag === tag).length
    if (count > 0) yield* countHours(tag.toLowerCase(), count)
  }
  for (const error of new Set(failed.map(({ error }) => error))) {
    yield* countFailures(error, failed.filter((it) => it.error === error).length)
  }
  const oldest = failed.map(({ hour }) => hour).sort()[0]
  if (oldest !== undefined) yield* Metric.set(oldestFailedHour, hourStart(oldest) / 1000)
})

/** Sets the gauges of the lake's gaps, oldest first, and of its newest hour. */
export const gaugeLake = Effect.fnUntraced(function* (lake: {
  readonly gaps: ReadonlyArray<Hour>
  /** `undefined` if the store has no hour. */
  readonly newest: Hour | undefined
}) {
  const [oldest] = lake.gaps
  yield* Metric.set(gapHours, lake.gaps.length)
  yield* Metric.set(oldestGap, oldest === undefined ? 0 : hourStart(oldest) / 1000)
  if (lake.newest !== undefined) yield* Metric.set(newestHour, hourStart(lake.newest) / 1000)
})

/** Sets the gauge of the hours with an open conflict. */
export const gaugeConflicts = (hours: ReadonlySet<Hour>): Effect.Effect<void> =>
  Metric.set(conflicts, hours.size)
