import { Effect, Option } from "effect"
import { Amplitude, AmplitudeError } from "../../services/Amplitude.ts"
import { ArchiveFolder } from "../../services/ArchiveFolder.ts"
import type { Clock } from "../../services/Clock.ts"
import type { Hour } from "../../services/Hour.ts"
import type { Format } from "../../services/HourKey.ts"
import { Progress } from "../../services/Progress.ts"
import { type ArchiveName, Spool } from "../../services/Spool.ts"
import type { Unpacker } from "../../services/Unpacker.ts"
import type { Window } from "../../services/Window.ts"
import {
  type Asked,
  askForWindow,
  isTooMuch,
  isWorthHalving,
  makeRequestGate,
  type OpenArchive,
  openArchive
} from "./askForWindow.ts"
import { beforeDeadline } from "../run/deadline.ts"
import { failedHour } from "../run/failureKind.ts"
import { type ExportedHour, type HandOverOptions, hourTimes, makeHandOver } from "./handOver.ts"
import type { HourOutcome } from "../run/HourOutcome.ts"
import { keepArchive } from "./keepArchive.ts"
import { planRequests } from "../plan/planRequests.ts"
import type { RetryPolicy } from "../run/retryPolicy.ts"

export interface ExportHoursOptions extends HandOverOptions {
  readonly format: Format
  /** Hours of one request at most. */
  readonly requestHours: number
  /** Start from archives that earlier runs left in the spool; those whose hours all stand already go. */
  readonly leftovers?: { readonly isLanded: (hour: Hour) => boolean } | undefined
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
  const [gate, progress] = [yield* makeRequestGate, yield* Progress]
  const handOver = yield* makeHandOver(options, onHour)
  const remaining = new Set(hours)
  progress.planned(hours.length)

  const inTime = beforeDeadline(options.deadline)
  const { isClosed, isSettled } = hourTimes(options)

  // An archive is kept for an hour that a later run may want where this one does not.
  const isOfNoUse = (hour: Hour, wanted: ReadonlyArray<Hour>, asked: Asked) =>
    wanted.includes(hour) || !isClosed(hour, asked) || options.leftovers?.isLanded(hour) === true

  /** Lets an archive go that can do no more here: kept first where archives are, unless this run only compares. */
  const putAway = Effect.fn("exportHours.putAway")(function* (
    archive: OpenArchive,
    outcomes: ReadonlyArray<HourOutcome>
  ) {
    const { spooled } = archive
    const mayGo =
      options.leftovers === undefined ||
      (yield* keepArchive(archive, outcomes, options.leftovers.isLanded, options))
    if (mayGo) {
      yield* Effect.catchAll(spool.drop(spooled), (error) => Effect.logWarning(error.message))
    }
  })

  const land = Effect.fn("exportHours.land")(function* (wanted: ReadonlyArray<Hour>, asked: Asked) {
    const outcomes = yield* handOver(wanted, asked)
    const isUsedUp =
      outcomes.every(isDoneWith) && hoursOf(asked).every((hour) => isOfNoUse(hour, wanted, asked))
    if (isUsedUp && Option.isSome(asked.archive)) {
      yield* putAway(asked.archive.value, outcomes)
    }
    return outcomes
  })

  const exportWindow = (
    window: Window
  ): Effect.Effect<ReadonlyArray<HourOutcome>, never, Amplitude | Clock | Spool | Unpacker | R> => {
    const ask = inTime(askForWindow(window, options.format, policy, gate))
    return Effect.gen(function* () {
      const first = yield* ask
      const isDoubtful = isNothing(first) && window.hours.some((hour) => isSettled(hour, first))
      if (!isDoubtful) return yield* land(window.hours, first)
      yield* Effect.logInfo(
        `Asking again for ${window}: that it has no events may be said in error`
      )
      const second = yield* Effect.delay(ask, policy.base)
      return yield* land(window.hours, isNothing(second) ? first : second)
    }).pipe(
      Effect.scoped,
      Effect.catchAll((error) =>
        error._tag === "AmplitudeError" && isWorthHalving(error)
          ? Effect.zipRight(
              Effect.logInfo(`Asking for ${window} in halves: ${error.message}`),
              Effect.map(Effect.forEach(window.halves, exportWindow), (halves) => halves.flat())
            )
          : Effect.logError(error.message).pipe(
              Effect.zipRight(Effect.sync(() => progress.done(window.length))),
              Effect.as(window.hours.map((hour) => failedHour(hour, explain(error))))
            )
      )
    )
  }

  const exportLeftover = Effect.fn("exportHours.leftover")(function* (
    name: ArchiveName,
    isLanded: (hour: Hour) => boolean
  ) {
    const wanted = name.window.hours.filter((hour) => remaining.has(hour))
    if (wanted.length === 0 && !name.window.hours.every(isLanded)) return []
    const claimed = yield* spool.claim(name)
    if (Option.isNone(claimed)) return []
    const spooled = claimed.value
    if (wanted.length === 0 && Option.isNone(yield* Effect.serviceOption(ArchiveFolder))) {
      yield* spool.drop(spooled)
      return []
    }
    yield* Effect.logInfo(`Starting from the archive of ${spooled.window} that lies in the spool`)
    const opened = yield* inTime(openArchive(spooled, options.format, gate))
    const asked: Asked = { askedAt: spooled.askedAt, archive: Option.some(opened) }
    const answered = wanted.filter(
      (hour) => isSettled(hour, asked) || (opened.unpacked.hours.has(hour) && isClosed(hour, asked))
    )
    const outcomes = yield* land(answered, asked)
    for (const { hour } of outcomes) remaining.delete(hour)
    return outcomes
  })

  const leftovers = Effect.gen(function* () {
    if (options.leftovers === undefined) return []
    const { isLanded } = options.leftovers
    return yield* Effect.forEach(yield* spool.list(amplitude.identity), (name) =>
      Effect.scoped(exportLeftover(name, isLanded)).pipe(askInstead)
    )
  }).pipe(askInstead)
  const resumed = (yield* leftovers).flat()
  const exported = yield* Effect.forEach(
    planRequests(
      hours.filter((hour) => remaining.has(hour)),
      options.requestHours
    ),
    exportWindow,
    { concurrency: WINDOWS_AT_ONCE }
  )
  return [...resumed, ...exported.flat()]
})

/** The hours that an archive has lines of. */
function hoursOf({ archive }: Asked): ReadonlyArray<Hour> {
  return Option.match(archive, {
    onNone: () => [],
    onSome: ({ unpacked }) => [...unpacked.hours.keys()]
  })
}

/** Whether the archive can do no more for its hour: that is landed, kept elsewhere, refused for good, or unreadable in it. */
function isDoneWith(outcome: HourOutcome): boolean {
  return outcome._tag !== "Failed" || outcome.isFinal
}

/** Whether Amplitude says that it has nothing, by a 404 or by an archive without parts. */
function isNothing({ archive }: Asked): boolean {
  return Option.match(archive, {
    onNone: () => true,
    onSome: ({ unpacked }) => unpacked.hours.size === 0
  })
}

/** What lies in the spool spares a request, so that trouble with it is no reason to fail. */
function askInstead<A, E extends { readonly message: string }, R>(
  self: Effect.Effect<ReadonlyArray<A>, E, R>
): Effect.Effect<ReadonlyArray<A>, never, R> {
  return Effect.catchAll(self, (error) =>
    Effect.as(Effect.logWarning(`Left an archive in the spool: ${error.message}`), [])
  )
}

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
