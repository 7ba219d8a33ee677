import { Effect, Layer, Option, Stream } from "effect"
import { type ArchiveName, Spool, SpoolError, type SpooledArchive } from "../../services/Spool.ts"
import { archiveFile, archivesOf, parseArchiveFile, unnameable } from "../names/archiveName.ts"
import { collectBytes, copyBytes } from "./bytes.ts"

function refusal(method: SpoolError["method"], path: string, detail: string) {
  return new SpoolError({ reason: "Failed", method, path, detail })
}

const fileOf = (method: SpoolError["method"], name: ArchiveName) =>
  Option.match(archiveFile(name), {
    onNone: () => Effect.fail(refusal(method, "memory:", unnameable(name))),
    onSome: Effect.succeed
  })

/** An archive that is held while its scope is open. */
interface Held {
  readonly bytes: Uint8Array
  isDropped: boolean
}

const service = Effect.sync((): Spool["Type"] => {
  const free = new Map<string, Uint8Array>()
  const held = new Map<string, Held>()
  let given = 0

  const hold = (name: ArchiveName, file: string, bytes: Uint8Array) =>
    Effect.acquireRelease(
      Effect.sync((): SpooledArchive => {
        const path = `memory:${given++}/${file}`
        held.set(path, { bytes, isDropped: false })
        return {
          ...name,
          path,
          size: bytes.length,
          read: (position, length, into) =>
            held.has(path)
              ? Effect.sync(() => copyBytes(bytes, position, length, into))
              : Effect.fail(refusal("read", path, "the scope that held it is closed"))
        }
      }),
      ({ path }) =>
        Effect.sync(() => {
          if (held.get(path)?.isDropped === false) free.set(file, bytes)
          held.delete(path)
        })
    )

  return Spool.of({
    save: Effect.fn("SpoolMemory.save")(function* (name, bytes) {
      const file = yield* fileOf("save", name)
      return yield* hold(name, file, yield* collectBytes(bytes))
    }),
    flush: ({ path }) =>
      held.get(path)?.isDropped === false
        ? Effect.void
        : Effect.fail(refusal("save", path, "this run does not hold it")),
    scratch: (bytes) => Effect.map(collectBytes(bytes), Stream.make),
    list: (identity) => Effect.sync(() => archivesOf(identity, free.keys())),
    claim: Effect.fn("SpoolMemory.claim")(function* (name) {
      const file = yield* fileOf("claim", name)
      const bytes = free.get(file)
      if (bytes === undefined) return Option.none()
      free.delete(file)
      return Option.some(yield* hold(name, file, bytes))
    }, Effect.uninterruptible),
    drop: Effect.fn("SpoolMemory.drop")(function* ({ path }) {
      const own = held.get(path)
      if (own === undefined) return yield* refusal("drop", path, "this run does not hold it")
      own.isDropped = true
    }),
    survey: Effect.sync(() => ({
      archives: [...free].flatMap(([file, bytes]) =>
        Option.toArray(parseArchiveFile(file)).map((name) => ({
          ...name,
          path: `memory:${file}`,
          size: bytes.length
        }))
      ),
      halves: []
    })),
    prune: Effect.void
  })
})

/** A spool in memory. Archives stay for the lifetime of the layer. */
export function make(): Effect.Effect<Spool["Type"]> {
  return service
}

/**
 * @example
 * ```ts
 * import * as SpoolMemory from "amplitude-lake/layers/SpoolMemory"
 *
 * export const spool = SpoolMemory.layer()
 * ```
 */
export function layer(): Layer.Layer<Spool> {
  return Layer.effect(Spool, make())
}
