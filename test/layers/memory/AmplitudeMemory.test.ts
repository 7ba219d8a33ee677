import { describe, it } from "@effect/vitest"
import { Chunk, Effect, Fiber, Option, Ref, Stream, TestClock } from "effect"
import { assert } from "vitest"
import * as AmplitudeMemory from "../../../src/layers/memory/AmplitudeMemory.ts"
import { Amplitude, AmplitudeError } from "../../../src/services/Amplitude.ts"
import { Hour } from "../../../src/services/Hour.ts"
import { Window } from "../../../src/services/Window.ts"
import { amplitudeContract, download, partsOf } from "../../contracts/amplitude.ts"

function windowOf(first: string, last = first): Window {
  return new Window({ first: Hour.make(first), last: Hour.make(last) })
}

const hours = {
  "2025-11-10T03": ['{"uuid":"a"}\n{"uuid":"b"}\n', '{"uuid":"ö"}'],
  "2025-11-10T05": [new TextEncoder().encode('{"uuid":"d"}\n')]
}
const full = windowOf("2025-11-10T03", "2025-11-10T05")

amplitudeContract("AmplitudeMemory", AmplitudeMemory.layer({ hours }), {
  full,
  empty: windowOf("2025-11-10T06", "2025-11-10T09")
})

/** Runs against an in-memory Amplitude, and returns the windows that were requested. */
const using = Effect.fnUntraced(function* <A, E>(
  options: Partial<AmplitudeMemory.AmplitudeMemoryOptions>,
  effect: Effect.Effect<A, E, Amplitude>
) {
  const { service, requests } = yield* AmplitudeMemory.makeTest({ hours, ...options })
  const result = yield* Effect.provideService(effect, Amplitude, service)
  return { result, asked: (yield* requests).map(String) }
})

const unavailable = (window: Window) =>
  new AmplitudeError({ reason: "Unavailable", window, status: 503, detail: "down" })

describe("AmplitudeMemory", () => {
  it.effect("holds the lines that it was given, byte for byte", () =>
    Effect.gen(function* () {
      const { result } = yield* using({ project: "77" }, partsOf(full))
      assert.deepStrictEqual(
        result.map(({ name, text }) => [name, text]),
        [
          ["77/77_2025-11-10_3#0.json.gz", '{"uuid":"a"}\n{"uuid":"b"}\n'],
          ["77/77_2025-11-10_3#1.json.gz", '{"uuid":"ö"}'],
          ["77/77_2025-11-10_5#0.json.gz", '{"uuid":"d"}\n']
        ]
      )
    })
  )

  it.effect("answers by its plan, step by step, then truly, and remembers who asked", () =>
    Effect.gen(function* () {
      const bytes = new TextEncoder().encode("<html>")
      const { result, asked } = yield* using(
        { plan: [unavailable, "none", { bytes }, "ok"] },
        Effect.gen(function* () {
          const error = yield* Effect.flip(download(full))
          return [
            error,
            yield* download(full),
            yield* download(full),
            yield* partsOf(full)
          ] as const
        }).pipe(Effect.tap(partsOf(windowOf("2025-11-10T05"))))
      )
      const [error, none, page, parts] = result
      assert.strictEqual(error.status, 503)
      assert.isTrue(Option.isNone(none))
      assert.deepStrictEqual(Option.getOrThrow(page), bytes)
      assert.strictEqual(parts.length, 3)
      const window = "2025-11-10T03..2025-11-10T05"
      assert.deepStrictEqual(asked, [window, window, window, window, "2025-11-10T05"])
    })
  )

  it.effect("breaks a body after the planned bytes", () =>
    Effect.gen(function* () {
      const { result } = yield* using(
        { plan: [{ cutAfter: 100 }] },
        Effect.gen(function* () {
          const { archive } = yield* (yield* Amplitude).export(full)
          const received = yield* Ref.make(0)
          const error = yield* Option.getOrThrow(archive).bytes.pipe(
            Stream.runForEach((chunk) => Ref.update(received, (count) => count + chunk.length)),
            Effect.flip
          )
          return [error.reason, yield* Ref.get(received)]
        }).pipe(Effect.scoped)
      )
      assert.deepStrictEqual(result, ["Unavailable", 100])
    })
  )

  it.effect("leaves a body hanging after the planned bytes", () =>
    Effect.gen(function* () {
      const { result } = yield* using(
        { plan: [{ hangAfter: 100 }] },
        Effect.gen(function* () {
          const { archive } = yield* (yield* Amplitude).export(full)
          const received = yield* Ref.make(0)
          const taking = Stream.runForEach(Option.getOrThrow(archive).bytes, (chunk) =>
            Ref.update(received, (count) => count + chunk.length)
          )
          const fiber = yield* Effect.fork(Effect.timeoutOption(taking, "1 day"))
          yield* TestClock.adjust("1 day")
          return [Option.isSome(yield* Fiber.join(fiber)), yield* Ref.get(received)]
        }).pipe(Effect.scoped)
      )
      assert.deepStrictEqual(result, [false, 100])
    })
  )

  it.effect("sends its bytes in several chunks", () =>
    Effect.gen(function* () {
      const { result } = yield* using(
        {},
        Effect.flatMap(Amplitude, (amplitude) => amplitude.export(full)).pipe(
          Effect.flatMap(({ archive }) => Stream.runCollect(Option.getOrThrow(archive).bytes)),
          Effect.scoped
        )
      )
      assert.isAbove(Chunk.size(result), 2)
    })
  )

  it.effect("has five requests open at most", () =>
    Effect.gen(function* () {
      const { service } = yield* AmplitudeMemory.makeTest({ hours })
      const fiveAndOne = Effect.gen(function* () {
        yield* Effect.replicateEffect(service.export(full), 5)
        return yield* Effect.flip(service.export(full))
      })
      const error = yield* Effect.scoped(fiveAndOne)
      assert.deepStrictEqual([error.reason, error.status], ["RateLimited", 429])
      // The scope closed all of them, the refused one too.
      yield* Effect.scoped(Effect.replicateEffect(service.export(full), 5))
    })
  )

  it.effect("refuses archives above its limit and gives those at it", () =>
    Effect.gen(function* () {
      const { result } = yield* using({}, download(full))
      const size = Option.getOrThrow(result).length
      yield* using({ maxBytes: size }, download(full))
      const { result: error } = yield* using({ maxBytes: size - 1 }, Effect.flip(download(full)))
      assert.strictEqual(error.reason, "TooLarge")
    })
  )

  it.effect("returns the time that it was given", () =>
    Effect.gen(function* () {
      const date = Date.UTC(2025, 10, 11)
      const { service } = yield* AmplitudeMemory.makeTest({ hours, date })
      const answer = yield* Effect.scoped(service.export(full))
      assert.strictEqual(Option.getOrThrow(answer.date), date)
    })
  )
})
