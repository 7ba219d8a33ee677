import assert from "node:assert/strict"
import { basename } from "node:path"
import { it as effectIt } from "@effect/vitest"
import { Context, Effect, type Layer } from "effect"
import { ArchiveError, type ArchiveFolder } from "../../src/services/ArchiveFolder.ts"
import { Hour } from "../../src/services/Hour.ts"
import { SpoolError, type SpooledArchive } from "../../src/services/Spool.ts"
import { Window } from "../../src/services/Window.ts"

/** A folder of archives, and a look at what is kept in it. */
export class Keeper extends Context.Tag("test/Keeper")<
  Keeper,
  {
    readonly folder: ArchiveFolder["Type"]
    /** The bytes of whatever is there, by file name. */
    readonly kept: Effect.Effect<ReadonlyMap<string, string>>
    /** Puts a file there that was not kept. */
    readonly write: (name: string, text: string) => Effect.Effect<void>
  }
>() {}

const ASKED_AT = Date.parse("2025-11-12T12:00:00Z")

/** A spooled archive of these bytes, which lies on no disk. */
export function spooled(text: string, first: string, last = first): SpooledArchive {
  const bytes = Buffer.from(text)
  return {
    identity: "test",
    window: new Window({ first: Hour.make(first), last: Hour.make(last) }),
    askedAt: ASKED_AT,
    path: "spooled.zip",
    size: bytes.length,
    read: (position, length) =>
      Effect.sync(() => Uint8Array.from(bytes.subarray(position, position + length)))
  }
}

const named = (path: string) => basename(path).replace("memory:", "")

const FOREIGN = [
  "holiday.zip",
  "notes.txt",
  "2025-11-20T00.zip",
  "2025-11-20T00--2025-11-20T23.old.zip",
  "2025-11-20T23--2025-11-20T00.zip",
  "copy of 2025-11-20T00--2025-11-20T23.zip"
]

/** What every `ArchiveFolder` layer must do, whatever is behind it. */
export function archiveFolderContract<E>(name: string, layer: Layer.Layer<Keeper, E>) {
  effectIt.layer(layer)(`${name} keeps the ArchiveFolder contract`, (it) => {
    const keep = (archive: SpooledArchive, isComplete = true) =>
      Effect.flatMap(Keeper, ({ folder }) => Effect.map(folder.keep(archive, isComplete), named))
    const kept = Effect.flatMap(Keeper, (keeper) => keeper.kept)

    it.effect("keeps the very bytes under the name of the window", () =>
      Effect.gen(function* () {
        const file = yield* keep(spooled("0123456789", "2025-11-10T00", "2025-11-10T23"))
        assert.equal(file, "2025-11-10T00--2025-11-10T23.zip")
        assert.equal((yield* kept).get(file), "0123456789")
      })
    )

    it.effect("names an archive pending if some of its hours may still get events", () =>
      Effect.gen(function* () {
        const file = yield* keep(spooled("some", "2025-11-11T00"), false)
        assert.equal(file, "2025-11-11T00--2025-11-11T00.pending.zip")
        assert.equal((yield* kept).get(file), "some")
      })
    )

    it.effect("keeps the same archive only once", () =>
      Effect.gen(function* () {
        const archive = spooled("once", "2025-11-12T00")
        const before = yield* keep(archive)
        const size = (yield* kept).size
        assert.equal(yield* keep(archive), before)
        assert.equal((yield* kept).size, size)
      })
    )

    it.effect("keeps another archive of the window beside the first, also told to twice", () =>
      Effect.gen(function* () {
        const first = yield* keep(spooled("first", "2025-11-13T00"))
        const other = spooled("other", "2025-11-13T00")
        const second = yield* keep(other)
        // The beginning of what `printf other | sha256sum` prints.
        assert.equal(second, "2025-11-13T00--2025-11-13T00.d9298a10.zip")
        assert.equal(yield* keep(other), second)
        const found = yield* kept
        assert.deepEqual([found.get(first), found.get(second)], ["first", "other"])
      })
    )

    it.effect("keeps nothing of an archive that cannot be read, or ends early", () =>
      Effect.gen(function* () {
        const before = (yield* kept).size
        const whole = spooled("0123456789", "2025-11-14T00")
        const cut = yield* Effect.flip(keep({ ...whole, size: 11 }))
        const failure = new SpoolError({
          reason: "Failed",
          method: "read",
          path: "spooled.zip",
          detail: "the disk failed"
        })
        const broken = yield* Effect.flip(keep({ ...whole, read: () => Effect.fail(failure) }))
        assert.ok(cut instanceof ArchiveError && broken instanceof ArchiveError)
        assert.match(cut.message, /spooled\.zip.*10 of 11 bytes/)
        assert.match(broken.message, /the disk failed/)
        assert.equal((yield* kept).size, before)
      })
    )

    it.effect(
      "lists by path what it kept, and removes that, told to twice, and no other file",
      () =>
        Effect.gen(function* () {
          const { folder, write } = yield* Keeper
          yield* Effect.forEach(FOREIGN, (name) => write(name, "theirs"))
          const files = [
            yield* keep(spooled("0123456", "2025-11-20T00", "2025-11-20T23"), false),
            yield* keep(spooled("01234", "2025-11-20T00", "2025-11-20T23")),
            yield* keep(spooled("0123", "2025-11-20T00", "2025-11-20T23"))
          ]
          const listed = Effect.map(folder.list, (all) =>
            all.map((it) => ({ ...it, file: named(it.path) }))
          )
          const all = yield* listed
          assert.deepEqual(
            all.map(({ file }) => file),
            all.map(({ file }) => file).sort()
          )
          const ours = all.filter(({ file }) => file.startsWith("2025-11-20"))
          assert.deepEqual(
            new Map(ours.map(({ file, size, written }) => [file, [size, written]])),
            new Map([7, 5, 4].map((size, at) => [files[at], [size, ASKED_AT]]))
          )
          for (const archive of ours) {
            yield* folder.remove(archive)
            yield* folder.remove(archive)
          }
          const left = (yield* listed).map(({ file }) => file)
          assert.deepEqual(
            left,
            all.map(({ file }) => file).filter((file) => !files.includes(file))
          )
          assert.deepEqual([...(yield* kept).keys()].sort(), [...left, ...FOREIGN].sort())
        })
    )
  })
}
