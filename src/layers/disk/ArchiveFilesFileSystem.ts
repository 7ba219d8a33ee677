import { basename } from "node:path"
import { Effect, Layer } from "effect"
import { ArchiveFiles } from "../../services/ArchiveFiles.ts"
import { ArchiveError } from "../../services/ArchiveFolder.ts"
import type { SpooledArchive } from "../../services/Spool.ts"
import { toError } from "./archiveErrors.ts"
import { attempt, closeFile } from "./files.ts"
import { openFile, readAt } from "./spoolFile.ts"
import { windowOfFile } from "../names/windowName.ts"

/** Files by path, without configuration. */
export function make(): Effect.Effect<ArchiveFiles["Type"]> {
  return Effect.succeed(ArchiveFiles.of({ open }))
}

/**
 * Files by path.
 *
 * @example
 * ```ts
 * import { Effect } from "effect"
 * import * as ArchiveFilesFileSystem from "amplitude-lake/layers/ArchiveFilesFileSystem"
 * import { ArchiveFiles } from "amplitude-lake"
 *
 * const program = Effect.gen(function* () {
 *   const files = yield* ArchiveFiles
 *   const { archive } = yield* files.open("archives/2025-11-10.zip")
 *   return archive.size
 * })
 *
 * Effect.runPromise(
 *   Effect.scoped(Effect.provide(program, ArchiveFilesFileSystem.layer()))
 * )
 * ```
 */
export function layer(): Layer.Layer<ArchiveFiles> {
  return Layer.effect(ArchiveFiles, make())
}

const open = Effect.fn("ArchiveFilesFileSystem.open")(function* (path: string) {
  const fail = toError("open", path)
  const handle = yield* Effect.acquireRelease(Effect.mapError(openFile(path, "r"), fail), closeFile)
  const stats = yield* Effect.mapError(
    attempt(() => handle.stat()),
    fail
  )
  if (!stats.isFile()) {
    const detail = "it is not a regular file; pass the archives one by one"
    return yield* new ArchiveError({ reason: "Misconfigured", method: "open", path, detail })
  }
  const { window, isComplete, isNamed } = windowOfFile(basename(path))
  const archive: SpooledArchive = {
    identity: "file",
    window,
    askedAt: Math.floor(stats.mtimeMs),
    path,
    size: stats.size,
    read: (position, length, into) => readAt(handle, path, position, length, into)
  }
  return { isNamed, isComplete, archive }
})
