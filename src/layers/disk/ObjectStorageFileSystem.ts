import * as fs from "node:fs/promises"
import { dirname, join } from "node:path"
import { Config, type ConfigError, Effect, Layer, type Scope } from "effect"
import { ObjectStorage } from "../../services/ObjectStorage.ts"
import { attempt, cleanUp, FILE_MODE, makeFolder } from "./files.ts"
import * as RunFolder from "./runFolder.ts"
import * as Sidecar from "./sidecar.ts"
import { type FolderStore, fresh, linkFile, storePaths, toError } from "./store.ts"
import { remove } from "./storeClaim.ts"
import { makeDraft, put } from "./storePut.ts"
import { get, head, list } from "./storeReader.ts"
import { makeUnfinished } from "./storeUnfinished.ts"

export interface ObjectStorageFileSystemOptions {
  /** The folder; created when first needed. */
  readonly root: string
  /** Prepended to every key, such as `python-import/`. Defaults to none. */
  readonly prefix?: string | undefined
}

/**
 * An object store in a folder, one file an object. What else it needs lies in
 * `<root>/.amplitude-lake/`: metadata, and the files that a live run is writing. A listing skips
 * whatever begins with a dot, except the lake's own marks.
 */
export const make = Effect.fnUntraced(function* ({
  root,
  prefix = ""
}: ObjectStorageFileSystemOptions): Effect.fn.Return<ObjectStorage["Type"], never, Scope.Scope> {
  const paths = storePaths(root, prefix)
  const run = yield* RunFolder.make(paths.inner, (folder) =>
    Sidecar.removeOrphans(paths.metadata, folder)
  )
  const store: FolderStore = { paths, run, drafts: new Set() }
  return ObjectStorage.of({
    place: `folder ${paths.place}`,
    location: paths.location,
    isDurable: true,
    check: check(store),
    list: list(paths),
    head: (key) => head(paths, key),
    get: (key) => get(paths, key),
    put: (object, options) => put(store, object, options?.replacing),
    draft: makeDraft(store),
    remove: (key) => remove(store, key),
    unfinished: makeUnfinished(run)
  })
})

/**
 * The store in a folder.
 *
 * @example
 * ```ts
 * import { Effect } from "effect"
 * import * as ObjectStorageFileSystem from "amplitude-lake/layers/ObjectStorageFileSystem"
 * import { ObjectStorage } from "amplitude-lake"
 *
 * const program = Effect.gen(function* () {
 *   const store = yield* ObjectStorage
 *   return yield* store.head("2025-11-10_21.jsonl")
 * })
 *
 * Effect.runPromise(
 *   Effect.provide(program, ObjectStorageFileSystem.layer({ root: "lake", prefix: "events/" }))
 * )
 * ```
 */
export function layer(options: ObjectStorageFileSystemOptions): Layer.Layer<ObjectStorage> {
  return Layer.scoped(ObjectStorage, make(options))
}

/** `layer` with its options from `Config`. */
export function layerConfig(
  config: Config.Config.Wrap<ObjectStorageFileSystemOptions>
): Layer.Layer<ObjectStorage, ConfigError.ConfigError> {
  return Layer.unwrapEffect(Effect.map(Config.unwrap(config), layer))
}

function check(store: FolderStore) {
  const { checkPrefix, pathOf, place } = store.paths
  const fail = toError("check", place)
  return Effect.gen(function* () {
    yield* checkPrefix("check")
    const folder = dirname(pathOf("x"))
    yield* makeFolder(folder).pipe(Effect.mapError(fail))
    const draft = yield* fresh(store, "check")
    // A fixed name, so the next check removes what a killed one left.
    const trial = join(folder, ".amplitude-lake-trial")
    yield* attempt(() => fs.writeFile(draft, "trial\n", { mode: FILE_MODE, flush: true })).pipe(
      Effect.mapError(fail),
      Effect.zipRight(linkFile("check", draft, trial)),
      Effect.zipRight(attempt(() => fs.rm(trial, { force: true })).pipe(Effect.mapError(fail))),
      Effect.ensuring(cleanUp(draft))
    )
  }).pipe(Effect.uninterruptible, Effect.withSpan("ObjectStorageFileSystem.check"))
}
