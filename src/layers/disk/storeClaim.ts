import * as fs from "node:fs/promises"
import { dirname } from "node:path"
import { Effect, Option } from "effect"
import { attempt, cleanUp, hasCode, syncFolder } from "./files.ts"
import * as Sidecar from "./sidecar.ts"
import { type FolderStore, fresh, linkFile, look, type Method, toError } from "./store.ts"
import { describe } from "./storeReader.ts"

/** Takes a file out of the store by a rename, so only one run can claim it. */
export const claim = Effect.fnUntraced(function* (store: FolderStore, method: Method, key: string) {
  const path = store.paths.pathOf(key)
  const claimed = yield* fresh(store, method)
  const isOurs = yield* attempt(() => fs.rename(path, claimed)).pipe(
    Effect.as(true),
    Effect.catchIf(hasCode("ENOENT"), () => Effect.succeed(false)),
    Effect.mapError(toError(method, path))
  )
  if (!isOurs) return Option.none()
  const putBack = Effect.zipRight(
    Effect.flatMap(linkFile(method, claimed, path), (isBack) =>
      isBack
        ? Effect.void
        : Effect.logWarning(`Dropped the previous "${path}": another run has put a new one`)
    ),
    cleanUp(claimed)
  )
  return yield* look(method, claimed).pipe(
    Effect.flatMap(Effect.transposeMapOption((file) => describe(store.paths, method, key, file))),
    Effect.map(
      Option.map(({ info, sidecar }) => ({
        etag: info.etag,
        putBack,
        // The claimed file goes last: while it exists, no new file can get its inode and thus its
        // sidecar's name.
        discard: Effect.zipRight(
          Option.match(sidecar, {
            onNone: () => Effect.void,
            onSome: (one) => forgetSidecar(store, key, one)
          }),
          cleanUp(claimed)
        )
      }))
    ),
    Effect.tapError(() => putBack)
  )
}, Effect.uninterruptible)

export function forgetSidecar(
  { paths }: FolderStore,
  key: string,
  sidecar: Sidecar.Sidecar
): Effect.Effect<void> {
  return Sidecar.remove(paths.metadataOf(key), sidecar).pipe(
    Effect.catchAll(({ detail }) => Effect.logWarning(`Cannot remove metadata: ${detail}`))
  )
}

export const remove = Effect.fn("ObjectStorageFileSystem.remove")(function* (
  store: FolderStore,
  key: string
) {
  const path = store.paths.pathOf(key)
  yield* store.paths.checkKey("remove", key)
  if (Option.isNone(yield* look("remove", path))) return
  const claimed = yield* claim(store, "remove", key)
  if (Option.isNone(claimed)) return
  yield* syncFolder(dirname(path)).pipe(Effect.mapError(toError("remove", path)))
  yield* claimed.value.discard
}, Effect.uninterruptible)
