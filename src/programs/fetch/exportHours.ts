import { Effect, Option } from "effect"
import { Amplitude, AmplitudeError } from "../../services/Amplitude.ts"
import { ArchiveFolder } from "../../services/ArchiveFolder.ts"
import type { Clock } from "../../services/Clock.ts"
import type { Hour } from "../../services/Hour.ts"
import { Progress } from "../../services/Progress.ts"
import { type ArchiveName, Spool } from "../../services/Spool.ts"
import type { OpenOptions, Unpacker } from "../../services/Unpacker.ts"
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
  /** A callback, because the archive can only be read inside this program's scope. */
  readonly onHour: LandHour<R>
  /**
   * Whether an hour has landed already. With it, the run resumes from archives that earlier runs
   * left in the spool, and drops those whose hours have all landed. Without it, the run only
   * compares.
   */
  readonly isLanded?: ((hour: Hour) => boolean) | undefined
  /** Where an hour may be written while its archive is verified. Defaults to nowhere. */
  readonly draftFor?: OpenOptions["draftFor"]
  /** Whether the newest hours are landed first. Defaults to `false`. */
  readonly newestFirst?: boolean | undefined
}

/**
 * Exports closed hours (oldest first) and passes each to `onHour` once its whole archive is
 * verified. Archives left in the spool are used first. Returns one outcome per hour, in no
 * particular order; a failed hour does not stop the others.
 */
export const exportHours = Effect.fn("exportHours")(function* <R>(
  hours: ReadonlyArray<Hour>,
  landing: Landing<R>
) {
  const { requestHours, windowsAtOnce } = yield* Run
  const progress = yield* Progress
  progress.planned(hours.length)

  const resumed = yield* askInstead(resumeLeftovers(hours, landing))
  const done = new Set(resumed.map(({ hour }) => hour))
  const remaining = hours.filter((hour) => !done.has(hour))
  const requests = planRequests(remaining, requestHours)
  const exported = yield* Effect.forEach(
    landing.newestFirst === true ? requests.toReversed() : requests,
    (window) => exportWindow(window, landing),
    { concurrency: windowsAtOnce }
  )
  return [...resumed, ...exported.flat()]
})

/** Lands what is in archives that earlier runs left in the spool, one archive at a time. */
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
  yield* Effect.logInfo(`Resuming from the spooled archive of ${spooled.window}`)
  const opened = yield* beforeDeadline(openArchive(spooled, { draftFor: landing.draftFor }))
  // Without parts it is one answer of the two that hours without events need.
  if (opened.unpacked.hours.size === 0) {
    yield* spool.drop(spooled)
    return []
  }
  const { askedAt } = spooled
  const answered = wanted.filter(
    (hour) =>
      isSettled(hour, askedAt) || (opened.unpacked.hours.has(hour) && isClosed(hour, askedAt))
  )
  return yield* landAnswer(answered, { askedAt, archive: Option.some(opened) }, landing)
})

/** A spooled archive only saves a request, so a problem with it must not fail the run. */
function askInstead<A, E extends { readonly message: string }, R>(
  self: Effect.Effect<ReadonlyArray<A>, E, R>
): Effect.Effect<ReadonlyArray<A>, never, R> {
  return Effect.catchAll(self, (error) =>
    Effect.as(Effect.logWarning(`Skipped an archive in the spool: ${error.message}`), [])
  )
}

/** Exports a window and lands its hours, splitting it if it is too large or its archive is bad. */
function exportWindow<R>(
  window: Window,
  landing: Landing<R>,
  tries?: number
): Effect.Effect<
  ReadonlyArray<HourOutcome>,
  never,
  Amplitude | Clock | Run | Spool | Unpacker | R
> {
  return askAndLand(window, landing, tries).pipe(
    Effect.scoped,
    Effect.catchAll((error) =>
      window.length > 1 && isWorthHalving(error)
        ? Effect.logInfo(`Exporting ${window} in two halves: ${error.message}`).pipe(
            Effect.zipRight(
              Effect.forEach(window.halves, (half) => exportWindow(half, landing, 1))
            ),
            Effect.map((halves) => halves.flat())
          )
        : Effect.gen(function* () {
            const progress = yield* Progress
            const { log } = yield* Run
            yield* logFailure(error)
            progress.done(window.length)
            const outcomes = window.hours.map((hour) => failedHour(hour, explain(error)))
            yield* Effect.forEach(outcomes, log.ended, { discard: true })
            return outcomes
          })
    )
  )
}

const askAndLand = Effect.fnUntraced(function* <R>(
  window: Window,
  landing: Landing<R>,
  tries?: number
) {
  const { base, beforeDeadline, isSettled } = yield* Run
  const { draftFor } = landing
  const ask = beforeDeadline(askForWindow(window, { draftFor, tries }))
  const first = yield* ask
  const isDoubtful = isNothing(first) && window.hours.some((hour) => isSettled(hour, first.askedAt))
  if (!isDoubtful) return yield* landAnswer(window.hours, first, landing)
  yield* Effect.logInfo(`Amplitude returned no events for ${window}; asking once more to confirm`)
  const second = yield* Effect.delay(ask, base)
  return yield* landAnswer(window.hours, isNothing(second) ? first : second, landing)
})

/** Lands hours of an answer, and disposes of its archive once no later run can need it. */
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

/**
 * Drops an archive from the spool, keeping a copy first if archives are kept and this run lands
 * hours.
 */
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

/** The hours that the archive has lines for. */
function hoursOf({ archive }: Answer): ReadonlyArray<Hour> {
  return Option.match(archive, {
    onNone: () => [],
    onSome: ({ unpacked }) => [...unpacked.hours.keys(), ...unpacked.broken.keys()]
  })
}

/**
 * Whether the archive can do nothing more for its hour: it landed, or would fail the same way
 * again.
 */
function isDoneWith(outcome: HourOutcome): boolean {
  if (outcome._tag === "Postponed") return false
  return outcome._tag !== "Failed" || outcome.isFinal
}

/** Whether Amplitude returned nothing: a 404, or an archive without parts. */
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
    detail: `${detail.replace(/[.;]+$/, "")}; an hour is the smallest possible export, so this one cannot be exported`
  })
}
