import { Effect, Option, Order, Ref } from "effect"
import { byHour } from "../../services/Hour.ts"
import { metadataFromText } from "../../services/HourMetadata.ts"
import type { ObjectStorageError } from "../../services/ObjectStorage.ts"
import { isEmptySize } from "../plan/emptyObject.ts"
import type { Standing } from "../plan/inventory.ts"
import { LandingError } from "../run/LandingError.ts"
import { Run } from "../run/Run.ts"

/**
 * Fails with `OtherProject` for any project but the first one admitted. `None` is always admitted.
 */
export type Admit = (project: Option.Option<string>) => Effect.Effect<void, LandingError>

/**
 * Admits hours of one project only: that of the hours already there, otherwise that of the first
 * hour.
 */
export const admitOneProject = Effect.fn("admitOneProject")(function* (
  standing: ReadonlyArray<Standing>,
  place: string
): Effect.fn.Return<Admit, ObjectStorageError, Run> {
  const known = yield* Ref.make(yield* findProject(standing))
  return Effect.fnUntraced(function* (project) {
    if (Option.isNone(project)) return
    const first = yield* Ref.updateAndGet(
      known,
      Option.orElse(() => project)
    )
    if (Option.contains(first, project.value)) return
    return yield* new LandingError({
      reason: "OtherProject",
      detail:
        `this data belongs to Amplitude project ${project.value}, but ${place} holds project ` +
        `${Option.getOrElse(first, () => "")}`
    })
  })
})

/** Enough to get past hours without a project in their metadata; each costs a lookup. */
const PROJECT_LOOKUPS = 10

/** The project of the hours already there, by key or metadata of the newest ones. */
const findProject = Effect.fn("admitOneProject.findProject")(function* (
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
