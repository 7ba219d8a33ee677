import { Effect, Layer } from "effect"
import { ArchiveFiles } from "../../services/ArchiveFiles.ts"
import { ArchiveError } from "../../services/ArchiveFolder.ts"
import { copyBytes } from "./bytes.ts"
import { windowOfFile } from "../names/windowName.ts"

export interface MemoryFile {
  readonly bytes: Uint8Array
  /** Modification time in milliseconds since 1970. */
  readonly writtenAt: number
}

function serviceOf(files: Readonly<Record<string, MemoryFile>>): ArchiveFiles["Type"] {
  return ArchiveFiles.of({
    open: Effect.fn("ArchiveFilesMemory.open")(function* (path) {
      const file = files[path]
      if (file === undefined) {
        const detail = "there is no such file"
        return yield* new ArchiveError({ reason: "NotFound", method: "open", path, detail })
      }
      const { bytes, writtenAt } = file
      const { window, isComplete, isNamed } = windowOfFile(path)
      return {
        isNamed,
        isComplete,
        archive: {
          identity: "file",
          window,
          askedAt: writtenAt,
          path,
          size: bytes.length,
          read: (position, length, into) =>
            Effect.sync(() => copyBytes(bytes, position, length, into))
        }
      }
    })
  })
}

/** Archive files in memory, by name. */
export function make(
  files: Readonly<Record<string, MemoryFile>>
): Effect.Effect<ArchiveFiles["Type"]> {
  return Effect.sync(() => serviceOf(files))
}

/**
 * @example
 * ```ts
 * import * as ArchiveFilesMemory from "amplitude-lake/layers/ArchiveFilesMemory"
 *
 * export const files = ArchiveFilesMemory.layer({
 *   "2025-11-10T00--2025-11-10T23.zip": { bytes: new Uint8Array(), writtenAt: Date.now() }
 * })
 * ```
 */
export function layer(files: Readonly<Record<string, MemoryFile>>): Layer.Layer<ArchiveFiles> {
  return Layer.effect(ArchiveFiles, make(files))
}
