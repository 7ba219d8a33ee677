import { Effect } from "effect"
import { Clock } from "../../services/Clock.ts"
import { addHours } from "../../services/Hour.ts"
import { Window } from "../../services/Window.ts"
import { describeConflicts } from "../resolve/conflictMarks.ts"
import { type HourOutcome, isInStore } from "../run/HourOutcome.ts"
import { Run } from "../run/Run.ts"
import type { LakeFindings } from "../run/Summary.ts"
import { countGaps, outermost } from "./gaps.ts"
import type { Plan } from "./planRun.ts"

interface FindingsOptions {
  /** Defaults to those before the window, by the store alone. */
  readonly olderGaps?: ReadonlyArray<Window>
  /** Of the hours that the run tried to land. */
  readonly outcomes?: ReadonlyArray<HourOutcome>
  /** Defaults to `true`. */
  readonly answersForGaps?: boolean
}

/** What a plan says of the lake beyond the hours of its window. */
export const findingsOf = Effect.fnUntraced(function* (
  { window, lake, notOurs, store }: Plan,
  options: FindingsOptions = {}
): Effect.fn.Return<LakeFindings, never, Clock | Run> {
  const { isSettled } = yield* Run
  const now = yield* Effect.flatMap(Clock, (clock) => clock.now)
  const before = addHours(window.first, -1)
  const { answersForGaps = true, olderGaps = lake.gaps({ last: before }), outcomes = [] } = options
  const oldest = outermost(outcomes.filter(isInStore).map(({ hour }) => hour))
  const { firstLanded } = lake
  const isExtended =
    oldest !== undefined && firstLanded !== undefined && addHours(window.last, 1) < firstLanded
  const newer = isExtended
    ? [new Window({ first: addHours(window.last, 1), last: addHours(firstLanded, -1) })]
    : []
  return {
    olderGaps: countGaps(olderGaps),
    newerGaps: countGaps(newer),
    conflicts: yield* describeConflicts(store.store, lake.conflicts),
    stagedElsewhere: notOurs.elsewhere,
    answersForGaps,
    isSettled: (hour) => isSettled(hour, now)
  }
})
