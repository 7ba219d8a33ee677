import * as fs from "node:fs/promises"
import { Effect, Stream } from "effect"
import type { ObjectStorage, UnfinishedUpload } from "../../services/ObjectStorage.ts"
import { attempt, filesBelow, hasCode, sizesOf } from "./files.ts"
import { refusal, toError } from "./store.ts"
import type { RunFolder } from "./runFolder.ts"

/** What runs that died were writing, a folder a run; what a live run writes is never among it. */
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
          // Another run takes over what a dead one left, too.
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
    if (!isGone) return yield* refusal("Failed", "remove", id, "it cannot be taken over")
  })

  return { list, abort }
}
