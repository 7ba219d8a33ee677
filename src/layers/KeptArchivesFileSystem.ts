import * as fs from "node:fs/promises"
import { join } from "node:path"
import { Effect, Layer } from "effect"
import { KeptArchives, KeptArchivesError } from "../services/KeptArchives.ts"
import { attempt, type FileFailure, hasCode, readFolder } from "./_files.ts"

export interface KeptArchivesFileSystemOptions {
  /** The folder; it need not be there. */
  readonly root: string
}

/** `2025-11-10T00--2025-11-10T23.zip`, with or without a word between the window and the ending. */
const NAME = /^\d{4}-\d\d-\d\dT\d\d--\d{4}-\d\d-\d\dT\d\d(\.[a-z0-9]+)*\.zip$/

const REASONS: Readonly<Record<string, KeptArchivesError["reason"]>> = {
  EACCES: "AccessDenied",
  EPERM: "AccessDenied",
  EROFS: "AccessDenied",
  ENOTDIR: "Misconfigured"
}

function toError(method: KeptArchivesError["method"], path: string) {
  return ({ code, detail }: FileFailure) =>
    new KeptArchivesError({ reason: REASONS[code] ?? "Failed", method, path, detail })
}

/** Archives in a folder. What is named otherwise is not touched. */
export function make({ root }: KeptArchivesFileSystemOptions): KeptArchives["Type"] {
  const describe = (name: string) =>
    attempt(() => fs.lstat(join(root, name))).pipe(
      Effect.map(({ mtimeMs, size }) => [{ path: join(root, name), size, written: mtimeMs }]),
      Effect.catchIf(hasCode("ENOENT"), () => Effect.succeed([]))
    )
  return KeptArchives.of({
    list: readFolder(root).pipe(
      Effect.map((entries) => entries.filter((entry) => entry.isFile() && NAME.test(entry.name))),
      Effect.flatMap(Effect.forEach(({ name }) => describe(name))),
      Effect.map((archives) => archives.flat().sort((one, two) => (one.path < two.path ? -1 : 1))),
      Effect.mapError(toError("list", root))
    ),
    remove: Effect.fn("KeptArchivesFileSystem.remove")(({ path }) =>
      Effect.mapError(
        attempt(() => fs.rm(path, { force: true })),
        toError("remove", path)
      )
    )
  })
}

/** Archives in a folder. */
export function layer(options: KeptArchivesFileSystemOptions): Layer.Layer<KeptArchives> {
  return Layer.sync(KeptArchives, () => make(options))
}
