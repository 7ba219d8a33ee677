import type { ArchiveError } from "../../services/ArchiveFolder.ts"
import type { Hour } from "../../services/Hour.ts"
import type { UnpackerError } from "../../services/Unpacker.ts"
import type { Answer } from "../fetch/askForWindow.ts"
import { failedHour } from "../run/failureKind.ts"
import { type HourOutcome, Pending, Skipped } from "../run/HourOutcome.ts"
import type { LandingError } from "../run/LandingError.ts"

export type FileError = ArchiveError | UnpackerError | LandingError

/** What an archive in a file was found to be, once the hours that it has lines of were landed. */
export type FileReport = {
  /** The hours that it was asked for: those of its name, or else all between both dates. */
  readonly hours: ReadonlyArray<Hour>
} & (
  | {
      readonly _tag: "Read"
      /** Hours that it was asked for by its name, and lacks. */
      readonly lacks: ReadonlyArray<Hour>
      /** The archive without its lines: what it says of hours that it lacks. */
      readonly answer: Answer
    }
  /** All of its hours were there, or it has no part of any hour and proves nothing. */
  | { readonly _tag: "PassedOver" }
  | { readonly _tag: "Unread"; readonly error: FileError }
)

/** An hour that no archive has lines of, and the answer that says so. */
export interface SilentHour {
  readonly _tag: "Silent"
  readonly hour: Hour
  readonly answer: Answer
}

export interface DecideOptions {
  /** The hours between both dates; none where not both are named. */
  readonly dates: ReadonlyArray<Hour>
  /** Hours that have their outcome: an archive has lines of them. */
  readonly isDone: (hour: Hour) => boolean
  readonly isPresent: (hour: Hour) => boolean
}

/**
 * What becomes of the hours that dates or names ask for and no archive has lines of: one answer for
 * each. A file that could not be read may have lines of all that it was asked for, so that none of
 * these is taken for empty.
 */
export function decideHours(
  reports: ReadonlyArray<FileReport>,
  { dates, isDone, isPresent }: DecideOptions
): ReadonlyArray<HourOutcome | SilentHour> {
  const read = reports.filter((it) => it._tag === "Read")
  const unread = reports.filter((it) => it._tag === "Unread")
  const between = new Set(dates)

  const decide = (hour: Hour): HourOutcome | SilentHour => {
    if (isPresent(hour)) return new Skipped({ hour })
    const failure = unread.find(({ hours }) => hours.includes(hour))
    if (failure !== undefined) return failedHour(hour, failure.error)
    const named = read.find(({ lacks }) => lacks.includes(hour))
    const answer = named?.answer ?? (between.has(hour) ? oldest(read) : undefined)
    return answer === undefined ? new Pending({ hour }) : { _tag: "Silent", hour, answer }
  }
  const asked = new Set([...dates, ...reports.flatMap(({ hours }) => hours)])
  return [...asked].filter((hour) => !isDone(hour)).map(decide)
}

/**
 * Which file was asked for which of the dates is not known: the oldest of them is the one to go by.
 */
function oldest(read: ReadonlyArray<{ readonly answer: Answer }>): Answer | undefined {
  return read
    .map(({ answer }) => answer)
    .reduce<Answer | undefined>(
      (one, other) => (one === undefined || other.askedAt < one.askedAt ? other : one),
      undefined
    )
}
