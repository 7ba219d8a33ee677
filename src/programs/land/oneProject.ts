import { Effect, Option, Order, Ref } from "effect"
import { byHour } from "../../services/Hour.ts"
import { metadataFromText } from "../../services/HourMetadata.ts"
import type { ObjectStorageError } from "../../services/ObjectStorage.ts"
import { isEmptySize } from "../plan/emptyObject.ts"
import type { Standing } from "../plan/inventory.ts"
import { LandingError } from "../run/LandingError.ts"
import { Run } from "../run/Run.ts"

/**
 * Fails with `OtherProject` for another of Amplitude's projects than the first that was let in;
 * `None` is none.
 */
export type Admit = (project: Option.Option<string>) => Effect.Effect<void, LandingError>

/**
 * Lets in hours of one project only: that of the hours that stand already, else the first that
 * comes.
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
        `it is of Amplitude's project ${project.value}, while the hours in ${place} are of project ` +
        `${Option.getOrElse(first, () => "")}`
    })
  })
})

/** Enough to pass over hours without a project in their metadata; a look-up each. */
const PROJECT_LOOKUPS = 10

/** The project of the hours that stand already, as the newest of them say by key or metadata. */
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
