import { Effect, Option, Schema } from "effect"
import { Clock } from "../../services/Clock.ts"
import { Hour } from "../../services/Hour.ts"
import { hourKey } from "../../services/HourKey.ts"
import type { RefusedVersion } from "../../services/LakeMark.ts"
import { addressOf, ObjectStorage } from "../../services/ObjectStorage.ts"
import { Staging } from "../../services/Staging.ts"
import { Unpacker } from "../../services/Unpacker.ts"
import { isDoubled } from "../plan/doubledHours.ts"
import { fingerprintOf } from "../plan/fingerprint.ts"
import { type HourObject, takeLake } from "../plan/inventory.ts"
import { putVerified } from "../land/landObject.ts"
import { isRedacted } from "../land/refuseAsConflict.ts"
import { asRun, type LandingOptions, Run } from "../run/Run.ts"
import { describeConflicts } from "./conflictMarks.ts"
import { keepKey, noConflict } from "./keepKey.ts"
import { putMark } from "./markLake.ts"
import { copiesOf, ourVersion } from "./ourVersion.ts"
import { objectChanged, replaceObject } from "./replaceObject.ts"
import { ResolveError } from "./ResolveError.ts"

export interface ResolveOptions extends LandingOptions {
  /**
   * Which version of the hour counts from now on: `store` or `ours`, or an object's key where the
   * store has several versions.
   */
  readonly keep: string
  /** Who decided it. */
  readonly user: string
}

/** What counts from now on, and what became of the other version. */
export class ResolvedConflict extends Schema.Class<ResolvedConflict>("ResolvedConflict")({
  hour: Hour,
  keep: Schema.String,
  /** The conflicts that this resolved. */
  names: Schema.Array(Schema.String),
  /** The full address of the object that counts. */
  object: Schema.String,
  /** The full address of the object that was replaced, which is kept there. */
  replaced: Schema.NullOr(Schema.String),
  /** Objects that no longer count. They stay until a person removes them. */
  superseded: Schema.Array(Schema.Struct({ key: Schema.String, object: Schema.String })),
  /** The full addresses of our copies that were removed on this machine. */
  removed: Schema.Array(Schema.String),
  exitCode: Schema.Literal(0)
}) {}

/**
 * Ends the conflict of an hour. `store` drops our version; `ours` replaces the store's object, if
 * it is still the one that was compared, and keeps that below `.amplitude-lake-replaced/`. A key
 * says which of the store's versions counts; nothing is removed. The mark that resolves a conflict
 * is written last: if a run is killed before, the next one goes on.
 */
export const resolveConflict = Effect.fn("resolveConflict")(
  function* (hour: Hour, options: ResolveOptions) {
    const { retry } = yield* Run
    const store = yield* ObjectStorage
    const lake = yield* retry(takeLake(store))
    const { keep } = options
    const objects = lake.inventory.get(hour) ?? []
    if (keep !== "store" && keep !== "ours") {
      const { kept, name, superseded } = yield* keepKey(hour, lake, options)
      return new ResolvedConflict({
        hour,
        keep,
        names: [name],
        object: kept.map(({ key }) => addressOf(store, key)).join(" and "),
        replaced: null,
        superseded: superseded.map(({ key }) => ({ key, object: addressOf(store, key) })),
        removed: [],
        exitCode: 0
      })
    }
    if (isDoubled(objects)) {
      const keys = objects.map(({ key }) => key).join(" and ")
      return yield* new ResolveError({
        reason: "Doubled",
        detail: `${store.place} has ${hour} in several versions, under the keys ${keys}`
      })
    }
    const open = lake.conflicts
      .filter((it) => it._tag === "Refused")
      .filter((it) => it.hour === hour)
    if (open.length === 0) return yield* noConflict(hour, lake)
    const decided =
      keep === "store" ? yield* keepStore(open, objects) : yield* keepOurs(open, objects)
    const removed = yield* Effect.forEach(decided.conflicts, (it) => endConflict(it, options))
    return new ResolvedConflict({
      hour,
      keep,
      names: decided.conflicts.map(({ name }) => name),
      object: decided.keys.map((key) => addressOf(store, key)).join(" and "),
      replaced: decided.replaced,
      superseded: [],
      removed: removed.flat(),
      exitCode: 0
    })
  },
  (self, _hour, options) => asRun(self, options)
)

/** What a decision did to the store, and which conflicts it ends. */
interface Decided {
  readonly conflicts: ReadonlyArray<RefusedVersion>
  /** Of the objects that count from now on. */
  readonly keys: ReadonlyArray<string>
  readonly replaced: string | null
}

type Objects = ReadonlyArray<HourObject>

const keepStore = Effect.fnUntraced(function* (
  open: ReadonlyArray<RefusedVersion>,
  objects: Objects
): Effect.fn.Return<Decided, ResolveError, ObjectStorage> {
  const keys = objects.map(({ key }) => key)
  if (keys.length > 0) return { conflicts: open, keys, replaced: null }
  const store = yield* ObjectStorage
  return yield* new ResolveError({
    reason: "ObjectChanged",
    detail: `the object of ${open[0]?.hour} in ${store.place} is gone, so only our version is left; keep ours, or land the hour first`
  })
})

/** Puts our version in the place of the store's. */
const keepOurs = Effect.fn("resolveConflict.keepOurs")(function* (
  open: ReadonlyArray<RefusedVersion>,
  objects: Objects
) {
  const store = yield* ObjectStorage
  const conflict = yield* oneOf(open, objects)
  const [object, ...others] = objects
  if (others.length > 0) {
    return yield* new ResolveError({
      reason: "SeveralObjects",
      detail: `"${objects.map(({ key }) => addressOf(store, key)).join('" and "')}" hold ${conflict.hour} together, and no single object can replace them`
    })
  }
  const { key, replaced } = yield* Effect.scoped(
    object === undefined ? landOurs(conflict) : replaceBy(conflict, object)
  )
  return { conflicts: [conflict], keys: [key], replaced } satisfies Decided
})

/** The conflict that "ours" means: the only one, or the only one whose copy lies here. */
const oneOf = Effect.fn("resolveConflict.oneOf")(function* (
  open: ReadonlyArray<RefusedVersion>,
  objects: Objects
) {
  const store = yield* ObjectStorage
  const fingerprint = yield* fingerprintOf(objects)
  const current = open.filter((it) => it.fingerprint === fingerprint)
  const possible = current.length > 0 ? current : open
  const here = yield* Effect.filter(possible, (it) =>
    Effect.map(copiesOf(it), (copies) => copies.length > 0)
  )
  for (const [one, ...others] of [possible, here]) {
    if (one !== undefined && others.length === 0) return one
  }
  const described = yield* describeConflicts(store, open)
  const versions = described.map(
    ({ copy = "no copy", host = "an unknown machine", ours }) =>
      `lineset ${ours?.lineset} (${copy} on ${host})`
  )
  return yield* new ResolveError({
    reason: "Ambiguous",
    detail: `several versions of ${open[0]?.hour} were refused: ${versions.join("; ")}. Run this where only the one that you want lies`
  })
})

/** Our version, where the store's object is gone. */
const landOurs = Effect.fnUntraced(function* (conflict: RefusedVersion) {
  const { format, layout } = yield* Run
  const store = yield* ObjectStorage
  const [copy] = yield* copiesOf(conflict)
  const found = copy?.format ?? format
  const key = hourKey(conflict.hour, layout, found)
  const isNew = yield* putVerified(store, yield* ourVersion(conflict, { format: found, key }))
  return isNew ? { key, replaced: null } : yield* objectChanged(store, key)
})

const replaceBy = Effect.fnUntraced(function* (
  conflict: RefusedVersion,
  { format, key }: HourObject
) {
  const { retry } = yield* Run
  const store = yield* ObjectStorage
  const head = yield* retry(store.head(key))
  if (Option.isNone(head)) return yield* objectChanged(store, key)
  // The object that was compared may carry our metadata and other bytes, so its lineset decides
  // nothing.
  if ((yield* fingerprintOf([head.value])) !== conflict.fingerprint) {
    // An earlier run was killed after it had replaced the object.
    const read = yield* retry((yield* Unpacker).digest(key, store.get(key), format))
    return read.lineset === conflict.lineset
      ? { key, replaced: null }
      : yield* objectChanged(store, key)
  }
  if (isRedacted(head.value)) {
    return yield* new ResolveError({
      reason: "Redacted",
      detail: `a person's events were removed from "${addressOf(store, key)}", and our version may still contain them`
    })
  }
  const ours = yield* ourVersion(conflict, { format, key })
  return { key, replaced: yield* replaceObject(store, head.value, ours) }
})

/** Removes our copies on this machine, then records the decision. Returns their addresses. */
export const endConflict = Effect.fn("resolveConflict.end")(function* (
  conflict: RefusedVersion,
  { keep, user }: Pick<ResolveOptions, "keep" | "user">
) {
  const { retry } = yield* Run
  const store = yield* ObjectStorage
  const staging = yield* Staging
  const now = yield* Effect.flatMap(Clock, (clock) => clock.now)
  const copies = yield* copiesOf(conflict)
  yield* Effect.forEach(copies, ({ key }) => retry(staging.remove(key)))
  yield* putMark(store, "resolved", conflict.name, {
    keep,
    user,
    time: new Date(now).toISOString()
  })
  return copies.map(({ key }) => addressOf(staging, key))
})
