import { Effect, Layer } from "effect"
import * as ArchiveFolderMemory from "../../../src/layers/memory/ArchiveFolderMemory.ts"
import { archiveFolderContract, Keeper } from "../../contracts/archiveFolder.ts"

archiveFolderContract(
  "ArchiveFolderMemory",
  Layer.effect(
    Keeper,
    Effect.map(ArchiveFolderMemory.makeTest, ({ kept, service }) => ({
      folder: service,
      kept: Effect.sync(
        () => new Map([...kept].map(([name, { bytes }]) => [name, Buffer.from(bytes).toString()]))
      ),
      write: (name, text) =>
        Effect.sync(() => kept.set(name, { bytes: Buffer.from(text), writtenAt: 0 }))
    }))
  )
)
