import { Clock as EffectClock, Effect, Option, Schema } from "effect"
import { ArchiveFolder } from "../../services/ArchiveFolder.ts"
import { Clock } from "../../services/Clock.ts"
import { DAY } from "../../services/Hour.ts"
import { ObjectStorage } from "../../services/ObjectStorage.ts"
import { Staging } from "../../services/Staging.ts"
import { cleanSpool } from "./cleanSpool.ts"
import { cleanStaged } from "./cleanStaged.ts"
import { cleanUploads } from "./cleanUploads.ts"
import { ExitCode, exitCodeOf } from "../run/exitCode.ts"
import { type Inventory, takeInventory } from "../plan/inventory.ts"
import { stagingForLake } from "../plan/stagedHours.ts"
import { type CleanOptions, failedLeftover, Leftover, removing } from "./Leftover.ts"
import { asRun, Run } from "../run/Run.ts"

export type { CleanOptions, Leftover } from "./Leftover.ts"

/** The leftovers that were found, and what happened to each. */
export class Cleaning extends Schema.Class<Cleaning>("Cleaning")({
  /** Nothing was changed. */
  dryRun: Schema.Boolean,
  leftovers: Schema.Array(Leftover),
  /** Bytes removed, or that would be removed. */
  freed: Schema.NonNegativeInt,
  retries: Schema.NonNegativeInt,
  durationMs: Schema.NonNegativeInt,
  /**
   * 8 if a staged hour was moved because the store has a different version of it; otherwise 0, or
   * 8, 7, 3 or 5 if something failed.
   */
  exitCode: ExitCode
}) {}

/**
 * Removes leftovers of earlier runs: staged hours that the store has, spooled archives that are no
 * longer needed, old kept archives and unfinished uploads. Never touches files of a live run, and
 * one failure does not stop the rest. If archives are kept, a spooled archive whose hours have
 * landed stays until a run has kept it.
 */
export const cleanLeftovers = Effect.fn("cleanLeftovers")(function* (options: CleanOptions = {}) {
  const { made, retry } = yield* Run
  const store = yield* ObjectStorage
  const staging = yield* Staging
  const begun = yield* EffectClock.currentTimeMillis
  const standing = yield* retry(takeInventory(store))
  // A store that ends with the process must not cause local files to be removed.
  const inventory: Inventory = store.isDurable ? standing : new Map()
  // Uploads come first: the first write to a folder takes over the leftovers of dead runs without
  // reporting them.
  const leftovers = [
    ...(yield* cleanUploads(staging, options)),
    ...(yield* cleanUploads(store, options)),
    ...(yield* cleanStaged(inventory, options)),
    ...(yield* cleanSpool(inventory, options)),
    ...(yield* cleanArchives(options))
  ]
  const kinds = new Set(leftovers.flatMap(({ failure }) => (failure === undefined ? [] : failure)))
  if (leftovers.some(({ fate }) => fate === "moved")) kinds.add("integrity")
  const removed = leftovers.filter(({ fate }) => fate === "removed")
  return new Cleaning({
    dryRun: options.dryRun ?? false,
    leftovers,
    freed: removed.reduce((sum, { size }) => sum + size, 0),
    retries: yield* made,
    durationMs: Math.max(0, (yield* EffectClock.currentTimeMillis) - begun),
    exitCode: exitCodeOf({ kinds, isDone: removed.length > 0, isTouched: true })
  })
}, forLake)

/** One run, whose refused hours name this lake. */
function forLake<A, E, R>(self: Effect.Effect<A, E, R>, options?: CleanOptions) {
  return asRun(Effect.provideServiceEffect(self, Staging, stagingForLake), options)
}

const cleanArchives = Effect.fn("cleanLeftovers.archives")(function* (options: CleanOptions) {
  const kept = yield* Effect.serviceOption(ArchiveFolder)
  const { archiveDays } = options
  if (Option.isNone(kept) || archiveDays === undefined) return []
  const { list, remove } = kept.value
  const now = yield* Effect.flatMap(Clock, (clock) => clock.now)
  return yield* Effect.matchEffect(list, {
    onFailure: (error) =>
      Effect.succeed([failedLeftover({ kind: "archive", path: error.path, size: 0 }, error)]),
    onSuccess: (archives) =>
      Effect.forEach(
        archives.filter(({ written }) => now - written > archiveDays * DAY),
        (archive) => {
          const { path, size, written } = archive
          const detail = `written ${new Date(written).toISOString().slice(0, 10)}, more than ${archiveDays} days ago`
          return removing({ kind: "archive", path, size }, detail, options, remove(archive))
        }
      )
  })
})
