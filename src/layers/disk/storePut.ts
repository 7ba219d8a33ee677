import { createHash } from "node:crypto"
import * as fs from "node:fs/promises"
import { dirname } from "node:path"
import { Effect, Option } from "effect"
import type { NewObject, ObjectStorageError, WrittenBody } from "../../services/ObjectStorage.ts"
import {
  attempt,
  cleanUp,
  closeFile,
  FILE_MODE,
  type FileFailure,
  isFileFailure,
  makeFolder,
  syncFolder,
  writeStream
} from "./files.ts"
import * as Sidecar from "./sidecar.ts"
import { type FolderStore, fresh, linkFile, refusal, toError } from "./store.ts"
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
  const draft = yield* fresh(store, "put")
  return yield* writeDraft(object, draft, paths.pathOf(object.key)).pipe(
    Effect.flatMap((inode) => publish(store, object, draft, inode, replacing)),
    Effect.ensuring(cleanUp(draft))
  )
})

/** Writes a body to a new file durably, and returns the file's inode. */
function writeDraft<E>(
  object: NewObject<E>,
  draft: string,
  path: string
): Effect.Effect<string, E | ObjectStorageError> {
  const fail = toError("put", path)
  return Effect.acquireUseRelease(
    attempt(() => fs.open(draft, "wx", FILE_MODE)).pipe(Effect.mapError(toError("put", draft))),
    Effect.fnUntraced(function* (handle) {
      const { sha256, size } = yield* writeBody(object, handle, draft, fail)
      const stats = yield* Effect.mapError(
        attempt(() => handle.stat({ bigint: true })),
        fail
      )
      const sizes = new Set([object.size, size, Number(stats.size)])
      if (sizes.size > 1 || sha256 !== object.sha256) {
        const detail = `the body has ${size} bytes and SHA-256 ${sha256}, ${stats.size} bytes were written, and ${object.size} and ${object.sha256} were announced`
        return yield* refusal("Corrupt", "put", path, detail)
      }
      return String(stats.ino)
    }),
    closeFile
  )
}

function writeBody<E>(
  { body, writeTo }: NewObject<E>,
  handle: fs.FileHandle,
  draft: string,
  fail: (failure: FileFailure) => ObjectStorageError
): Effect.Effect<WrittenBody, E | ObjectStorageError> {
  if (writeTo !== undefined) {
    return Effect.mapError(writeTo(draft), (error) => (isFileFailure(error) ? fail(error) : error))
  }
  const hash = createHash("sha256")
  return Effect.map(writeStream(handle, body, fail, hash), (size) => ({
    size,
    sha256: hash.digest("hex")
  }))
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
