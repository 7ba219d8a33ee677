import { createHash } from "node:crypto"
import * as fs from "node:fs/promises"
import { join } from "node:path"
import { Chunk, Config, type ConfigError, Effect, Layer, Option, type Scope, Stream } from "effect"
import { ArchiveError, ArchiveFolder, type KeptArchive } from "../../services/ArchiveFolder.ts"
import type { SpooledArchive } from "../../services/Spool.ts"
import { toError } from "./archiveErrors.ts"
import {
  attempt,
  cleanUp,
  type FileFailure,
  hasCode,
  readFolder,
  readStream,
  syncFolder,
  withFile,
  writeStream
} from "./files.ts"
import * as RunFolder from "./runFolder.ts"
import { windowNames, windowOfFile } from "../names/windowName.ts"

export interface ArchiveFolderFileSystemOptions {
  /** The folder, on any disk; created when first needed. */
  readonly root: string
}

const READ_BYTES = 1024 * 1024

/**
 * Archives in a folder. A copy is written to the run's own folder below `.amplitude-lake/`, and
 * then linked to its name, which never replaces a file. Its modification time is the time of the
 * request. Other files are not touched.
 */
export const make = Effect.fnUntraced(function* ({
  root
}: ArchiveFolderFileSystemOptions): Effect.fn.Return<ArchiveFolder["Type"], never, Scope.Scope> {
  const run = yield* RunFolder.make(join(root, ".amplitude-lake"))

  return ArchiveFolder.of({
    keep: (archive, isComplete) => keep(root, run, archive, isComplete),
    list: readFolder(root).pipe(
      Effect.map((entries) => entries.filter((it) => it.isFile() && windowOfFile(it.name).isNamed)),
      Effect.flatMap(Effect.forEach(({ name }) => describe(join(root, name)))),
      Effect.map((archives) => archives.flat().sort((one, two) => (one.path < two.path ? -1 : 1))),
      Effect.mapError(toError("list", root)),
      Effect.withSpan("ArchiveFolderFileSystem.list")
    ),
    remove: Effect.fn("ArchiveFolderFileSystem.remove")(({ path }) =>
      Effect.mapError(
        attempt(() => fs.rm(path, { force: true })),
        toError("remove", path)
      )
    )
  })
})

/**
 * Archives in a folder.
 *
 * @example
 * ```ts
 * import { Effect } from "effect"
 * import * as ArchiveFolderFileSystem from "amplitude-lake/layers/ArchiveFolderFileSystem"
 * import { ArchiveFolder } from "amplitude-lake"
 *
 * const program = Effect.flatMap(ArchiveFolder, (folder) => folder.list)
 *
 * Effect.runPromise(Effect.provide(program, ArchiveFolderFileSystem.layer({ root: "archives" })))
 * ```
 */
export function layer(options: ArchiveFolderFileSystemOptions): Layer.Layer<ArchiveFolder> {
  return Layer.scoped(ArchiveFolder, make(options))
}

/** `layer` with its options from `Config`. */
export function layerConfig(
  config: Config.Config.Wrap<ArchiveFolderFileSystemOptions>
): Layer.Layer<ArchiveFolder, ConfigError.ConfigError> {
  return Layer.unwrapEffect(Effect.map(Config.unwrap(config), layer))
}

const keep = Effect.fn("ArchiveFolderFileSystem.keep")(function* (
  root: string,
  run: RunFolder.RunFolder,
  archive: SpooledArchive,
  isComplete: boolean
) {
  const draft = yield* Effect.mapError(run.fresh, toError("keep", root))
  return yield* Effect.gen(function* () {
    const sha256 = yield* copy(root, archive, draft)
    const names = windowNames({ window: archive.window, isComplete }, sha256)
    for (const path of names.map((name) => join(root, name))) {
      const isThere = yield* nameIt(draft, path, sha256).pipe(
        Effect.tap((isThere) => (isThere ? syncFolder(root) : Effect.void)),
        Effect.mapError(toError("keep", path))
      )
      if (isThere) return path
    }
    return yield* failed(
      join(root, names[1]),
      "a different archive already has the name with this archive's digest; move it away"
    )
  }).pipe(Effect.ensuring(cleanUp(draft)))
})

/** Writes a copy of an archive durably, and returns its SHA-256. */
const copy = Effect.fnUntraced(function* (root: string, archive: SpooledArchive, draft: string) {
  const hash = createHash("sha256")
  const fail = toError("keep", root)
  yield* withFile(draft, "wx", (handle) =>
    Effect.gen(function* () {
      const written = yield* writeStream(handle, bytesOf(archive), fail, hash)
      if (written !== archive.size) {
        return yield* failed(archive.path, `it ends after ${written} of ${archive.size} bytes`)
      }
      const asked = archive.askedAt / 1000
      // By path, because Node's permission model forbids it by handle.
      yield* Effect.mapError(
        attempt(() => fs.utimes(draft, asked, asked).then(() => handle.sync())),
        fail
      )
    })
  ).pipe(Effect.catchTag("FileFailure", fail))
  return hash.digest("hex")
})

function failed(path: string, detail: string): ArchiveError {
  return new ArchiveError({ reason: "Failed", method: "keep", path, detail })
}

function bytesOf({ path, read, size }: SpooledArchive): Stream.Stream<Uint8Array, ArchiveError> {
  return Stream.paginateChunkEffect(0, (position) =>
    Effect.map(read(position, READ_BYTES), (bytes) => [
      Chunk.of(bytes),
      position + bytes.length < size && bytes.length > 0
        ? Option.some(position + bytes.length)
        : Option.none()
    ])
  ).pipe(Stream.mapError(({ message }) => failed(path, message)))
}

/** A kept archive; empty if it has just been removed. */
function describe(path: string): Effect.Effect<ReadonlyArray<KeptArchive>, FileFailure> {
  return attempt(() => fs.lstat(path)).pipe(
    Effect.map(({ mtimeMs, size }) => [{ path, size, written: mtimeMs }]),
    Effect.catchIf(hasCode("ENOENT"), () => Effect.succeed([]))
  )
}

const isUnlinkable = hasCode("EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS", "EMLINK")

/** Whether the draft, or a file with the same bytes, now has the name. Never replaces a file. */
function nameIt(draft: string, path: string, sha256: string): Effect.Effect<boolean, FileFailure> {
  return attempt(() => fs.link(draft, path)).pipe(
    // A disk without links: an empty file reserves the name, and no other run replaces it.
    Effect.catchIf(isUnlinkable, () =>
      attempt(async () => {
        await (await fs.open(path, "wx")).close()
        await fs.rename(draft, path)
      })
    ),
    Effect.as(true),
    Effect.catchIf(hasCode("EEXIST"), () =>
      Effect.map(digestOf(path), (digest) => digest === sha256)
    )
  )
}

function digestOf(path: string): Effect.Effect<string, FileFailure> {
  return withFile(path, "r", (handle) =>
    Effect.map(
      Stream.runFold(readStream(handle), createHash("sha256"), (hash, bytes) => hash.update(bytes)),
      (hash) => hash.digest("hex")
    )
  )
}
