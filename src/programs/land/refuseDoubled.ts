import { Effect } from "effect"
import { addressOf, type ObjectStorage } from "../../services/ObjectStorage.ts"
import { type HourObject, isDoubled } from "../plan/doubledHours.ts"
import { LandingError } from "../run/LandingError.ts"

/** Fails as `Doubled` if these objects are several versions of their hour. */
export function refuseDoubled(
  store: ObjectStorage["Type"],
  objects: ReadonlyArray<HourObject>
): Effect.Effect<void, LandingError> {
  if (!isDoubled(objects)) return Effect.void
  const addresses = objects.map(({ key }) => addressOf(store, key)).join('" and "')
  return new LandingError({
    reason: "Doubled",
    detail: `"${addresses}" are versions of the same hour; nothing is compared with them or removed before a person has chosen one`
  })
}
