import { Effect } from "effect"
import { Clock } from "../../services/Clock.ts"
import { type Hour, hourAt } from "../../services/Hour.ts"
import { type HourOutcome, isInStore } from "../run/HourOutcome.ts"
import { gaugeConflicts, gaugeLake } from "../run/telemetry.ts"
import { outermost } from "./gaps.ts"
import type { Plan } from "./planRun.ts"

interface GaugeOptions {
  /** Hours that have landed in the store since the plan. */
  readonly outcomes?: ReadonlyArray<HourOutcome>
}

/**
 * Sets the gauges of the whole lake, whatever the plan's window is. They are about the store alone:
 * an hour in staging is missing.
 */
export const gaugePlan = Effect.fnUntraced(function* (
  { lake, store }: Plan,
  { outcomes = [] }: GaugeOptions = {}
) {
  const now = yield* Effect.flatMap(Clock, (clock) => clock.now)
  const landed = new Set(outcomes.filter(isInStore).map(({ hour }) => hour))
  const gaps = lake
    .gaps({ last: hourAt(now) })
    .flatMap(({ hours }) => hours)
    .filter((hour) => !landed.has(hour))
  const newest = outermost([...store.inventory.keys(), ...landed], -1)
  yield* gaugeLake({ gaps, newest })
  yield* gaugeConflicts(conflictingHours(lake.conflicts, outcomes))
})

/** Hours with a conflict: those that the store's marks name, and those that a run ran into. */
export function conflictingHours(
  known: ReadonlyArray<{ readonly hour: Hour }>,
  outcomes: ReadonlyArray<HourOutcome>
): ReadonlySet<Hour> {
  const met = outcomes.filter((it) => it._tag === "Failed" && it.error === "LandingError.Conflict")
  return new Set([...known, ...met].map(({ hour }) => hour))
}
