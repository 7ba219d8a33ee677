import { Effect } from "effect"
import { type KeptArchive, KeptArchives } from "../services/KeptArchives.ts"

/** Archives that are only told of, and forgotten when they are removed. */
export const make = (archives: ReadonlyArray<KeptArchive>): Effect.Effect<KeptArchives["Type"]> =>
  Effect.sync(() => {
    const kept = new Map(archives.map((archive) => [archive.path, archive] as const))
    return KeptArchives.of({
      list: Effect.sync(() => [...kept.values()]),
      remove: ({ path }) =>
        Effect.sync(() => {
          kept.delete(path)
        })
    })
  })
