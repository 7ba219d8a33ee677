import assert from "node:assert/strict"
import * as fs from "node:fs/promises"
import { join } from "node:path"
import { describe, it } from "@effect/vitest"
import { Config, ConfigProvider, Effect, Layer } from "effect"
import * as FoldersFileSystem from "../../../src/layers/disk/FoldersFileSystem.ts"
import { FolderError, Folders } from "../../../src/services/Folders.ts"
import { pathsBelow, temporaryFolder } from "../../fixtures/disk.ts"

/** Tries one folder out. */
const tryOut = (path: string) =>
  Effect.gen(function* () {
    const { all } = yield* FoldersFileSystem.make({ folders: { work: path, other: undefined } })
    const [folder] = all
    assert.deepEqual([folder?.name, folder?.path], ["work", path])
    return yield* folder?.tryOut ?? Effect.dieMessage("there is none")
  })

describe("FoldersFileSystem", () => {
  it.scoped("answers the free bytes, and leaves nothing, not even a folder still to be made", () =>
    Effect.gen(function* () {
      const parent = yield* temporaryFolder
      const { bavail, bsize } = yield* Effect.promise(() => fs.statfs(parent))
      for (const path of [parent, join(parent, "to be", "made")]) {
        const free = yield* tryOut(path)
        assert.ok(Math.abs(free - bavail * bsize) < 1e9, String(free))
        assert.deepEqual(yield* pathsBelow(parent), [])
      }
    })
  )

  it.scoped("says what to do if a file is in place of a folder", () =>
    Effect.gen(function* () {
      const file = join(yield* temporaryFolder, "file")
      yield* Effect.promise(() => fs.writeFile(file, ""))
      for (const path of [file, join(file, "below")]) {
        const error = yield* Effect.flip(tryOut(path))
        assert.ok(error instanceof FolderError)
        assert.equal(error.reason, "Misconfigured", error.message)
        assert.match(error.message, /move it, or use another folder/)
      }
    })
  )

  it.scoped("finds that it may not write", (context) =>
    Effect.gen(function* () {
      // Root may write anywhere but to what the kernel keeps to itself.
      const path = process.getuid?.() === 0 ? "/proc/1/fd" : join(yield* temporaryFolder, "locked")
      if (process.platform !== "linux") return context.skip("this needs Linux")
      if (process.getuid?.() !== 0) yield* Effect.promise(() => fs.mkdir(path, { mode: 0o500 }))
      const error = yield* Effect.flip(tryOut(path))
      assert.match(error.message, /Cannot use the folder/)
    })
  )

  it.effect("finds its folders in the app's configuration, and says which of them lacks", () =>
    Effect.gen(function* () {
      const layer = FoldersFileSystem.layerConfig({ folders: { work: Config.string("WORK") } })
      const from = (...entries: ReadonlyArray<readonly [string, string]>) =>
        Layer.provide(layer, Layer.setConfigProvider(ConfigProvider.fromMap(new Map(entries))))
      const { all } = yield* Effect.provide(Folders, from(["WORK", "here"]))
      assert.deepEqual(
        all.map(({ name, path }) => [name, path]),
        [["work", "here"]]
      )
      const error = yield* Effect.flip(Effect.provide(Folders, from()))
      assert.match(String(error), /WORK/)
    })
  )
})
