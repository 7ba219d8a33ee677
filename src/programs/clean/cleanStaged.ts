import { Effect, Option } from "effect"
import { byKey, ObjectStorage } from "../../services/ObjectStorage.ts"
import { Progress } from "../../services/Progress.ts"
import { Staging } from "../../services/Staging.ts"
import type { HourObject, Inventory } from "../plan/inventory.ts"
import { type Origin, stagedForLake, takeStaging } from "../plan/stagedHours.ts"
import { hasSameLines, readLanded } from "../land/landObject.ts"
import { failedUploadKey, refuseAsConflict } from "../land/refuseAsConflict.ts"
import { refuseDoubled } from "../land/refuseDoubled.ts"
import {
  type CleanOptions,
  failedLeftover,
  type Leftover,
  removing,
  type LeftoverId
} from "./Leftover.ts"
import { Run } from "../run/Run.ts"
import { readStaged } from "../land/syncStaged.ts"

/**
 * Removes staged hours that the store has, and moves those that differ from the store to
 * `failed_uploads/`. Files of other programs and hours of other lakes stay.
 */
export const cleanStaged = Effect.fn("cleanStaged")(function* (
  inventory: Inventory,
  options: CleanOptions
) {
  const { concurrency } = yield* Run
  const { foreign, others, staged } = yield* stagedForLake(yield* takeStaging(), inventory)
  const known = [...staged.values()].flat().sort(byKey)
  const progress = yield* Progress
  progress.planned(known.length, "files")
  const cleaned = yield* Effect.forEach(
    known,
    (object) =>
      cleanStagedObject(object, inventory.get(object.hour) ?? [], options).pipe(
        Effect.catchAll((error) =>
          error._tag === "ObjectStorageError" && error.reason === "NotFound"
            ? // A live run has just moved it.
              Effect.succeedNone
            : Effect.succeedSome(failedLeftover(stagedFile(object), error))
        ),
        Effect.tap(() => Effect.sync(() => progress.done(1)))
      ),
    { concurrency }
  )
  return [
    ...cleaned.flatMap(Option.toArray),
    ...[...others.values()].map((other): Leftover => ({
      ...stagedFile(other.object),
      fate: "kept",
      detail: ownerText(other)
    })),
    ...[...foreign.values()].map((key): Leftover => ({
      kind: "staged",
      path: key,
      size: 0,
      fate: "kept",
      detail: "it was not created by this program"
    }))
  ]
})

function ownerText({ lake, project }: Origin): string {
  if (project === "" && lake === "") return "nothing tells which lake it was staged for"
  const whose = project === "" ? "" : ` of Amplitude project ${project}`
  return lake === "" ? `an hour${whose}` : `an hour${whose}, staged for ${lake}`
}

function stagedFile({ key, size }: HourObject): LeftoverId {
  return { kind: "staged", path: key, size }
}

/** Compares a staged file, read whole, with the store's version of the hour. */
const cleanStagedObject = Effect.fnUntraced(function* (
  object: HourObject,
  landed: ReadonlyArray<HourObject>,
  options: CleanOptions
) {
  const store = yield* ObjectStorage
  const staging = yield* Staging
  const { format, key, size } = object
  const what = stagedFile(object)
  if (landed.length === 0) {
    const detail = "the store does not have this hour; run sync"
    return Option.some<Leftover>({ ...what, fate: "kept", detail })
  }
  yield* refuseDoubled(store, landed)
  const metadata = yield* readStaged(key, format)
  const keys = landed.map((it) => it.key)
  const theirs = yield* readLanded(store, keys, { size, sha256: metadata.sha256 })
  if (hasSameLines(theirs, metadata)) {
    const detail = "the store has the same hour"
    return Option.some(yield* removing(what, detail, options, staging.remove(key)))
  }
  const copy = failedUploadKey(key, metadata.sha256)
  const moved: Leftover = {
    ...what,
    fate: "moved",
    detail: `the store has a different version of this hour in "${keys.join(" and ")}"; compare it with "${copy}" in ${staging.place}`
  }
  if (options.dryRun === true) return Option.some(moved)
  const ours = { key, size, metadata, body: staging.get(key) }
  const isMoved = yield* refuseAsConflict(store, ours, { keys, lines: theirs }).pipe(
    Effect.catchIf(
      (error) => error._tag === "LandingError" && error.isKeptConflict,
      () => Effect.succeed(true)
    )
  )
  if (isMoved) {
    yield* staging.remove(key)
    return Option.some(moved)
  }
  const detail = "the store has a newer version of this hour, or a person has chosen the store's"
  return Option.some(yield* removing(what, detail, options, staging.remove(key)))
})
