import { Effect, Option, Order } from "effect"
import { byHour } from "../../services/Hour.ts"
import { metadataFromText } from "../../services/HourMetadata.ts"
import type { ObjectStorageError } from "../../services/ObjectStorage.ts"
import { Run } from "../run/Run.ts"
import { isEmptySize } from "./emptyObject.ts"
import type { Standing } from "./inventory.ts"

/** Enough to get past hours without a project in their metadata; each costs a lookup. */
const PROJECT_LOOKUPS = 10

/** The project of the hours already there, by key or metadata of the newest ones. */
export const findProject = Effect.fn("findProject")(function* (
  standing: ReadonlyArray<Standing>
): Effect.fn.Return<Option.Option<string>, ObjectStorageError, Run> {
  const { retry } = yield* Run
  const newest = standing
    .flatMap(({ store, inventory }) =>
      [...inventory.values()].flat().map((object) => ({ ...object, store }))
    )
    .filter(({ format, size }) => !isEmptySize(format, size))
    .sort(Order.reverse(byHour))
    .slice(0, PROJECT_LOOKUPS)
  for (const { key, project, store } of newest) {
    if (Option.isSome(project)) return project
    const head = yield* retry(store.head(key))
    const named = Option.flatMap(head, ({ metadata }) => metadataFromText(metadata))
    if (Option.exists(named, (it) => it.project !== "")) {
      return Option.map(named, (it) => it.project)
    }
  }
  return Option.none()
})
