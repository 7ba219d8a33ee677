import { Effect, Option, type Scope } from "effect"
import { type ArchiveFile, ArchiveFiles } from "../../services/ArchiveFiles.ts"
import { ArchiveError } from "../../services/ArchiveFolder.ts"
import { Clock } from "../../services/Clock.ts"
import type { Hour } from "../../services/Hour.ts"
import type { ObjectStorage } from "../../services/ObjectStorage.ts"
import { Progress } from "../../services/Progress.ts"
import { type Unpacker, UnpackerError } from "../../services/Unpacker.ts"
import { Window } from "../../services/Window.ts"
import type { Answer } from "../fetch/askForWindow.ts"
import { handOver, type LandHour } from "../fetch/handOver.ts"
import { unpackArchive } from "../fetch/unpackArchive.ts"
import type { Standing } from "../plan/inventory.ts"
import type { WindowOptions } from "../plan/planWindow.ts"
import { failureKind } from "../run/failureKind.ts"
import { type HourOutcome, isInStore, Skipped } from "../run/HourOutcome.ts"
import { Run } from "../run/Run.ts"
import { decideHours, type FileError, type FileReport } from "./decideHours.ts"
import { draftsIn, makeLandHour } from "./landMissing.ts"

type Dates = Pick<WindowOptions, "start" | "end">

/** What landing one file needs to know. */
interface Landing<R> {
  readonly onHour: LandHour<R>
  readonly store: ObjectStorage["Type"]
  /** In milliseconds since 1970. */
  readonly now: number
  /** Whether an hour was in the store or in staging before. */
  readonly isPresent: (hour: Hour) => boolean
  /** Whether an hour lies between the given dates. */
  readonly isWanted: (hour: Hour) => boolean
  /** The hours between both dates; empty unless both are given. */
  readonly dates: ReadonlyArray<Hour>
  /** The outcomes so far. */
  readonly outcomes: Map<Hour, HourOutcome>
}

/**
 * Lands hours from archive files in a store, one file at a time, without calling Amplitude: those
 * that are not present yet and lie between `start` and `end`, if given. An hour without lines is
 * marked as empty only if a file name or both dates show that it was requested, and it was settled
 * when the file was written. A file that cannot be read or verified becomes the error beside the
 * outcomes and does not stop the others.
 */
export const landArchives = Effect.fn("landArchives")(function* (
  files: ReadonlyArray<string>,
  store: ObjectStorage["Type"],
  standing: ReadonlyArray<Standing>,
  { start, end }: Dates
) {
  const { retry } = yield* Run
  const clock = yield* Clock
  yield* retry(store.check)
  const window =
    start === undefined || end === undefined ? null : new Window({ first: start, last: end })
  const outcomes = new Map<Hour, HourOutcome>()
  const landing = {
    onHour: yield* makeLandHour(store, standing),
    store,
    now: yield* clock.now,
    isPresent: (hour: Hour) => standing.some(({ inventory }) => inventory.has(hour)),
    isWanted: (hour: Hour) =>
      (start === undefined || start <= hour) && (end === undefined || hour <= end),
    dates: window?.hours ?? [],
    outcomes
  }
  const reports = yield* Effect.forEach(files, (file) => landFile(file, landing))
  const isDone = (hour: Hour) => outcomes.has(hour)
  yield* markSilent(decideHours(reports, { ...landing, isDone }), landing)
  const errors = reports.flatMap((it) => (it._tag === "Unread" ? [it.error] : []))
  return { window, outcomes: [...outcomes.values()], error: together(errors) }
})

/** Lands the hours in a file while it is open. */
const landFile = Effect.fn("landArchives.landFile")(function* <R>(
  file: string,
  landing: Landing<R>
) {
  const { beforeDeadline } = yield* Run
  const archives = yield* ArchiveFiles
  let hours = landing.dates
  return yield* Effect.gen(function* () {
    const found = yield* archives.open(file)
    if (found.isNamed) hours = found.archive.window.hours.filter(landing.isWanted)
    return yield* beforeDeadline(readFile(file, found, hours, landing))
  }).pipe(
    Effect.scoped,
    Effect.catchAll((error) =>
      Effect.as(Effect.logWarning(`Skipped "${file}"`), {
        _tag: "Unread",
        hours,
        error
      } as const)
    )
  )
})

const readFile = Effect.fn("landArchives.readFile")(function* <R>(
  file: string,
  { archive, isComplete, isNamed }: ArchiveFile,
  asked: ReadonlyArray<Hour>,
  landing: Landing<R>
): Effect.fn.Return<FileReport, UnpackerError, Run | Scope.Scope | Unpacker | R> {
  const { isClosed } = yield* Run
  // A modification time in the future counts as now.
  const askedAt = Math.min(landing.now, archive.askedAt)
  if (isNamed && asked.every((hour) => isThere(hour, landing))) {
    yield* landHours(asked, { askedAt, archive: Option.none() }, landing)
    yield* Effect.logInfo(`Skipped "${file}": all of its hours are present`)
    return { _tag: "PassedOver", hours: asked }
  }
  const isMissing = (hour: Hour) =>
    landing.isWanted(hour) && isClosed(hour, askedAt) && !isThere(hour, landing)
  const draftFor = draftsIn(landing.store, isMissing)
  const unpacked = yield* unpackArchive(archive, { repacked: true, draftFor })
  const all = [...unpacked.hours.keys()]
  const hours = all.filter(landing.isWanted)
  const missing = hours.filter((hour) => !isThere(hour, landing))
  yield* Effect.logInfo(
    `"${file}" has lines for ${all.length} hours, ${missing.length} of them missing`
  )
  const early = hours.filter((hour) => !isClosed(hour, askedAt))
  if (early.length > 0) {
    yield* Effect.logWarning(
      `"${file}" was last written at ${new Date(archive.askedAt).toISOString()}, before ${early.length} of its hours were closed. They may be incomplete and are not landed.`
    )
  }
  const spooled = archive
  yield* landHours(hours, { askedAt, archive: Option.some({ spooled, unpacked }) }, landing)
  // An archive without parts proves nothing, as when Amplitude sends one.
  if (all.length === 0) {
    yield* Effect.logWarning(`"${file}" has no parts, so no hour can be marked as empty by it`)
    return { _tag: "PassedOver", hours: asked }
  }
  const silent = { spooled, unpacked: { ...unpacked, hours: new Map() } }
  return {
    _tag: "Read",
    hours: asked,
    lacks: isNamed && isComplete ? asked.filter((hour) => !unpacked.hours.has(hour)) : [],
    answer: { askedAt, archive: Option.some(silent) }
  }
})

function isThere<R>(hour: Hour, { isPresent, outcomes }: Landing<R>): boolean {
  const outcome = outcomes.get(hour)
  return isPresent(hour) || (outcome !== undefined && isInStore(outcome))
}

/** Lands those hours of an answer that are not present. */
const landHours = Effect.fnUntraced(function* <R>(
  hours: ReadonlyArray<Hour>,
  answer: Answer,
  landing: Landing<R>
) {
  const { isPresent, onHour, outcomes } = landing
  const progress = yield* Progress
  for (const hour of hours) {
    if (isPresent(hour) && !outcomes.has(hour)) outcomes.set(hour, new Skipped({ hour }))
  }
  const missing = hours.filter((hour) => !isThere(hour, landing))
  progress.planned(missing.length)
  for (const outcome of yield* handOver(missing, answer, onHour)) {
    outcomes.set(outcome.hour, outcome)
  }
})

/** Marks hours as empty by the answers that prove it, and records the outcomes of all others. */
const markSilent = Effect.fnUntraced(function* <R>(
  decided: ReturnType<typeof decideHours>,
  landing: Landing<R>
) {
  const silent = decided.filter((it) => it._tag === "Silent")
  for (const answer of new Set(silent.map((it) => it.answer))) {
    const hours = silent.filter((it) => it.answer === answer).map(({ hour }) => hour)
    yield* landHours(hours, answer, landing)
  }
  for (const it of decided) if (it._tag !== "Silent") landing.outcomes.set(it.hour, it)
})

/** Combines errors into the most serious one, with the others in its detail. */
function together(errors: ReadonlyArray<FileError>): FileError | undefined {
  const worst = errors.find((error) => failureKind(error) === "integrity") ?? errors[0]
  if (worst === undefined || worst._tag === "LandingError" || errors.length === 1) return worst
  const others = errors.filter((error) => error !== worst).map(({ message }) => message)
  const detail = `${worst.detail}; also: ${others.join("; ")}`
  return worst._tag === "ArchiveError"
    ? new ArchiveError({ ...worst, detail })
    : new UnpackerError({ ...worst, detail })
}
