import { Effect, Layer } from "effect"
import { FolderError, Folders } from "../../services/Folders.ts"

/** Folders by purpose, each with its free bytes or an error. For tests. */
export function make(
  folders: Readonly<Record<string, number | FolderError>>
): Effect.Effect<Folders["Type"]> {
  return Effect.succeed({
    all: Object.entries(folders).map(([name, state]) => ({
      name,
      path: `memory:${name}`,
      tryOut: state instanceof FolderError ? Effect.fail(state) : Effect.succeed(state)
    }))
  })
}

/**
 * @example
 * ```ts
 * import * as FoldersMemory from "amplitude-lake/layers/FoldersMemory"
 *
 * export const folders = FoldersMemory.layer({ work: 20e9, data: 20e9 })
 * ```
 */
export function layer(
  folders: Readonly<Record<string, number | FolderError>>
): Layer.Layer<Folders> {
  return Layer.effect(Folders, make(folders))
}
