import { Effect } from "effect"
import type { Hour } from "../../services/Hour.ts"
import { hourKey } from "../../services/HourKey.ts"
import { LandingError } from "../run/LandingError.ts"
import { Run } from "../run/Run.ts"
import type { Plan } from "./planRun.ts"
import { isNobodys, type Origin } from "./stagedHours.ts"

/** The missing hours that cannot be staged because their place in staging is taken, and why. */
export const findObstacles = Effect.fnUntraced(function* ({ missing, notOurs, staging }: Plan) {
  const { format, layout } = yield* Run
  const { place } = staging.store
  const obstacles = new Map<Hour, LandingError>()
  for (const hour of missing) {
    const foreign = notOurs.foreign.get(hour)
    const key = hourKey(hour, layout, format)
    const other = notOurs.others.get(key)
    if (foreign !== undefined) {
      const detail = `"${foreign}" in ${place} was not created by this program; move it away`
      obstacles.set(hour, new LandingError({ reason: "ForeignFile", detail }))
    } else if (other !== undefined && !isNobodys(other)) {
      obstacles.set(hour, stagedForAnotherLake(key, place, other))
    }
  }
  return obstacles
})

/** The refusal of an hour whose file in staging is another lake's. */
export function stagedForAnotherLake(
  key: string,
  place: string,
  { lake, project }: Origin
): LandingError {
  const owner = [
    ...(project === "" ? [] : [`holds Amplitude project ${project}`]),
    ...(lake === "" ? [] : [`was staged for ${lake}`])
  ].join(" and ")
  return new LandingError({
    reason: "StagedForAnotherLake",
    detail: `"${key}" in ${place} ${owner}; upload it into its own lake first, or use another data folder for this one`
  })
}
