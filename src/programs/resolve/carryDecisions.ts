/**
 * What people decided about objects that were replaced since: a decision names objects by their
 * ETags, so it is recorded again for those that took their place.
 *
 * @module
 */
import { Effect, Option } from "effect"
import type { Hour } from "../../services/Hour.ts"
import {
  conflictName,
  conflictOf,
  doubledName,
  type RefusedVersion
} from "../../services/LakeMark.ts"
import type { ObjectHead, ObjectStorage } from "../../services/ObjectStorage.ts"
import type { HourObject, Superseded } from "../plan/doubledHours.ts"
import { fingerprintOf } from "../plan/fingerprint.ts"
import type { Lake } from "../plan/inventory.ts"
import { Run } from "../run/Run.ts"
import { type MarkText, putMark, readMark } from "./markLake.ts"

type Store = ObjectStorage["Type"]

/** The objects as they are now; those that are gone are left out. */
const lookAgain = Effect.fnUntraced(function* (store: Store, objects: ReadonlyArray<HourObject>) {
  const { retry } = yield* Run
  const heads = yield* Effect.forEach(objects, ({ key }) => retry(store.head(key)))
  return heads.flatMap((head) => Option.toArray(head))
})

/** Records which version of a doubled hour counts, after one of its objects was replaced. */
export const carryChoice = Effect.fn("carryChoice")(function* (
  store: Store,
  { hour, kept, objects }: Superseded
) {
  const before = [...kept, ...objects]
  const text = yield* readMark(store, "resolved", doubledName(hour, yield* fingerprintOf(before)))
  const after = yield* lookAgain(store, before)
  yield* putMark(store, "resolved", doubledName(hour, yield* fingerprintOf(after)), text)
})

/**
 * Records which versions of an hour were refused, after its objects were rewritten: those that a
 * person has decided about as decided, the others as open.
 */
export const carryRefusals = Effect.fn("carryRefusals")(function* (
  store: Store,
  { conflicts, resolved }: Pick<Lake, "conflicts" | "resolved">,
  { hour, objects }: { readonly hour: Hour; readonly objects: ReadonlyArray<HourObject> }
) {
  const fingerprint = yield* fingerprintOf(objects)
  const isOfThese = (it: RefusedVersion) => it.hour === hour && it.fingerprint === fingerprint
  const decided = [...resolved].flatMap((name) => Option.toArray(conflictOf(name)))
  const open = conflicts.flatMap((it) => (it._tag === "Refused" ? [it] : []))
  const refused = [decided.filter(isOfThese), open.filter(isOfThese)] as const
  if (refused.every(({ length }) => length === 0)) return
  const now = yield* lookAgain(store, objects)
  const after = yield* fingerprintOf(now)
  for (const { lineset, name } of refused[0]) {
    const text = yield* readMark(store, "resolved", name)
    yield* putMark(store, "resolved", conflictName(hour, lineset, after), text)
  }
  for (const { lineset, name } of refused[1]) {
    const {
      storeevents: _events,
      storelineset: _lineset,
      ...text
    } = yield* readMark(store, "conflicts", name)
    const moved = conflictName(hour, lineset, after)
    yield* putMark(store, "conflicts", moved, { ...text, ...linesOf(now) })
    // The conflict is open under its new name.
    yield* putMark(store, "resolved", name, { keep: moved })
  }
})

/** What the metadata of an hour's only object say of its lines. */
function linesOf([object, ...others]: ReadonlyArray<ObjectHead>): MarkText {
  const { events, lineset } = object?.metadata ?? {}
  return others.length > 0 || events === undefined || lineset === undefined
    ? {}
    : { storeevents: events, storelineset: lineset }
}
