import assert from "node:assert/strict"
import { describe, it } from "@effect/vitest"
import { Effect, Either } from "effect"
import { runOptions as optionsOf } from "../../src/cli/commands/options.ts"
import { resolveSettings } from "../../src/cli/settings/resolve.ts"
import { allHours } from "../../src/programs/runPipeline.ts"
import { event, makeWorld, passTime } from "../fixtures/world.ts"

/** What `all` does with dates as they are typed, at noon of 2025-11-12, when T00 is closed. */
const landed = Effect.fnUntraced(function* (startDate: string, endDate?: string) {
  const { layer } = yield* makeWorld({
    amplitude: { hours: { "2025-11-12T00": [event("a")] } },
    now: "2025-11-12T13:00:00Z"
  })
  const { settings } = Either.getOrThrow(
    resolveSettings("all", {
      flags: {
        store: "memory",
        source: "synthetic",
        startDate,
        ...(endDate === undefined ? {} : { endDate }),
        now: "2025-11-12T13:00:00Z"
      },
      environment: {},
      file: {},
      fileName: ".env",
      now: 0
    })
  )
  return yield* passTime(Effect.provide(allHours(optionsOf(settings)), layer))
})

describe("an hour that is still open", () => {
  it.effect("is no failure where the last hour was named by a relative date", () =>
    Effect.gen(function* () {
      for (const [start, end] of [
        ["today", "today"],
        ["-0d", "-0d"],
        ["2025-11-12", "today"]
      ] as const) {
        const { exitCode, landed: found, open } = yield* landed(start, end)
        assert.deepEqual([found, open.length, exitCode], [["2025-11-12T00"], 23, 0], start)
      }
    })
  )

  it.effect("is one where the last hour was named by an absolute date", () =>
    Effect.gen(function* () {
      for (const [start, end] of [
        ["2025-11-12", "2025-11-12"],
        ["today", "2025-11-12T23:00Z"],
        ["2025-11-12T00", "20251112"]
      ] as const) {
        const { exitCode, open } = yield* landed(start, end)
        assert.deepEqual([open.length, exitCode], [23, 3], start)
      }
    })
  )
})
