import { Effect, Option } from "effect"
import { byHour, type Hour } from "../../services/Hour.ts"
import { type Format, hourKey } from "../../services/HourKey.ts"
import { type HourMetadata, metadataFromText } from "../../services/HourMetadata.ts"
import { sameLines } from "../../services/LinesDigest.ts"
import { isNotFound, ObjectStorage, type ObjectStorageError } from "../../services/ObjectStorage.ts"
import { Progress } from "../../services/Progress.ts"
import { Staging } from "../../services/Staging.ts"
import { Unpacker } from "../../services/Unpacker.ts"
import { failedHour, logFailure } from "../run/failureKind.ts"
import { type HourOutcome, Skipped } from "../run/HourOutcome.ts"
import { type HourObject, takeInventory } from "../plan/inventory.ts"
import { refuseDoubled } from "./refuseDoubled.ts"
import { warnOfMixedForms } from "../plan/mixedForms.ts"
import { logElsewhere, stagedForLake, takeStaging } from "../plan/stagedHours.ts"
import {
  hasSameLines,
  type HourToLand,
  landObject,
  outcomeOfNew,
  readLanded
} from "./landObject.ts"
import { refuseAsConflict } from "./refuseAsConflict.ts"
import { LandingError } from "../run/LandingError.ts"
import { type Admit, admitOneProject } from "./oneProject.ts"
import { Run } from "../run/Run.ts"

interface SyncStagedOptions {
  readonly adoptProject?: string | undefined
  /** Whether files of other programs are uploaded afterwards, so that nothing is said of them. */
  readonly adoptsForeign?: boolean | undefined
  readonly isWanted?: ((hour: Hour) => boolean) | undefined
}

/**
 * Moves every staged hour to the store: verifies the file against its metadata, lands it, and
 * removes it only once the store has confirmed the same hour. Hours of other lakes stay, except
 * those of `adoptProject`; so do hours that are not wanted. Makes no store calls if nothing is staged.
 */
export const syncStaged = Effect.fn("syncStaged")(function* ({
  adoptProject,
  adoptsForeign = false,
  isWanted = () => true
}: SyncStagedOptions = {}) {
  const { beforeDeadline, concurrency, layout, log, retry } = yield* Run
  const store = yield* ObjectStorage
  const staging = yield* Staging
  const found = yield* takeStaging()
  for (const key of adoptsForeign ? [] : found.foreign.values()) {
    yield* Effect.logWarning(
      `Skipped "${key}" in ${staging.place}: it was not created by this program`
    )
  }
  if (found.objects.length === 0) return []
  yield* retry(store.check)
  const inventory = yield* retry(takeInventory(store))
  const { elsewhere, staged } = yield* stagedForLake(found, inventory, adoptProject)
  yield* logElsewhere(elsewhere)
  const wanted = [...staged].filter(([hour]) => isWanted(hour))
  const moving = wanted.flatMap(([hour, objects]) => (inventory.has(hour) ? [] : objects))
  yield* warnOfMixedForms(
    { store, inventory },
    moving.map(({ format }) => ({ layout, format }))
  )
  const progress = yield* Progress
  progress.planned(wanted.length)
  const admit = yield* admitOneProject([{ store, inventory }], store.place)
  if (adoptProject !== undefined) yield* admit(Option.some(adoptProject))

  return yield* Effect.forEach(
    wanted.map(([hour, objects]) => ({ hour, objects })).sort(byHour),
    ({ hour, objects }) =>
      beforeDeadline(moveHour(hour, objects, inventory.get(hour) ?? [], admit)).pipe(
        Effect.catchAll((error) => Effect.as(logFailure(error), failedHour(hour, error))),
        Effect.tap(log.ended),
        Effect.tap(() => Effect.sync(() => progress.done(1))),
        Effect.annotateLogs({ hour })
      ),
    { concurrency }
  )
})

/**
 * Moves the staged files of one hour. If there are several forms, the first is landed and the
 * others must hold the same hour.
 */
const moveHour = Effect.fn("syncStaged.moveHour")(function* (
  hour: Hour,
  staged: ReadonlyArray<HourObject>,
  landed: ReadonlyArray<HourObject>,
  admit: Admit
) {
  const { layout, retry } = yield* Run
  const store = yield* ObjectStorage
  const staging = yield* Staging
  yield* refuseDoubled(store, landed)
  const standing = landed.map(({ key }) => key)
  const outcomes: Array<HourOutcome> = []

  for (const { key, format, size } of staged) {
    const move = Effect.gen(function* () {
      const metadata = yield* readStaged(key, format)
      yield* admit(metadata.project === "" ? Option.none() : Option.some(metadata.project))
      const target = {
        key: hourKey(hour, layout, format),
        size,
        metadata,
        body: staging.get(key)
      }
      const removeStaged = Effect.catchAll(staging.remove(key), (error) =>
        Effect.logWarning(error.message)
      )
      const isNew = yield* confirm(store, target, standing).pipe(
        Effect.tapError((error) =>
          // Otherwise only the staged hour lets the next run meet the conflict again.
          error._tag === "LandingError" && error.isKeptConflict ? removeStaged : Effect.void
        )
      )
      if (isNew) standing.push(target.key)
      if (store.isDurable) yield* removeStaged
      yield* Effect.logInfo(
        isNew ? `Moved "${key}" to ${store.place}` : `"${key}" is in ${store.place} already`
      )
      return outcomeOf(metadata, isNew)
    })
    const outcome = yield* Effect.catchIf(move, isNotFound, (error) =>
      Effect.gen(function* () {
        // A run removes a staged file only after the store has confirmed its hour.
        const isGone = Option.isNone(yield* staging.head(key))
        const isMoved = isGone && (yield* retry(takeInventory(store))).has(hour)
        if (!isMoved) return yield* error
        yield* Effect.logInfo(`Another run has moved "${key}" to ${store.place}`)
        return new Skipped({ hour })
      })
    )
    outcomes.push(outcome)
  }
  return outcomes.find(({ _tag }) => _tag !== "Skipped") ?? new Skipped({ hour })
})

/** `true` if this call landed the hour, `false` if the store had it or a newer one under any key. */
const confirm = Effect.fn("syncStaged.confirm")(function* (
  store: ObjectStorage["Type"],
  target: HourToLand<ObjectStorageError>,
  standing: ReadonlyArray<string>
) {
  if (standing.length === 0) return yield* landObject(store, target)
  const { size, metadata } = target
  const landed = yield* readLanded(store, standing, { size, sha256: metadata.sha256 })
  if (hasSameLines(landed, target.metadata)) return false
  return yield* refuseAsConflict(store, target, { keys: standing, lines: landed })
})

function outcomeOf(metadata: HourMetadata, isNew: boolean): HourOutcome {
  return isNew ? outcomeOfNew(metadata) : new Skipped({ hour: metadata.hour })
}

/** The metadata of a staged file, after verifying every byte against it. */
export const readStaged = Effect.fn("syncStaged.readStaged")(function* (
  key: string,
  format: Format
) {
  const staging = yield* Staging
  const unpacker = yield* Unpacker
  const head = yield* staging.head(key)
  const metadata = Option.flatMap(head, (it) => metadataFromText(it.metadata))
  const read = yield* unpacker.digest(key, staging.get(key), format)
  const isSame = (it: HourMetadata) => it.sha256 === read.sha256 && sameLines(it, read)
  if (Option.isSome(metadata) && isSame(metadata.value)) return metadata.value
  return yield* new LandingError({
    reason: "StagedFileChanged",
    detail: `"${key}" in ${staging.place} has changed since it was staged; delete it and fetch the hour again`
  })
})
