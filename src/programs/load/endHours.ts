import { Effect } from "effect"
import type { Hour } from "../../services/Hour.ts"
import { isPlannedStop, logFailure, logHoursLeft, type RunError } from "../run/failureKind.ts"
import type { LoadOutcome } from "./LoadSummary.ts"

/** Where the outcomes of a run's hours are kept. */
export interface Outcomes {
  readonly outcomes: Map<Hour, LoadOutcome>
}

/**
 * How the hours of a run end. The failure of one does not stop the others; that of the warehouse does,
 * and after the run's longest duration the others are postponed.
 */
export function endHours({ outcomes }: Outcomes) {
  let isOver = false
  const ended = (outcome: LoadOutcome) =>
    Effect.sync(() => {
      outcomes.set(outcome.hour, outcome)
    })
  return {
    ended,
    failed: (hour: Hour, error: RunError): Effect.Effect<void, RunError> => {
      if (isPlannedStop(error)) isOver = true
      if (isPlannedStop(error)) return ended({ _tag: "Postponed", hour })
      if (isOfWarehouse(error)) return Effect.fail(error)
      return Effect.zipRight(logFailure(error), ended({ _tag: "Failed", hour, error }))
    },
    /** Whether the longest duration is over. */
    isOver: () => isOver,
    /** Says how many hours are left, if any. */
    tell: Effect.suspend(() => {
      const { length } = [...outcomes.values()].filter(({ _tag }) => _tag === "Postponed")
      return logHoursLeft(length)
    })
  }
}

/** Whether an error says nothing of the hour, so that the next one would fail the same way. */
export function isOfWarehouse(error: RunError): boolean {
  return error._tag === "WarehouseError" && !isOfHour(error)
}

/** Whether a warehouse's error is about what was loaded, and not about the warehouse. */
export function isOfHour(error: RunError): boolean {
  return (
    error._tag === "WarehouseError" && ["Differs", "Changed", "Unreadable"].includes(error.reason)
  )
}
