import { Clock as EffectClock, Effect, Option, Schema, Stream } from "effect"
import { ArchiveFolder } from "../services/ArchiveFolder.ts"
import { Clock } from "../services/Clock.ts"
import type { Hour } from "../services/Hour.ts"
import { hourOfKey } from "../services/HourKey.ts"
import { sameLines } from "../services/LinesDigest.ts"
import { ObjectStorage } from "../services/ObjectStorage.ts"
import { Progress } from "../services/Progress.ts"
import { Spool } from "../services/Spool.ts"
import { Staging } from "../services/Staging.ts"
import { exitCodeOfKinds } from "./exitCodeOfKinds.ts"
import { failureKind, type RunError } from "./failureKind.ts"
import { FailureKind } from "./HourOutcome.ts"
import { type HourObject, type Inventory, takeInventory, takeStagedInventory } from "./inventory.ts"
import { digestLanded, failedUploadKey, refuseAsConflict } from "./landObject.ts"
import type { RetryPolicy } from "./retryPolicy.ts"
import { readStaged } from "./syncStaged.ts"

const Leftover = Schema.Struct({
  kind: Schema.Literal(
    /** A file in staging. */
    "staged",
    /** An archive in the spool, or half of one. */
    "spooled",
    /** An archive that was kept after its hours had landed. */
    "archive",
    /** What was begun to become an object and never did. */
    "upload"
  ),
  path: Schema.String,
  /** In bytes. */
  size: Schema.NonNegativeInt,
  /** With `dryRun`: what would become of it. `moved`: to `failed_uploads/` in staging, for a person to look at. */
  fate: Schema.Literal("removed", "moved", "kept", "failed"),
  /** Why. */
  detail: Schema.String,
  /** Of a failure. */
  failure: Schema.optional(FailureKind)
})
export type Leftover = typeof Leftover.Type

/** What was found lying about, and what became of it. */
export class Cleaning extends Schema.Class<Cleaning>("Cleaning")({
  /** Whether nothing was changed. */
  dryRun: Schema.Boolean,
  leftovers: Schema.Array(Leftover),
  /** Bytes of what was removed, or would be. */
  freed: Schema.NonNegativeInt,
  retries: Schema.NonNegativeInt,
  durationMs: Schema.NonNegativeInt,
  /** 8 where a staged hour was moved, as another stands for it; else 0, or 8, 7, 3 or 5 where something failed. */
  exitCode: Schema.NonNegativeInt
}) {}

export interface CleanOptions {
  readonly dryRun: boolean
  /** Staged hours compared at once. */
  readonly concurrency: number
  /** Kept archives older than so many days go. */
  readonly archiveDays?: number | undefined
  /** Abort uploads that only their age speaks against. */
  readonly abortUploads: boolean
}

const DAY = 24 * 3_600_000

/**
 * Tidies what runs left: staged hours that the store has, archives in the spool that nobody needs, old kept archives, and
 * uploads that were never finished. What a live run holds is never among it, and one failure stops nothing else. Where
 * archives are kept, a spooled one whose hours have landed waits for that.
 */
export const cleanLeftovers = Effect.fn("cleanLeftovers")(function* (
  options: CleanOptions,
  policy: RetryPolicy
) {
  const [store, staging] = [yield* ObjectStorage, yield* Staging]
  const begun = yield* EffectClock.currentTimeMillis
  const standing = yield* policy.retry(takeInventory(store))
  // Nothing local goes on the word of a store that ends with the process.
  const inventory: Inventory = store.isDurable ? standing : new Map()
  // Uploads first: whatever writes to a folder takes over what dead runs left there, and says nothing of it.
  const leftovers = [
    ...(yield* cleanUploads(staging, options, policy)),
    ...(yield* cleanUploads(store, options, policy)),
    ...(yield* cleanStaged(inventory, options, policy)),
    ...(yield* cleanSpool(inventory, options)),
    ...(yield* cleanArchives(options))
  ]
  const kinds = new Set(leftovers.flatMap(({ failure }) => (failure === undefined ? [] : failure)))
  if (leftovers.some(({ fate }) => fate === "moved")) kinds.add("integrity")
  const removed = leftovers.filter(({ fate }) => fate === "removed")
  return new Cleaning({
    dryRun: options.dryRun,
    leftovers,
    freed: removed.reduce((sum, { size }) => sum + size, 0),
    retries: yield* policy.made,
    durationMs: Math.max(0, (yield* EffectClock.currentTimeMillis) - begun),
    exitCode: exitCodeOfKinds(kinds, removed.length > 0)
  })
})

type What = Pick<Leftover, "kind" | "path" | "size">

function failedLeftover(what: What, error: RunError): Leftover {
  return { ...what, fate: "failed", detail: error.message, failure: failureKind(error) }
}

/** Removes a thing unless this is a dry run; what fails is said in its place. */
const removing = Effect.fnUntraced(function* <R>(
  what: What,
  detail: string,
  { dryRun }: CleanOptions,
  remove: Effect.Effect<unknown, RunError, R>
): Effect.fn.Return<Leftover, never, R> {
  const removed: Leftover = { ...what, fate: "removed", detail }
  if (dryRun) return removed
  return yield* Effect.match(remove, {
    onSuccess: () => removed,
    onFailure: (error) => failedLeftover(what, error)
  })
})

const cleanUploads = Effect.fn("cleanLeftovers.uploads")(function* (
  place: ObjectStorage["Type"],
  options: CleanOptions,
  policy: RetryPolicy
): Effect.fn.Return<ReadonlyArray<Leftover>, never, Clock> {
  const { unfinished } = place
  if (unfinished === undefined) return []
  const since = (yield* Effect.flatMap(Clock, (clock) => clock.now)) - DAY
  const found = yield* policy.retry(Stream.runCollect(unfinished.list(since))).pipe(
    Effect.catchAll((error) =>
      // Only who asks for their removal needs the permission to list them.
      !options.abortUploads && error.reason === "AccessDenied"
        ? Effect.as(Effect.logWarning(`Uploads were not looked for: ${error.message}`), [])
        : Effect.succeed([failedLeftover({ kind: "upload", path: place.place, size: 0 }, error)])
    )
  )
  // Under the prefix, and beside it where it is none, others may be uploading what is no hour.
  const uploads = [...found].filter(
    (it) => "fate" in it || it.key === undefined || Option.isSome(hourOfKey(it.key))
  )
  return yield* Effect.forEach(uploads, (upload) => {
    if ("fate" in upload) return Effect.succeed(upload)
    const { isOrphan, path, size, touched } = upload
    const what: What = { kind: "upload", path, size }
    if (!isOrphan && !options.abortUploads) {
      const detail = `nothing came since ${new Date(touched).toISOString().slice(0, 16)}Z: --abort-uploads removes it`
      return Effect.succeed<Leftover>({ ...what, fate: "kept", detail })
    }
    const detail = isOrphan ? "its run is dead" : "nothing came for a day"
    return removing(what, detail, options, policy.retry(unfinished.abort(upload)))
  })
})

const cleanStaged = Effect.fn("cleanLeftovers.staged")(function* (
  inventory: Inventory,
  options: CleanOptions,
  policy: RetryPolicy
) {
  const staging = yield* Staging
  const { staged, foreign } = yield* policy.retry(takeStagedInventory(staging))
  const known = [...staged.values()].flat().sort((one, two) => (one.key < two.key ? -1 : 1))
  const progress = yield* Progress
  progress.planned(known.length, "files")
  const cleaned = yield* Effect.forEach(
    known,
    (object) =>
      cleanStagedObject(object, inventory.get(object.hour) ?? [], options, policy).pipe(
        Effect.catchAll((error) =>
          error._tag === "ObjectStorageError" && error.reason === "NotFound"
            ? // A live run has moved it meanwhile.
              Effect.succeedNone
            : Effect.succeedSome(failedLeftover(stagedFile(object), error))
        ),
        Effect.tap(() => Effect.sync(() => progress.done(1)))
      ),
    { concurrency: options.concurrency }
  )
  return [
    ...cleaned.flatMap(Option.toArray),
    ...[...foreign.values()].map((key): Leftover => ({
      kind: "staged",
      path: key,
      size: 0,
      fate: "kept",
      detail: "it was not put there by this program"
    }))
  ]
})

function stagedFile({ key, size }: HourObject): What {
  return { kind: "staged", path: key, size }
}

/** Holds a staged file, read whole, against what the store has of its hour. */
const cleanStagedObject = Effect.fnUntraced(function* (
  object: HourObject,
  landed: ReadonlyArray<HourObject>,
  options: CleanOptions,
  policy: RetryPolicy
) {
  const [store, staging] = [yield* ObjectStorage, yield* Staging]
  const { format, key, size } = object
  const what = stagedFile(object)
  if (landed.length === 0) {
    const detail = "the store lacks its hour: sync moves it there"
    return Option.some<Leftover>({ ...what, fate: "kept", detail })
  }
  const metadata = yield* readStaged(key, format)
  const keys = landed.map((it) => it.key)
  const theirs = yield* digestLanded(store, keys, policy, { size, sha256: metadata.sha256 })
  if (sameLines(theirs, metadata)) {
    const detail = "the store has the same hour"
    return Option.some(yield* removing(what, detail, options, staging.remove(key)))
  }
  const copy = failedUploadKey(key, metadata.sha256)
  const moved: Leftover = {
    ...what,
    fate: "moved",
    detail: `the store has another hour as "${keys.join(" and ")}": compare it with "${copy}" in ${staging.place}`
  }
  if (options.dryRun) return Option.some(moved)
  const ours = { key, size, metadata, body: staging.get(key) }
  yield* refuseAsConflict(store, ours, theirs).pipe(
    Effect.catchIf(
      (error) => error._tag === "LandingError" && error.reason === "Conflict",
      () => staging.remove(key)
    )
  )
  return Option.some(moved)
})

const cleanSpool = Effect.fn("cleanLeftovers.spool")(function* (
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
  const keepsArchives = Option.isSome(yield* Effect.serviceOption(ArchiveFolder))
  const isLanded = (hours: ReadonlyArray<Hour>) => hours.every((hour) => inventory.has(hour))
  const pruned = yield* Effect.forEach(halves, ({ path, size }) =>
    removing(
      { kind: "spooled", path, size },
      "half an archive, of a run that is dead",
      options,
      spool.prune
    )
  )
  const dropped = yield* Effect.forEach(archives, (archive) => {
    const { path, size, window } = archive
    const what: What = { kind: "spooled", path, size }
    const kept = (detail: string) => Effect.succeed<Leftover>({ ...what, fate: "kept", detail })
    if (!isLanded(window.hours)) {
      return kept(`hours of ${window} are not landed yet: the next run starts from it`)
    }
    if (keepsArchives) return kept("the next run keeps it, as --archive-dir says")
    const drop = Effect.scoped(
      Effect.flatMap(spool.claim(archive), Effect.transposeMapOption(spool.drop))
    )
    return removing(what, `all hours of ${window} are landed`, options, drop)
  })
  return [...pruned, ...dropped]
})

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
          const detail = `written ${new Date(written).toISOString().slice(0, 10)}, over ${archiveDays} days ago`
          return removing({ kind: "archive", path, size }, detail, options, remove(archive))
        }
      )
  })
})
