import assert from "node:assert/strict"
import { describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { makeRetryPolicy } from "../../src/programs/retryPolicy.ts"
import { allHours, fetchHours } from "../../src/programs/runPipeline.ts"
import { statusOfHours } from "../../src/programs/statusOfHours.ts"
import { event, hour, makeWorld, passTime, runOptions } from "../fixtures/world.ts"

const status = Effect.fnUntraced(function* (first: string, last: string) {
  const options = runOptions(first, last, { lagHours: 2 })
  return yield* statusOfHours(options, yield* makeRetryPolicy(options))
})

describe("statusOfHours()", () => {
  it.effect("tells every state of an hour apart", () =>
    Effect.gen(function* () {
      const hours = { "2025-11-11T00": [event("a")], "2025-11-11T10": [event("b")] }
      const world = yield* makeWorld({
        amplitude: { hours },
        store: { objects: { "123456_2025-11-11_2#0.json.gz": Buffer.from("x") } },
        now: "2025-11-12T09:30:00Z"
      })
      const landing = runOptions("2025-11-11T00", "2025-11-11T01")
      yield* passTime(Effect.provide(allHours(landing), world.layer))
      yield* Effect.provide(fetchHours(runOptions("2025-11-11T10")), world.layer)

      const found = yield* Effect.provide(status("2025-11-11T00", "2025-11-12T09"), world.layer)
      const stateOf = (text: string) => found.hours.find((it) => it.hour === hour(text))?.state
      assert.equal(stateOf("2025-11-11T00"), "landed")
      assert.equal(stateOf("2025-11-11T01"), "empty")
      assert.equal(stateOf("2025-11-11T02"), "unverified")
      assert.equal(stateOf("2025-11-11T08"), "gap")
      assert.equal(stateOf("2025-11-11T09"), "pending")
      assert.equal(stateOf("2025-11-12T06"), "pending")
      assert.equal(stateOf("2025-11-12T07"), "open")
      assert.deepEqual(
        found.hours.filter(({ staged }) => staged).map((it) => it.hour),
        ["2025-11-11T10"]
      )
      assert.deepEqual(found.totals, {
        landed: 1,
        empty: 1,
        unverified: 1,
        gap: 6,
        pending: 22,
        open: 3
      })
      assert.equal(found.exitCode, 3)
    })
  )

  it.effect("looks at nothing but listings, and exits 0 without a gap", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld({ amplitude: { hours: { "2025-11-11T00": [event("a")] } } })
      yield* Effect.provide(allHours(runOptions("2025-11-11T00")), world.layer)
      world.calls.length = 0
      const found = yield* Effect.provide(status("2025-11-11T00", "2025-11-11T00"), world.layer)
      assert.deepEqual([found.exitCode, found.totals.landed], [0, 1])
      assert.deepEqual(
        world.calls.map(({ method }) => method),
        ["list"]
      )
    })
  )
})
