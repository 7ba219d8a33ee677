import { basename } from "node:path"
import { Effect, Layer } from "effect"
import { ArchiveFiles } from "../../services/ArchiveFiles.ts"
import { ArchiveError } from "../../services/ArchiveFolder.ts"
import { toError } from "./archiveErrors.ts"
import { attempt, closeFile } from "./files.ts"
import { openFile, readAt } from "./spoolFile.ts"
import { windowOfFile } from "../names/windowName.ts"

export const make: ArchiveFiles["Type"] = ArchiveFiles.of({
  open: Effect.fn("ArchiveFilesFileSystem.open")(function* (path) {
    const fail = toError("open", path)
    const handle = yield* Effect.acquireRelease(
      Effect.mapError(openFile(path, "r"), fail),
      closeFile
    )
    const stats = yield* Effect.mapError(
      attempt(() => handle.stat()),
      fail
    )
    if (!stats.isFile()) {
      const detail = "it is no plain file: name the archives in it one by one"
      return yield* new ArchiveError({ reason: "Misconfigured", method: "open", path, detail })
    }
    const { window, isComplete, isNamed } = windowOfFile(basename(path))
    return {
      isNamed,
      isComplete,
      archive: {
        identity: "file",
        window,
        askedAt: Math.floor(stats.mtimeMs),
        path,
        size: stats.size,
        read: (position, length, into) => readAt(handle, path, position, length, into)
      }
    }
  })
})

/** Files by their paths. */
export const layer: Layer.Layer<ArchiveFiles> = Layer.succeed(ArchiveFiles, make)
