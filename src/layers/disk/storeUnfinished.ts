import * as fs from "node:fs/promises"
import { Effect, Stream } from "effect"
import type { ObjectStorage, UnfinishedUpload } from "../../services/ObjectStorage.ts"
import { attempt, filesBelow, hasCode, sizesOf } from "./files.ts"
import { refusal, toError } from "./store.ts"
import type { RunFolder } from "./runFolder.ts"

/** Files that dead runs were writing, one folder per run. Files of live runs are not included. */
export function makeUnfinished({
  dead,
  reclaim
}: RunFolder): NonNullable<ObjectStorage["Type"]["unfinished"]> {
  const describe = Effect.fnUntraced(function* (folder: string) {
    const { mtimeMs } = yield* attempt(() => fs.stat(folder))
    const files = yield* Effect.flatMap(filesBelow(folder), sizesOf)
    const upload: UnfinishedUpload = {
      id: folder,
      path: folder,
      touched: mtimeMs,
      size: files.reduce((sum, { size }) => sum + size, 0),
      isOrphan: true
    }
    return [upload]
  })

  const list = () =>
    dead.pipe(
      Effect.mapError(toError("list", "runs")),
      Effect.map(Stream.fromIterable),
      Stream.unwrap,
      Stream.mapEffect((folder) =>
        describe(folder).pipe(
          // Another run may take over a dead run's files at the same time.
          Effect.catchIf(hasCode("ENOENT"), () => Effect.succeed([])),
          Effect.mapError(toError("list", folder))
        )
      ),
      Stream.mapConcat((uploads) => uploads)
    )

  const abort = Effect.fn("ObjectStorageFileSystem.abort")(function* ({ id }: UnfinishedUpload) {
    yield* reclaim
    const isGone = yield* attempt(() => fs.lstat(id)).pipe(
      Effect.as(false),
      Effect.catchIf(hasCode("ENOENT"), () => Effect.succeed(true)),
      Effect.mapError(toError("remove", id))
    )
    if (!isGone) return yield* refusal("Failed", "remove", id, "it could not be taken over")
  })

  return { list, abort }
}
