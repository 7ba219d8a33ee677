import assert from "node:assert/strict"
import { describe, it } from "@effect/vitest"
import { Effect, Option } from "effect"
import {
  allHours,
  fetchHours,
  recheckWindow,
  syncHours
} from "../../../src/programs/runPipeline.ts"
import { cleanLeftovers } from "../../../src/programs/clean/cleanLeftovers.ts"
import { verifyHours } from "../../../src/programs/inspect/verifyHours.ts"
import { AmplitudeError } from "../../../src/services/Amplitude.ts"
import { ObjectStorageError } from "../../../src/services/ObjectStorage.ts"
import { Progress, type ProgressListener } from "../../../src/services/Progress.ts"
import type { Window } from "../../../src/services/Window.ts"
import { event, makeWorld, passTime, runOptions } from "../../fixtures/world.ts"

const [h20, h22] = ["2025-11-10T20", "2025-11-10T22"] as const
const three = {
  [h20]: [event("a")],
  "2025-11-10T21": [event("b"), event("c")],
  [h22]: [event("d")]
}
const LINES = Object.values(three).flat().join("").length

/** Adds up what it is told. */
function listener() {
  const told = { planned: 0, done: 0, received: 0, sent: 0 }
  const [retried, waiting]: [Array<string>, Set<object>] = [[], new Set()]
  const add = (name: keyof typeof told) => (count: number) => {
    told[name] += count
  }
  const listening: ProgressListener = {
    planned: add("planned"),
    done: add("done"),
    received: add("received"),
    sent: add("sent"),
    retrying: (reason) => {
      const one = {}
      retried.push(reason)
      waiting.add(one)
      return () => {
        assert.ok(waiting.delete(one), "called back twice")
      }
    }
  }
  return { told, retried, waiting, listening }
}

const unavailable = (window: Window) =>
  new AmplitudeError({ reason: "Unavailable", window, detail: "as told" })

describe("Progress", () => {
  it.effect("receives hours and bytes from a run, and none if everything is present", () =>
    Effect.gen(function* () {
      const { told, waiting, listening } = listener()
      const world = yield* makeWorld({ amplitude: { hours: three } })
      const run = allHours(runOptions(h20, h22)).pipe(
        Effect.provide(world.layer),
        Effect.provideService(Progress, listening)
      )
      yield* run
      const { received, ...rest } = told
      assert.deepEqual(rest, { planned: 3, done: 3, sent: LINES })
      assert.ok(received > LINES / 10, `${received}`)
      assert.equal(waiting.size, 0)
      yield* run
      assert.deepEqual(told, { received, ...rest })
    })
  )

  it.effect("is updated by fetch, sync and a recheck", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld({ amplitude: { hours: three } })
      const options = runOptions(h20, h22)
      for (const [run, sent] of [
        [fetchHours(options), LINES],
        [syncHours(options), LINES],
        [recheckWindow(options), 0]
      ] as const) {
        const { told, listening } = listener()
        yield* Effect.provideService(Effect.provide(run, world.layer), Progress, listening)
        assert.deepEqual([told.planned, told.done, told.sent], [3, 3, sent])
      }
    })
  )

  it.effect("is updated by verify (objects) and clean (files)", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld({ amplitude: { hours: three } })
      const options = runOptions(h20, h22)
      yield* Effect.provide(allHours(options), world.layer)
      const verified = listener()
      yield* verifyHours(options).pipe(
        Effect.provide(world.layer),
        Effect.provideService(Progress, verified.listening)
      )
      assert.deepEqual(verified.told, { planned: 3, done: 3, received: LINES, sent: 0 })

      const staged = yield* makeWorld({ amplitude: { hours: three } })
      yield* Effect.provide(fetchHours(options), staged.layer)
      const cleaned = listener()
      const how = { dryRun: true, concurrency: 1, keepsArchives: false, abortUploads: false }
      yield* cleanLeftovers(how).pipe(
        Effect.provide(staged.layer),
        Effect.provideService(Progress, cleaned.listening)
      )
      assert.deepEqual([cleaned.told.planned, cleaned.told.done], [3, 3])
    })
  )

  it.effect("receives every retry, until it ends", () =>
    Effect.gen(function* () {
      const { told, retried, waiting, listening } = listener()
      const failure = new ObjectStorageError({
        reason: "Unavailable",
        method: "put",
        path: "memory",
        detail: "as told"
      })
      const world = yield* makeWorld({
        amplitude: { hours: three, plan: [unavailable, unavailable] },
        store: {
          failures: ({ method, count }) =>
            method === "put" && count === 1 ? Option.some(failure) : Option.none()
        }
      })
      yield* allHours(runOptions(h20, h22)).pipe(
        Effect.provide(world.layer),
        Effect.provideService(Progress, listening),
        passTime
      )
      assert.equal(retried.filter((reason) => /Cannot export.*Unavailable/.test(reason)).length, 2)
      assert.equal(retried.filter((reason) => /Cannot put.*Unavailable/.test(reason)).length, 3)
      assert.equal(waiting.size, 0)
      assert.equal(told.done, 3)
    })
  )

  it.effect("counts failed hours as done, including those that were never requested", () =>
    Effect.gen(function* () {
      const { told, waiting, listening } = listener()
      const plan = Array.from({ length: 9 }, () => unavailable)
      const world = yield* makeWorld({ amplitude: { hours: three, plan } })
      const summary = yield* allHours(runOptions(h20, h22, { retries: 1 })).pipe(
        Effect.provide(world.layer),
        Effect.provideService(Progress, listening),
        passTime
      )
      assert.equal(summary.failed.length, 3)
      assert.deepEqual([told.planned, told.done], [3, 3])
      assert.equal(waiting.size, 0)
    })
  )
})
