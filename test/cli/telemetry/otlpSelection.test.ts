import assert from "node:assert/strict"
import { inspect } from "node:util"
import { describe, it } from "@effect/vitest"
import { Effect, type Exit, Option, Tracer } from "effect"
import { selectedSpans } from "../../../src/cli/telemetry/otlpSelection.ts"

interface Seen {
  readonly name: string
  readonly id: string
  readonly parent: string
  readonly attributes: Record<string, unknown>
  exit?: Exit.Exit<unknown, unknown>
}

/** A tracer that goes by the spans of another, and keeps what it is told of each. */
function recorder(inner: Tracer.Tracer) {
  const seen: Array<Seen> = []
  const tracer = Tracer.make({
    context: (execution, fiber) => inner.context(execution, fiber),
    span: (name, parent, ...rest) => {
      const span = inner.span(name, parent, ...rest)
      const found: Seen = {
        name,
        id: span.spanId,
        parent: Option.match(parent, { onNone: () => "", onSome: ({ spanId }) => spanId }),
        attributes: {}
      }
      seen.push(found)
      return Object.assign(span, {
        attribute: (key: string, value: unknown) => {
          found.attributes[key] = value
        },
        end: (_: bigint, exit: Exit.Exit<unknown, unknown>) => {
          found.exit = exit
        }
      })
    }
  })
  return { seen, tracer }
}

describe("selectedSpans()", () => {
  it.effect("exports only spans with a public name, without the functions between them", () =>
    Effect.gen(function* () {
      const inner = yield* Effect.tracer
      const { seen, tracer } = recorder(inner)
      yield* Effect.void.pipe(
        Effect.withSpan("amplitude_lake.put", { attributes: { key: "k", "code.path": "/home" } }),
        Effect.withSpan("landObject"),
        Effect.withSpan("landHour"),
        Effect.withSpan("amplitude_lake.run", { root: true }),
        Effect.withTracer(selectedSpans(tracer, inner))
      )
      const [run, put, ...more] = seen
      assert.deepEqual(more, [])
      assert.deepEqual([run?.name, put?.name], ["amplitude_lake.run", "amplitude_lake.put"])
      assert.deepEqual([run?.parent, put?.parent], ["", run?.id])
      assert.deepEqual(put?.attributes, { key: "k" })
    })
  )

  it.effect("exports nothing of a defect", () =>
    Effect.gen(function* () {
      const inner = yield* Effect.tracer
      const { seen, tracer } = recorder(inner)
      yield* Effect.die(new TypeError("s3cr3t", { cause: "s3cr3t" })).pipe(
        Effect.withSpan("amplitude_lake.run"),
        Effect.withTracer(selectedSpans(tracer, inner)),
        Effect.exit
      )
      assert.deepEqual(seen[0]?.attributes, { "error.type": "Defect" })
      assert.ok(!inspect(seen, { depth: 20, showHidden: true }).includes("s3cr3t"))
    })
  )
})
