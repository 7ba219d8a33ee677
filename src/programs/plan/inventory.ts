import { Effect, Option, Stream } from "effect"
import type { Hour } from "../../services/Hour.ts"
import { hourOfKey, type KeyedHour } from "../../services/HourKey.ts"
import type { ObjectInfo, ObjectStorage, ObjectStorageError } from "../../services/ObjectStorage.ts"

/** An object that stands for an hour. */
export interface HourObject extends ObjectInfo, KeyedHour {}

/**
 * The hours that stand in a store, each with its objects: several only where Amplitude's part names
 * are kept.
 */
export type Inventory = ReadonlyMap<Hour, ReadonlyArray<HourObject>>

/** A store and what stands in it. */
export interface Standing {
  readonly store: ObjectStorage["Type"]
  readonly inventory: Inventory
}

/** Lists a store and reads the hours off its keys; objects that are no hour's are passed over. */
export const takeInventory = Effect.fn("takeInventory")(function* (
  store: ObjectStorage["Type"]
): Effect.fn.Return<Inventory, ObjectStorageError> {
  const hours = new Map<Hour, Array<HourObject>>()
  yield* Stream.runForEachChunk(store.list, (chunk) =>
    Effect.sync(() => {
      for (const info of chunk) {
        Option.map(hourOfKey(info.key), (keyed) => {
          const objects = hours.get(keyed.hour)
          if (objects === undefined) hours.set(keyed.hour, [{ ...info, ...keyed }])
          else objects.push({ ...info, ...keyed })
        })
      }
    })
  )
  return hours
})

/** What lies in staging. */
export interface StagedInventory {
  /** What `fetch` has put there. */
  readonly staged: Inventory
  /**
   * Keys, by hour, of files without metadata: somebody else's, which no program here moves or
   * removes.
   */
  readonly foreign: ReadonlyMap<Hour, string>
}

/** Lists staging, and tells our files from those of others. */
export const takeStagedInventory = Effect.fn("takeStagedInventory")(function* (
  staging: ObjectStorage["Type"]
): Effect.fn.Return<StagedInventory, ObjectStorageError> {
  const staged = new Map<Hour, ReadonlyArray<HourObject>>()
  const foreign = new Map<Hour, string>()
  for (const [hour, objects] of yield* takeInventory(staging)) {
    const ours = objects.filter(({ hasMetadata }) => hasMetadata !== false)
    if (ours.length > 0) staged.set(hour, ours)
    for (const { key, hasMetadata } of objects) if (hasMetadata === false) foreign.set(hour, key)
  }
  return { staged, foreign }
})
