import { createHash } from "node:crypto"
import { Effect, Layer } from "effect"
import { ArchiveError, ArchiveFolder } from "../services/ArchiveFolder.ts"
import { windowNames } from "./_windowName.ts"

/** Archives held in memory, by name, and `kept`: what is there. */
export const make = Effect.sync(() => {
  const kept = new Map<string, Uint8Array>()
  const service = ArchiveFolder.of({
    keep: Effect.fn("ArchiveFolderMemory.keep")(function* (archive, isComplete) {
      const { path, read, size, window } = archive
      const fail = (detail: string) =>
        new ArchiveError({ reason: "Failed", method: "keep", path, detail })
      const bytes = yield* Effect.mapError(read(0, size), ({ message }) => fail(message))
      if (bytes.length !== size)
        return yield* fail(`it ends after ${bytes.length} of ${size} bytes`)
      const sha256 = createHash("sha256").update(bytes).digest("hex")
      for (const name of windowNames({ window, isComplete }, sha256)) {
        const standing = kept.get(name)
        if (standing === undefined) kept.set(name, bytes)
        if (standing === undefined || Buffer.from(bytes).equals(standing)) return `memory:${name}`
      }
      return yield* fail("another archive stands under its digest")
    })
  })
  return { service, kept }
})

export const layer: Layer.Layer<ArchiveFolder> = Layer.effect(
  ArchiveFolder,
  Effect.map(make, ({ service }) => service)
)
