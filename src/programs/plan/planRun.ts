import { Effect } from "effect"
import { Clock } from "../../services/Clock.ts"
import type { Hour } from "../../services/Hour.ts"
import { ObjectStorage, type ObjectStorageError } from "../../services/ObjectStorage.ts"
import { Staging } from "../../services/Staging.ts"
import type { Window } from "../../services/Window.ts"
import { type Standing, takeInventory, takeStagedInventory } from "./inventory.ts"
import { planRequests } from "./planRequests.ts"
import { planWindow, type WindowOptions } from "./planWindow.ts"
import { Run } from "../run/Run.ts"

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
  options: WindowOptions
): Effect.fn.Return<Plan, ObjectStorageError, Run | ObjectStorage | Staging | Clock> {
  const { isClosed, lagHours, requestHours, retry } = yield* Run
  const store = yield* ObjectStorage
  const staging = yield* Staging
  const clock = yield* Clock
  // Staging first: an hour that another run moves meanwhile is then seen twice rather than never.
  const { staged, foreign } = yield* retry(takeStagedInventory(staging))
  const landed = yield* retry(takeInventory(store))
  const have = new Set([...staged.keys(), ...landed.keys()])

  const now = yield* clock.now
  const newestClosed = yield* clock.newestClosedHour(lagHours)
  const window = planWindow(options, { now, newestClosed }, have)
  const absent = window.hours.filter((hour) => !have.has(hour))
  const missing = absent.filter((hour) => isClosed(hour, now))
  return {
    window,
    present: window.hours.filter((hour) => have.has(hour)),
    missing,
    open: absent.filter((hour) => !isClosed(hour, now)),
    requests: planRequests(missing, requestHours),
    store: { store, inventory: landed },
    staging: { store: staging, inventory: staged },
    foreign
  }
})
