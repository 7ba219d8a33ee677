import { Effect, Option } from "effect"
import { type Hour, isOverSince } from "../../services/Hour.ts"
import { Progress } from "../../services/Progress.ts"
import type { UnpackedHour } from "../../services/Unpacker.ts"
import type { Asked } from "./askForWindow.ts"
import { beforeDeadline } from "../run/deadline.ts"
import { failedHour } from "../run/failureKind.ts"
import { type HourOutcome, Open } from "../run/HourOutcome.ts"

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

export interface HandOverOptions {
  /** Hours landed at once. */
  readonly concurrency: number
  /** Hours that an hour must have been over for before it is closed. */
  readonly lagHours: number
  /** Hours that an hour must have been over for before it is known to stay without events. */
  readonly settleHours: number
  /** Instant, in milliseconds since 1970, after which nothing is begun or waited for. */
  readonly deadline?: number | undefined
}

/** What an answer may be believed of an hour, by the time at which it was asked for. */
export function hourTimes(options: Pick<HandOverOptions, "lagHours" | "settleHours">) {
  return {
    isClosed: (hour: Hour, { askedAt }: Pick<Asked, "askedAt">) =>
      isOverSince(hour, options.lagHours, askedAt),
    isSettled: (hour: Hour, { askedAt }: Pick<Asked, "askedAt">) =>
      isOverSince(hour, options.settleHours, askedAt)
  }
}

/** Hands hours of an answer to `onHour`, but those that were not closed: `concurrency` of all answers at once. */
export const makeHandOver = Effect.fn("makeHandOver")(function* <R>(
  options: HandOverOptions,
  onHour: (exported: ExportedHour) => Effect.Effect<HourOutcome, never, R>
) {
  const landings = yield* Effect.makeSemaphore(options.concurrency)
  const progress = yield* Progress
  const isDone = Effect.sync(() => progress.done(1))
  const inTime = beforeDeadline(options.deadline)
  const { isClosed, isSettled } = hourTimes(options)

  return (wanted: ReadonlyArray<Hour>, asked: Asked) =>
    Effect.forEach(
      wanted,
      (hour): Effect.Effect<HourOutcome, never, R> => {
        if (!isClosed(hour, asked)) return Effect.as(isDone, new Open({ hour }))
        const exported: ExportedHour = {
          hour,
          unpacked: Option.flatMapNullable(asked.archive, ({ unpacked }) =>
            unpacked.hours.get(hour)
          ),
          project: Option.flatMap(asked.archive, ({ unpacked }) => unpacked.project),
          settled: isSettled(hour, asked)
        }
        return inTime(onHour(exported)).pipe(
          Effect.catchAll((error) => Effect.succeed(failedHour(hour, error))),
          Effect.annotateLogs({ hour }),
          landings.withPermits(1),
          Effect.zipLeft(isDone)
        )
      },
      // Each that waits for a landing is woken by every landing's end, and grows by it.
      { concurrency: options.concurrency }
    )
})
