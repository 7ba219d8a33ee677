/**
 * Which spans and metrics leave this process, and what of them.
 *
 * @module
 */
import { Cause, Data, Exit, Option, Predicate, Tracer } from "effect"
import { TELEMETRY } from "../../programs/run/telemetry.ts"

/** Spans as OTLP has them, as far as they are looked at here. */
export interface OtlpTraces {
  readonly resourceSpans: ReadonlyArray<{
    readonly scopeSpans: ReadonlyArray<{
      readonly spans: ReadonlyArray<{
        readonly attributes: ReadonlyArray<{ readonly key: string }>
      }>
    }>
  }>
}

/** Metrics as OTLP has them, as far as they are looked at here. */
export interface OtlpMetrics {
  readonly resourceMetrics: ReadonlyArray<{
    readonly scopeMetrics: ReadonlyArray<{
      readonly metrics: ReadonlyArray<{ readonly name: string }>
    }>
  }>
}

/** What is told of a failure. */
class Told extends Data.TaggedError("Told")<{ readonly message: string }> {}

/** Attributes that are told; any other, as where in the code a span began, is not. */
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
 * A tracer whose spans go to `outer` where programs gave them a name for others to see. The rest is
 * how functions call each other here: it goes to `inner`, and what it contains counts as contained
 * in the span around it.
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

/** Lets a span tell what it is asked for only, and of a failure what a log may say. */
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
 * Spans without what the exporter adds to those that failed: where in the code that was, and that
 * they were interrupted, which it says of all of them.
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

/** Metrics without those that Effect keeps of itself. */
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
 * Of errors as services and programs define them, class, reason and message; of a defect nothing,
 * as it may hold anything.
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
