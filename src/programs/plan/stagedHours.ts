/**
 * Whose the hours in staging are. One staging folder may serve several lakes.
 *
 * @module
 */
import { Effect, Option } from "effect"
import type { Hour } from "../../services/Hour.ts"
import { ObjectStorage, type ObjectStorageError } from "../../services/ObjectStorage.ts"
import { Staging } from "../../services/Staging.ts"
import { Run } from "../run/Run.ts"
import { findProject } from "./findProject.ts"
import { outermost } from "./gaps.ts"
import {
  type HourObject,
  type Inventory,
  type StagedInventory,
  takeInventory,
  takeStagedInventory
} from "./inventory.ts"
import type { StagedElsewhere } from "./stagedElsewhere.ts"

/** What a staged file says of its lake; both are empty if it does not tell. */
export interface Origin {
  readonly lake: string
  readonly project: string
}

/** A file that `fetch` created, and where it belongs. */
export interface StagedObject extends Origin {
  readonly object: HourObject
}

/** The lake that looks at staging. */
interface Looking {
  readonly location: string
  readonly project: Option.Option<string>
  /** The project whose hours a person lets this lake take, wherever they were staged for. */
  readonly adopted?: string | undefined
}

/** Staging as one lake sees it. */
export interface LakeStaging {
  /** This lake's hours. */
  readonly staged: Inventory
  readonly foreign: StagedInventory["foreign"]
  /** Files that are not this lake's, by key. */
  readonly others: ReadonlyMap<string, StagedObject>
  readonly elsewhere: ReadonlyArray<StagedElsewhere>
}

/** Where a staged file belongs, by its metadata. */
export function originOf(metadata: Readonly<Record<string, string>>): Origin {
  return { lake: metadata["lake"] ?? "", project: metadata["project"] ?? "" }
}

/** Whether nothing ties a staged file to any lake, as an hour without events of version 0.1.0. */
export function isNobodys({ lake, project }: Origin): boolean {
  return lake === "" && project === ""
}

const READ_AT_ONCE = 16

/** Lists staging, and reads which lake each file was staged for. */
export const takeStaging = Effect.fn("takeStaging")(function* () {
  const { retry } = yield* Run
  const staging = yield* Staging
  const { location } = yield* ObjectStorage
  const { foreign, staged } = yield* retry(takeStagedInventory(staging))
  const found = yield* Effect.forEach(
    [...staged.values()].flat(),
    (object) =>
      retry(staging.head(object.key)).pipe(
        Effect.map(Option.map(({ metadata }): StagedObject => ({ object, ...originOf(metadata) }))),
        Effect.catchIf(
          ({ reason }) => reason === "NotFound" || reason === "Corrupt",
          ({ reason }) =>
            Effect.succeed(
              // Another run has just moved it, or its metadata fail its hour rather than the run.
              reason === "NotFound"
                ? Option.none<StagedObject>()
                : Option.some<StagedObject>({ object, lake: location, project: "" })
            )
        )
      ),
    { concurrency: READ_AT_ONCE }
  )
  return { foreign, objects: found.flatMap(Option.toArray) }
})

/** Separates the hours that were staged for the store's lake from those of other lakes. */
export const stagedForLake = Effect.fn("stagedForLake")(function* (
  { foreign, objects }: Effect.Effect.Success<ReturnType<typeof takeStaging>>,
  landed: Inventory,
  adopted?: string
): Effect.fn.Return<LakeStaging, ObjectStorageError, Run | ObjectStorage> {
  const store = yield* ObjectStorage
  const { location } = store
  const named = projectsOf(objects)
  const project =
    objects.length === 0
      ? Option.none<string>()
      : Option.orElse(yield* findProject([{ store, inventory: landed }]), () =>
          Option.fromNullable(named.get(location))
        )
  const looking: Looking = { location, project, adopted }
  const staged = new Map<Hour, Array<HourObject>>()
  const others = new Map<string, StagedObject>()
  const groups = new Map<string, Origin & { readonly hours: Array<Hour> }>()
  for (const { lake, object, project: own } of objects) {
    const origin = { lake, project: own === "" ? (named.get(lake) ?? "") : own }
    if (isOurs(origin, looking)) {
      staged.set(object.hour, [...(staged.get(object.hour) ?? []), object])
      continue
    }
    others.set(object.key, { ...origin, object })
    const name = JSON.stringify([origin.lake, origin.project])
    const group = groups.get(name) ?? { ...origin, hours: [] }
    groups.set(name, { ...group, hours: [...group.hours, object.hour] })
  }
  const elsewhere = [...groups].sort().flatMap(([, group]) => toElsewhere(group, looking))
  return { staged, foreign, others, elsewhere }
})

/** What `sync` would upload. */
export const takeStagedForLake = Effect.fn("takeStagedForLake")(function* (adopted?: string) {
  const { retry } = yield* Run
  const staging = yield* takeStaging()
  const isEmpty = staging.objects.length === 0
  const landed = isEmpty ? new Map() : yield* retry(takeInventory(yield* ObjectStorage))
  return yield* stagedForLake(staging, landed, adopted)
})

/** The project of each lake that hours were staged for, where one of its hours tells. */
function projectsOf(objects: ReadonlyArray<StagedObject>): ReadonlyMap<string, string> {
  return new Map(
    objects
      .filter(({ lake, project }) => lake !== "" && project !== "")
      .map(({ lake, project }) => [lake, project] as const)
  )
}

function isOurs(origin: Origin, { adopted, location, project }: Looking): boolean {
  const agrees = Option.contains(project, origin.project)
  if (origin.lake === location) return origin.project === "" || Option.isNone(project) || agrees
  if (origin.project === "") return false
  if (origin.project === adopted) return Option.isNone(project) || agrees
  return origin.lake === "" && agrees
}

function toElsewhere(
  { hours, lake, project }: Origin & { readonly hours: ReadonlyArray<Hour> },
  looking: Looking
): ReadonlyArray<StagedElsewhere> {
  const [first, last] = [outermost(hours), outermost(hours, -1)]
  if (first === undefined || last === undefined) return []
  const isAdoptable =
    project !== "" && (Option.isNone(looking.project) || Option.contains(looking.project, project))
  return [{ lake, project, hours: hours.length, first, last, isAdoptable }]
}

/** Logs one line for each project and lake whose staged hours stay where they are. */
export const logElsewhere = Effect.fnUntraced(function* (
  elsewhere: ReadonlyArray<StagedElsewhere>
) {
  const { place } = yield* Staging
  for (const it of elsewhere) {
    const project = it.project === "" ? "" : ` of Amplitude project ${it.project}`
    const why =
      it.lake === ""
        ? "an earlier version staged them without naming their lake"
        : `they were staged for ${it.lake}`
    yield* Effect.logInfo(`Left ${it.hours} staged hours${project} in ${place}: ${why}`)
  }
})

/** Staging that writes into each new file which lake it is for. */
export const stagingForLake: Effect.Effect<Staging["Type"], never, ObjectStorage | Staging> =
  Effect.gen(function* () {
    const staging = yield* Staging
    const { location } = yield* ObjectStorage
    return Staging.of({
      ...staging,
      put: (object, options) =>
        staging.put({ ...object, metadata: { ...object.metadata, lake: location } }, options)
    })
  })
