import { Effect, Option } from "effect"
import type { Hour } from "../../services/Hour.ts"
import { Progress } from "../../services/Progress.ts"
import type { UnpackedHour } from "../../services/Unpacker.ts"
import { failedHour, logFailure } from "../run/failureKind.ts"
import { type HourOutcome, Open } from "../run/HourOutcome.ts"
import { Run } from "../run/Run.ts"
import type { Answer } from "./askForWindow.ts"

/** Amplitude's answer for one hour: its lines, or none. */
export interface ExportedHour {
  readonly hour: Hour
  /** `None` if the archive has no part for the hour, or there is no archive. */
  readonly unpacked: Option.Option<UnpackedHour>
  /** The archive's project; `None` without an archive. */
  readonly project: Option.Option<string>
  /** Whether the hour was settled when it was requested: if it has no events now, it never will. */
  readonly settled: boolean
}

/** Lands an exported hour. A failure is returned as the hour's outcome. */
export type LandHour<R> = (exported: ExportedHour) => Effect.Effect<HourOutcome, never, R>

/**
 * Passes the hours of an answer that were closed when it was requested to `onHour`, `concurrency`
 * of all answers in parallel.
 */
export const handOver = Effect.fn("handOver")(function* <R>(
  wanted: ReadonlyArray<Hour>,
  { archive, askedAt }: Answer,
  onHour: LandHour<R>
) {
  const { beforeDeadline, concurrency, isClosed, isSettled, landings, log } = yield* Run
  const progress = yield* Progress
  const ended = (outcome: HourOutcome) =>
    Effect.zipRight(
      log.ended(outcome),
      Effect.sync(() => progress.done(1))
    )

  return yield* Effect.forEach(
    wanted,
    (hour): Effect.Effect<HourOutcome, never, R> => {
      if (!isClosed(hour, askedAt)) return Effect.tap(Effect.succeed(new Open({ hour })), ended)
      const refused = Option.flatMapNullable(archive, ({ unpacked }) => unpacked.broken.get(hour))
      if (Option.isSome(refused)) {
        return logFailure(refused.value).pipe(
          Effect.as(failedHour(hour, refused.value)),
          Effect.annotateLogs({ hour }),
          Effect.tap(ended)
        )
      }
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
        Effect.tap(ended)
      )
    },
    // Waiting fibers are woken by every landing that ends, so their number is kept small.
    { concurrency }
  )
})
