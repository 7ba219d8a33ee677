import { Chunk, Effect } from "effect"
import { byHour, type Hour } from "../../services/Hour.ts"
import type { ObjectStorage } from "../../services/ObjectStorage.ts"
import { Progress } from "../../services/Progress.ts"
import type { Clock } from "../../services/Clock.ts"
import type { Unpacker } from "../../services/Unpacker.ts"
import type { HoursTogether, NewLoad } from "../../services/Warehouse.ts"
import type { RunError } from "../run/failureKind.ts"
import { Run } from "../run/Run.ts"
import { inSpan } from "../run/telemetry.ts"
import { endHours, isOfHour, type Outcomes } from "./endHours.ts"
import { act, announceLoad, type LoadHour } from "./loadHour.ts"
import { type KnownHour, lookUp } from "./lookUp.ts"

/** Hours that are looked up at once. */
const AT_ONCE = 16

interface Announced {
  readonly hour: Hour
  readonly row: NewLoad
  readonly replaces: string | undefined
}

type Context = Clock | ObjectStorage | Run | Unpacker

/**
 * Loads hours in batches, each in one transaction. A batch that fails because of one of its hours is
 * halved until that hour is alone.
 */
export const loadBatches = Effect.fnUntraced(function* (
  known: ReadonlyArray<KnownHour>,
  outcomes: Outcomes,
  together: HoursTogether,
  options: Omit<LoadHour, "ended">
): Effect.fn.Return<void, RunError, Context> {
  const { beforeDeadline, retry } = yield* Run
  const progress = yield* Progress
  const { ended, failed, isOver, tell } = endHours(outcomes)
  progress.planned(known.length)
  let waiting: Array<Announced> = []

  const look = (it: KnownHour) =>
    Effect.gen(function* () {
      const looked = yield* beforeDeadline(lookUp(it, options))
      if (looked.decision !== "load" && looked.decision !== "replace") {
        yield* act(looked, { ...options, ended })
        progress.done(1)
        return
      }
      const announced = announceLoad(looked, { ...options, ended })
      waiting.push({ hour: it.hour, ...(yield* beforeDeadline(announced)) })
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

  const loadAll = (batch: ReadonlyArray<Announced>) =>
    Effect.uninterruptible(
      Effect.flatMap(together.load(batch), (rows) =>
        Effect.forEach(
          rows,
          (row, index) =>
            ended({
              _tag: batch[index]?.replaces === undefined ? "Loaded" : "Replaced",
              hour: row.hour,
              row
            }),
          { discard: true }
        )
      )
    )

  const notLoaded = (batch: ReadonlyArray<Announced>, error: RunError) =>
    Effect.forEach(
      // A batch may have been committed just before the time was over.
      batch.filter(({ hour }) => !outcomes.outcomes.has(hour)),
      ({ hour }) => Effect.annotateLogs(failed(hour, error), { hour }),
      { discard: true }
    )

  const loadBatch = (batch: ReadonlyArray<Announced>): Effect.Effect<void, RunError, Context> => {
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
        batch.length > 1 && isOfHour(error)
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
