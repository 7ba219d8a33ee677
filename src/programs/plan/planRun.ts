import { Effect } from "effect"
import { Clock } from "../../services/Clock.ts"
import { type Hour, isOverSince } from "../../services/Hour.ts"
import { ObjectStorage, type ObjectStorageError } from "../../services/ObjectStorage.ts"
import { Staging } from "../../services/Staging.ts"
import type { Window } from "../../services/Window.ts"
import { type Standing, takeInventory, takeStagedInventory } from "./inventory.ts"
import { planRequests } from "./planRequests.ts"
import { planWindow, type WindowOptions } from "./planWindow.ts"
import type { RetryPolicy } from "../run/retryPolicy.ts"

export interface PlanOptions extends WindowOptions {
  /** Hours of one request at most. */
  readonly requestHours: number
  /** Hours that an hour must have been over for before it is closed. */
  readonly lagHours: number
}

/** What a run would do: every hour of its window is in one of the three lists, oldest first. */
export interface Plan {
  readonly window: Window
  /** Hours that stand in the store or in staging. */
  readonly present: ReadonlyArray<Hour>
  /** Closed hours that stand nowhere. */
  readonly missing: ReadonlyArray<Hour>
  /** Hours that stand nowhere and are not closed. */
  readonly open: ReadonlyArray<Hour>
  /** The windows that would be asked of Amplitude for the missing hours. */
  readonly requests: ReadonlyArray<Window>
  readonly store: Standing
  readonly staging: Standing
  /** Keys, by hour, of files in staging that are somebody else's. */
  readonly foreign: ReadonlyMap<Hour, string>
}

/** Lists staging and the store, and plans from what stands there. */
export const planRun = Effect.fn("planRun")(function* (
  options: PlanOptions,
  policy: RetryPolicy
): Effect.fn.Return<Plan, ObjectStorageError, ObjectStorage | Staging | Clock> {
  const [store, staging, clock] = [yield* ObjectStorage, yield* Staging, yield* Clock]
  // Staging first: an hour that another run moves meanwhile is then seen twice rather than never.
  const { staged, foreign } = yield* policy.retry(takeStagedInventory(staging))
  const landed = yield* policy.retry(takeInventory(store))
  const have = new Set([...staged.keys(), ...landed.keys()])

  const now = yield* clock.now
  const newestClosed = yield* clock.newestClosedHour(options.lagHours)
  const window = planWindow(options, { now, newestClosed }, have)
  const absent = window.hours.filter((hour) => !have.has(hour))
  const missing = absent.filter((hour) => isOverSince(hour, options.lagHours, now))
  return {
    window,
    present: window.hours.filter((hour) => have.has(hour)),
    missing,
    open: absent.filter((hour) => !isOverSince(hour, options.lagHours, now)),
    requests: planRequests(missing, options.requestHours),
    store: { store, inventory: landed },
    staging: { store: staging, inventory: staged },
    foreign
  }
})
