import * as fs from "node:fs/promises"
import { basename, dirname, join } from "node:path"
import { Effect, type Exit, type Scope } from "effect"
import type { ArchiveName, SpooledArchive, SpoolError } from "../../services/Spool.ts"
import { attempt, cleanUp, closeFile, type FileFailure, makeFolder, syncFolder } from "./files.ts"
import type { RunFolder } from "./runFolder.ts"
import { type Method, readAt, toError } from "./spoolFile.ts"

/** A file that this run holds, in its own folder below the run's. */
interface Held {
  readonly handle: fs.FileHandle
  readonly path: string
  /** Makes the file whole and durable, unless it is. */
  readonly flush: Effect.Effect<void, SpoolError>
  /** Puts the archive back unless it was dropped, and lets go of it. */
  readonly letGo: Effect.Effect<void>
  isDropped: boolean
}

/** State shared by all operations on one spool. */
export interface FolderSpool {
  readonly root: string
  readonly run: RunFolder
  /** By path. */
  readonly held: Map<string, Held>
}

/** Returns an archive to the spool, where every run can see it. */
export function release(root: string, path: string): Effect.Effect<void, FileFailure> {
  return attempt(() => fs.rename(path, join(root, basename(path)))).pipe(
    Effect.zipRight(syncFolder(root))
  )
}

/**
 * Holds an archive until the scope closes, then puts it back unless it was dropped. `flush` makes it
 * whole and durable, and runs once at most.
 */
export const hold = Effect.fnUntraced(function* (
  spool: FolderSpool,
  name: ArchiveName,
  handle: fs.FileHandle,
  path: string,
  size: number,
  flush: Effect.Effect<void, SpoolError>
): Effect.fn.Return<SpooledArchive, never, Scope.Scope> {
  const own: Held = {
    handle,
    path,
    flush: yield* once(flush),
    letGo: yield* once(Effect.suspend(() => letGo(spool, own))),
    isDropped: false
  }
  spool.held.set(path, own)
  yield* Effect.addFinalizer(() => own.letGo)
  return {
    ...name,
    path,
    size,
    read: (position, length, into) => readAt(handle, path, position, length, into)
  }
})

/** Releases everything: the scope of an archive may outlive the spool, but not the run's folder. */
export function letGoOfAll(spool: FolderSpool): Effect.Effect<void> {
  return Effect.forEach([...spool.held.values()], (own) => own.letGo, { discard: true })
}

const letGo = Effect.fnUntraced(function* ({ held, root }: FolderSpool, own: Held) {
  const putBack = Effect.zipRight(own.flush, release(root, own.path)).pipe(
    Effect.catchAll(({ detail }) =>
      Effect.logWarning(`Cannot leave an archive for the next run: ${detail}`)
    )
  )
  if (!own.isDropped) yield* putBack
  yield* closeFile(own.handle)
  yield* cleanUp(dirname(own.path))
  held.delete(own.path)
})

/**
 * Runs an effect at most once: later calls end as it did. Uninterruptible, because `Effect.cached`
 * would remember an interruption, too, and the archive would not go back.
 */
const once = Effect.fnUntraced(function* <A, E>(effect: Effect.Effect<A, E>) {
  const turn = yield* Effect.makeSemaphore(1)
  let ended: Exit.Exit<A, E> | undefined
  const remember = (exit: Exit.Exit<A, E>) =>
    Effect.sync(() => {
      ended = exit
    })
  return Effect.suspend(() => ended ?? Effect.onExit(effect, remember)).pipe(
    turn.withPermits(1),
    Effect.uninterruptible
  )
})

/** A new folder below the run's, removed with its contents unless `use` succeeds. */
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
