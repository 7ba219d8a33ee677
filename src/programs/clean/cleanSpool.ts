import { Effect, Option } from "effect"
import { ArchiveFolder } from "../../services/ArchiveFolder.ts"
import type { Hour } from "../../services/Hour.ts"
import { ObjectStorage } from "../../services/ObjectStorage.ts"
import { Spool, type SpooledArchive } from "../../services/Spool.ts"
import { unpackArchive } from "../fetch/unpackArchive.ts"
import { findProject } from "../plan/findProject.ts"
import type { Inventory } from "../plan/inventory.ts"
import {
  type CleanOptions,
  failedLeftover,
  type Leftover,
  removing,
  type LeftoverId
} from "./Leftover.ts"

/** Removes spooled archives that are no longer needed: all of their hours have landed in this lake. */
export const cleanSpool = Effect.fn("cleanSpool")(function* (
  inventory: Inventory,
  options: CleanOptions
) {
  const spool = yield* Spool
  const surveyed = yield* Effect.either(spool.survey)
  if (surveyed._tag === "Left") {
    const { left } = surveyed
    return [failedLeftover({ kind: "spooled", path: left.path, size: 0 }, left)]
  }
  const { archives, halves } = surveyed.right
  const store = yield* ObjectStorage
  const project =
    archives.length === 0 ? Option.none<string>() : yield* findProject([{ store, inventory }])
  const keepsArchives = Option.isSome(yield* Effect.serviceOption(ArchiveFolder))
  const isLanded = (hours: ReadonlyArray<Hour>) => hours.every((hour) => inventory.has(hour))
  const pruned = yield* Effect.forEach(halves, ({ path, size }) =>
    removing(
      { kind: "spooled", path, size },
      "unfinished download of a run that has ended",
      options,
      spool.prune
    )
  )
  const dropped = yield* Effect.forEach(archives, (archive) => {
    const { path, size, window } = archive
    const what: LeftoverId = { kind: "spooled", path, size }
    const kept = (detail: string) => Effect.succeed<Leftover>({ ...what, fate: "kept", detail })
    if (!isLanded(window.hours)) {
      return kept(`not all hours of ${window} have landed; the next run resumes from it`)
    }
    if (keepsArchives) return kept("the next run moves it to the kept archives")
    const clean = Effect.fnUntraced(function* (held: SpooledArchive) {
      if (!(yield* isOfLake(held, project))) {
        return yield* kept("it is not known to be of this lake's Amplitude project")
      }
      return yield* removing(what, `all hours of ${window} have landed`, options, spool.drop(held))
    })
    return spool.claim(archive).pipe(
      Effect.flatMap(
        Option.match({
          onNone: () => kept("another run holds it"),
          onSome: clean
        })
      ),
      Effect.scoped,
      Effect.catchAll((error) => Effect.succeed(failedLeftover(what, error)))
    )
  })
  return [...pruned, ...dropped]
})

/**
 * Whether an archive is of a lake's project: runs of another lake use the same spool. An archive
 * that cannot be unpacked is of no use to any.
 */
const isOfLake = Effect.fnUntraced(
  function* (archive: SpooledArchive, project: Option.Option<string>) {
    const unpacked = yield* unpackArchive(archive)
    if (Option.isNone(unpacked.project)) return true
    return Option.isSome(project) && project.value === unpacked.project.value
  },
  Effect.scoped,
  Effect.catchIf(
    ({ reason }) => reason !== "Unreadable",
    () => Effect.succeed(true)
  )
)
