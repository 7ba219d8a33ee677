import { Effect } from "effect"
import { Staging } from "../../services/Staging.ts"
import type { Window } from "../../services/Window.ts"
import { stagingForLake } from "../plan/stagedHours.ts"
import { failedHour } from "../run/failureKind.ts"
import type { HourOutcome } from "../run/HourOutcome.ts"
import { asRun, type LandingOptions } from "../run/Run.ts"
import { countOutcomes } from "../run/telemetry.ts"
import { landPart } from "../runPipeline.ts"

/**
 * Lands what a window of a fleet's backlog still lacks, by one request at a time. Returns what became
 * of each hour, also where none could be landed; the lake as a whole is judged when all windows are
 * through.
 */
export const landWindow = Effect.fn("landWindow")(
  function* (window: Window, _options: LandingOptions) {
    const { first: start, hours, last: end } = window
    const { error, outcomes } = yield* landPart({ start, end, isRelative: true }).pipe(
      Effect.catchAll((error) => Effect.succeed({ error, outcomes: [] }))
    )
    const named = new Set(outcomes.map(({ hour }) => hour))
    const left = hours.filter((hour) => !named.has(hour))
    const all: ReadonlyArray<HourOutcome> = [
      ...outcomes,
      ...(error === undefined ? [] : left.map((hour) => failedHour(hour, error)))
    ]
    yield* countOutcomes(all)
    return all
  },
  Effect.provideServiceEffect(Staging, stagingForLake),
  (self, { length }, options) => asRun(self, { ...options, requestHours: length, lanes: 1 })
)
