import { Clock as EffectClock, Duration, Effect, Option } from "effect"
import { Amplitude, AmplitudeError } from "../services/Amplitude.ts"
import type { Clock } from "../services/Clock.ts"
import { type Hour, isOverSince } from "../services/Hour.ts"
import type { Format } from "../services/HourKey.ts"
import { Spool } from "../services/Spool.ts"
import { type UnpackedHour, Unpacker } from "../services/Unpacker.ts"
import type { Window } from "../services/Window.ts"
import {
  type Asked,
  askForWindow,
  isTooMuch,
  isWorthHalving,
  makeRequestGate,
  openArchive
} from "./askForWindow.ts"
import { failedHour } from "./failureKind.ts"
import { type HourOutcome, Open } from "./HourOutcome.ts"
import { LandingError } from "./LandingError.ts"
import { planRequests } from "./planRequests.ts"
import type { RetryPolicy } from "./retryPolicy.ts"

export interface ExportHoursOptions {
  readonly format: Format
  /** Hours of one request at most. */
  readonly requestHours: number
  /** Hours landed at once. */
  readonly concurrency: number
  /** Hours that an hour must have been over for before it is closed. */
  readonly lagHours: number
  /** Hours that an hour must have been over for before it is known to stay without events. */
  readonly settleHours: number
  /** Instant, in milliseconds since 1970, after which nothing is begun or waited for. */
  readonly deadline?: number | undefined
  /** Whether an hour stands already, so that a spooled archive of nothing else can go. */
  readonly isLanded: (hour: Hour) => boolean
}

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

/** Two windows on their way in, one being unpacked and landed. */
const WINDOWS_AT_ONCE = 3

/**
 * Asks Amplitude for hours (oldest first, closed by the clock here) and hands each to `onHour` once its whole archive was
 * verified. What an earlier run left in the spool is used first. Every hour has one outcome, in no promised order, and
 * the failure of one never stops another.
 */
export const exportHours = Effect.fn("exportHours")(function* <R>(
  hours: ReadonlyArray<Hour>,
  options: ExportHoursOptions,
  policy: RetryPolicy,
  onHour: (exported: ExportedHour) => Effect.Effect<HourOutcome, never, R>
) {
  const [amplitude, spool] = [yield* Amplitude, yield* Spool]
  const gate = yield* makeRequestGate
  const landings = yield* Effect.makeSemaphore(options.concurrency)
  const remaining = new Set(hours)

  const beforeDeadline = <A, E, R2>(self: Effect.Effect<A, E, R2>) =>
    Effect.flatMap(EffectClock.currentTimeMillis, (now) =>
      options.deadline === undefined
        ? self
        : Effect.timeoutFail(self, {
            duration: Duration.millis(Math.max(0, options.deadline - now)),
            onTimeout: () =>
              new LandingError({
                reason: "OutOfTime",
                detail: "the longest duration of a run (--max-duration) was over before it"
              })
          })
    )

  const isClosed = (hour: Hour, { askedAt }: Asked) => isOverSince(hour, options.lagHours, askedAt)
  const isSettled = (hour: Hour, { askedAt }: Asked) =>
    isOverSince(hour, options.settleHours, askedAt)

  const land = Effect.fn("exportHours.land")(function* (wanted: ReadonlyArray<Hour>, asked: Asked) {
    const outcomes = yield* Effect.forEach(
      wanted,
      (hour): Effect.Effect<HourOutcome, never, R> => {
        if (!isClosed(hour, asked)) {
          return Effect.succeed(new Open({ hour }))
        }
        const exported: ExportedHour = {
          hour,
          unpacked: Option.flatMapNullable(asked.archive, ({ unpacked }) =>
            unpacked.hours.get(hour)
          ),
          project: Option.flatMap(asked.archive, ({ unpacked }) => unpacked.project),
          settled: isSettled(hour, asked)
        }
        return beforeDeadline(onHour(exported)).pipe(
          Effect.catchAll((error) => Effect.succeed(failedHour(hour, error))),
          Effect.annotateLogs({ hour }),
          landings.withPermits(1)
        )
      },
      { concurrency: "unbounded" }
    )
    const isDone = outcomes.every((it) => it._tag !== "Failed" || it.kind === "integrity")
    if (isDone && Option.isSome(asked.archive)) {
      yield* Effect.catchAll(spool.drop(asked.archive.value.spooled), (error) =>
        Effect.logWarning(error.message)
      )
    }
    return outcomes
  })

  const exportWindow = (
    window: Window
  ): Effect.Effect<ReadonlyArray<HourOutcome>, never, Amplitude | Clock | Spool | Unpacker | R> => {
    const ask = beforeDeadline(askForWindow(window, options.format, policy, gate))
    return Effect.gen(function* () {
      const first = yield* ask
      const isDoubtful =
        Option.isNone(first.archive) && window.hours.some((hour) => isSettled(hour, first))
      if (!isDoubtful) return yield* land(window.hours, first)
      yield* Effect.logInfo(`Asking again for ${window}, since a 404 may be said for no reason`)
      const second = yield* Effect.delay(ask, policy.base)
      return yield* land(window.hours, Option.isSome(second.archive) ? second : first)
    }).pipe(
      Effect.scoped,
      Effect.catchAll((error) =>
        error._tag === "AmplitudeError" && isWorthHalving(error)
          ? Effect.zipRight(
              Effect.logInfo(`Asking for ${window} in halves: ${error.message}`),
              Effect.map(Effect.forEach(window.halves, exportWindow), (halves) => halves.flat())
            )
          : Effect.as(
              Effect.logError(error.message),
              window.hours.map((hour) => failedHour(hour, explain(error)))
            )
      )
    )
  }

  const exportLeftover = Effect.fn("exportHours.leftover")(function* (
    name: Parameters<Spool["Type"]["claim"]>[0]
  ) {
    const claimed = yield* spool.claim(name)
    if (Option.isNone(claimed)) return []
    const spooled = claimed.value
    const wanted = spooled.window.hours.filter((hour) => remaining.has(hour))
    if (wanted.length === 0) {
      if (spooled.window.hours.every(options.isLanded)) yield* spool.drop(spooled)
      return []
    }
    yield* Effect.logInfo(`Starting from the archive of ${spooled.window} that lies in the spool`)
    const opened = yield* Effect.option(
      Effect.tapError(openArchive(spooled, options.format, gate), (error) =>
        Effect.logWarning(`Asking Amplitude instead: ${error.message}`)
      )
    )
    if (Option.isNone(opened)) return []
    const asked: Asked = { askedAt: spooled.askedAt, archive: opened }
    const answered = wanted.filter(
      (hour) =>
        isSettled(hour, asked) || (opened.value.unpacked.hours.has(hour) && isClosed(hour, asked))
    )
    const outcomes = yield* land(answered, asked)
    for (const { hour } of outcomes) remaining.delete(hour)
    return outcomes
  })

  const leftovers = yield* Effect.forEach(yield* spool.list(amplitude.identity), (name) =>
    Effect.scoped(exportLeftover(name))
  )
  const exported = yield* Effect.forEach(
    planRequests(
      hours.filter((hour) => remaining.has(hour)),
      options.requestHours
    ),
    exportWindow,
    { concurrency: WINDOWS_AT_ONCE }
  )
  return [...leftovers.flat(), ...exported.flat()]
})

function explain<E>(error: E | AmplitudeError): E | AmplitudeError {
  if (!(error instanceof AmplitudeError) || !isTooMuch(error)) return error
  const { reason, window, status, detail } = error
  return new AmplitudeError({
    reason,
    window,
    status,
    detail: `${detail}; one hour is the least that can be asked for: Amplitude's own S3 destination has no such limit`
  })
}
