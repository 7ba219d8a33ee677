import { Effect, Option } from "effect"
import { Amplitude, AmplitudeError } from "../../services/Amplitude.ts"
import { ArchiveFolder } from "../../services/ArchiveFolder.ts"
import type { Clock } from "../../services/Clock.ts"
import type { Hour } from "../../services/Hour.ts"
import { Progress } from "../../services/Progress.ts"
import { type ArchiveName, Spool } from "../../services/Spool.ts"
import type { Unpacker } from "../../services/Unpacker.ts"
import type { Window } from "../../services/Window.ts"
import { planRequests } from "../plan/planRequests.ts"
import { failedHour, logFailure } from "../run/failureKind.ts"
import type { HourOutcome } from "../run/HourOutcome.ts"
import { Run } from "../run/Run.ts"
import {
  type Answer,
  askForWindow,
  isTooMuch,
  isWorthHalving,
  type OpenArchive,
  openArchive
} from "./askForWindow.ts"
import { handOver, type LandHour } from "./handOver.ts"
import { keepArchive } from "./keepArchive.ts"

export interface Landing<R> {
  /** A callback, since an archive can be read only until its scope closes, which lies in here. */
  readonly onHour: LandHour<R>
  /**
   * Whether an hour stands already. With it, a run starts from archives that earlier runs left in
   * the spool, and those whose hours all stand go; without it, a run only compares.
   */
  readonly isLanded?: ((hour: Hour) => boolean) | undefined
  /** Whether the newest hours are landed first. Defaults to `false`. */
  readonly newestFirst?: boolean | undefined
}

/** Two windows on their way in, one being unpacked and landed. */
const WINDOWS_AT_ONCE = 3

/**
 * Asks Amplitude for hours (oldest first, closed by the clock here) and hands each to `onHour` once
 * its whole archive was verified. What an earlier run left in the spool is used first. Every hour
 * has one outcome, in no promised order, and the failure of one never stops another.
 */
export const exportHours = Effect.fn("exportHours")(function* <R>(
  hours: ReadonlyArray<Hour>,
  landing: Landing<R>
) {
  const { requestHours } = yield* Run
  const progress = yield* Progress
  progress.planned(hours.length)

  const resumed = yield* askInstead(resumeLeftovers(hours, landing))
  const done = new Set(resumed.map(({ hour }) => hour))
  const remaining = hours.filter((hour) => !done.has(hour))
  const requests = planRequests(remaining, requestHours)
  const exported = yield* Effect.forEach(
    landing.newestFirst === true ? requests.toReversed() : requests,
    (window) => exportWindow(window, landing),
    { concurrency: WINDOWS_AT_ONCE }
  )
  return [...resumed, ...exported.flat()]
})

/** Lands what archives have that earlier runs left in the spool, one after the other. */
const resumeLeftovers = Effect.fn("exportHours.leftovers")(function* <R>(
  hours: ReadonlyArray<Hour>,
  landing: Landing<R>
) {
  const { isLanded } = landing
  if (isLanded === undefined) return []
  const amplitude = yield* Amplitude
  const spool = yield* Spool
  const remaining = new Set(hours)
  const outcomes: Array<HourOutcome> = []
  for (const name of yield* spool.list(amplitude.identity)) {
    const wanted = name.window.hours.filter((hour) => remaining.has(hour))
    if (wanted.length === 0 && !name.window.hours.every(isLanded)) continue
    const landed = yield* askInstead(Effect.scoped(resumeLeftover(name, wanted, landing)))
    for (const { hour } of landed) remaining.delete(hour)
    outcomes.push(...landed)
  }
  return outcomes
})

const resumeLeftover = Effect.fn("exportHours.leftover")(function* <R>(
  name: ArchiveName,
  wanted: ReadonlyArray<Hour>,
  landing: Landing<R>
) {
  const { beforeDeadline, isClosed, isSettled } = yield* Run
  const spool = yield* Spool
  const claimed = yield* spool.claim(name)
  if (Option.isNone(claimed)) return []
  const spooled = claimed.value
  if (wanted.length === 0 && Option.isNone(yield* Effect.serviceOption(ArchiveFolder))) {
    yield* spool.drop(spooled)
    return []
  }
  yield* Effect.logInfo(`Starting from the archive of ${spooled.window} that lies in the spool`)
  const opened = yield* beforeDeadline(openArchive(spooled))
  const { askedAt } = spooled
  const answered = wanted.filter(
    (hour) =>
      isSettled(hour, askedAt) || (opened.unpacked.hours.has(hour) && isClosed(hour, askedAt))
  )
  return yield* landAnswer(answered, { askedAt, archive: Option.some(opened) }, landing)
})

/** What lies in the spool spares a request, so that trouble with it is no reason to fail. */
function askInstead<A, E extends { readonly message: string }, R>(
  self: Effect.Effect<ReadonlyArray<A>, E, R>
): Effect.Effect<ReadonlyArray<A>, never, R> {
  return Effect.catchAll(self, (error) =>
    Effect.as(Effect.logWarning(`Left an archive in the spool: ${error.message}`), [])
  )
}

/** Asks for a window and lands its hours; where it is too large, in halves. */
function exportWindow<R>(
  window: Window,
  landing: Landing<R>
): Effect.Effect<
  ReadonlyArray<HourOutcome>,
  never,
  Amplitude | Clock | Run | Spool | Unpacker | R
> {
  return askAndLand(window, landing).pipe(
    Effect.scoped,
    Effect.catchAll((error) =>
      error._tag === "AmplitudeError" && isWorthHalving(error)
        ? Effect.logInfo(`Asking for ${window} in halves: ${error.message}`).pipe(
            Effect.zipRight(Effect.forEach(window.halves, (half) => exportWindow(half, landing))),
            Effect.map((halves) => halves.flat())
          )
        : Effect.gen(function* () {
            const progress = yield* Progress
            yield* logFailure(error)
            progress.done(window.length)
            return window.hours.map((hour) => failedHour(hour, explain(error)))
          })
    )
  )
}

const askAndLand = Effect.fnUntraced(function* <R>(window: Window, landing: Landing<R>) {
  const { base, beforeDeadline, isSettled } = yield* Run
  const ask = beforeDeadline(askForWindow(window))
  const first = yield* ask
  const isDoubtful = isNothing(first) && window.hours.some((hour) => isSettled(hour, first.askedAt))
  if (!isDoubtful) return yield* landAnswer(window.hours, first, landing)
  yield* Effect.logInfo(`Asking again for ${window}: that it has no events may be said in error`)
  const second = yield* Effect.delay(ask, base)
  return yield* landAnswer(window.hours, isNothing(second) ? first : second, landing)
})

/** Lands hours of an answer, and lets its archive go where that can do no more. */
const landAnswer = Effect.fn("exportHours.land")(function* <R>(
  wanted: ReadonlyArray<Hour>,
  answer: Answer,
  landing: Landing<R>
) {
  const { isClosed } = yield* Run
  const ordered = landing.newestFirst === true ? wanted.toReversed() : wanted
  const outcomes = yield* handOver(ordered, answer, landing.onHour)
  // An archive is kept for an hour that a later run may want where this one does not.
  const isOfNoUse = (hour: Hour) =>
    wanted.includes(hour) || !isClosed(hour, answer.askedAt) || landing.isLanded?.(hour) === true
  const isUsedUp = outcomes.every(isDoneWith) && hoursOf(answer).every(isOfNoUse)
  if (isUsedUp && Option.isSome(answer.archive)) {
    yield* putAway(answer.archive.value, outcomes, landing)
  }
  return outcomes
})

/** Lets an archive go: kept first where archives are, unless this run only compares. */
const putAway = Effect.fn("exportHours.putAway")(function* <R>(
  archive: OpenArchive,
  outcomes: ReadonlyArray<HourOutcome>,
  { isLanded }: Landing<R>
) {
  const spool = yield* Spool
  const mayGo = isLanded === undefined || (yield* keepArchive(archive, outcomes, isLanded))
  if (!mayGo) return
  yield* Effect.catchAll(spool.drop(archive.spooled), (error) => Effect.logWarning(error.message))
})

/** The hours that an archive has lines of. */
function hoursOf({ archive }: Answer): ReadonlyArray<Hour> {
  return Option.match(archive, {
    onNone: () => [],
    onSome: ({ unpacked }) => [...unpacked.hours.keys()]
  })
}

/**
 * Whether the archive can do no more for its hour: that is landed, kept elsewhere, refused for
 * good, or unreadable in it.
 */
function isDoneWith(outcome: HourOutcome): boolean {
  if (outcome._tag === "Postponed") return false
  return outcome._tag !== "Failed" || outcome.isFinal
}

/** Whether Amplitude says that it has nothing, by a 404 or by an archive without parts. */
function isNothing(answer: Answer): boolean {
  return hoursOf(answer).length === 0
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
