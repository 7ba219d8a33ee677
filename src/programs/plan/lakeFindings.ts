import { Effect, Either } from "effect"
import { Clock } from "../../services/Clock.ts"
import { addHours, byHour } from "../../services/Hour.ts"
import type { Window } from "../../services/Window.ts"
import { describeConflicts } from "../resolve/conflictMarks.ts"
import { type HourOutcome, isInStore } from "../run/HourOutcome.ts"
import { Run } from "../run/Run.ts"
import type { LakeFindings } from "../run/Summary.ts"
import { countGaps, gapsBetween, outermost } from "./gaps.ts"
import { type Conflict, takeLake } from "./inventory.ts"
import type { Plan } from "./planRun.ts"

interface FindingsOptions {
  /** Defaults to those of the plan. */
  readonly conflicts?: ReadonlyArray<Conflict>
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
  const { answersForGaps = true, conflicts = lake.conflicts, outcomes = [] } = options
  const { olderGaps = lake.gaps({ last: before }) } = options
  const oldest = outermost(outcomes.filter(isInStore).map(({ hour }) => hour))
  const { firstLanded } = lake
  const isExtended =
    oldest !== undefined && firstLanded !== undefined && addHours(window.last, 1) < firstLanded
  const newer = isExtended
    ? gapsBetween(addHours(window.last, 1), addHours(firstLanded, -1), lake.isInShard)
    : []
  return {
    olderGaps: countGaps(olderGaps),
    newerGaps: countGaps(newer),
    conflicts: yield* describeConflicts(store.store, conflicts),
    stagedElsewhere: notOurs.elsewhere,
    answersForGaps,
    isSettled: (hour) => isSettled(hour, now)
  }
})

interface LandedOptions extends Pick<FindingsOptions, "olderGaps"> {
  readonly outcomes: ReadonlyArray<HourOutcome>
  /** Whether the hours landed in staging. */
  readonly isFetch: boolean
}

/**
 * What a plan says of the lake once its run has landed hours, and why the store could not be listed
 * once more. Without that look, nothing proves that no hour is doubled.
 */
export const findingsAfter = Effect.fnUntraced(function* (
  plan: Plan,
  { isFetch, ...options }: LandedOptions
) {
  const after = yield* Effect.either(conflictsAfter(plan, isFetch ? [] : options.outcomes))
  if (Either.isRight(after)) {
    return { lake: yield* findingsOf(plan, { ...options, conflicts: after.right }) }
  }
  return { lake: yield* findingsOf(plan, options), error: after.left }
})

/**
 * The conflicts of a plan, and the hours that are doubled by now. If the run has put an object, it
 * lists the store once more: two runs may have planned the same hour in two forms. Whichever put
 * its object last sees both here, because each run looks after all of its own puts.
 */
const conflictsAfter = Effect.fnUntraced(function* (
  { lake, store }: Plan,
  outcomes: ReadonlyArray<HourOutcome>
) {
  const { retry } = yield* Run
  if (!outcomes.some(({ _tag }) => _tag === "Landed" || _tag === "Empty")) return lake.conflicts
  const { conflicts } = yield* retry(takeLake(store.store))
  return [
    ...lake.conflicts.filter(({ _tag }) => _tag === "Refused"),
    ...conflicts.filter(({ _tag }) => _tag === "Doubled")
  ].sort(byHour)
})
