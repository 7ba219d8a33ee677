import { Effect } from "effect"
import type { Hour } from "../../services/Hour.ts"
import { takeInventory } from "../plan/inventory.ts"
import type { Plan } from "../plan/planRun.ts"
import { Skipped } from "../run/HourOutcome.ts"
import { Run } from "../run/Run.ts"
import { syncStaged } from "./syncStaged.ts"

/**
 * Uploads the hours of a plan that count as present only because they are staged, `tried` ones left
 * out: another process has staged them since this run's sync. Those that have gone from staging
 * and are not in the store either are `missing`.
 */
export const syncLate = Effect.fn("syncLate")(function* (
  { present, store }: Plan,
  tried: ReadonlySet<Hour>
) {
  const { retry } = yield* Run
  const late = new Set(present.filter((it) => !store.inventory.has(it) && !tried.has(it)))
  if (late.size === 0) return { late, outcomes: [], missing: [] }
  const synced = yield* syncStaged({ isWanted: (hour) => late.has(hour) })
  const gone = [...late].filter((hour) => !synced.some((it) => it.hour === hour))
  const inventory = gone.length === 0 ? new Map() : yield* retry(takeInventory(store.store))
  const moved = gone.filter((hour) => inventory.has(hour)).map((hour) => new Skipped({ hour }))
  return {
    late,
    outcomes: [...synced, ...moved],
    missing: gone.filter((hour) => !inventory.has(hour))
  }
})
