import { Effect } from "effect"
import { Progress } from "../../services/Progress.ts"
import type { RunError } from "../run/failureKind.ts"
import { endHours, type Outcomes } from "./endHours.ts"
import type { LoadOutcome } from "./LoadSummary.ts"
import type { KnownHour } from "./lookUp.ts"

/** Loads hours one after another. */
export const loadEach = Effect.fnUntraced(function* <R>(
  known: ReadonlyArray<KnownHour>,
  outcomes: Outcomes,
  load: (
    hour: KnownHour,
    ended: (outcome: LoadOutcome) => Effect.Effect<void>
  ) => Effect.Effect<void, RunError, R>
): Effect.fn.Return<void, RunError, R> {
  const progress = yield* Progress
  const { ended, failed, isOver, tell } = endHours(outcomes)
  progress.planned(known.length)
  for (const it of known) {
    const { hour } = it
    yield* isOver()
      ? ended({ _tag: "Postponed", hour })
      : load(it, ended).pipe(
          Effect.catchAll((error) => failed(hour, error)),
          Effect.annotateLogs({ hour })
        )
    progress.done(1)
  }
  yield* tell
})
