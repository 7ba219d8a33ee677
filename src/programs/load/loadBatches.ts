import { Chunk, Effect, Option } from "effect"
import { byHour, type Hour } from "../../services/Hour.ts"
import type { ObjectStorage } from "../../services/ObjectStorage.ts"
import { Progress } from "../../services/Progress.ts"
import type { Clock } from "../../services/Clock.ts"
import type { Unpacker } from "../../services/Unpacker.ts"
import type { HoursTogether, LoadedHour, NewLoad } from "../../services/Warehouse.ts"
import type { RunError } from "../run/failureKind.ts"
import { Run } from "../run/Run.ts"
import { inSpan } from "../run/telemetry.ts"
import { endHours, isOfHour, type Outcomes } from "./endHours.ts"
import { act, announceLoad, type LoadHour } from "./loadHour.ts"
import type { LoadOutcome } from "./LoadSummary.ts"
import { type KnownHour, lookUp } from "./lookUp.ts"

/** Hours that are looked up at once. */
const AT_ONCE = 16

/** An hour that is ready for a batch. */
export interface Announced {
  readonly row: NewLoad
  readonly replaces: string | undefined
}

export type BatchContext = Clock | ObjectStorage | Run | Unpacker

interface Batches {
  readonly together: HoursTogether
  /** `None` for an hour whose outcome is known. */
  readonly announce: (
    known: KnownHour,
    ended: (outcome: LoadOutcome) => Effect.Effect<void>
  ) => Effect.Effect<Option.Option<Announced>, RunError, BatchContext>
  /** What became of an hour of a batch that was committed. */
  readonly outcomeOf: (row: LoadedHour, replaces: string | undefined) => LoadOutcome
}

/** Loads hours in batches, each in one transaction. */
export const loadBatches = (
  known: ReadonlyArray<KnownHour>,
  outcomes: Outcomes,
  together: HoursTogether,
  options: Omit<LoadHour, "ended">
): Effect.Effect<void, RunError, BatchContext> =>
  endInBatches(known, outcomes, {
    together,
    announce: Effect.fnUntraced(function* (it, ended) {
      const { beforeDeadline } = yield* Run
      const looked = yield* beforeDeadline(lookUp(it, options))
      if (looked.decision === "load" || looked.decision === "replace") {
        const announced = announceLoad(looked, { ...options, ended })
        return Option.some(yield* beforeDeadline(announced))
      }
      yield* act(looked, { ...options, ended })
      return Option.none()
    }),
    outcomeOf: (row, replaces) => ({
      _tag: replaces === undefined ? "Loaded" : "Replaced",
      hour: row.hour,
      row
    })
  })

/** Whether fewer hours may be loaded in the time that more of them did not have. */
function isTimeout(error: RunError): boolean {
  return error._tag === "WarehouseError" && error.reason === "TimedOut"
}

/**
 * Ends hours in batches. One that fails because of one of its hours is halved until that hour is alone,
 * and so is one that takes too long.
 */
export const endInBatches = Effect.fnUntraced(function* (
  known: ReadonlyArray<KnownHour>,
  outcomes: Outcomes,
  { announce, outcomeOf, together }: Batches
): Effect.fn.Return<void, RunError, BatchContext> {
  const { beforeDeadline, retry } = yield* Run
  const progress = yield* Progress
  const { ended, failed, isOver, tell } = endHours(outcomes)
  progress.planned(known.length)
  let waiting: Array<Announced & { readonly hour: Hour }> = []

  const look = (it: KnownHour) =>
    Effect.map(announce(it, ended), (announced) => {
      if (Option.isSome(announced)) waiting.push({ hour: it.hour, ...announced.value })
      else progress.done(1)
    })

  const lookOrEnd = (it: KnownHour) => {
    const { hour } = it
    return isOver()
      ? Effect.sync(() => progress.done(1)).pipe(
          Effect.zipRight(ended({ _tag: "Postponed", hour }))
        )
      : look(it).pipe(
          Effect.catchAll((error) =>
            Effect.zipRight(
              failed(hour, error),
              Effect.sync(() => progress.done(1))
            )
          ),
          Effect.annotateLogs({ hour })
        )
  }

  const loadAll = (batch: typeof waiting) =>
    Effect.uninterruptible(
      Effect.flatMap(together.load(batch), (rows) =>
        Effect.forEach(rows, (row, index) => ended(outcomeOf(row, batch[index]?.replaces)), {
          discard: true
        })
      )
    )

  const notLoaded = (batch: typeof waiting, error: RunError) =>
    Effect.forEach(
      // A batch may have been committed just before the time was over.
      batch.filter(({ hour }) => !outcomes.outcomes.has(hour)),
      ({ hour }) => Effect.annotateLogs(failed(hour, error), { hour }),
      { discard: true }
    )

  const loadBatch = (batch: typeof waiting): Effect.Effect<void, RunError, BatchContext> => {
    const [first] = batch
    if (first === undefined) return Effect.void
    if (isOver()) {
      return Effect.forEach(batch, ({ hour }) => ended({ _tag: "Postponed", hour }), {
        discard: true
      })
    }
    const half = Math.ceil(batch.length / 2)
    return beforeDeadline(retry(loadAll(batch))).pipe(
      inSpan("load", { hour: first.hour, hours: batch.length }),
      Effect.catchAll((error) =>
        batch.length > 1 && (isOfHour(error) || isTimeout(error))
          ? Effect.zipRight(loadBatch(batch.slice(0, half)), loadBatch(batch.slice(half)))
          : notLoaded(batch, error)
      )
    )
  }

  for (const some of Chunk.chunksOf(Chunk.fromIterable(known), together.most)) {
    yield* Effect.forEach(some, lookOrEnd, { concurrency: AT_ONCE, discard: true })
    waiting.sort(byHour)
    while (waiting.length >= together.most) {
      const batch = waiting.slice(0, together.most)
      waiting = waiting.slice(together.most)
      yield* loadBatch(batch)
      progress.done(batch.length)
    }
  }
  yield* loadBatch(waiting)
  progress.done(waiting.length)
  yield* tell
})
