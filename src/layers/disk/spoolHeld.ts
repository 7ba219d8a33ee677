import * as fs from "node:fs/promises"
import { basename, dirname, join } from "node:path"
import { Effect, type Scope } from "effect"
import type { ArchiveName, SpooledArchive, SpoolError } from "../../services/Spool.ts"
import { attempt, cleanUp, closeFile, type FileFailure, makeFolder, syncFolder } from "./files.ts"
import type { RunFolder } from "./runFolder.ts"
import { type Method, readAt, toError } from "./spoolFile.ts"

/** A file that this run holds, in a folder of its own below the run's. */
interface Held {
  readonly handle: fs.FileHandle
  readonly path: string
  isDropped: boolean
}

/** What everything that works on one spool shares. */
export interface FolderSpool {
  readonly root: string
  readonly run: RunFolder
  /** By their paths. */
  readonly held: Map<string, Held>
}

/** Makes an archive free: whole, and visible to every run. */
export function release(root: string, path: string): Effect.Effect<void, FileFailure> {
  return attempt(() => fs.rename(path, join(root, basename(path)))).pipe(
    Effect.zipRight(syncFolder(root))
  )
}

/** Holds an archive until the scope closes; what was not dropped by then is free again. */
export const hold = Effect.fnUntraced(function* (
  spool: FolderSpool,
  name: ArchiveName,
  handle: fs.FileHandle,
  path: string,
  size: number
): Effect.fn.Return<SpooledArchive, never, Scope.Scope> {
  const own: Held = { handle, path, isDropped: false }
  spool.held.set(path, own)
  yield* Effect.addFinalizer(() => letGo(spool, own))
  return {
    ...name,
    path,
    size,
    read: (position, length, into) => readAt(handle, path, position, length, into)
  }
})

/** Lets go of everything: an archive's scope may outlive the spool's, but not the run's folder. */
export function letGoOfAll(spool: FolderSpool): Effect.Effect<void> {
  return Effect.forEach([...spool.held.values()], (own) => letGo(spool, own), { discard: true })
}

const letGo = Effect.fnUntraced(function* ({ held, root }: FolderSpool, own: Held) {
  if (!held.delete(own.path)) return
  yield* closeFile(own.handle)
  if (!own.isDropped) {
    yield* release(root, own.path).pipe(
      Effect.catchAll(({ detail }) =>
        Effect.logWarning(`Cannot keep an archive for the next run: ${detail}`)
      )
    )
  }
  yield* cleanUp(dirname(own.path))
})

/** A new folder of the run, removed with what is in it when `use` does not succeed. */
export function inFolder<A, E, R>(
  { root, run }: FolderSpool,
  method: Method,
  use: (folder: string) => Effect.Effect<A, E, R>
): Effect.Effect<A, E | SpoolError, R> {
  return run.fresh.pipe(
    Effect.tap(makeFolder),
    Effect.mapError(toError(method, root)),
    Effect.flatMap((folder) => Effect.onError(use(folder), () => cleanUp(folder)))
  )
}
