import { Effect, Option, Order, Stream } from "effect"
import type { Hour } from "../../services/Hour.ts"
import { hourOfKey } from "../../services/HourKey.ts"
import {
  type Acceptance,
  acceptanceOf,
  conflictOf,
  listOfKey,
  type MarkFolder,
  markOfKey,
  type RefusedVersion,
  type StoredList
} from "../../services/LakeMark.ts"
import { byKey, type ObjectStorage, type ObjectStorageError } from "../../services/ObjectStorage.ts"
import { type DoubledHour, type HourObject, judgeDoubled, type Superseded } from "./doubledHours.ts"

export type { HourObject } from "./doubledHours.ts"

/**
 * The hours in a store, each with the objects that count. An hour has several only under
 * Amplitude's part names, or as long as it is doubled.
 */
export type Inventory = ReadonlyMap<Hour, ReadonlyArray<HourObject>>

/** A store and its inventory. */
export interface Standing {
  readonly store: ObjectStorage["Type"]
  readonly inventory: Inventory
}

/** What a person has to decide about an hour. */
export type Conflict = RefusedVersion | DoubledHour

/** What one listing says of a lake. */
export interface Lake {
  readonly inventory: Inventory
  /** Objects that do not count and are not in the inventory. */
  readonly superseded: ReadonlyArray<Superseded>
  /** Acceptances that nobody has withdrawn, by name. */
  readonly acceptances: ReadonlyArray<Acceptance>
  /** Conflicts that nobody has resolved, by name and so oldest hour first. */
  readonly conflicts: ReadonlyArray<Conflict>
  /** What Amplitude says about events, by date and stream. */
  readonly lists: ReadonlyArray<StoredList>
  /** Names of conflicts that a person has resolved. */
  readonly resolved: ReadonlySet<string>
}

/** Lists a store and reads the hours off its keys; objects that are no hour's are passed over. */
export function takeInventory(
  store: ObjectStorage["Type"]
): Effect.Effect<Inventory, ObjectStorageError> {
  return Effect.map(takeLake(store), ({ inventory }) => inventory)
}

const byName = Order.mapInput(Order.string, ({ name }: Conflict) => name)

/**
 * Lists a store, and reads off its keys the hours and the marks that count. Looks up only what was
 * decided about doubled hours.
 */
export const takeLake = Effect.fn("takeLake")(function* (
  store: ObjectStorage["Type"]
): Effect.fn.Return<Lake, ObjectStorageError> {
  const hours = new Map<Hour, Array<HourObject>>()
  const marks: Record<MarkFolder, Set<string>> = {
    accepted: new Set(),
    withdrawn: new Set(),
    conflicts: new Set(),
    resolved: new Set()
  }
  const lists: Array<StoredList> = []
  yield* Stream.runForEachChunk(store.list, (chunk) =>
    Effect.sync(() => {
      for (const info of chunk) {
        Option.map(markOfKey(info.key), ({ folder, name }) => marks[folder].add(name))
        Option.map(listOfKey(info.key), (list) => lists.push(list))
        Option.map(hourOfKey(info.key), (keyed) => {
          const objects = hours.get(keyed.hour)
          if (objects === undefined) hours.set(keyed.hour, [{ ...info, ...keyed }])
          else objects.push({ ...info, ...keyed })
        })
      }
    })
  )
  const counting = (folder: "accepted" | "conflicts", counterpart: MarkFolder) =>
    [...marks[folder]].filter((name) => !marks[counterpart].has(name)).sort()
  const judged = yield* judgeDoubled(store, hours, marks.resolved)
  const superseded = judged.filter((it) => it._tag === "Superseded")
  const refused = counting("conflicts", "resolved").flatMap((name) =>
    Option.toArray(conflictOf(name))
  )
  const counted = superseded.map(({ hour, kept }) => [hour, kept] as const)
  return {
    inventory: new Map([...hours, ...counted]),
    superseded,
    acceptances: counting("accepted", "withdrawn").flatMap((name) =>
      Option.toArray(acceptanceOf(name))
    ),
    conflicts: [...refused, ...judged.filter((it) => it._tag === "Doubled")].sort(byName),
    lists: lists.sort(byKey),
    resolved: marks.resolved
  }
})

/** The contents of staging. */
export interface StagedInventory {
  /** Files that `fetch` created. */
  readonly staged: Inventory
  /**
   * Keys, by hour, of files without metadata. They belong to another program, and are never moved
   * or removed.
   */
  readonly foreign: ReadonlyMap<Hour, string>
}

/** Lists staging and separates this program's files from others. */
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
