/**
 * Selects the spans, attributes and metrics that leave this process.
 *
 * @module
 */
import { Cause, Data, Exit, Option, Predicate, Tracer } from "effect"
import { TELEMETRY } from "../../programs/run/telemetry.ts"

/** The part of OTLP's spans that is read here. */
export interface OtlpTraces {
  readonly resourceSpans: ReadonlyArray<{
    readonly scopeSpans: ReadonlyArray<{
      readonly spans: ReadonlyArray<{
        readonly attributes: ReadonlyArray<{ readonly key: string }>
      }>
    }>
  }>
}

/** The part of OTLP's metrics that is read here. */
export interface OtlpMetrics {
  readonly resourceMetrics: ReadonlyArray<{
    readonly scopeMetrics: ReadonlyArray<{
      readonly metrics: ReadonlyArray<{ readonly name: string }>
    }>
  }>
}

/** What is exported of a failure. */
class Told extends Data.TaggedError("Told")<{ readonly message: string }> {}

/** The attributes that are exported. Others, such as a span's place in the code, are not. */
const ATTRIBUTES: ReadonlySet<string> = new Set([
  "command",
  "run",
  "exit_code",
  "window",
  "attempt",
  "hour",
  "key",
  "hours",
  "events",
  "bytes",
  "error.type"
])

/**
 * A tracer that sends the spans with a public name to `outer`. Others are internal function calls:
 * they go to `inner`, and their children become children of the span around them.
 */
export function selectedSpans(outer: Tracer.Tracer, inner: Tracer.Tracer): Tracer.Tracer {
  return Tracer.make({
    context: (execution, fiber) => outer.context(execution, fiber),
    span: (name, parent, context, links, startTime, kind, options) => {
      if (name.startsWith(TELEMETRY)) {
        return told(outer.span(name, parent, context, links, startTime, kind, options))
      }
      const span = inner.span(name, parent, context, links, startTime, kind, options)
      return Option.match(parent, {
        onNone: () => span,
        onSome: ({ spanId, traceId }) => Object.assign(span, { spanId, traceId })
      })
    }
  })
}

/** Limits a span to the exported attributes and, for a failure, to its type and message. */
function told(span: Tracer.Span): Tracer.Span {
  const attribute = span.attribute.bind(span)
  const end = span.end.bind(span)
  return Object.assign(span, {
    attribute: (name: string, value: unknown) => {
      if (ATTRIBUTES.has(name)) attribute(name, value)
    },
    end: (endTime: bigint, exit: Exit.Exit<unknown, unknown>) => {
      if (Exit.isSuccess(exit)) return end(endTime, exit)
      const { message, type } = failureOf(exit.cause)
      attribute("error.type", type)
      return end(endTime, Exit.fail(new Told({ message })))
    }
  })
}

/**
 * Removes what the exporter adds to failed spans: stack traces, and the attribute for interrupted
 * ones, which it sets on all of them.
 */
export function withoutStacks({ resourceSpans }: OtlpTraces): OtlpTraces {
  const added = new Set(["span.label", "status.interrupted"])
  return {
    resourceSpans: resourceSpans.map(({ scopeSpans, ...ofResource }) => ({
      ...ofResource,
      scopeSpans: scopeSpans.map(({ spans, ...ofScope }) => ({
        ...ofScope,
        spans: spans.map(({ attributes, ...ofSpan }) => ({
          ...ofSpan,
          events: [],
          attributes: attributes.filter(({ key }) => !added.has(key))
        }))
      }))
    }))
  }
}

/** Removes the metrics that Effect keeps about itself. */
export function withoutOthers({ resourceMetrics }: OtlpMetrics): OtlpMetrics {
  return {
    resourceMetrics: resourceMetrics.map(({ scopeMetrics, ...ofResource }) => ({
      ...ofResource,
      scopeMetrics: scopeMetrics.map(({ metrics, ...ofScope }) => ({
        ...ofScope,
        metrics: metrics.filter(({ name }) => name.startsWith(TELEMETRY))
      }))
    }))
  }
}

/**
 * The class, reason and message of an error that services and programs define. Nothing of a defect,
 * which may contain any data.
 */
function failureOf(cause: Cause.Cause<unknown>): {
  readonly type: string
  readonly message: string
} {
  if (Cause.isInterruptedOnly(cause)) return { type: "Interrupted", message: "Interrupted" }
  const error = Option.getOrUndefined(Cause.failureOption(cause))
  if (!(error instanceof Error) || !Predicate.hasProperty(error, "_tag")) {
    return { type: "Defect", message: "A defect: see the log" }
  }
  const reason = Predicate.hasProperty(error, "reason") ? `.${String(error.reason)}` : ""
  return { type: `${String(error._tag)}${reason}`, message: error.message }
}
