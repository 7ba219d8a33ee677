import { Effect, Option } from "effect"
import { ArchiveFolder } from "../../services/ArchiveFolder.ts"
import type { Hour } from "../../services/Hour.ts"
import type { OpenArchive } from "./askForWindow.ts"
import { type HourOutcome, isInStore } from "../run/HourOutcome.ts"
import { Run } from "../run/Run.ts"

/**
 * Keeps a verified archive whose hours have all landed, if archives are kept. Returns `false` if
 * that failed, so the archive must stay in the spool. Returns `true` as well for an archive that is
 * not worth keeping: it has no parts, was requested too early, or conflicts with a landed hour.
 */
export const keepArchive = Effect.fn("keepArchive")(function* (
  { spooled, unpacked }: OpenArchive,
  outcomes: ReadonlyArray<HourOutcome>,
  isLanded: (hour: Hour) => boolean
) {
  const { isClosed, isSettled } = yield* Run
  const folder = yield* Effect.serviceOption(ArchiveFolder)
  if (Option.isNone(folder) || unpacked.hours.size === 0) return true
  const landed = new Set(outcomes.filter(isInStore).map(({ hour }) => hour))
  const isWhole = [...unpacked.hours.keys(), ...unpacked.broken.keys()].every(
    (hour) => isClosed(hour, spooled.askedAt) && (landed.has(hour) || isLanded(hour))
  )
  if (!isWhole) {
    yield* Effect.logWarning(
      `The archive of ${spooled.window} is not kept: not all of its hours landed`
    )
    return true
  }
  const isComplete = spooled.window.hours.every(
    (hour) => unpacked.hours.has(hour) || isSettled(hour, spooled.askedAt)
  )
  return yield* folder.value.keep(spooled, isComplete).pipe(
    Effect.tap((path) => Effect.logInfo(`Kept the archive of ${spooled.window} in "${path}"`)),
    Effect.as(true),
    Effect.catchAll((error) =>
      Effect.as(
        Effect.logError(`${error.message}; it stays in the spool, and the next run will retry`),
        false
      )
    )
  )
})
