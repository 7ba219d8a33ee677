/**
 * Hours that a store has in several versions: each is one object, or Amplitude's parts together.
 *
 * @module
 */
import { Effect } from "effect"
import type { Hour } from "../../services/Hour.ts"
import type { KeyedHour } from "../../services/HourKey.ts"
import { doubledName } from "../../services/LakeMark.ts"
import type { ObjectInfo, ObjectStorage, ObjectStorageError } from "../../services/ObjectStorage.ts"
import { lookUpMark } from "../resolve/markLake.ts"
import { fingerprintOf } from "./fingerprint.ts"

/** An object that holds an hour. */
export interface HourObject extends ObjectInfo, KeyedHour {}

type Objects = ReadonlyArray<HourObject>

/** An hour in several versions, of which nobody has chosen one. */
export interface DoubledHour {
  readonly _tag: "Doubled"
  /** `2025-08-01T03--doubled--9f86d081884c` */
  readonly name: string
  readonly hour: Hour
  readonly objects: Objects
}

/** Objects that no longer count, because a person has chosen another version of their hour. */
export interface Superseded {
  readonly hour: Hour
  readonly objects: Objects
  /** The version that counts. */
  readonly kept: Objects
}

/** Whether these objects are several versions of their hour. */
export function isDoubled(objects: Objects): boolean {
  return objects.length > 1 && objects.some(({ form }) => form !== "parts")
}

/** The objects that are one version together with that of a key; none if it is not among them. */
export function versionOf(objects: Objects, key: string): Objects {
  const found = objects.find((it) => it.key === key)
  return objects.filter((it) => it === found || (found?.form === "parts" && it.form === "parts"))
}

/** The versions of an hour. */
export function versionsOf(objects: Objects): ReadonlyArray<Objects> {
  const isFirst = ({ key }: HourObject) => versionOf(objects, key)[0]?.key === key
  return objects.filter(isFirst).map(({ key }) => versionOf(objects, key))
}

const LOOKED_UP_AT_ONCE = 16

/**
 * Separates the doubled hours of a listing by whether a person has chosen one version. A choice is
 * about exactly these objects: it does not count where one of them has changed or come since. Makes
 * one lookup for each hour that is decided and still has its superseded objects.
 */
export const judgeDoubled = Effect.fn("judgeDoubled")(function* (
  store: ObjectStorage["Type"],
  inventory: ReadonlyMap<Hour, Objects>,
  resolved: ReadonlySet<string>
): Effect.fn.Return<
  ReadonlyArray<DoubledHour | (Superseded & { readonly _tag: "Superseded" })>,
  ObjectStorageError
> {
  return yield* Effect.forEach(
    [...inventory].filter(([, objects]) => isDoubled(objects)),
    ([hour, objects]) =>
      Effect.gen(function* () {
        const name = doubledName(hour, yield* fingerprintOf(objects))
        const { keep = "" } = resolved.has(name) ? yield* lookUpMark(store, "resolved", name) : {}
        const kept = versionOf(objects, keep)
        return kept.length === 0
          ? ({ _tag: "Doubled", name, hour, objects } as const)
          : ({
              _tag: "Superseded",
              hour,
              kept,
              objects: objects.filter((it) => !kept.includes(it))
            } as const)
      }),
    { concurrency: LOOKED_UP_AT_ONCE }
  )
})
