import { Effect, Layer } from "effect"
import * as ArchiveFilesMemory from "../../../src/layers/memory/ArchiveFilesMemory.ts"
import { archiveFilesContract, Files } from "../../contracts/archiveFiles.ts"

const files: Record<string, ArchiveFilesMemory.MemoryFile> = {}

archiveFilesContract(
  "ArchiveFilesMemory",
  Layer.effect(
    Files,
    Effect.map(ArchiveFilesMemory.make(files), (archives) => ({
      archives,
      write: (name, text, writtenAt) =>
        Effect.sync(() => {
          files[name] = { bytes: Buffer.from(text), writtenAt }
          return name
        }),
      read: (path) => Effect.sync(() => Buffer.from(files[path]?.bytes ?? []).toString())
    }))
  )
)
