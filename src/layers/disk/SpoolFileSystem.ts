import * as fs from "node:fs/promises"
import { basename, dirname, join } from "node:path"
import { Config, type ConfigError, Effect, Layer, Option, type Scope, Stream } from "effect"
import {
  type ArchiveName,
  Spool,
  type SpooledArchive,
  type SpoolError
} from "../../services/Spool.ts"
import { archivesOf, parseArchiveFile } from "../names/archiveName.ts"
import {
  attempt,
  cleanUp,
  closeFile,
  filesBelow,
  hasCode,
  readFolder,
  readStream,
  sizesOf,
  syncFolder,
  writeStream
} from "./files.ts"
import * as RunFolder from "./runFolder.ts"
import { checkSpace, fileOf, openFile, refusal, toError } from "./spoolFile.ts"
import { type FolderSpool, hold, inFolder, letGoOfAll, release } from "./spoolHeld.ts"

export interface SpoolFileSystemOptions {
  /** The folder; created when first needed. */
  readonly root: string
}

/**
 * A spool in a folder. Free archives are in the folder itself, held ones in the run's own folder
 * below `runs/`. They are moved only by rename, so each has at most one holder, and those of a dead
 * run become free again.
 */
export const make = Effect.fnUntraced(function* ({
  root
}: SpoolFileSystemOptions): Effect.fn.Return<Spool["Type"], never, Scope.Scope> {
  const run = yield* RunFolder.make(root, (folder) =>
    filesBelow(folder).pipe(
      Effect.map((paths) => paths.filter(isArchive)),
      Effect.flatMap(Effect.forEach((path) => release(root, path), { discard: true }))
    )
  )
  const spool: FolderSpool = { root, run, held: new Map() }
  yield* Effect.addFinalizer(() => letGoOfAll(spool))
  return Spool.of({
    save: (name, bytes, size) => save(spool, name, bytes, size),
    flush: (archive) => flush(spool, archive),
    scratch: (bytes) => scratch(spool, bytes),
    list: (identity) => list(spool, identity),
    claim: (name) => claim(spool, name),
    drop: (archive) => drop(spool, archive),
    survey: survey(spool),
    prune: prune(spool)
  })
})

/**
 * The spool in a folder.
 *
 * @example
 * ```ts
 * import { Effect } from "effect"
 * import * as SpoolFileSystem from "amplitude-lake/layers/SpoolFileSystem"
 * import { Spool } from "amplitude-lake"
 *
 * const program = Effect.flatMap(Spool, (spool) => spool.survey)
 *
 * Effect.runPromise(Effect.provide(program, SpoolFileSystem.layer({ root: "work/spool" })))
 * ```
 */
export function layer(options: SpoolFileSystemOptions): Layer.Layer<Spool> {
  return Layer.scoped(Spool, make(options))
}

/** `layer` with its options from `Config`. */
export function layerConfig(
  config: Config.Config.Wrap<SpoolFileSystemOptions>
): Layer.Layer<Spool, ConfigError.ConfigError> {
  return Layer.unwrapEffect(Effect.map(Config.unwrap(config), layer))
}

/** The name of a file until it is whole and durable. */
function draftOf(path: string): string {
  return `${path}.part`
}

function isArchive(path: string): boolean {
  return Option.isSome(parseArchiveFile(basename(path)))
}

const save = Effect.fn("SpoolFileSystem.save")(function* <E>(
  spool: FolderSpool,
  name: ArchiveName,
  bytes: Stream.Stream<Uint8Array, E>,
  size: Option.Option<number>
): Effect.fn.Return<SpooledArchive, E | SpoolError, Scope.Scope> {
  const file = yield* fileOf("save", spool.root, name)
  return yield* Effect.uninterruptibleMask((restore) =>
    inFolder(spool, "save", (folder) =>
      Effect.gen(function* () {
        const path = join(folder, file)
        const draft = draftOf(path)
        const fail = toError("save", draft)
        if (Option.isSome(size)) yield* checkSpace(folder, draft, size.value)
        const handle = yield* Effect.mapError(openFile(draft, "wx+"), fail)
        const written = yield* restore(
          writeStream(handle, bytes, (failure, written) =>
            fail({ ...failure, detail: `${failure.detail}, after ${written} bytes` })
          )
        ).pipe(Effect.onError(() => closeFile(handle)))
        return yield* hold(spool, name, handle, path, written, publish(handle, draft, path))
      })
    )
  )
})

/**
 * Gives a file its name once its bytes are durable: a file of that name is whole. Never run twice, as
 * Linux reports a lost write to one fsync only.
 */
function publish(handle: fs.FileHandle, draft: string, path: string) {
  return attempt(() => handle.sync()).pipe(
    Effect.zipRight(attempt(() => fs.rename(draft, path))),
    Effect.zipRight(syncFolder(dirname(path))),
    Effect.mapError(toError("save", draft))
  )
}

const flush = Effect.fn("SpoolFileSystem.flush")(function* (
  { held }: FolderSpool,
  { path }: SpooledArchive
) {
  const own = held.get(path)
  if (own === undefined || own.isDropped) {
    return yield* refusal("Failed", "save", path, "this run does not hold it")
  }
  yield* own.flush
})

const scratch = Effect.fn("SpoolFileSystem.scratch")(function* <E>(
  spool: FolderSpool,
  bytes: Stream.Stream<Uint8Array, E>
): Effect.fn.Return<Stream.Stream<Uint8Array, SpoolError>, E | SpoolError, Scope.Scope> {
  const folder = yield* Effect.acquireRelease(inFolder(spool, "save", Effect.succeed), cleanUp)
  const path = join(folder, "scratch.part")
  const fail = toError("save", path)
  const handle = yield* Effect.acquireRelease(
    Effect.mapError(openFile(path, "wx+"), fail),
    closeFile
  )
  // Another try has the room of the first one.
  yield* Effect.onError(writeStream(handle, bytes, fail), () =>
    Effect.ignore(attempt(() => handle.truncate(0)))
  )
  return Stream.mapError(readStream(handle), toError("read", path))
})

const claim = Effect.fn("SpoolFileSystem.claim")(function* (spool: FolderSpool, name: ArchiveName) {
  const { root, run } = spool
  const file = yield* fileOf("claim", root, name)
  // The listed archive may belong to a dead run.
  yield* run.reclaim
  return yield* inFolder(spool, "claim", (folder) =>
    Effect.gen(function* () {
      const path = join(folder, file)
      const fail = toError("claim", join(root, file))
      const isOurs = yield* attempt(() => fs.rename(join(root, file), path)).pipe(
        Effect.as(true),
        Effect.catchIf(hasCode("ENOENT"), () => Effect.as(cleanUp(folder), false)),
        Effect.mapError(fail)
      )
      if (!isOurs) return Option.none()
      return yield* openFile(path, "r").pipe(
        Effect.bindTo("handle"),
        Effect.bind("stats", ({ handle }) =>
          attempt(() => handle.stat()).pipe(Effect.onError(() => closeFile(handle)))
        ),
        Effect.tapError(() => release(root, path)),
        Effect.mapError(fail),
        Effect.flatMap(({ handle, stats }) =>
          hold(spool, name, handle, path, stats.size, Effect.void)
        ),
        Effect.asSome
      )
    })
  )
}, Effect.uninterruptible)

const list = Effect.fn("SpoolFileSystem.list")(
  function* ({ root, run }: FolderSpool, identity: string) {
    const free = (yield* readFolder(root))
      .filter((entry) => entry.isFile())
      .map((entry) => entry.name)
    const left = (yield* Effect.forEach(yield* run.dead, filesBelow)).flat()
    yield* Effect.forEach(
      left.filter((path) => path.endsWith(".part")),
      cleanUp,
      { discard: true }
    )
    return archivesOf(identity, [...free, ...left.map((path) => basename(path))])
  },
  (self, { root }) => Effect.mapError(self, toError("list", root))
)

const drop = Effect.fn("SpoolFileSystem.drop")(function* (
  { held }: FolderSpool,
  { path }: SpooledArchive
) {
  const own = held.get(path)
  if (own === undefined) {
    return yield* refusal("Failed", "drop", path, "this run does not hold it")
  }
  const fail = toError("drop", path)
  // In this order, as a flush may rename the draft meanwhile.
  for (const file of [draftOf(path), path]) {
    yield* Effect.mapError(
      attempt(() => fs.rm(file, { force: true })),
      fail
    )
  }
  own.isDropped = true
}, Effect.uninterruptible)

function survey({ root, run }: FolderSpool): Spool["Type"]["survey"] {
  return Effect.gen(function* () {
    const free = (yield* readFolder(root)).filter((entry) => entry.isFile())
    const left = (yield* Effect.forEach(yield* run.dead, filesBelow)).flat()
    const files = yield* sizesOf([...free.map(({ name }) => join(root, name)), ...left])
    const archives = files.flatMap((file) =>
      Option.toArray(parseArchiveFile(basename(file.path))).map((name) => ({ ...name, ...file }))
    )
    // A file in the root that is not an archive was not created by this program.
    const halves = files.filter(({ path }) => dirname(path) !== root && !isArchive(path))
    return { archives, halves }
  }).pipe(Effect.mapError(toError("list", root)), Effect.withSpan("SpoolFileSystem.survey"))
}

function prune({ root, run }: FolderSpool): Spool["Type"]["prune"] {
  return Effect.gen(function* () {
    yield* run.reclaim
    const [stuck] = yield* Effect.mapError(run.dead, toError("drop", root))
    if (stuck === undefined) return
    return yield* refusal(
      "Failed",
      "drop",
      stuck,
      "it belongs to a dead run and could not be taken over"
    )
  }).pipe(Effect.withSpan("SpoolFileSystem.prune"))
}
