/**
 * Sends spans and counters to a collector, by OTLP over HTTP.
 *
 * @module
 */
import { HttpClient } from "@effect/platform"
import * as OtlpMetrics from "@effect/opentelemetry/OtlpMetrics"
import {
  layerJson,
  layerProtobuf,
  OtlpSerialization
} from "@effect/opentelemetry/OtlpSerialization"
import * as OtlpTracer from "@effect/opentelemetry/OtlpTracer"
import { ConfigProvider, Effect, Exit, Fiber, Layer, Scope } from "effect"
import { makeOtlpPost } from "./otlpPost.ts"
import * as Selection from "./otlpSelection.ts"
import type { OtlpOptions } from "./otlpVariables.ts"
import { version } from "../../programs/run/version.ts"

const AT_THE_END = "3 seconds"

const serializations = {
  "http/protobuf": selected(layerProtobuf),
  "http/json": selected(layerJson)
} as const

function selected(self: Layer.Layer<OtlpSerialization>): Layer.Layer<OtlpSerialization> {
  return Layer.project(self, OtlpSerialization, OtlpSerialization, (written) => ({
    ...written,
    traces: (data) => written.traces(Selection.withoutStacks(data as Selection.OtlpTraces)),
    metrics: (data) => written.metrics(Selection.withoutOthers(data as Selection.OtlpMetrics))
  }))
}

/** Sends an effect's spans and counters while it runs, and waits up to 3 seconds for the rest. */
export function withOtlp(options: OtlpOptions) {
  return <A, E, R>(self: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    Effect.acquireUseRelease(
      open(options),
      ({ tracer }) => Effect.withTracer(self, tracer),
      ({ close }) => close
    )
}

const open = Effect.fnUntraced(function* (options: OtlpOptions) {
  const { attributes, endpoint, protocol, serviceName } = options
  const post = yield* makeOtlpPost(options)
  const scope = yield* Scope.make()
  const signal = (path: string) => ({
    url: new URL(path, endpoint).href,
    resource: { serviceName, serviceVersion: version, attributes },
    // Longer than the time limit below, which covers all signals together and logs a warning.
    shutdownTimeout: "1 minute" as const
  })
  const inner = yield* Effect.tracer
  const outer = yield* OtlpTracer.make(signal("v1/traces")).pipe(
    Effect.zipLeft(OtlpMetrics.make({ ...signal("v1/metrics"), exportInterval: "15 seconds" })),
    Effect.provide(serializations[protocol]),
    Effect.provideService(HttpClient.HttpClient, post.client),
    // The OTEL variables have been read already; the exporters must not read them again.
    Effect.withConfigProvider(ConfigProvider.fromMap(new Map())),
    Scope.extend(scope)
  )
  // In separate fibers: an interrupted fiber cannot wait for a time limit, and a half-closed scope
  // leaves exporters running forever. Whatever is unsent by then fails when its connection is cut.
  const close = Effect.gen(function* () {
    const closing = yield* Effect.forkDaemon(Scope.close(scope, Exit.void))
    const waiting = Fiber.await(closing).pipe(
      Effect.timeoutTo({
        duration: AT_THE_END,
        onSuccess: () => Effect.void,
        onTimeout: () => post.warn("no answer within 3 seconds")
      }),
      Effect.flatten,
      Effect.interruptible
    )
    yield* Fiber.join(yield* Effect.forkDaemon(waiting))
    yield* post.end
  })
  return { tracer: Selection.selectedSpans(outer, inner), close }
})
