import { createHash } from "node:crypto"
import * as fs from "node:fs/promises"
import { dirname, join } from "node:path"
import { Effect, Layer, Option, type Scope } from "effect"
import { type NewObject, ObjectStorage } from "../../services/ObjectStorage.ts"
import {
  attempt,
  cleanUp,
  closeFile,
  FILE_MODE,
  hasCode,
  makeFolder,
  syncFolder,
  writeStream
} from "./files.ts"
import { linkFile, look, type Method, refusal, storePaths, toError } from "./store.ts"
import { makeReader } from "./storeReader.ts"
import { makeUnfinished } from "./storeUnfinished.ts"
import * as RunFolder from "./runFolder.ts"
import * as Sidecar from "./sidecar.ts"

export interface ObjectStorageFileSystemOptions {
  /** The folder; made when it is first needed. */
  readonly root: string
  /** Prepended to every key, as in `python-import/`. Defaults to none. */
  readonly prefix?: string | undefined
}

/**
 * An object store in a folder, one file an object. What else it needs lies in `<root>/.amplitude-lake/`: metadata, and the files
 * that a live run is writing. A listing skips whatever begins with a dot.
 */
export const make: (
  options: ObjectStorageFileSystemOptions
) => Effect.Effect<ObjectStorage["Type"], never, Scope.Scope> = Effect.fnUntraced(function* ({
  root,
  prefix = ""
}: ObjectStorageFileSystemOptions) {
  const paths = storePaths(root, prefix)
  const { inner, place, pathOf, metadata, metadataOf, checkKey, checkPrefix } = paths
  const { describe, infoOf, head, list, get } = makeReader(paths)
  const run = yield* RunFolder.make(inner, (folder) => Sidecar.removeOrphans(metadata, folder))

  const fresh = (method: Method) => Effect.mapError(run.fresh, toError(method, inner))

  /** Takes a file out of the store by a rename, which only one run can do. */
  const claim = Effect.fnUntraced(function* (method: Method, key: string) {
    const path = pathOf(key)
    const claimed = yield* fresh(method)
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
          : Effect.logWarning(`Dropped what "${path}" was: another run put it anew meanwhile`)
      ),
      cleanUp(claimed)
    )
    return yield* look(method, claimed).pipe(
      Effect.flatMap(Effect.transposeMapOption((file) => describe(method, key, file))),
      Effect.map(
        Option.map(({ info, sidecar }) => ({
          etag: info.etag,
          putBack,
          // The claimed file goes last: while it stands, no new file can have its inode and so its sidecar's name.
          discard: Effect.zipRight(
            Option.match(sidecar, {
              onNone: () => Effect.void,
              onSome: (one) => forgetSidecar(key, one)
            }),
            cleanUp(claimed)
          )
        }))
      ),
      Effect.tapError(() => putBack)
    )
  }, Effect.uninterruptible)

  const forgetSidecar = (key: string, sidecar: Sidecar.Sidecar) =>
    Sidecar.remove(metadataOf(key), sidecar).pipe(
      Effect.catchAll(({ detail }) => Effect.logWarning(`Cannot remove metadata: ${detail}`))
    )

  const replace = Effect.fnUntraced(function* (draft: string, key: string, etag: string) {
    const old = yield* claim("put", key)
    if (Option.isNone(old)) return false
    if (old.value.etag !== etag) return yield* Effect.as(old.value.putBack, false)
    const isPut = yield* create(draft, pathOf(key)).pipe(Effect.tapError(() => old.value.putBack))
    yield* old.value.discard
    return isPut
  })

  /** Makes a whole draft visible, its metadata first, so that no object is ever seen without. */
  const publish = Effect.fnUntraced(function* (
    object: NewObject<unknown>,
    draft: string,
    inode: string,
    replacing: string | undefined
  ) {
    const { key, sha256, size, metadata } = object
    const path = pathOf(key)
    const sidecar = { sha256, size, inode }
    yield* Sidecar.write(metadataOf(key), sidecar, metadata, yield* fresh("put")).pipe(
      Effect.mapError(toError("put", metadataOf(key)))
    )
    const isPut = yield* (
      replacing === undefined ? create(draft, path) : replace(draft, key, replacing)
    ).pipe(Effect.tapError(() => forgetSidecar(key, sidecar)))
    if (!isPut) yield* forgetSidecar(key, sidecar)
    if (isPut || replacing === undefined) yield* makeDurable(path)
    return isPut
  }, Effect.uninterruptible)

  /** Writes a body to a new file, durably, and returns the file's inode. */
  const writeDraft = <E>(object: NewObject<E>, draft: string) =>
    Effect.acquireUseRelease(
      attempt(() => fs.open(draft, "wx", FILE_MODE)).pipe(Effect.mapError(toError("put", draft))),
      Effect.fnUntraced(function* (handle) {
        const path = pathOf(object.key)
        const hash = createHash("sha256")
        const size = yield* writeStream(
          handle,
          object.body,
          (failure) => toError("put", path)(failure),
          hash
        )
        const sha256 = hash.digest("hex")
        if (size !== object.size || sha256 !== object.sha256) {
          const detail = `the body has ${size} bytes and SHA-256 ${sha256}, but ${object.size} and ${object.sha256} were announced`
          return yield* refusal("Corrupt", "put", path, detail)
        }
        const { ino } = yield* attempt(() => handle.stat({ bigint: true })).pipe(
          Effect.mapError(toError("put", path))
        )
        return String(ino)
      }),
      closeFile
    )

  const put = Effect.fn("ObjectStorageFileSystem.put")(function* <E>(
    object: NewObject<E>,
    options?: { readonly replacing?: string | undefined }
  ) {
    const replacing = options?.replacing
    yield* checkKey("put", object.key)
    const standing = yield* infoOf("put", object.key)
    if (Option.getOrUndefined(standing)?.etag !== replacing) {
      if (Option.isSome(standing)) yield* makeDurable(pathOf(object.key))
      return false
    }
    const draft = yield* fresh("put")
    return yield* writeDraft(object, draft).pipe(
      Effect.flatMap((inode) => publish(object, draft, inode, replacing)),
      Effect.ensuring(cleanUp(draft))
    )
  })

  const remove = Effect.fn("ObjectStorageFileSystem.remove")(function* (key: string) {
    const path = pathOf(key)
    yield* checkKey("remove", key)
    if (Option.isNone(yield* look("remove", path))) return
    const claimed = yield* claim("remove", key)
    if (Option.isNone(claimed)) return
    yield* syncFolder(dirname(path)).pipe(Effect.mapError(toError("remove", path)))
    yield* claimed.value.discard
  }, Effect.uninterruptible)

  const check = Effect.gen(function* () {
    yield* checkPrefix("check")
    const folder = dirname(pathOf("x"))
    yield* makeFolder(folder).pipe(Effect.mapError(toError("check", place)))
    const draft = yield* fresh("check")
    // Of one name, so that the next check removes what a killed one left.
    const trial = join(folder, ".amplitude-lake-trial")
    yield* attempt(() => fs.writeFile(draft, "trial\n", { mode: FILE_MODE, flush: true })).pipe(
      Effect.mapError(toError("check", place)),
      Effect.zipRight(linkFile("check", draft, trial)),
      Effect.zipRight(
        attempt(() => fs.rm(trial, { force: true })).pipe(Effect.mapError(toError("check", place)))
      ),
      Effect.ensuring(cleanUp(draft))
    )
  }).pipe(Effect.uninterruptible, Effect.withSpan("ObjectStorageFileSystem.check"))

  return ObjectStorage.of({
    place: `folder ${place}`,
    isDurable: true,
    check,
    list,
    head,
    get,
    put,
    remove,
    unfinished: makeUnfinished(run)
  })
})

/** Makes an object's name durable; who hears that another run's is there may remove the last other copy. */
const makeDurable = (path: string) =>
  syncFolder(dirname(path)).pipe(Effect.mapError(toError("put", path)))

/** Gives a draft its name in the store: `false` where something has it. */
const create = (draft: string, path: string) =>
  makeFolder(dirname(path)).pipe(
    Effect.mapError(toError("put", path)),
    Effect.zipRight(linkFile("put", draft, path))
  )

/** The store in a folder; the folder itself is made when it is first needed. */
export function layer(options: ObjectStorageFileSystemOptions): Layer.Layer<ObjectStorage> {
  return Layer.scoped(ObjectStorage, make(options))
}
