import { Effect, Option } from "effect"
import type { Hour } from "../../services/Hour.ts"
import { Progress } from "../../services/Progress.ts"
import type { UnpackedHour } from "../../services/Unpacker.ts"
import { failedHour } from "../run/failureKind.ts"
import { type HourOutcome, Open } from "../run/HourOutcome.ts"
import { Run } from "../run/Run.ts"
import type { Answer } from "./askForWindow.ts"

/** What Amplitude has of an hour: its lines, or nothing. */
export interface ExportedHour {
  readonly hour: Hour
  /** `None` where the archive has no part of the hour, or there is no archive. */
  readonly unpacked: Option.Option<UnpackedHour>
  /** The archive's project; `None` without an archive. */
  readonly project: Option.Option<string>
  /** Whether the hour was settled when it was asked for: if it has no events now, it never will. */
  readonly settled: boolean
}

/** Lands an exported hour; whatever fails is the hour's outcome. */
export type LandHour<R> = (exported: ExportedHour) => Effect.Effect<HourOutcome, never, R>

/**
 * Hands hours of an answer to `onHour`, but those that were not closed: `concurrency` of all
 * answers at once.
 */
export const handOver = Effect.fn("handOver")(function* <R>(
  wanted: ReadonlyArray<Hour>,
  { archive, askedAt }: Answer,
  onHour: LandHour<R>
) {
  const { beforeDeadline, concurrency, isClosed, isSettled, landings } = yield* Run
  const progress = yield* Progress
  const isDone = Effect.sync(() => progress.done(1))

  return yield* Effect.forEach(
    wanted,
    (hour): Effect.Effect<HourOutcome, never, R> => {
      if (!isClosed(hour, askedAt)) return Effect.as(isDone, new Open({ hour }))
      const exported: ExportedHour = {
        hour,
        unpacked: Option.flatMapNullable(archive, ({ unpacked }) => unpacked.hours.get(hour)),
        project: Option.flatMap(archive, ({ unpacked }) => unpacked.project),
        settled: isSettled(hour, askedAt)
      }
      return beforeDeadline(onHour(exported)).pipe(
        Effect.catchAll((error) => Effect.succeed(failedHour(hour, error))),
        Effect.annotateLogs({ hour }),
        landings.withPermits(1),
        Effect.zipLeft(isDone)
      )
    },
    // Each that waits for a landing is woken by every landing's end, and grows by it.
    { concurrency }
  )
})
