import { Effect, Option } from "effect"
import { hourKey, type Layout } from "../services/HourKey.ts"
import { type HourMetadata, metadataFromText, sameLines } from "../services/HourMetadata.ts"
import { ObjectStorage } from "../services/ObjectStorage.ts"
import { Staging } from "../services/Staging.ts"
import { Unpacker } from "../services/Unpacker.ts"
import { failedHour } from "./failureKind.ts"
import { Empty, type HourOutcome, Landed, Skipped } from "./HourOutcome.ts"
import { type HourObject, type Inventory, takeInventory, takeStagedInventory } from "./inventory.ts"
import { digestLanded, landObject, refuseAsConflict } from "./landObject.ts"
import { LandingError } from "./LandingError.ts"
import type { RetryPolicy } from "./retryPolicy.ts"

export interface SyncOptions {
  readonly layout: Layout
  /** Hours moved at once. */
  readonly concurrency: number
}

/**
 * Moves every staged hour to the store: reads the file against its metadata, lands it, and removes it only once the store
 * has confirmed the same hour. Nothing is asked of the store when nothing is staged.
 */
export const syncStaged = Effect.fn("syncStaged")(function* (
  options: SyncOptions,
  policy: RetryPolicy
) {
  const [store, staging] = [yield* ObjectStorage, yield* Staging]
  const staged = [...(yield* takeStagedInventory(staging)).values()].flat()
  if (staged.length === 0) return []
  yield* policy.retry(store.check)
  const inventory = yield* policy.retry(takeInventory(store))

  return yield* Effect.forEach(
    staged.sort((one, other) => (one.hour < other.hour ? -1 : 1)),
    (object) =>
      moveStaged(object, inventory, options, policy).pipe(
        Effect.catchAll((error) =>
          Effect.as(Effect.logError(error.message), failedHour(object.hour, error))
        ),
        Effect.annotateLogs({ hour: object.hour })
      ),
    { concurrency: options.concurrency }
  )
})

const moveStaged = Effect.fn("syncStaged.moveStaged")(function* (
  { hour, key, format, size }: HourObject,
  inventory: Inventory,
  options: SyncOptions,
  policy: RetryPolicy
) {
  const [store, staging] = [yield* ObjectStorage, yield* Staging]
  const metadata = yield* readStaged(key)
  const body = staging.get(key)
  const standing = inventory.get(hour)?.map((object) => object.key) ?? []
  const target = { key: hourKey(hour, options.layout, format), size, metadata, body }

  const confirmed = Effect.gen(function* () {
    if (standing.length === 0) return yield* landObject(store, target, policy)
    const landed = yield* digestLanded(store, standing, policy)
    if (sameLines(landed, metadata)) return false
    return yield* refuseAsConflict(store, target, landed)
  })
  const removeStaged = Effect.catchAll(staging.remove(key), (error) =>
    Effect.logWarning(error.message)
  )
  const isNew = yield* Effect.tapError(confirmed, (error) =>
    // A copy lies in failed_uploads by now.
    error._tag === "LandingError" && error.reason === "Conflict" ? removeStaged : Effect.void
  )
  if (store.isDurable) yield* removeStaged
  yield* Effect.logInfo(
    isNew ? `Moved "${key}" to ${store.place}` : `"${key}" stands in ${store.place} already`
  )
  const { events, bytes } = metadata
  const outcome: HourOutcome = !isNew
    ? new Skipped({ hour })
    : events === 0
      ? new Empty({ hour })
      : new Landed({ hour, events, bytes })
  return outcome
})

/** The metadata of a staged file, after every byte of it was read against them. */
const readStaged = Effect.fn("syncStaged.readStaged")(function* (key: string) {
  const [staging, unpacker] = [yield* Staging, yield* Unpacker]
  const head = yield* staging.head(key)
  const metadata = Option.flatMap(head, (it) => metadataFromText(it.metadata))
  const format = key.endsWith(".gz") ? "jsonl.gz" : "jsonl"
  const read = yield* unpacker.digest(key, staging.get(key), format)
  const isSame = (it: HourMetadata) => it.sha256 === read.sha256 && sameLines(it, read)
  if (Option.isSome(metadata) && isSame(metadata.value)) return metadata.value
  return yield* new LandingError({
    reason: "StagedFileChanged",
    detail: `"${key}" in ${staging.place} is not what was staged: remove it and fetch the hour again`
  })
})
