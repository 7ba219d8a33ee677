import assert from "node:assert/strict"
import * as fs from "node:fs/promises"
import { join } from "node:path"
import { describe, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import * as ArchiveFilesFileSystem from "../../../src/layers/disk/ArchiveFilesFileSystem.ts"
import { archiveFilesContract, Files } from "../../contracts/archiveFiles.ts"
import { temporaryFolder } from "../../fixtures/disk.ts"

archiveFilesContract(
  "ArchiveFilesFileSystem",
  Layer.scoped(
    Files,
    Effect.map(
      Effect.all([temporaryFolder, ArchiveFilesFileSystem.make()]),
      ([folder, archives]) => ({
        archives,
        write: (name, text, writtenAt) =>
          Effect.promise(async () => {
            const path = join(folder, name)
            await fs.writeFile(path, text, { mode: 0o400 })
            await fs.utimes(path, writtenAt / 1000, writtenAt / 1000)
            return path
          }),
        read: (path) => Effect.promise(() => fs.readFile(path, "utf8"))
      })
    )
  )
)

describe("ArchiveFilesFileSystem", () => {
  it.scoped("takes no folder for an archive", () =>
    Effect.gen(function* () {
      const archives = yield* ArchiveFilesFileSystem.make()
      const error = yield* Effect.flip(archives.open(yield* temporaryFolder))
      assert.equal(error.reason, "Misconfigured")
      assert.match(error.message, /one by one/)
    })
  )
})
