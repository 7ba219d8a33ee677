import { Effect, Option } from "effect"
import type { Hour } from "../../services/Hour.ts"
import { metadataFromText } from "../../services/HourMetadata.ts"
import { sameLines } from "../../services/LinesDigest.ts"
import { ObjectStorage } from "../../services/ObjectStorage.ts"
import {
  type LoadedHour,
  type OpenWarehouse,
  Warehouse,
  type WarehouseLake
} from "../../services/Warehouse.ts"
import { findProject } from "../plan/findProject.ts"
import type { HourObject, Inventory } from "../plan/inventory.ts"
import { Run } from "../run/Run.ts"
import { LoadError } from "./LoadError.ts"
import { readObjects } from "./readObjects.ts"

const AT_ONCE = 16

interface ClaimOptions {
  readonly known: Option.Option<WarehouseLake>
  readonly rows: ReadonlyMap<Hour, LoadedHour>
  readonly inventory: Inventory
}

/**
 * The project of a warehouse for this lake. Fails for a warehouse of another project, and for one
 * that was loaded from another place with other lines.
 */
export const checkWarehouse = Effect.fnUntraced(function* (options: ClaimOptions) {
  const store = yield* ObjectStorage
  const { inventory, known, rows } = options
  const project = yield* checkProject(options)
  const isHere = Option.exists(known, ({ place }) => place === store.location)
  // A warehouse without hours was loaded from nowhere.
  if (Option.isNone(known) || isHere || rows.size === 0) return { project, isMoved: false }
  yield* checkMoved(known.value, rows, inventory)
  return { project, isMoved: true }
})

/** The project of a warehouse for this lake. Fails for a warehouse of another one. */
export const checkProject = Effect.fnUntraced(function* ({
  inventory,
  known
}: Pick<ClaimOptions, "inventory" | "known">) {
  const store = yield* ObjectStorage
  const isHere = Option.exists(known, ({ place }) => place === store.location)
  const old = Option.flatMap(known, ({ project }) => project)
  if (isHere && Option.isSome(old)) return old
  const found = yield* findProject([{ store, inventory }])
  if (Option.isSome(old) && Option.isSome(found) && old.value !== found.value) {
    const warehouse = yield* Warehouse
    const detail = `the warehouse "${warehouse.place}" holds Amplitude project ${old.value}, but ${store.place} holds project ${found.value}`
    return yield* new LoadError({ reason: "OtherProject", detail })
  }
  return Option.orElse(old, () => found)
})

/** Whether a lake in another place is a copy of the one that was loaded. */
const checkMoved = Effect.fnUntraced(function* (
  { place }: WarehouseLake,
  rows: ClaimOptions["rows"],
  inventory: Inventory
) {
  const store = yield* ObjectStorage
  const warehouse = yield* Warehouse
  const both = [...rows.values()].flatMap((row) => {
    const objects = inventory.get(row.hour) ?? []
    return objects.length === 0 ? [] : [{ row, objects }]
  })
  const differing = yield* Effect.filter(
    both,
    ({ objects, row }) => Effect.map(hasLines(row, objects), (isSame) => !isSame),
    { concurrency: AT_ONCE }
  )
  if (both.length > 0 && differing.length === 0) return
  const why =
    both.length === 0
      ? `${store.place} has none of its hours`
      : `${store.place} has other lines of ${differing[0]?.row.hour}${differing.length > 1 ? ` and ${differing.length - 1} more hours` : ""}`
  const detail = `the warehouse "${warehouse.place}" was loaded from ${place}, and ${why}`
  return yield* new LoadError({ reason: "OtherPlace", detail })
})

const hasLines = Effect.fnUntraced(function* (row: LoadedHour, objects: ReadonlyArray<HourObject>) {
  const { retry } = yield* Run
  const store = yield* ObjectStorage
  const [only] = objects
  if (only !== undefined && objects.length === 1) {
    const head = yield* retry(store.head(only.key))
    const metadata = Option.flatMap(head, (it) => metadataFromText(it.metadata))
    if (Option.isSome(metadata)) return sameLines(metadata.value, row)
  }
  return sameLines(yield* retry(readObjects(objects, () => Effect.void)), row)
})

/** Records whose hours a warehouse holds from now on. */
export const claimWarehouse = Effect.fnUntraced(function* (
  warehouse: OpenWarehouse,
  options: ClaimOptions
) {
  const { retry } = yield* Run
  const { location, place } = yield* ObjectStorage
  const { isMoved, project } = yield* checkWarehouse(options)
  const isKnown = Option.exists(
    options.known,
    (it) => it.place === location && Option.isSome(it.project) === Option.isSome(project)
  )
  // A place without hours may be a slip of the pen, and would keep the lake that was meant out.
  if (isKnown || options.inventory.size === 0) return project
  yield* retry(warehouse.claim({ place: location, project }))
  if (isMoved) yield* Effect.logInfo(`The warehouse follows its lake to ${place}`)
  return project
})
