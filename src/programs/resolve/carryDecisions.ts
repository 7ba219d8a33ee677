/**
 * What people decided about objects that were replaced since: a decision names objects by their
 * ETags, so it is recorded again for those that took their place.
 *
 * @module
 */
import { Effect, Option } from "effect"
import { doubledName } from "../../services/LakeMark.ts"
import type { ObjectStorage } from "../../services/ObjectStorage.ts"
import type { HourObject, Superseded } from "../plan/doubledHours.ts"
import { fingerprintOf } from "../plan/fingerprint.ts"
import { Run } from "../run/Run.ts"
import { putMark, readMark } from "./markLake.ts"

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
