import { Effect, Option } from "effect"
import { type ArchiveFile, ArchiveFiles } from "../../services/ArchiveFiles.ts"
import { ArchiveError } from "../../services/ArchiveFolder.ts"
import { Clock } from "../../services/Clock.ts"
import type { Hour } from "../../services/Hour.ts"
import type { ObjectStorage } from "../../services/ObjectStorage.ts"
import { Progress } from "../../services/Progress.ts"
import { UnpackerError } from "../../services/Unpacker.ts"
import { Window } from "../../services/Window.ts"
import type { Answer, OpenArchive } from "../fetch/askForWindow.ts"
import { failedHour, failureKind } from "../run/failureKind.ts"
import { handOver } from "../fetch/handOver.ts"
import { type HourOutcome, isInStore, Pending, Skipped } from "../run/HourOutcome.ts"
import type { Standing } from "../plan/inventory.ts"
import type { LandingError } from "../run/LandingError.ts"
import { makeLandHour } from "./landMissing.ts"
import { Run } from "../run/Run.ts"
import { unpackArchive } from "../fetch/unpackArchive.ts"

export interface LandArchivesOptions {
  /** First hour to land, where a person named it. */
  readonly start?: Hour | undefined
  /** Last hour to land, included, where a person named it. */
  readonly end?: Hour | undefined
}

type FileError = ArchiveError | UnpackerError | LandingError

/** What an archive lacks of the hours that were asked for: it has been read, and its bytes are not needed for that. */
interface Silence {
  readonly hours: ReadonlyArray<Hour>
  readonly asked: Answer
}

/**
 * Lands hours in a store from archives in files, one after the other, without asking Amplitude: those that stand nowhere
 * yet and, with `start` or `end`, lie between them. An hour that no archive has a part of is marked as without events only
 * where the name of its file or both dates say that it was asked for, and it was settled when the file was written.
 * A file that cannot be read or verified is an error beside the outcomes, and stops no other.
 */
export const landArchives = Effect.fn("landArchives")(function* (
  files: ReadonlyArray<string>,
  store: ObjectStorage["Type"],
  standing: ReadonlyArray<Standing>,
  options: LandArchivesOptions
) {
  const { beforeDeadline, isClosed, retry } = yield* Run
  const archives = yield* ArchiveFiles
  const clock = yield* Clock
  yield* retry(store.check)
  const onHour = yield* makeLandHour(store, standing)
  const now = yield* clock.now
  const progress = yield* Progress

  const dates = datesOf(options)
  const isWanted = (hour: Hour) =>
    (options.start === undefined || options.start <= hour) &&
    (options.end === undefined || hour <= options.end)
  const isPresent = (hour: Hour) => standing.some(({ inventory }) => inventory.has(hour))

  const outcomes = new Map<Hour, HourOutcome>()
  /** Hours that dates or names speak of: each has an outcome in the end. */
  const spokenOf = new Set(dates)
  const silences: Array<Silence> = []
  const unread: Array<{ readonly hours: ReadonlyArray<Hour>; readonly error: FileError }> = []

  const isThere = (hour: Hour) => {
    const outcome = outcomes.get(hour)
    return isPresent(hour) || (outcome !== undefined && isInStore(outcome))
  }
  const hand = Effect.fnUntraced(function* (hours: ReadonlyArray<Hour>, asked: Answer) {
    for (const hour of hours) {
      if (isPresent(hour) && !outcomes.has(hour)) outcomes.set(hour, new Skipped({ hour }))
    }
    const missing = hours.filter((hour) => !isThere(hour))
    progress.planned(missing.length)
    for (const outcome of yield* handOver(missing, asked, onHour))
      outcomes.set(outcome.hour, outcome)
  })

  const readFile = Effect.fn("landArchives.readFile")(function* (file: string, found: ArchiveFile) {
    const { archive, isComplete, isNamed } = found
    const asked = { askedAt: Math.min(now, archive.askedAt) }
    const named = isNamed ? archive.window.hours.filter(isWanted) : []
    for (const hour of named) spokenOf.add(hour)
    if (isNamed && named.every(isThere)) {
      yield* hand(named, { ...asked, archive: Option.none() })
      return yield* Effect.logInfo(`Passed over "${file}": all of its hours are there`)
    }
    const unpacked = yield* unpackArchive(archive)
    const all = [...unpacked.hours.keys()]
    const hours = all.filter(isWanted)
    yield* Effect.logInfo(
      `"${file}" has lines of ${all.length} hours, of which ${hours.filter((hour) => !isThere(hour)).length} are to be landed`
    )
    const early = hours.filter((hour) => !isClosed(hour, asked.askedAt))
    if (early.length > 0) {
      yield* Effect.logWarning(
        `"${file}" was last written at ${new Date(archive.askedAt).toISOString()}, before ${early.length} of its hours were closed: they may lack events, and are not landed`
      )
    }
    yield* hand(hours, { ...asked, archive: opened({ spooled: archive, unpacked }) })
    // An archive without a part says nothing, as it does not where Amplitude sends it.
    if (all.length === 0) {
      return yield* Effect.logWarning(`"${file}" has no part of any hour, and proves nothing`)
    }
    const silent = opened({ spooled: archive, unpacked: { ...unpacked, hours: new Map() } })
    silences.push({
      hours: isComplete ? named.filter((hour) => !unpacked.hours.has(hour)) : [],
      asked: { ...asked, archive: silent }
    })
  })

  for (const file of files) {
    let hours: ReadonlyArray<Hour> = dates
    yield* Effect.gen(function* () {
      const found = yield* archives.open(file)
      if (found.isNamed) hours = found.archive.window.hours.filter(isWanted)
      yield* beforeDeadline(readFile(file, found))
    }).pipe(
      Effect.scoped,
      Effect.catchAll((error) => {
        unread.push({ hours, error })
        return Effect.logWarning(`Passed over "${file}"`)
      })
    )
  }
  const [first, ...more] = silences
  if (first !== undefined) {
    // Which file was asked for which of the dates is not known: the oldest of them is the one to go by.
    const oldest = more.reduce(
      (one, other) => (other.asked.askedAt < one.asked.askedAt ? other : one),
      first
    )
    silences.push({ hours: dates, asked: oldest.asked })
  }
  for (const { hours, asked } of silences) {
    yield* hand(
      hours.filter((hour) => !outcomes.has(hour) && !unread.some((it) => it.hours.includes(hour))),
      asked
    )
  }
  for (const { hours, error } of unread) {
    for (const hour of hours) {
      if (!isThere(hour) && !outcomes.has(hour)) outcomes.set(hour, failedHour(hour, error))
    }
  }
  for (const hour of spokenOf) {
    if (outcomes.has(hour)) continue
    outcomes.set(hour, isPresent(hour) ? new Skipped({ hour }) : new Pending({ hour }))
  }
  return {
    window: dates.length > 0 ? windowOf(dates) : null,
    outcomes: [...outcomes.values()],
    error: together(unread.map(({ error }) => error))
  }
})

function opened(archive: OpenArchive): Option.Option<OpenArchive> {
  return Option.some(archive)
}

/** The hours between two dates; none where not both are named. */
function datesOf({ start, end }: LandArchivesOptions): ReadonlyArray<Hour> {
  return start === undefined || end === undefined
    ? []
    : new Window({ first: start, last: end }).hours
}

function windowOf(hours: ReadonlyArray<Hour>): Window | null {
  const [first, last] = [hours.at(0), hours.at(-1)]
  return first === undefined || last === undefined ? null : new Window({ first, last })
}

/** One error for several: the one that most needs a person, which tells of the others too. */
function together(errors: ReadonlyArray<FileError>): FileError | undefined {
  const worst = errors.find((error) => failureKind(error) === "integrity") ?? errors[0]
  if (worst === undefined || worst._tag === "LandingError" || errors.length === 1) return worst
  const others = errors.filter((error) => error !== worst).map(({ message }) => message)
  const detail = `${worst.detail}; also: ${others.join("; ")}`
  return worst._tag === "ArchiveError"
    ? new ArchiveError({ ...worst, detail })
    : new UnpackerError({ ...worst, detail })
}
