import assert from "node:assert/strict"
import { describe, it } from "@effect/vitest"
import { Effect, Layer, Stream } from "effect"
import { landWindow } from "../../../src/programs/fleet/landWindow.ts"
import { ObjectStorage } from "../../../src/services/ObjectStorage.ts"
import { AmplitudeError } from "../../../src/services/Amplitude.ts"
import { Amplitude } from "../../../src/services/Amplitude.ts"
import { Window } from "../../../src/services/Window.ts"
import { event, hour, keysOf, makeWorld, passTime, runOptions } from "../../fixtures/world.ts"

const WINDOW = new Window({ first: hour("2025-11-10T20"), last: hour("2025-11-10T22") })
const hours = Object.fromEntries(WINDOW.hours.map((it) => [it, [event(it)]]))

const { format, layout, retries, retryBase, settleHours, lagHours, version } = runOptions()
const options = { format, layout, retries, retryBase, settleHours, lagHours, version }

describe("landWindow()", () => {
  it.effect("lands what a window lacks by one request, and lists the lake once", () =>
    Effect.gen(function* () {
      const { layer, requests, store } = yield* makeWorld({ amplitude: { hours } })
      let lists = 0
      const listed = Layer.succeed(ObjectStorage, {
        ...store,
        list: Stream.unwrap(
          Effect.sync(() => {
            lists += 1
            return store.list
          })
        )
      })
      const land = (window: Window) =>
        passTime(Effect.provide(landWindow(window, options), Layer.merge(layer, listed)))
      const one = new Window({ first: WINDOW.first, last: WINDOW.first })
      assert.deepEqual(
        (yield* land(one)).map(({ _tag }) => _tag),
        ["Landed"]
      )
      assert.equal(lists, 1)
      const all = yield* land(WINDOW)
      assert.deepEqual(all.map(({ _tag }) => _tag).toSorted(), ["Landed", "Landed", "Skipped"])
      assert.deepEqual([lists, (yield* requests).length], [2, 2])
      assert.equal((yield* keysOf(store)).length, 3)
    })
  )

  it.effect("says of every hour why none could be landed", () =>
    Effect.gen(function* () {
      const { layer } = yield* makeWorld({ amplitude: { hours } })
      const refusing = Layer.succeed(Amplitude, {
        identity: "memory-1",
        export: (window) =>
          Effect.fail(new AmplitudeError({ reason: "Forbidden", window, detail: "no" }))
      })
      const outcomes = yield* passTime(
        Effect.provide(landWindow(WINDOW, options), Layer.merge(layer, refusing))
      )
      assert.deepEqual(
        outcomes.map((it) => (it._tag === "Failed" ? [it.hour, it.kind] : it._tag)),
        WINDOW.hours.map((it) => [it, "refused"])
      )
    })
  )
})
