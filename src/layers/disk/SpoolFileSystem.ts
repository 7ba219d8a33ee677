import * as fs from "node:fs/promises"
import { basename, dirname, join } from "node:path"
import { Effect, Layer, Option, type Scope, type Stream } from "effect"
import { type ArchiveName, Spool, type SpooledArchive } from "../../services/Spool.ts"
import { archivesOf, parseArchiveFile } from "../names/archiveName.ts"
import {
  attempt,
  cleanUp,
  closeFile,
  type FileFailure,
  filesBelow,
  hasCode,
  makeFolder,
  readFolder,
  sizesOf,
  syncFolder,
  writeStream
} from "./files.ts"
import * as RunFolder from "./runFolder.ts"
import { checkSpace, fileOf, type Method, openFile, readAt, refusal, toError } from "./spoolFile.ts"

export interface SpoolFileSystemOptions {
  /** The folder; made when it is first needed. */
  readonly root: string
}

/** A file that this run holds, in a folder of its own below the run's. */
interface Held {
  readonly handle: fs.FileHandle
  readonly path: string
  isDropped: boolean
}

const isArchive = (path: string) => Option.isSome(parseArchiveFile(basename(path)))

/**
 * A spool in a folder: free archives lie in it by name, those that a run holds in the run's own folder below `runs/`. They are
 * moved by renames only, so that each has one holder at most, and what a dead run held is free again.
 */
export const make: (
  options: SpoolFileSystemOptions
) => Effect.Effect<Spool["Type"], never, Scope.Scope> = Effect.fnUntraced(function* ({ root }) {
  const run = yield* RunFolder.make(root, (folder) =>
    filesBelow(folder).pipe(
      Effect.map((paths) => paths.filter(isArchive)),
      Effect.flatMap(Effect.forEach(release, { discard: true }))
    )
  )
  const held = new Map<string, Held>()

  /** Makes an archive free: whole, and visible to every run. */
  function release(path: string): Effect.Effect<void, FileFailure> {
    return attempt(() => fs.rename(path, join(root, basename(path)))).pipe(
      Effect.zipRight(syncFolder(root))
    )
  }

  const letGo = Effect.fnUntraced(function* (own: Held) {
    if (!held.delete(own.path)) return
    yield* closeFile(own.handle)
    if (!own.isDropped) {
      yield* release(own.path).pipe(
        Effect.catchAll(({ detail }) =>
          Effect.logWarning(`Cannot keep an archive for the next run: ${detail}`)
        )
      )
    }
    yield* cleanUp(dirname(own.path))
  })
  // An archive's scope may outlive the spool's, but not the run's folder.
  yield* Effect.addFinalizer(() => Effect.forEach([...held.values()], letGo, { discard: true }))

  const hold = Effect.fnUntraced(function* (
    name: ArchiveName,
    handle: fs.FileHandle,
    path: string,
    size: number
  ) {
    const own: Held = { handle, path, isDropped: false }
    held.set(path, own)
    yield* Effect.addFinalizer(() => letGo(own))
    const archive: SpooledArchive = {
      ...name,
      path,
      size,
      read: (position, length, into) => readAt(handle, path, position, length, into)
    }
    return archive
  })

  /** A new folder of the run, removed with what is in it when `use` does not succeed. */
  const inFolder = <A, E, R>(method: Method, use: (folder: string) => Effect.Effect<A, E, R>) =>
    run.fresh.pipe(
      Effect.tap(makeFolder),
      Effect.mapError(toError(method, root)),
      Effect.flatMap((folder) => Effect.onError(use(folder), () => cleanUp(folder)))
    )

  const save = Effect.fn("SpoolFileSystem.save")(function* <E>(
    name: ArchiveName,
    bytes: Stream.Stream<Uint8Array, E>,
    size: Option.Option<number>
  ) {
    const file = yield* fileOf("save", root, name)
    return yield* Effect.uninterruptibleMask((restore) =>
      inFolder("save", (folder) =>
        Effect.gen(function* () {
          const path = join(folder, file)
          const part = `${path}.part`
          const fail = toError("save", part)
          if (Option.isSome(size)) yield* checkSpace(folder, part, size.value)
          const handle = yield* Effect.mapError(openFile(part, "wx+"), fail)
          return yield* restore(
            writeStream(handle, bytes, (failure, written) =>
              fail({ ...failure, detail: `${failure.detail}, after ${written} bytes` })
            )
          ).pipe(
            Effect.tap(() =>
              attempt(() => fs.rename(part, path)).pipe(
                Effect.zipRight(syncFolder(folder)),
                Effect.mapError(fail)
              )
            ),
            Effect.onError(() => closeFile(handle)),
            Effect.flatMap((written) => hold(name, handle, path, written))
          )
        })
      )
    )
  })

  const claim = Effect.fn("SpoolFileSystem.claim")(function* (name: ArchiveName) {
    const file = yield* fileOf("claim", root, name)
    // The listed archive may be a dead run's.
    yield* run.reclaim
    return yield* inFolder("claim", (folder) =>
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
          Effect.tapError(() => release(path)),
          Effect.mapError(fail),
          Effect.flatMap(({ handle, stats }) => hold(name, handle, path, stats.size)),
          Effect.asSome
        )
      })
    )
  }, Effect.uninterruptible)

  const list = Effect.fn("SpoolFileSystem.list")(
    function* (identity: string) {
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
    Effect.mapError(toError("list", root))
  )

  const drop = Effect.fn("SpoolFileSystem.drop")(function* ({ path }: SpooledArchive) {
    const own = held.get(path)
    if (own === undefined) {
      return yield* refusal("Failed", "drop", path, "this run does not hold it")
    }
    yield* attempt(() => fs.rm(path, { force: true })).pipe(Effect.mapError(toError("drop", path)))
    own.isDropped = true
  }, Effect.uninterruptible)

  const survey = Effect.gen(function* () {
    const free = (yield* readFolder(root)).filter((entry) => entry.isFile())
    const left = (yield* Effect.forEach(yield* run.dead, filesBelow)).flat()
    const files = yield* sizesOf([...free.map(({ name }) => join(root, name)), ...left])
    const archives = files.flatMap((file) =>
      Option.toArray(parseArchiveFile(basename(file.path))).map((name) => ({ ...name, ...file }))
    )
    // A file at the root that is no archive is not of this program's making.
    const halves = files.filter(({ path }) => dirname(path) !== root && !isArchive(path))
    return { archives, halves }
  }).pipe(Effect.mapError(toError("list", root)), Effect.withSpan("SpoolFileSystem.survey"))

  const prune = Effect.gen(function* () {
    yield* run.reclaim
    const [stuck] = yield* Effect.mapError(run.dead, toError("drop", root))
    if (stuck === undefined) return
    return yield* refusal("Failed", "drop", stuck, "it is a dead run's, and cannot be taken over")
  }).pipe(Effect.withSpan("SpoolFileSystem.prune"))

  return Spool.of({ save, list, claim, drop, survey, prune })
})

/** The spool in a folder. */
export function layer(options: SpoolFileSystemOptions): Layer.Layer<Spool> {
  return Layer.scoped(Spool, make(options))
}
