import assert from "node:assert/strict"
import { existsSync } from "node:fs"
import * as fs from "node:fs/promises"
import { join } from "node:path"
import { describe, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import * as ArchiveFolderFileSystem from "../../../src/layers/disk/ArchiveFolderFileSystem.ts"
import { ArchiveFolder } from "../../../src/services/ArchiveFolder.ts"
import { archiveFolderContract, Keeper, spooled } from "../../contracts/archiveFolder.ts"
import { deadRun, modeOf, pathsBelow, syncsOf, temporaryFolder } from "../../fixtures/disk.ts"

const filesIn = (root: string) =>
  Effect.promise(async () => {
    const entries = await fs.readdir(root, { withFileTypes: true })
    const names = entries.filter((it) => it.isFile()).map(({ name }) => name)
    const texts = await Promise.all(names.map((name) => fs.readFile(join(root, name), "utf8")))
    return new Map(names.map((name, index) => [name, texts[index] ?? ""]))
  })

archiveFolderContract(
  "ArchiveFolderFileSystem",
  Layer.scoped(
    Keeper,
    Effect.gen(function* () {
      const root = join(yield* temporaryFolder, "archives")
      const folder = yield* ArchiveFolderFileSystem.make({ root })
      return {
        folder,
        kept: filesIn(root),
        write: (name: string, text: string) =>
          Effect.promise(() => fs.writeFile(join(root, name), text))
      }
    })
  )
)

const NAME = "2025-11-10T21--2025-11-10T21.zip"

const keep = (text: string) =>
  Effect.flatMap(ArchiveFolder, (folder) => folder.keep(spooled(text, "2025-11-10T21"), true))

/** Keeps an archive as one run does. */
const keepIn = (root: string, text: string) =>
  Effect.provide(keep(text), ArchiveFolderFileSystem.layer({ root }))

describe("ArchiveFolderFileSystem", () => {
  it.scoped("makes the file private, with the time of the request as its modification time", () =>
    Effect.gen(function* () {
      const root = join(yield* temporaryFolder, "a", "b")
      assert.equal(yield* keepIn(root, "kept"), join(root, NAME))
      assert.equal(yield* modeOf(join(root, NAME)), 0o600)
      const { mtimeMs } = yield* Effect.promise(() => fs.stat(join(root, NAME)))
      assert.equal(mtimeMs, Date.parse("2025-11-12T12:00:00Z"))
    })
  )

  it.scoped.skipIf(process.platform !== "linux")(
    "makes a kept archive durable before it has its name, and then the name",
    () =>
      Effect.gen(function* () {
        const root = yield* temporaryFolder
        const syncs = yield* syncsOf(root, () => existsSync(join(root, NAME)), keepIn(root, "kept"))
        const seen = syncs.map(({ path, seen }) => [path.split("/").at(-1), seen])
        assert.deepEqual(seen.slice(-2), [
          ["0", false],
          ["", true]
        ])
      })
  )

  it.scoped("leaves no other file, and removes the partial copy of a killed run", () =>
    Effect.gen(function* () {
      const root = yield* temporaryFolder
      const left = join(root, ".amplitude-lake", "runs", yield* deadRun)
      yield* Effect.promise(async () => {
        await fs.mkdir(left, { recursive: true })
        await fs.writeFile(join(left, "0"), "ha")
      })
      const within = yield* keep("half").pipe(
        Effect.zipRight(pathsBelow(root)),
        Effect.provide(ArchiveFolderFileSystem.layer({ root }))
      )
      assert.deepEqual(
        within.filter((path) => /\/\d+$/.test(path)),
        []
      )
      assert.deepEqual(yield* pathsBelow(root), [".amplitude-lake", ".amplitude-lake/runs", NAME])
    })
  )

  it.scoped("never changes a file that has both of its names", () =>
    Effect.gen(function* () {
      const root = yield* temporaryFolder
      yield* Effect.promise(() => fs.writeFile(join(root, NAME), "theirs"))
      const second = yield* keepIn(root, "ours")
      yield* Effect.promise(() => fs.writeFile(second, "theirs too"))
      const error = yield* Effect.flip(keepIn(root, "ours"))
      assert.equal(error.reason, "Failed")
      assert.deepEqual([...(yield* filesIn(root)).values()].sort(), ["theirs", "theirs too"])
    })
  )

  it.scoped(
    "lists no subfolder, lists nothing if its folder is missing, and creates no folder to list it",
    () =>
      Effect.gen(function* () {
        const root = join(yield* temporaryFolder, "archives")
        const { list } = yield* ArchiveFolderFileSystem.make({ root })
        assert.deepEqual(yield* list, [])
        yield* Effect.promise(() => fs.mkdir(join(root, NAME), { recursive: true }))
        assert.deepEqual(yield* list, [])
        assert.deepEqual(yield* pathsBelow(root), [NAME])
      })
  )

  it.scoped("says what to do if a file is in place of the folder", () =>
    Effect.gen(function* () {
      const root = join(yield* temporaryFolder, "file")
      yield* Effect.promise(() => fs.writeFile(root, ""))
      const error = yield* Effect.flip(keepIn(root, "kept"))
      assert.deepEqual([error.reason, error.isTransient], ["Misconfigured", false])
      assert.match(error.message, /file/)
      const { list } = yield* ArchiveFolderFileSystem.make({ root })
      const unlisted = yield* Effect.flip(list)
      assert.deepEqual([unlisted.reason, unlisted.method], ["Misconfigured", "list"])
    })
  )
})
