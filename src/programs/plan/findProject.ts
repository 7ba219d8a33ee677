import { Effect, Option, Order } from "effect"
import { byHour } from "../../services/Hour.ts"
import { metadataFromText } from "../../services/HourMetadata.ts"
import type { ObjectStorageError } from "../../services/ObjectStorage.ts"
import { Run } from "../run/Run.ts"
import { isEmptySize } from "./emptyObject.ts"
import type { HourObject, Standing } from "./inventory.ts"

/** Enough to get past hours without a project in their metadata; each costs a lookup. */
const PROJECT_LOOKUPS = 10

/**
 * The project of the hours already there: of the newest whose key names it, otherwise by the
 * metadata of the newest ones.
 */
export const findProject = Effect.fn("findProject")(function* (
  standing: ReadonlyArray<Standing>
): Effect.fn.Return<Option.Option<string>, ObjectStorageError, Run> {
  const { retry } = yield* Run
  const candidates = standing
    .flatMap(({ store, inventory }) =>
      [...inventory.values()].flat().map((object) => ({ ...object, store }))
    )
    .filter(mayTell)
    .sort(Order.reverse(byHour))
  const keyed = candidates.find(({ project }) => Option.isSome(project))
  if (keyed !== undefined) return keyed.project
  const unread = candidates.filter(({ hasMetadata }) => hasMetadata !== false)
  for (const { key, store } of unread.slice(0, PROJECT_LOOKUPS)) {
    const head = yield* retry(store.head(key))
    const named = Option.flatMap(head, ({ metadata }) => metadataFromText(metadata))
    if (Option.exists(named, (it) => it.project !== "")) {
      return Option.map(named, (it) => it.project)
    }
  }
  return Option.none()
})

/** Whether hours are there that could tell a project. */
export function hasEvents(standing: ReadonlyArray<Standing>): boolean {
  return standing.some(({ inventory }) => [...inventory.values()].some((it) => it.some(mayTell)))
}

/** An hour without events is of no archive. */
function mayTell({ format, size }: HourObject): boolean {
  return !isEmptySize(format, size)
}
