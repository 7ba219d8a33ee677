import * as fs from "node:fs"
import { Effect, Option } from "effect"
import type { ObjectInfo, ObjectStorageError } from "../../services/ObjectStorage.ts"
import * as Sidecar from "./sidecar.ts"
import type { StorePaths } from "./store.ts"

/** Files looked up before other work may go on. */
const FILES_AT_ONCE = 64

/**
 * What a listing says of objects, in the order of their keys. Each file costs one look at it and
 * one at its metadata, both synchronous: through the thread pool every call takes several times as
 * long, which a lake of years multiplies by tens of thousands. `careful` decides whatever is not as
 * plain as one regular file with one sidecar of its size and inode.
 */
export const infosOf = Effect.fnUntraced(function* (
  paths: StorePaths,
  keys: ReadonlyArray<string>,
  careful: (key: string) => Effect.Effect<Option.Option<ObjectInfo>, ObjectStorageError>
) {
  const infos: Array<ObjectInfo> = []
  for (let from = 0; from < keys.length; from += FILES_AT_ONCE) {
    for (const key of keys.slice(from, from + FILES_AT_ONCE)) {
      const info = plainInfo(paths, key) ?? Option.getOrUndefined(yield* careful(key))
      if (info !== undefined) infos.push(info)
    }
    yield* Effect.yieldNow()
  }
  return infos
})

/** `undefined` unless the file and its only sidecar agree. */
function plainInfo(paths: StorePaths, key: string): ObjectInfo | undefined {
  try {
    const stats = fs.lstatSync(paths.pathOf(key), { bigint: true, throwIfNoEntry: false })
    if (stats === undefined || !stats.isFile()) return undefined
    const [sidecar, ...others] = fs.readdirSync(paths.metadataOf(key)).flatMap(Sidecar.parse)
    if (sidecar === undefined || others.length > 0) return undefined
    const size = Number(stats.size)
    if (sidecar.size !== size || sidecar.inode !== String(stats.ino)) return undefined
    return { key, size, etag: sidecar.sha256, hasMetadata: true }
  } catch {
    // The careful look names the problem.
    return undefined
  }
}
