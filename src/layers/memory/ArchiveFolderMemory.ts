import { createHash } from "node:crypto"
import { Effect, Layer } from "effect"
import { ArchiveError, ArchiveFolder } from "../../services/ArchiveFolder.ts"
import type { MemoryFile } from "./ArchiveFilesMemory.ts"
import { windowNames, windowOfFile } from "../names/windowName.ts"

const PLACE = "memory:"

/** The service, and `kept`: its archives by name. For tests. */
export const makeTest = Effect.sync(() => {
  const kept = new Map<string, MemoryFile>()
  const service = ArchiveFolder.of({
    keep: Effect.fn("ArchiveFolderMemory.keep")(function* (archive, isComplete) {
      const { askedAt, path, read, size, window } = archive
      const fail = (detail: string) =>
        new ArchiveError({ reason: "Failed", method: "keep", path, detail })
      const bytes = yield* Effect.mapError(read(0, size), ({ message }) => fail(message))
      if (bytes.length !== size)
        return yield* fail(`it ends after ${bytes.length} of ${size} bytes`)
      const sha256 = createHash("sha256").update(bytes).digest("hex")
      for (const name of windowNames({ window, isComplete }, sha256)) {
        const standing = kept.get(name)
        if (standing === undefined) kept.set(name, { bytes, writtenAt: askedAt })
        if (standing === undefined || Buffer.from(bytes).equals(standing.bytes)) {
          return `${PLACE}${name}`
        }
      }
      return yield* fail("a different archive has the name with its digest")
    }),
    list: Effect.sync(() =>
      [...kept]
        .filter(([name]) => windowOfFile(name).isNamed)
        .map(([name, { bytes, writtenAt }]) => {
          return { path: `${PLACE}${name}`, size: bytes.length, written: writtenAt }
        })
        .sort((one, two) => (one.path < two.path ? -1 : 1))
    ),
    remove: Effect.fn("ArchiveFolderMemory.remove")(({ path }) =>
      Effect.sync(() => {
        kept.delete(path.slice(PLACE.length))
      })
    )
  })
  return { service, kept }
})

/** Keeps archives in memory for the lifetime of the layer. */
export function make(): Effect.Effect<ArchiveFolder["Type"]> {
  return Effect.map(makeTest, ({ service }) => service)
}

/**
 * @example
 * ```ts
 * import * as ArchiveFolderMemory from "amplitude-lake/layers/ArchiveFolderMemory"
 *
 * export const folder = ArchiveFolderMemory.layer()
 * ```
 */
export function layer(): Layer.Layer<ArchiveFolder> {
  return Layer.effect(ArchiveFolder, make())
}
