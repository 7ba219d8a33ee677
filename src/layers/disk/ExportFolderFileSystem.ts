import { createHash } from "node:crypto"
import * as fs from "node:fs/promises"
import { dirname, join, relative, resolve, sep } from "node:path"
import { Effect, Layer, Option, Schema, type Scope, Stream } from "effect"
import {
  ExportFolder,
  ExportManifest,
  FolderError,
  type OpenExport,
  type StandingExport
} from "../../services/Folders.ts"
import { allOrNothing } from "./allOrNothing.ts"
import {
  attempt,
  cleanUp,
  FILE_MODE,
  type FileFailure,
  filesBelow,
  hasCode,
  makeFolder,
  readFolder,
  readStream,
  syncFolder,
  withFile
} from "./files.ts"
import { toError } from "./folderErrors.ts"
import * as RunFolder from "./runFolder.ts"

export interface ExportFolderFileSystemOptions {
  /** The folder; made when first needed. */
  readonly folder: string
}

const MANIFEST = "manifest.json"
/** Under its new name, a run's folder is what the manifest in it says, and only has to be put in place. */
const PUBLISHING = "publishing"
/** How many foreign files a message names. */
const NAMED = 5

type Failure = FileFailure | FolderError

/** Where an export's files are written, and may be read, before they have their places. */
export function stagingOf(folder: string): string {
  return join(resolve(folder), ".amplitude-lake")
}

/** A folder on a disk. */
export function make({
  folder
}: ExportFolderFileSystemOptions): Effect.Effect<ExportFolder["Type"]> {
  const root = resolve(folder)
  return Effect.succeed(
    ExportFolder.of({
      place: root,
      look: named(root, lookAt(root)),
      open: allOrNothing(named(root, openFolder(root)))
    })
  )
}

/**
 * A folder that tables are exported to. What is not in place yet lies in `<folder>/.amplitude-lake/`.
 *
 * @example
 * ```ts
 * import * as ExportFolderFileSystem from "amplitude-lake/layers/ExportFolderFileSystem"
 *
 * export const folder = ExportFolderFileSystem.layer({ folder: "parquet" })
 * ```
 */
export function layer(options: ExportFolderFileSystemOptions): Layer.Layer<ExportFolder> {
  return Layer.effect(ExportFolder, make(options))
}

const named = <A, R>(root: string, self: Effect.Effect<A, Failure, R>) =>
  Effect.mapError(self, (error) => (error._tag === "FileFailure" ? toError(root)(error) : error))

const lookAt = Effect.fn("ExportFolderFileSystem.look")(function* (
  root: string
): Effect.fn.Return<StandingExport, Failure> {
  const publishing = join(stagingOf(root), PUBLISHING)
  const begun = yield* readManifest(join(publishing, MANIFEST))
  const manifest = Option.isSome(begun) ? begun : yield* readManifest(join(root, MANIFEST))
  const files = new Map(
    Option.match(manifest, {
      onNone: () => [],
      onSome: (it) => it.files.map(({ bytes, path }) => [path, bytes] as const)
    })
  )
  const standing = yield* visibleFiles(root)
  const foreign = standing.filter((path) => !files.has(path))
  // Those that a killed export was about to remove.
  if (foreign.length > 0 && Option.isNone(begun)) return yield* foreignFiles(root, foreign)
  const damaged = new Set(files.keys())
  for (const path of standing) {
    const { size } = yield* attempt(() => fs.stat(join(root, path)))
    if (size === files.get(path)) damaged.delete(path)
  }
  return { manifest, damaged }
})

function foreignFiles(root: string, paths: ReadonlyArray<string>): FolderError {
  const more = paths.length > NAMED ? ` and ${paths.length - NAMED} more` : ""
  const list = paths
    .slice(0, NAMED)
    .map((path) => `"${path}"`)
    .join(", ")
  return new FolderError({
    reason: "Foreign",
    path: root,
    detail: `it holds files that no export has put there, which readers would take for rows: ${list}${more}; move them, or name an empty folder`
  })
}

/** Paths below a folder, without the manifest and what readers leave out: names that begin with a dot or an underscore. */
const visibleFiles = (root: string) =>
  Effect.map(
    Effect.flatMap(readFolder(root), (entries) =>
      Effect.forEach(
        entries.filter(({ name }) => !/^[._]/.test(name)),
        (entry) =>
          entry.isDirectory()
            ? filesBelow(join(root, entry.name))
            : Effect.succeed([join(root, entry.name)])
      )
    ),
    (paths) =>
      paths
        .flat()
        .map((path) => relative(root, path).split(sep).join("/"))
        .filter((path) => path !== MANIFEST && !/(^|\/)\./.test(path))
        .sort()
  )

const decodeManifest = Schema.decodeUnknown(Schema.parseJson(ExportManifest))

const readManifest = (path: string) =>
  attempt(() => fs.readFile(path, "utf8")).pipe(
    Effect.asSome,
    Effect.catchIf(hasCode("ENOENT"), () => Effect.succeed(Option.none<string>())),
    Effect.flatMap(
      Effect.transposeMapOption((text) =>
        Effect.mapError(
          decodeManifest(text),
          () =>
            new FolderError({
              reason: "Foreign",
              path: dirname(path),
              detail: `its ${MANIFEST} is not one that this version of amplitude-lake writes; name an empty folder`
            })
        )
      )
    )
  )

const openFolder = Effect.fn("ExportFolderFileSystem.open")(function* (
  root: string
): Effect.fn.Return<OpenExport, Failure, Scope.Scope> {
  // What is refused stays untouched.
  yield* lookAt(root)
  const inner = stagingOf(root)
  const run = yield* RunFolder.make(inner)
  const staging = yield* run.fresh
  if ((yield* run.others) > 0) {
    return yield* new FolderError({
      reason: "Busy",
      path: root,
      detail: "another export writes to it; wait for its end"
    })
  }
  yield* publishBegun(root)
  const standing = yield* lookAt(root)
  yield* makeFolder(staging)
  const stagedAt = (path: string) => join(staging, encodeURIComponent(path))
  return {
    ...standing,
    stage: (path) => Effect.succeed(stagedAt(path)),
    seal: (path) => named(root, seal(stagedAt(path))),
    publish: (manifest) =>
      named(
        root,
        Effect.gen(function* () {
          yield* writeManifest(join(staging, MANIFEST), manifest)
          yield* syncFolder(staging)
          yield* attempt(() => fs.rename(staging, join(inner, PUBLISHING)))
          yield* syncFolder(inner)
          yield* publishBegun(root)
        })
      ).pipe(Effect.uninterruptible)
  }
})

const seal = (path: string) =>
  withFile(path, "r+", (handle) =>
    Effect.gen(function* () {
      yield* attempt(() => handle.sync())
      const hash = createHash("sha256")
      let bytes = 0
      yield* Stream.runForEach(readStream(handle), (chunk) =>
        Effect.sync(() => {
          hash.update(chunk)
          bytes += chunk.length
        })
      )
      return { bytes, sha256: hash.digest("hex") }
    })
  )

const writeManifest = (path: string, manifest: ExportManifest) =>
  attempt(() =>
    fs.writeFile(
      path,
      `${JSON.stringify(Schema.encodeSync(ExportManifest)(manifest), undefined, 1)}\n`,
      {
        mode: FILE_MODE,
        flush: true
      }
    )
  )

/** Puts the files of an export in place that has begun to. Ends the same way however often it is interrupted. */
const publishBegun = Effect.fnUntraced(function* (root: string) {
  const publishing = join(stagingOf(root), PUBLISHING)
  const manifest = yield* readManifest(join(publishing, MANIFEST))
  if (Option.isSome(manifest)) {
    const before = yield* readManifest(join(root, MANIFEST))
    const kept = new Set(manifest.value.files.map(({ path }) => path))
    const touched = new Set<string>()
    for (const { name } of yield* readFolder(publishing)) {
      if (name === MANIFEST) continue
      const path = join(root, decodeURIComponent(name))
      yield* makeFolder(dirname(path))
      yield* attempt(() => fs.rename(join(publishing, name), path))
      touched.add(dirname(path))
    }
    const gone = Option.match(before, { onNone: () => [], onSome: ({ files }) => files }).filter(
      ({ path }) => !kept.has(path)
    )
    for (const { path } of gone) {
      yield* attempt(() => fs.rm(join(root, path), { force: true }))
      touched.add(yield* withoutEmpty(root, dirname(join(root, path))))
    }
    for (const folder of touched) {
      yield* Effect.catchIf(syncFolder(folder), hasCode("ENOENT"), () => Effect.void)
    }
    yield* attempt(() => fs.rename(join(publishing, MANIFEST), join(root, MANIFEST)))
    yield* syncFolder(root)
  }
  yield* cleanUp(publishing)
}, Effect.uninterruptible)

/** Removes a folder and its parents as far as they are empty, and returns the first one that stays. */
const withoutEmpty = (root: string, folder: string): Effect.Effect<string, FileFailure> =>
  folder === root
    ? Effect.succeed(root)
    : attempt(() => fs.rmdir(folder)).pipe(
        Effect.as(true),
        Effect.catchIf(hasCode("ENOTEMPTY", "EEXIST"), () => Effect.succeed(false)),
        Effect.catchIf(hasCode("ENOENT"), () => Effect.succeed(true)),
        Effect.flatMap((isGone) =>
          isGone ? withoutEmpty(root, dirname(folder)) : Effect.succeed(folder)
        )
      )
