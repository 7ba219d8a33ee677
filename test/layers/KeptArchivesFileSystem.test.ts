import * as fs from "node:fs/promises"
import { join } from "node:path"
import { describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { assert } from "vitest"
import * as KeptArchivesFileSystem from "../../src/layers/KeptArchivesFileSystem.ts"
import { pathsBelow, temporaryFolder } from "../fixtures/disk.ts"

const NAMES = [
  "2025-11-10T00--2025-11-10T23.0123abcd.zip",
  "2025-11-10T00--2025-11-10T23.zip",
  "2025-11-11T00--2025-11-11T00.pending.zip"
]

describe("KeptArchivesFileSystem", () => {
  it.scoped("lists the archives that a window names, and removes no other file", () =>
    Effect.gen(function* () {
      const root = yield* temporaryFolder
      yield* Effect.promise(async () => {
        for (const name of [...NAMES, "holiday.zip", "2025-11-10T00.zip", "notes.txt"]) {
          await fs.writeFile(join(root, name), "seven b")
          await fs.utimes(join(root, name), 1000, 1000)
        }
        await fs.mkdir(join(root, "2025-11-12T00--2025-11-12T23.zip"))
      })
      const { list, remove } = KeptArchivesFileSystem.make({ root })
      assert.deepStrictEqual(
        yield* list,
        NAMES.map((name) => ({ path: join(root, name), size: 7, written: 1_000_000 }))
      )
      for (const archive of yield* list) {
        yield* remove(archive)
        yield* remove(archive)
      }
      assert.sameMembers(yield* pathsBelow(root), [
        "2025-11-10T00.zip",
        "2025-11-12T00--2025-11-12T23.zip",
        "holiday.zip",
        "notes.txt"
      ])
    })
  )

  it.scoped("has none where there is no folder, and fails where there is a file", () =>
    Effect.gen(function* () {
      const root = join(yield* temporaryFolder, "archives")
      const { list } = KeptArchivesFileSystem.make({ root })
      assert.deepStrictEqual(yield* list, [])
      yield* Effect.promise(() => fs.writeFile(root, ""))
      assert.strictEqual((yield* Effect.flip(list)).reason, "Misconfigured")
    })
  )
})
