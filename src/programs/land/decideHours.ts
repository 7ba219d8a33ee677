import type { ArchiveError } from "../../services/ArchiveFolder.ts"
import type { Hour } from "../../services/Hour.ts"
import type { UnpackerError } from "../../services/Unpacker.ts"
import type { Answer } from "../fetch/askForWindow.ts"
import { failedHour } from "../run/failureKind.ts"
import { type HourOutcome, Pending, Skipped } from "../run/HourOutcome.ts"
import type { LandingError } from "../run/LandingError.ts"

export type FileError = ArchiveError | UnpackerError | LandingError

/** What a file turned out to hold, once the hours that it has lines for were landed. */
export type FileReport = {
  /**
   * The hours that the archive was requested for: those in its name, otherwise everything between
   * both dates.
   */
  readonly hours: ReadonlyArray<Hour>
} & (
  | {
      readonly _tag: "Read"
      /** Hours in its name that it has no lines for. */
      readonly lacks: ReadonlyArray<Hour>
      /** The archive without its lines, as an answer for the hours that it lacks. */
      readonly answer: Answer
    }
  /** All of its hours had landed, or it has no parts and proves nothing. */
  | { readonly _tag: "PassedOver" }
  | { readonly _tag: "Unread"; readonly error: FileError }
)

/** An hour that no archive has lines for, and the answer that proves it empty. */
export interface SilentHour {
  readonly _tag: "Silent"
  readonly hour: Hour
  readonly answer: Answer
}

export interface DecideOptions {
  /** The hours between both dates; empty unless both are given. */
  readonly dates: ReadonlyArray<Hour>
  /** Hours that have an outcome already, because an archive has lines for them. */
  readonly isDone: (hour: Hour) => boolean
  readonly isPresent: (hour: Hour) => boolean
}

/**
 * Decides about the requested hours that no archive has lines for, one answer each. A file that
 * could not be read may have lines for any of its hours, so none of these counts as empty.
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

/** It is unknown which file was requested for which date, so the oldest request counts. */
function oldest(read: ReadonlyArray<{ readonly answer: Answer }>): Answer | undefined {
  return read
    .map(({ answer }) => answer)
    .reduce<Answer | undefined>(
      (one, other) => (one === undefined || other.askedAt < one.askedAt ? other : one),
      undefined
    )
}
