import { createHash } from "node:crypto"
import * as fs from "node:fs/promises"
import { dirname } from "node:path"
import { Effect, Option } from "effect"
import type { NewObject, ObjectStorageError } from "../../services/ObjectStorage.ts"
import {
  attempt,
  cleanUp,
  closeFile,
  FILE_MODE,
  makeFolder,
  syncFolder,
  writeStream
} from "./files.ts"
import * as Sidecar from "./sidecar.ts"
import {
  type FolderStore,
  fresh,
  linkFile,
  look,
  refusal,
  type RegularFile,
  toError
} from "./store.ts"
import { claim, forgetSidecar } from "./storeClaim.ts"
import { infoOf } from "./storeReader.ts"

export const put = Effect.fn("ObjectStorageFileSystem.put")(function* <E>(
  store: FolderStore,
  object: NewObject<E>,
  replacing: string | undefined
) {
  const { paths } = store
  yield* paths.checkKey("put", object.key)
  const standing = yield* infoOf(paths, "put", object.key)
  if (Option.getOrUndefined(standing)?.etag !== replacing) {
    if (Option.isSome(standing)) yield* makeDurable(paths.pathOf(object.key))
    return false
  }
  const given = yield* usableDraft(store, object)
  const draft = Option.isSome(given) ? given.value.path : yield* fresh(store, "put")
  const written = Option.isSome(given)
    ? Effect.succeed(given.value.inode)
    : writeBody(object, draft, paths.pathOf(object.key))
  return yield* written.pipe(
    Effect.flatMap((inode) => publish(store, object, draft, inode, replacing)),
    Effect.ensuring(discard(store, draft))
  )
})

/** Creates an empty file that an object may become. */
export const makeDraft = Effect.fn("ObjectStorageFileSystem.draft")(function* (store: FolderStore) {
  const path = yield* fresh(store, "put")
  yield* Effect.acquireRelease(
    attempt(() => fs.writeFile(path, "", { flag: "wx", mode: FILE_MODE })).pipe(
      Effect.mapError(toError("put", path)),
      Effect.zipRight(Effect.sync(() => store.drafts.add(path)))
    ),
    () => discard(store, path)
  )
  return path
})

/** Removes a draft, or only this name of it if it became an object. */
function discard({ drafts }: FolderStore, draft: string): Effect.Effect<void> {
  return Effect.zipRight(
    Effect.sync(() => drafts.delete(draft)),
    cleanUp(draft)
  )
}

/** The object's draft, if it is one of this store and has the announced size. */
const usableDraft = Effect.fnUntraced(function* (
  store: FolderStore,
  { draft, key, size }: NewObject<unknown>
) {
  if (draft === undefined || !store.drafts.has(draft)) return Option.none<RegularFile>()
  const file = yield* look("put", draft)
  if (Option.exists(file, (it) => it.size === size)) return file
  const why = Option.match(file, {
    onNone: () => "is gone",
    onSome: (it) => `has ${it.size} bytes instead of the announced ${size}`
  })
  yield* Effect.logWarning(`The draft of "${key}" ${why}; the hour is written again`)
  yield* discard(store, draft)
  return Option.none<RegularFile>()
})

/** Writes a body to a new file durably, and returns the file's inode. */
function writeBody<E>(
  object: NewObject<E>,
  draft: string,
  path: string
): Effect.Effect<string, E | ObjectStorageError> {
  const fail = toError("put", path)
  return Effect.acquireUseRelease(
    attempt(() => fs.open(draft, "wx", FILE_MODE)).pipe(Effect.mapError(toError("put", draft))),
    Effect.fnUntraced(function* (handle) {
      const hash = createHash("sha256")
      const size = yield* writeStream(handle, object.body, fail, hash)
      const sha256 = hash.digest("hex")
      if (size !== object.size || sha256 !== object.sha256) {
        const detail = `the body has ${size} bytes and SHA-256 ${sha256} instead of the announced ${object.size} and ${object.sha256}`
        return yield* refusal("Corrupt", "put", path, detail)
      }
      yield* Effect.mapError(
        attempt(() => handle.sync()),
        fail
      )
      const stats = attempt(() => handle.stat({ bigint: true }))
      const { ino } = yield* Effect.mapError(stats, fail)
      return String(ino)
    }),
    closeFile
  )
}

/**
 * Makes a complete draft visible. Its metadata comes first, so no object is ever seen without it.
 */
const publish = Effect.fnUntraced(function* (
  store: FolderStore,
  object: NewObject<unknown>,
  draft: string,
  inode: string,
  replacing: string | undefined
) {
  const { key, sha256, size, metadata } = object
  const path = store.paths.pathOf(key)
  const folder = store.paths.metadataOf(key)
  const sidecar = { sha256, size, inode }
  yield* Sidecar.write(folder, sidecar, metadata, yield* fresh(store, "put")).pipe(
    Effect.mapError(toError("put", folder))
  )
  const isPut = yield* (
    replacing === undefined ? create(draft, path) : replace(store, draft, key, replacing)
  ).pipe(Effect.tapError(() => forgetSidecar(store, key, sidecar)))
  if (!isPut) yield* forgetSidecar(store, key, sidecar)
  if (isPut || replacing === undefined) yield* makeDurable(path)
  return isPut
}, Effect.uninterruptible)

const replace = Effect.fnUntraced(function* (
  store: FolderStore,
  draft: string,
  key: string,
  etag: string
) {
  const old = yield* claim(store, "put", key)
  if (Option.isNone(old)) return false
  if (old.value.etag !== etag) return yield* Effect.as(old.value.putBack, false)
  const isPut = yield* create(draft, store.paths.pathOf(key)).pipe(
    Effect.tapError(() => old.value.putBack)
  )
  yield* old.value.discard
  return isPut
})

/** Gives a draft its name in the store: `false` if the name is taken. */
function create(draft: string, path: string): Effect.Effect<boolean, ObjectStorageError> {
  return makeFolder(dirname(path)).pipe(
    Effect.mapError(toError("put", path)),
    Effect.zipRight(linkFile("put", draft, path))
  )
}

/** A caller that hears that another run's object is there may remove the last other copy. */
function makeDurable(path: string): Effect.Effect<void, ObjectStorageError> {
  return syncFolder(dirname(path)).pipe(Effect.mapError(toError("put", path)))
}
