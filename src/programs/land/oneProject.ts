import { Effect, Option, Ref } from "effect"
import type { ObjectStorageError } from "../../services/ObjectStorage.ts"
import { findProject, hasEvents } from "../plan/findProject.ts"
import type { Standing } from "../plan/inventory.ts"
import { LandingError } from "../run/LandingError.ts"
import { Run } from "../run/Run.ts"

/**
 * The lake's project so far. Fails with `OtherProject` for any project but the first one admitted.
 * `None` is always admitted.
 */
export type Admit = (
  project: Option.Option<string>
) => Effect.Effect<Option.Option<string>, LandingError>

/**
 * Admits hours of one project only: that of the hours already there, otherwise that of the first
 * hour.
 */
export const admitOneProject = Effect.fn("admitOneProject")(function* (
  standing: ReadonlyArray<Standing>,
  place: string
): Effect.fn.Return<Admit, ObjectStorageError, Run> {
  const { log } = yield* Run
  const found = yield* findProject(standing)
  yield* log.ofProject(found)
  if (Option.isNone(found) && hasEvents(standing)) {
    yield* Effect.logWarning(
      `None of the newest hours in ${place} names its Amplitude project, so the next archive is admitted whatever its project; compare it with your keys`
    )
  }
  const known = yield* Ref.make(found)
  return Effect.fnUntraced(function* (project) {
    if (Option.isNone(project)) return yield* Ref.get(known)
    const first = yield* Ref.updateAndGet(
      known,
      Option.orElse(() => project)
    )
    yield* log.ofProject(first)
    if (Option.contains(first, project.value)) return first
    return yield* new LandingError({
      reason: "OtherProject",
      detail:
        `this data belongs to Amplitude project ${project.value}, but ${place} holds project ` +
        `${Option.getOrElse(first, () => "")}`
    })
  })
})
