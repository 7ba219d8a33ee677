import assert from "node:assert/strict"
import { it as effectIt } from "@effect/vitest"
import { Context, Effect, type Layer } from "effect"
import type { ArchiveFiles } from "../../src/services/ArchiveFiles.ts"

/** Files, and a way to put one there. */
export class Files extends Context.Tag("test/Files")<
  Files,
  {
    readonly archives: ArchiveFiles["Type"]
    /** Writes a file and says by which path to open it; `writtenAt` in milliseconds since 1970. */
    readonly write: (name: string, text: string, writtenAt: number) => Effect.Effect<string>
    readonly read: (path: string) => Effect.Effect<string>
  }
>() {}

const NOON = Date.parse("2025-11-12T12:00:00Z")

/** What every `ArchiveFiles` layer must do, whatever is behind it. */
export function archiveFilesContract<E>(name: string, layer: Layer.Layer<Files, E>) {
  effectIt.layer(layer)(`${name} keeps the ArchiveFiles contract`, (it) => {
    it.scoped("reads a file from anywhere, and leaves it as it is", () =>
      Effect.gen(function* () {
        const files = yield* Files
        const path = yield* files.write("by hand.zip", "0123456789", NOON)
        const { archive, isComplete, isNamed } = yield* files.archives.open(path)
        assert.deepEqual([isNamed, isComplete], [false, false])
        assert.deepEqual([archive.path, archive.size, archive.askedAt], [path, 10, NOON])
        const some = yield* archive.read(3, 4)
        assert.equal(Buffer.from(some).toString(), "3456")
        assert.equal((yield* archive.read(10, 4)).length, 0)
        assert.equal(yield* files.read(path), "0123456789")
      })
    )

    it.scoped("takes the window from a name that contains it, and all of time from any other", () =>
      Effect.gen(function* () {
        const { archives, write } = yield* Files
        const told = Effect.fnUntraced(function* (name: string) {
          const found = yield* archives.open(yield* write(name, "x", NOON))
          return [String(found.archive.window), found.isNamed, found.isComplete]
        })
        const window = "2025-11-10T00..2025-11-10T23"
        const stem = "2025-11-10T00--2025-11-10T23"
        assert.deepEqual(yield* told(`${stem}.zip`), [window, true, true])
        assert.deepEqual(yield* told(`${stem}.0123abcd.zip`), [window, true, true])
        assert.deepEqual(yield* told(`${stem}.pending.zip`), [window, true, false])
        assert.deepEqual(yield* told(`${stem}.pending.0123abcd.zip`), [window, true, false])
        const any = ["0001-01-01T00..9999-12-31T23", false, false]
        for (const name of [
          `copy of ${stem}.zip`,
          `${stem}.zip.zip`,
          `${stem} (1).zip`,
          "2025-11-10T23--2025-11-10T00.zip",
          "2025-13-10T00--2025-13-10T23.zip"
        ]) {
          assert.deepEqual(yield* told(name), any, name)
        }
      })
    )

    it.scoped("says so if the file does not exist", () =>
      Effect.gen(function* () {
        const { archives } = yield* Files
        const error = yield* Effect.flip(archives.open("absent.zip"))
        assert.deepEqual([error._tag, error.reason], ["ArchiveError", "NotFound"])
        assert.match(error.message, /absent\.zip/)
      })
    )
  })
}
