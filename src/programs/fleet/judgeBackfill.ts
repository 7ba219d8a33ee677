import { Effect } from "effect"
import { addHours } from "../../services/Hour.ts"
import { gaugePlan } from "../plan/gaugePlan.ts"
import { findingsOf } from "../plan/lakeFindings.ts"
import { planRun } from "../plan/planRun.ts"
import type { WindowOptions } from "../plan/planWindow.ts"
import { Accepted, type HourOutcome, Open, Postponed, Skipped } from "../run/HourOutcome.ts"
import { Run } from "../run/Run.ts"

/**
 * Judges the hours of a backfill by the store: what others report counts only for hours that the
 * store has, and for those that failed.
 */
export const judgeBackfill = Effect.fn("judgeBackfill")(function* (
  options: WindowOptions,
  outcomes: ReadonlyArray<HourOutcome>
) {
  const { log } = yield* Run
  const plan = yield* planRun(options)
  yield* gaugePlan(plan)
  const { accepted, missing, open, present, window } = plan
  const told = new Map(outcomes.map((it) => [it.hour, it]))
  const all = [
    ...present.map((hour) => landedOf(told.get(hour)) ?? new Skipped({ hour })),
    ...missing.map((hour) => absentOf(told.get(hour)) ?? new Postponed({ hour })),
    ...open.map((hour) => new Open({ hour })),
    ...accepted.map((hour) => new Accepted({ hour }))
  ]
  const olderGaps = plan.lake.gaps({ last: addHours(window.first, -1) })
  const lake = yield* findingsOf(plan, { olderGaps })
  yield* log.planned({ window, outcomes: all, lake })
  return { window, outcomes: all, lake }
})

function landedOf(told: HourOutcome | undefined): HourOutcome | undefined {
  return told?._tag === "Landed" || told?._tag === "Empty" ? told : undefined
}

function absentOf(told: HourOutcome | undefined): HourOutcome | undefined {
  return told?._tag === "Failed" || told?._tag === "Pending" ? told : undefined
}
