import * as fs from "node:fs/promises"
import { join } from "node:path"
import { Chunk, Effect, Option, Stream } from "effect"
import type { ObjectHead, ObjectInfo, ObjectStorageError } from "../../services/ObjectStorage.ts"
import { attempt, closeFile, readFolder, readStream } from "./files.ts"
import { look, type Method, refusal, type RegularFile, type StorePaths, toError } from "./store.ts"
import * as Sidecar from "./sidecar.ts"
import { infosOf } from "./storeFiles.ts"
import { isLakeKey } from "../../services/LakeMark.ts"

/** Retries if a file was replaced or removed between two lookups; the retry sees its new state. */
function unlessItMoves<A>(
  self: Effect.Effect<A, ObjectStorageError>
): Effect.Effect<A, ObjectStorageError> {
  return Effect.retry(self, { times: 10, while: ({ reason }) => reason === "NotFound" })
}

/**
 * A file that another run is removing has lost its metadata, and must not count as another
 * program's.
 */
const stillThere = Effect.fnUntraced(function* (method: Method, file: RegularFile) {
  const now = yield* look(method, file.path)
  if (Option.exists(now, ({ inode }) => inode === file.inode)) return
  return yield* refusal("NotFound", method, file.path, "it has just been removed")
})

export const describe = Effect.fnUntraced(function* (
  { metadataOf }: StorePaths,
  method: Method,
  key: string,
  file: RegularFile
) {
  const sidecar = yield* Sidecar.find(metadataOf(key), file).pipe(
    Effect.mapError(toError(method, file.path))
  )
  if (Option.isNone(sidecar)) yield* stillThere(method, file)
  const etag = Option.match(
    Option.filter(sidecar, ({ size }) => size === file.size),
    {
      onNone: () => `${file.size}-${file.modified}`,
      onSome: ({ sha256 }) => sha256
    }
  )
  const info: ObjectInfo = { key, size: file.size, etag, hasMetadata: Option.isSome(sidecar) }
  return { info, sidecar }
})

export function infoOf(
  paths: StorePaths,
  method: Method,
  key: string
): Effect.Effect<Option.Option<ObjectInfo>, ObjectStorageError> {
  return look(method, paths.pathOf(key)).pipe(
    Effect.flatMap(
      Effect.transposeMapOption((file) =>
        Effect.map(describe(paths, method, key, file), ({ info }) => info)
      )
    ),
    unlessItMoves
  )
}

export const head = Effect.fn("ObjectStorageFileSystem.head")(function* (
  paths: StorePaths,
  key: string
) {
  const path = paths.pathOf(key)
  const folder = paths.metadataOf(key)
  yield* paths.checkKey("head", key)
  return yield* Effect.gen(function* () {
    const file = yield* look("head", path)
    if (Option.isNone(file)) return Option.none<ObjectHead>()
    const { info, sidecar } = yield* describe(paths, "head", key, file.value)
    if (Option.isNone(sidecar)) return Option.some<ObjectHead>({ ...info, metadata: {} })
    const metadata = yield* Sidecar.read(folder, sidecar.value).pipe(
      Effect.mapError(toError("head", path))
    )
    if (Option.isNone(metadata)) {
      const detail = `its metadata in "${folder}" cannot be read; delete both and run again for its hour`
      return yield* refusal("Corrupt", "head", path, detail)
    }
    return Option.some<ObjectHead>({ ...info, metadata: metadata.value })
  }).pipe(unlessItMoves)
})

const listFolder = Effect.fnUntraced(function* (paths: StorePaths, folder: string) {
  const { prefix, root } = paths
  const path = join(root, folder)
  const entries = (yield* readFolder(path).pipe(Effect.mapError(toError("list", path))))
    .map((entry) => ({ entry, full: `${folder}${entry.name}` }))
    .filter(({ full }) => full.startsWith(prefix))
    .filter(
      ({ entry, full }) => !entry.name.startsWith(".") || isLakeKey(`${full.slice(prefix.length)}/`)
    )
  for (const { entry, full } of entries) {
    if (entry.isFile() || entry.isDirectory()) continue
    yield* Effect.logWarning(`Skipped "${join(root, full)}": it is not a regular file`)
  }
  const files = entries.filter(({ entry }) => entry.isFile())
  const keys = files.map(({ full }) => full.slice(prefix.length))
  return {
    infos: Chunk.fromIterable(yield* infosOf(paths, keys, (key) => infoOf(paths, "list", key))),
    folders: entries.filter(({ entry }) => entry.isDirectory()).map(({ full }) => `${full}/`)
  }
})

export function list(paths: StorePaths): Stream.Stream<ObjectInfo, ObjectStorageError> {
  // A listing starts at the prefix's last folder.
  const base = paths.prefix.slice(0, paths.prefix.lastIndexOf("/") + 1)
  return Stream.fromEffect(paths.checkPrefix("list")).pipe(
    Stream.flatMap(() =>
      Stream.paginateChunkEffect([base], ([folder = "", ...rest]) =>
        Effect.map(listFolder(paths, folder), ({ infos, folders }) => {
          const left = [...folders, ...rest]
          return [infos, left.length === 0 ? Option.none() : Option.some(left)] as const
        })
      )
    )
  )
}

export function get(paths: StorePaths, key: string): Stream.Stream<Uint8Array, ObjectStorageError> {
  return Effect.gen(function* () {
    const path = paths.pathOf(key)
    yield* paths.checkKey("get", key)
    if (Option.isNone(yield* look("get", path))) {
      return yield* refusal("NotFound", "get", path, "there is no such file")
    }
    const handle = yield* Effect.acquireRelease(
      attempt(() => fs.open(path)).pipe(Effect.mapError(toError("get", path))),
      closeFile
    )
    return readStream(handle).pipe(Stream.mapError(toError("get", path)))
  }).pipe(Stream.unwrapScoped)
}
