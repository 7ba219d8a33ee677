import assert from "node:assert/strict"
import { describe, it } from "@effect/vitest"
import { Effect, Logger, LogLevel } from "effect"
import { allHours, fetchHours, type RunOptions, syncHours } from "../../src/programs/runPipeline.ts"
import { event, keysOf, makeWorld, passTime, runOptions } from "../fixtures/world.ts"

const [H20, H21, H22] = ["2025-11-10T20", "2025-11-10T21", "2025-11-10T22"] as const
const hours = { [H20]: [event("a")], [H21]: [event("b")], [H22]: [event("c")] }

/** The warnings of a run about hours that are named alike or otherwise than the lake's newest one. */
const warningsOf = <A, E, R>(self: Effect.Effect<A, E, R>) => {
  const warnings: Array<string> = []
  const logger = Logger.make(({ logLevel, message }) => {
    if (logLevel === LogLevel.Warning) warnings.push(String(message))
  })
  return Effect.as(
    Effect.provide(passTime(self), Logger.replace(Logger.defaultLogger, logger)),
    warnings
  )
}

const landed = (form: Partial<RunOptions> = {}) =>
  Effect.gen(function* () {
    const world = yield* makeWorld({ amplitude: { hours } })
    yield* passTime(Effect.provide(allHours(runOptions(H20, H20, form)), world.layer))
    return world
  })

describe("a run in another form than the lake's newest hour", () => {
  for (const [form, shown] of [
    [{ layout: "hive" }, "hive jsonl"],
    [{ format: "jsonl.gz" }, "hourly jsonl.gz"]
  ] as const) {
    it.effect(`warns before it lands hours as ${shown}, and lands them`, () =>
      Effect.gen(function* () {
        const { layer, store } = yield* landed()
        const run = Effect.provide(allHours(runOptions(H20, H21, form)), layer)
        assert.deepEqual(yield* warningsOf(run), [
          `Hours are about to land as ${shown}, but the newest hour in memory, ${H20}, is hourly jsonl: what reads one form misses the other`
        ])
        assert.equal((yield* keysOf(store)).length, 2)
        // What is newest now is of the new form: it was changed on purpose.
        const next = Effect.provide(allHours(runOptions(H20, H22, form)), layer)
        assert.deepEqual(yield* warningsOf(next), [])
      })
    )
  }

  it.effect("warns of what fetch stages, and of what sync uploads in another layout", () =>
    Effect.gen(function* () {
      const { layer } = yield* landed()
      const fetched = fetchHours(runOptions(H21, H21, { format: "jsonl.gz" }))
      assert.match(
        (yield* warningsOf(Effect.provide(fetched, layer))).join(),
        /as hourly jsonl.gz,/
      )
      const synced = syncHours(runOptions(undefined, undefined, { layout: "hive" }))
      assert.match((yield* warningsOf(Effect.provide(synced, layer))).join(), /as hive jsonl.gz,/)
    })
  )

  it.effect(
    "says nothing where nothing is to land, where the form agrees, and in an empty lake",
    () =>
      Effect.gen(function* () {
        const { layer } = yield* landed({ layout: "hive" })
        const silent = [
          runOptions(H20, H20, { format: "jsonl.gz" }),
          runOptions(H20, H21, { layout: "hive" })
        ]
        for (const options of silent) {
          assert.deepEqual(yield* warningsOf(Effect.provide(allHours(options), layer)), [])
        }
        const empty = yield* makeWorld({ amplitude: { hours } })
        const first = allHours(runOptions(H20, H20, { layout: "hive", format: "jsonl.gz" }))
        assert.deepEqual(yield* warningsOf(Effect.provide(first, empty.layer)), [])
      })
  )
})
