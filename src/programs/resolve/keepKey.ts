import { Effect } from "effect"
import { Clock } from "../../services/Clock.ts"
import type { Hour } from "../../services/Hour.ts"
import { doubledName, markKey } from "../../services/LakeMark.ts"
import { addressOf, ObjectStorage } from "../../services/ObjectStorage.ts"
import { isDoubled, versionOf } from "../plan/doubledHours.ts"
import { fingerprintOf } from "../plan/fingerprint.ts"
import type { Lake } from "../plan/inventory.ts"
import { putMark, readMark } from "./markLake.ts"
import { ResolveError } from "./ResolveError.ts"

interface KeepOptions {
  /** An object's key, below the prefix or as a full address. */
  readonly keep: string
  readonly user: string
}

/**
 * Records which version of a doubled hour counts. The first decision about the same objects counts:
 * another one later fails as `Decided`, and the same one changes nothing.
 */
export const keepKey = Effect.fn("resolveConflict.keepKey")(function* (
  hour: Hour,
  lake: Lake,
  { keep, user }: KeepOptions
) {
  const store = yield* ObjectStorage
  const decided = lake.superseded.find((it) => it.hour === hour)
  const standing = lake.inventory.get(hour) ?? []
  const objects = decided === undefined ? standing : [...decided.kept, ...decided.objects]
  if (!isDoubled(objects)) {
    if (!lake.conflicts.some((it) => it.hour === hour)) return yield* noConflict(hour, lake)
    return yield* new ResolveError({
      reason: "UnknownKey",
      detail: `${store.place} has only one version of ${hour}, so the choice is between "store" and "ours"`
    })
  }
  const named = objects.find(({ key }) => key === keep || addressOf(store, key) === keep)
  if (named === undefined) {
    const keys = objects.map(({ key }) => key).join(" and ")
    return yield* new ResolveError({
      reason: "UnknownKey",
      detail: `"${keep}" is no object of ${hour} in ${store.place}, which has it under the keys ${keys}`
    })
  }
  const now = yield* Effect.flatMap(Clock, (clock) => clock.now)
  const name = doubledName(hour, yield* fingerprintOf(objects))
  yield* putMark(store, "resolved", name, {
    keep: named.key,
    user,
    time: new Date(now).toISOString()
  })
  const mark = yield* readMark(store, "resolved", name)
  const kept = versionOf(objects, mark["keep"] ?? "")
  if (!kept.includes(named)) {
    return yield* new ResolveError({
      reason: "Decided",
      detail: `"${addressOf(store, markKey("resolved", name))}" says that ${mark["keep"]} counts, as ${mark["user"] ?? "somebody"} decided; to keep another object of ${hour}, remove that one`
    })
  }
  return { kept, name, superseded: objects.filter((it) => !kept.includes(it)) }
})

/** The failure for an hour without a conflict. */
export const noConflict = Effect.fnUntraced(function* (hour: Hour, { conflicts }: Lake) {
  const store = yield* ObjectStorage
  const hours = [...new Set(conflicts.map((it) => it.hour))]
  const known = hours.length === 0 ? "no hour has one" : `these hours have one: ${hours.join(", ")}`
  return yield* new ResolveError({
    reason: "NoConflict",
    detail: `${hour} has no open conflict in ${store.place}; ${known}`
  })
})
