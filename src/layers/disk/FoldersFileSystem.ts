import * as fs from "node:fs/promises"
import { dirname, join, resolve } from "node:path"
import { Config, type ConfigError, Effect, Layer } from "effect"
import { Folders } from "../../services/Folders.ts"
import { attempt, cleanUp, FILE_MODE, type FileFailure, hasCode } from "./files.ts"
import { toError } from "./folderErrors.ts"

export interface FoldersFileSystemOptions {
  /** Paths by purpose; `undefined` for a folder that is not used. */
  readonly folders: Readonly<Record<string, string | undefined>>
}

/** Folders on a disk. */
export function make({ folders }: FoldersFileSystemOptions): Effect.Effect<Folders["Type"]> {
  return Effect.succeed(
    Folders.of({
      all: Object.entries(folders).flatMap(([name, path]) =>
        path === undefined ? [] : [{ name, path, tryOut: tryOut(path) }]
      )
    })
  )
}

/**
 * Folders on a disk.
 *
 * @example
 * ```ts
 * import { Effect } from "effect"
 * import * as FoldersFileSystem from "amplitude-lake/layers/FoldersFileSystem"
 * import { Folders } from "amplitude-lake"
 *
 * const program = Effect.flatMap(Folders, ({ all }) =>
 *   Effect.forEach(all, ({ tryOut }) => tryOut)
 * )
 *
 * Effect.runPromise(
 *   Effect.provide(program, FoldersFileSystem.layer({ folders: { work: "work", data: "data" } }))
 * )
 * ```
 */
export function layer(options: FoldersFileSystemOptions): Layer.Layer<Folders> {
  return Layer.effect(Folders, make(options))
}

/** `layer` with its options from `Config`. */
export function layerConfig(
  config: Config.Config.Wrap<FoldersFileSystemOptions>
): Layer.Layer<Folders, ConfigError.ConfigError> {
  return Layer.unwrapEffect(Effect.map(Config.unwrap(config), layer))
}

const tryOut = Effect.fn("FoldersFileSystem.tryOut")(
  function* (path: string) {
    const standing = yield* nearest(resolve(path))
    yield* attempt(() => fs.readdir(standing))
    yield* Effect.acquireUseRelease(
      attempt(() => fs.mkdtemp(join(standing, ".amplitude-lake-check-"))),
      (trial) =>
        attempt(async () => {
          await fs.writeFile(join(trial, "file"), "trial\n", { mode: FILE_MODE, flush: true })
          await fs.link(join(trial, "file"), join(trial, "link"))
        }),
      cleanUp
    )
    const { bavail, bsize } = yield* attempt(() => fs.statfs(standing))
    return bavail * bsize
  },
  (self, path) => Effect.mapError(self, toError(path))
)

/** The folder, or its nearest existing parent. */
function nearest(path: string): Effect.Effect<string, FileFailure> {
  return attempt(() => fs.stat(path)).pipe(
    Effect.flatMap((stats) =>
      stats.isDirectory()
        ? Effect.succeed(path)
        : Effect.fail<FileFailure>({
            _tag: "FileFailure",
            code: "ENOTDIR",
            detail: `"${path}" is not a folder`
          })
    ),
    Effect.catchIf(
      (failure) => hasCode("ENOENT")(failure) && dirname(path) !== path,
      () => nearest(dirname(path))
    )
  )
}
