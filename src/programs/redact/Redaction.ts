/**
 * What the steps of one redaction share: whom it is about, and what it has found so far.
 *
 * @module
 */
import { Context, Effect } from "effect"
import type { Hour } from "../../services/Hour.ts"
import { Progress } from "../../services/Progress.ts"
import { errorName, failureKind, logFailure, type RunError } from "../run/failureKind.ts"
import { Run } from "../run/Run.ts"
import type { People } from "./People.ts"
import type { FoundLinesAt, RedactionSummary } from "./RedactionSummary.ts"

export class Redaction extends Context.Tag("amplitude-lake/Redaction")<
  Redaction,
  {
    readonly people: People
    /** Whether lines are removed rather than counted. */
    readonly isApplied: boolean
    readonly tally: Tally
  }
>() {}

type Named<Field extends "failed" | "unsearched"> = Array<RedactionSummary[Field][number]>

/** What was found so far. */
export interface Tally {
  readonly found: Array<FoundLinesAt>
  readonly unsearched: Named<"unsearched">
  readonly failed: Named<"failed">
  readonly unverified: Set<Hour>
  objects: number
  lines: number
  bytes: number
  unparsed: number
  postponed: number
}

export function emptyTally(): Tally {
  return {
    found: [],
    unsearched: [],
    failed: [],
    unverified: new Set(),
    objects: 0,
    lines: 0,
    bytes: 0,
    unparsed: 0,
    postponed: 0
  }
}

/** Does one step until the run's time limit. Its failure is recorded, and stops no other step. */
export const asStep = <R>(
  path: string,
  self: Effect.Effect<unknown, RunError, R>
): Effect.Effect<void, never, R | Redaction | Run> =>
  Effect.gen(function* () {
    const { beforeDeadline } = yield* Run
    const { tally } = yield* Redaction
    const progress = yield* Progress
    yield* beforeDeadline(self).pipe(
      Effect.catchAll((error) => {
        if (error._tag === "LandingError" && error.reason === "OutOfTime") {
          tally.postponed += 1
          return Effect.void
        }
        const { message } = error
        tally.failed.push({ path, message, kind: failureKind(error), error: errorName(error) })
        return logFailure(error)
      })
    )
    progress.done(1)
  })
