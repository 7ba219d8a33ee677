import { Clock as EffectClock, Effect } from "effect"
import { ObjectStorage } from "../../services/ObjectStorage.ts"
import { exitCodeOf } from "../run/exitCode.ts"
import type { RetryOptions } from "../run/retryPolicy.ts"
import { asRun, type LandingOptions, Run } from "../run/Run.ts"
import { countIds, type People } from "./People.ts"
import { emptyTally, Redaction } from "./Redaction.ts"
import { RedactionSummary } from "./RedactionSummary.ts"
import { redactArchives } from "./redactArchives.ts"
import { redactStaging } from "./redactStaging.ts"
import { redactStore } from "./redactStore.ts"

export interface RedactOptions
  extends RetryOptions, Pick<LandingOptions, "concurrency" | "maxDuration"> {
  /** Whether lines are removed rather than counted. Defaults to `false`. */
  readonly apply?: boolean | undefined
  /** Receives the summary of what was done if the run is interrupted. */
  readonly onInterrupt?: ((soFar: RedactionSummary) => Effect.Effect<void>) | undefined
}

/**
 * Counts the lines about people in a lake and on this machine, by their parsed fields, and removes
 * them if it is to: objects are rewritten on the condition of their ETags, with the earlier lineset
 * in `replaces` and the count in `redacted`, so that the warehouse follows. Archives that hold one
 * are removed as a whole. Nothing is kept of what is removed. Run it again to go on.
 */
export const redactPeople = Effect.fn("redactPeople")(
  function* (people: People, options: RedactOptions = {}) {
    const { made, retry } = yield* Run
    const store = yield* ObjectStorage
    const begun = yield* EffectClock.currentTimeMillis
    const isApplied = options.apply === true
    if (isApplied) yield* retry(store.check)
    const tally = emptyTally()
    const told = Effect.gen(function* () {
      const { bytes, failed, found, lines, objects, postponed, unparsed } = tally
      const isLeft = found.some(({ fate }) => fate === "found")
      return new RedactionSummary({
        applied: isApplied,
        ids: countIds(people),
        found: found.toSorted((one, other) => (one.path < other.path ? -1 : 1)),
        searched: { objects, lines, bytes },
        unparsed,
        unsearched: tally.unsearched,
        unverified: [...tally.unverified].sort(),
        failed,
        postponed,
        retries: yield* made,
        durationMs: Math.max(0, (yield* EffectClock.currentTimeMillis) - begun),
        exitCode: exitCodeOf({
          kinds: new Set(failed.map(({ kind }) => kind)),
          isDone: objects > 0,
          isTouched: true,
          isIncomplete: isLeft || postponed > 0
        })
      })
    })
    // Staging first: what another run uploads meanwhile is then seen in the store.
    yield* Effect.all([redactStaging(), redactStore(), redactArchives()], {
      discard: true
    }).pipe(
      Effect.provideService(Redaction, { people, isApplied, tally }),
      Effect.onInterrupt(() =>
        Effect.flatMap(told, (it) => options.onInterrupt?.(it) ?? Effect.void)
      )
    )
    return yield* told
  },
  (self, _people, options) => asRun(self, options)
)
